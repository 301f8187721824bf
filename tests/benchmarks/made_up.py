"""Results that nobody measured, of every experiment, with figures that are easy to check."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cache
from random import Random
from typing import Any

from benchmarks.analysis.samples import Number, Results, Sample, Skipped

SYSTEMS = {
    "ours": "this library, all nodes in one process",
    "ours-processes": "this library, a process for each node",
    "memberlist-lan": "memberlist v0.5 with *DefaultLANConfig*",
    "swim-protocol": "swim-protocol 0.6",
}

SIZES = (8, 32, 64, 128)

SPEEDS = {"ours": 1.0, "ours-processes": 1.2, "memberlist-lan": 10.0, "swim-protocol": 25.0}
"""By how much each is slower than ours."""

LAST_S = {"join": 0.2, "update": 0.002, "crash": 2.4, "leave": 0.002, "restart": 0.01}
"""How long each thing takes with ours."""

REPEATS = 3

MACHINE: Mapping[str, Any] = {
    "cores": 2,
    "processor": "A processor * of 2 GHz",
    "versions": {"python": "3.11.7", "go": "1.22"},
    "commit": "abc1234",
    "load_before": [0.1, 0.2, 0.3],
}


def results(samples: Iterator[Sample] | list[Sample] | None = None, **machine: Any) -> Results:
    """Everything, or these samples."""
    return Results(
        machine={**MACHINE, **machine},
        systems=SYSTEMS,
        samples=every_sample() if samples is None else tuple(samples),
        skipped=(Skipped(experiment="heal", system="swim-protocol", reason="it has *no* way back | from a split"),),
    )


@cache
def every_sample() -> tuple[Sample, ...]:
    """Samples of all experiments."""
    return tuple(_every_sample())


def _every_sample() -> Iterator[Sample]:
    for system, speed in SPEEDS.items():
        for nodes in SIZES:
            for repeat in range(REPEATS):
                yield from spreads(system, speed, nodes, repeat)
                yield idle(system, nodes, repeat)
        if system != "swim-protocol":
            yield sample("heal", system, 32, last_s=None if system == "memberlist-lan" else 1.5, given_s=120.0)
        for setting in ("2 s", "8 s", "16 s"):
            deaths = 0.0 if system.startswith("ours") else 7.0
            yield sample("slow", system, 32, setting, false_deaths=deaths, suspicions=None, views=992.0)
        yield sample("lossy", system, 64, "25 % loss", false_deaths=speed - 1.0 if speed > 2 else 0.0, minutes=10.0)
    for nodes in (128, 1000):
        yield sample("limits", "ours", nodes, "update", last_hops=4.0)
        yield sample("limits", "ours to limit", nodes, "update", hops_to_limit_ratio=4 / 3)
        yield sample("limits", "limit", nodes, "update", limit_hops=3.0)
    for operation in ("encode a ping", "merge a record"):
        yield sample("micro", "ours", 1, operation, median_us=12.34, stdev_us=0.5, allocated_bytes=1024.0)


def spreads(system: str, speed: float, nodes: int, repeat: int) -> Iterator[Sample]:
    """Samples of everything that becomes known to all."""
    for experiment, base in LAST_S.items():
        for setting in ("", "25 % loss") if experiment == "crash" else ("",):
            random = Random(f"{experiment} {system} {nodes} {repeat}")
            last = base * speed * (1.0 + 0.1 * repeat) * (nodes / 8) ** 0.1
            times = sorted(last * random.betavariate(2, 3) for _ in range(nodes - 2))
            numbers: dict[str, Number] = {
                "first_s": times[0],
                "p50_s": times[len(times) // 2],
                "last_s": last,
                "missing": 0.0,
                "datagrams_per_node": 5.4 * speed,
            }
            yield sample(experiment, system, nodes, setting, repeat, (*times, last), **numbers)


def idle(system: str, nodes: int, repeat: int) -> Sample:
    """A sample of idling."""
    speed = SPEEDS[system]
    return sample(
        "idle",
        system,
        nodes,
        repeat=repeat,
        datagrams_per_node_s=2.0 + 0.01 * repeat,
        bytes_per_node_s=150.0 * speed**0.2,
        cpu_ms_per_node_s=1.0 / speed**0.1,
        memory_kib_per_node=900.0 * speed**0.5,
    )


def sample(
    experiment: str,
    system: str,
    nodes: int,
    setting: str = "",
    repeat: int = 0,
    times_s: tuple[float, ...] = (),
    **numbers: Number,
) -> Sample:
    """One sample."""
    return Sample(
        experiment=experiment,
        system=system,
        nodes=nodes,
        setting=setting,
        repeat=repeat,
        numbers=numbers,
        times_s=times_s,
    )


def without(found: Results, experiment: str) -> Results:
    """The same without an experiment."""
    return results([each for each in found.samples if each.experiment != experiment])
