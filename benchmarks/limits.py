"""How far the protocol is from what theory allows, measured in simulated clusters that lose nothing.

The limits are those of :mod:`benchmarks.theory`.

**Updates.** One member changes its metadata, and everybody comes to know it. Hops are counted in the tree of who told
whom first. Rounds are the time, in one-way delays of the network. There are two networks:

- one whose delays are all equal, where rounds and hops are the same unless somebody waited before it pushed;
- one like a local network (:data:`sims.world.LAN_LATENCY`), where news comes first by whatever way is fastest, over
  more hops than the shortest has, and in less time.

*What the hops are compared with.* If whoever knows tells k others at each hop, log(N) / log(1 + k) hops are the least
in which N nodes can know. Three things keep any run from it, so all of these are told, beside the limit itself:

- hops are whole, so that the limit rounded up is the least that can happen at all;
- here each node pushes once and not at every hop, so that the number of those who know grows by a factor of k and
  not of 1 + k. At some sizes that takes one whole hop more;
- the limit is of nodes that tell nobody twice. Plain push to k random members, each node once, is what chance gives,
  and it misses about e^-k of them; ``push_once_*`` is the mean of simulated runs of it.

*What the rounds are compared with.* Periodic push-pull with a single contact in each round: its formula, the mean of
simulated runs, and, because here a node speaks to k others at once, the mean of runs with k contacts a round. That is
more than the protocol spends: k contacts in every round, where it pushes to k members once. Yet a round of push-pull is
an interval of the protocol, and here it is one delay of the network: the figures compare how many, not how long.

**Crashes.** One process ends, at any moment of two intervals. Times are in probe intervals. The first question is the
first ping that is sent to its address after that: whatever is made of the silence can only come later. (A ping that was
under way at the crash comes to nothing as well; that is half a millisecond in a second.) It is compared with asking at
random. In continuous time, with nodes at phases of their own, this takes one interval on average. SWIM's
1 / (1 - 1/e) = 1.58 is the same thing in whole intervals, the last one counted in full, and so is compared with times
that are rounded up in the same way.
"""

from __future__ import annotations

import math
import statistics
from collections.abc import Callable, Iterable, Iterator, Sequence
from random import Random

import attrs

from benchmarks import theory
from benchmarks.measuring import MeasurementFailed
from benchmarks.parallel import spread
from benchmarks.samples import Number, Sample
from gossip.core import caches
from gossip.core.address import Address
from gossip.core.config import Config
from gossip.core.events import EventKind, MembershipEvent
from gossip.core.messages import Ping
from gossip.core.wire import Codec
from sims.running.cycles import few_searches_for_cycles
from sims.watching import percentile
from sims.world import LAN_LATENCY, Constant, Latency, Link, Observer, SimulatedNode, Simulation, derived_random

EXPERIMENT = "limits"
COMPARED = "ours to limit"
"""System of the samples that compare what was measured with the limits."""

UPDATE = "update"
UPDATE_LAN = "update, delays of a local network"
CRASH = "crash"

_ROUNDS = ("rounds_to_push_pull_formula_ratio", "rounds_to_push_pull_ratio")
TO_THE_LIMIT = {UPDATE: ("hops_to_limit_ratio", *_ROUNDS), UPDATE_LAN: _ROUNDS}
"""The ratios that are held to something, by setting: to the hops it takes if all who know tell k others at each, and to
rounds of plain push-pull, by its formula and as simulated. Where delays differ, the fastest way has more hops than the
shortest, and only the time counts."""

EQUAL_DELAYS = Constant(LAN_LATENCY.median)
LAN_MEAN_S = LAN_LATENCY.median * math.exp(LAN_LATENCY.sigma**2 / 2)
"""Mean of the lognormal distribution."""

NETWORKS: dict[str, tuple[Latency, float]] = {
    UPDATE: (EQUAL_DELAYS, EQUAL_DELAYS.seconds),
    UPDATE_LAN: (LAN_LATENCY, LAN_MEAN_S),
}
"""By setting: the delays, and their mean in seconds, which is one round."""

REPEATS_PER_WORLD = 25
"""Updates and crashes measured in one cluster; then another one begins, with other ids and so another ring."""

LARGE = 2000
"""From this many nodes on, getting acquainted takes longer than what is measured, and gigabytes: all repetitions are
made in one cluster, and no two such clusters at once."""

PHASES = 2
"""Intervals over which nodes start and crashes happen: a node asks its neighbour and a random member in turn."""

SETTLE_S = 5.0
"""After all know each other: round trips have been measured."""

PAUSE_INTERVALS = (1.0, 2.0)
"""Between two updates: budgets for pushing are full again, and the next one meets rounds at any phase."""

UPDATE_LIMIT_S = 30.0
CRASH_LIMIT_S = 60.0
REJOIN_LIMIT_S = 120.0
LOOK_EVERY_S = 0.25


# --- who learnt what from whom


@attrs.define
class UpdateSeen:
    """How an update spreads, by address of who learns of it."""

    member_id: int
    began: float
    hops: dict[Address, int]
    last: float = 0.0
    """When somebody heard of it for the first time, for the last time so far."""


@attrs.define
class CrashSeen:
    """How a crash becomes known."""

    member_id: int
    address: Address
    began: float
    asked: float | None = None
    suspected: float | None = None
    died: dict[Address, float] = attrs.Factory(dict)


class Witness(Observer):
    """Follows one update or crash at a time."""

    def __init__(self, cluster: str) -> None:
        self._codec = Codec(cluster)
        self.update: UpdateSeen | None = None
        self.crash: CrashSeen | None = None

    def happened(self, node: SimulatedNode, event: MembershipEvent, cause: Address | None) -> None:
        """Somebody learnt something: one hop more than whoever told it."""
        update, crash = self.update, self.crash
        if update is not None and event.kind is EventKind.UPDATED and event.member.id == update.member_id:
            if cause is not None and node.address not in update.hops:
                update.hops[node.address] = update.hops[cause] + 1
                update.last = self.sim.now
        elif crash is not None and event.member.id == crash.member_id:
            if event.kind is EventKind.SUSPECTED and crash.suspected is None:
                crash.suspected = self.sim.now
            elif event.kind is EventKind.DIED:
                crash.died.setdefault(node.address, self.sim.now)

    def sent(self, node: SimulatedNode, data: bytes, destination: Address, arrivals: list[tuple[float, bytes]],
             lost_to: str) -> None:  # fmt: skip
        """Somebody may be the first to ask the dead."""
        crash = self.crash
        if crash is None or crash.asked is not None or destination != crash.address:
            return
        if isinstance(self._codec.decode(data).body, Ping):
            crash.asked = self.sim.now


# --- clusters in which it is measured


@attrs.frozen(kw_only=True)
class Task:
    """What one process measures: some repetitions in one cluster."""

    nodes: int
    seed: int
    repeats: range
    config: Config


class World:
    """A cluster whose members know each other, at rest."""

    def __init__(self, nodes: int, seed: int, config: Config) -> None:
        self._config = config
        self._witness = Witness(config.cluster)
        self._random = derived_random(seed, EXPERIMENT, nodes)
        self._sim = Simulation(
            seed=seed, config=config, link=Link(latency=EQUAL_DELAYS), observers=[self._witness], keeps_events=False
        )
        for number in range(nodes):
            self._sim.at(self._random.random() * PHASES * config.probe_interval, self._start, f"n{number}")
        self._sim.run(PHASES * config.probe_interval)
        self._sim.acquaint()
        self._sim.run(SETTLE_S)

    def update(self, latency: Latency, round_s: float) -> dict[str, Number]:
        """Change one member, and say how all others came to know."""
        sim = self._sim
        sim.network.link = attrs.evolve(sim.network.link, latency=latency)
        low, high = PAUSE_INTERVALS
        sim.run(self._config.probe_interval * (low + (high - low) * self._random.random()))
        node = self._any_node()
        seen = self._witness.update = UpdateSeen(node.id, sim.now, {node.address: 0})
        sim.update(node.key, {"changed": f"{sim.now:.6f}"})
        self._wait(lambda: len(seen.hops) == len(sim.nodes), UPDATE_LIMIT_S)
        self._witness.update = None
        hops = list(seen.hops.values())
        missing = len(sim.nodes) - len(hops)
        return {
            "last_hops": None if missing else max(hops),
            "mean_hops": sum(hops) / max(1, len(hops) - 1),
            "last_rounds": None if missing else (seen.last - seen.began) / round_s,
            "missing_nodes": missing,
        }

    def crash(self) -> dict[str, Number]:
        """Let one process end, and say how all others came to know. Then it starts again."""
        sim, interval = self._sim, self._config.probe_interval
        sim.run(PHASES * interval * self._random.random())
        node = self._any_node()
        seen = self._witness.crash = CrashSeen(node.id, node.address, sim.now)
        sim.crash(node.key)
        self._wait(lambda: len(seen.died) == len(sim.nodes) - 1, CRASH_LIMIT_S)
        self._witness.crash = None
        missing = len(sim.nodes) - 1 - len(seen.died)
        asked = None if seen.asked is None else (seen.asked - seen.began) / interval
        last = None if missing else (max(seen.died.values()) - seen.began) / interval
        numbers: dict[str, Number] = {
            "asked_intervals": asked,
            "asked_whole_intervals": None if asked is None else max(1, math.ceil(asked)),
            "suspected_intervals": None if seen.suspected is None else (seen.suspected - seen.began) / interval,
            "first_dead_intervals": (min(seen.died.values()) - seen.began) / interval if seen.died else None,
            "last_dead_intervals": last,
            "missing_nodes": missing,
        }
        self._start_again(node.key)
        return numbers

    def _start(self, key: str) -> None:
        self._sim.start(key)

    def _start_again(self, key: str) -> None:
        """So that all crashes are measured among as many nodes."""
        sim = self._sim
        seed = next(each.key for each in iter(self._any_node, None) if each.running)
        sim.start(key, seeds=(seed,))
        if not self._wait(sim.all_agree, REJOIN_LIMIT_S):
            raise MeasurementFailed(f"{len(sim.nodes)} simulated nodes did not agree after one had started again")

    def _any_node(self) -> SimulatedNode:
        nodes = list(self._sim.nodes.values())
        return nodes[int(self._random.random() * len(nodes))]

    def _wait(self, condition: Callable[[], bool], within_s: float) -> bool:
        """Let time pass until something holds, looking now and then only: a look may cost much."""
        end = self._sim.now + within_s
        while not (holds := condition()) and self._sim.now < end:
            self._sim.run(LOOK_EVERY_S)
        return holds


def measure(task: Task) -> list[Sample]:
    """Make some repetitions, in this process."""
    caches.forget()
    with few_searches_for_cycles() as all_stays:
        world = World(task.nodes, task.seed, task.config)
        all_stays()
        samples = []
        for repeat in task.repeats:
            for setting, (latency, round_s) in NETWORKS.items():
                samples.append(_sample(task, setting, repeat, world.update(latency, round_s)))
        samples += [_sample(task, CRASH, repeat, world.crash()) for repeat in task.repeats]
    return samples


def _sample(task: Task, setting: str, repeat: int, numbers: dict[str, Number]) -> Sample:
    return Sample(
        experiment=EXPERIMENT, system="ours", nodes=task.nodes, setting=setting, repeat=repeat, seed=task.seed,
        numbers=numbers,
    )  # fmt: skip


# --- the limits


def limits_of(nodes: int, config: Config, seed: int) -> list[Sample]:
    """What the measured figures of so many nodes are to be compared with."""
    numbers: dict[str, dict[str, Number]] = {
        UPDATE: _limits_of_updates(nodes, config, derived_random(seed, EXPERIMENT, "theory", nodes)),
        CRASH: {
            "random_mean_intervals": theory.random_probing_mean_intervals(nodes),
            "random_p99_intervals": theory.random_probing_quantile_intervals(nodes, 0.99),
            "random_mean_whole_intervals": theory.random_probing_whole_intervals(nodes),
            "alternating_mean_intervals": theory.ALTERNATING_MEAN_INTERVALS,
            "regular_mean_intervals": theory.REGULAR_MEAN_INTERVALS,
        },
    }
    return [
        Sample(experiment=EXPERIMENT, system="limit", nodes=nodes, setting=setting, seed=seed, numbers=each)
        for setting, each in numbers.items()
    ]


def _limits_of_updates(nodes: int, config: Config, random: Random) -> dict[str, Number]:
    fan_out = config.push_fanout
    missed: list[int] = []

    def plain_push() -> float:
        hops, missing = theory.push_once(nodes, fan_out, random)
        missed.append(missing)
        return hops

    plain_hops = theory.mean_of(plain_push)
    return {
        "fan_out": fan_out,
        "limit_hops": theory.push_limit_hops(nodes, fan_out),
        "limit_whole_hops": theory.push_limit_whole_hops(nodes, fan_out),
        "limit_once_whole_hops": theory.push_once_limit_whole_hops(nodes, fan_out),
        "push_once_mean_hops": plain_hops,
        "push_once_missed_share": statistics.fmean(missed) / nodes,
        "push_pull_formula_rounds": theory.push_pull_formula_rounds(nodes),
        "push_pull_mean_rounds": theory.mean_of(lambda: theory.push_pull_rounds(nodes, random)),
        "push_pull_same_fan_out_mean_rounds": theory.mean_of(
            lambda: theory.push_pull_rounds(nodes, random, fan_out)
        ),
    }  # fmt: skip


# --- the experiment


@attrs.frozen(kw_only=True)
class _Theory:
    """The limits of one size, to be worked out in another process."""

    nodes: int
    seed: int
    config: Config


def _do(task: Task | _Theory) -> list[Sample]:
    return measure(task) if isinstance(task, Task) else limits_of(task.nodes, task.config, task.seed)


def limits(sizes: Sequence[int], repeats: int, seed: int, processes: int | None, step: Callable[[str], None],
           config: Config | None = None) -> list[Sample]:  # fmt: skip
    """Measure clusters of these sizes, and work out what they could do at best.

    :param repeats: updates over each network, and crashes, at each size.
    :param seed: of the first cluster of each size; further ones count from it.
    :param processes: how many measure at once; None is one for each core. Large clusters are measured one by one.
    :param step: told what has been done.
    :param config: of all nodes, instead of the profile ``lan``.
    :returns: a sample of each repetition, and samples of the system ``limit``.
    """
    config = config or Config.lan()
    tasks = [task for nodes in sizes for task in _tasks(nodes, repeats, seed, config)]
    small = [task for task in tasks if task.nodes < LARGE]
    theories = [_Theory(nodes=nodes, seed=seed, config=config) for nodes in sizes]
    parts = _spread([*theories, *small], processes, step)
    for task in tasks:
        if task.nodes >= LARGE:
            parts += _spread([task], 1, step)  # in a process of its own, which gives back the memory
    return [sample for part in parts for sample in part]


def _tasks(nodes: int, repeats: int, seed: int, config: Config) -> Iterator[Task]:
    at_once = repeats if nodes >= LARGE else REPEATS_PER_WORLD
    for number, first in enumerate(range(0, repeats, max(1, at_once))):
        yield Task(
            nodes=nodes, seed=seed + number, repeats=range(first, min(first + at_once, repeats)), config=config
        )  # fmt: skip


def _spread(tasks: Sequence[Task | _Theory], processes: int | None, step: Callable[[str], None]) -> list[list[Sample]]:
    done = iter(range(1, len(tasks) + 1))
    sizes = "/".join(str(nodes) for nodes in dict.fromkeys(task.nodes for task in tasks))
    return spread(_do, tasks, lambda: step(f"limits, {sizes} nodes: {next(done)} of {len(tasks)}"), processes)


# --- both beside each other


def compared(samples: Iterable[Sample]) -> list[Sample]:
    """What was measured, summed up for each size, and divided by what it is compared with.

    Whoever reads it finds the ratio to the limit as it is and to the limit in whole hops, which no run can be below.
    """
    by_place: dict[tuple[int, str], list[Sample]] = {}
    limit: dict[tuple[int, str], Sample] = {}
    for sample in samples:
        if sample.experiment == EXPERIMENT and sample.system == "limit":
            limit[sample.nodes, sample.setting] = sample
        elif sample.experiment == EXPERIMENT:
            by_place.setdefault((sample.nodes, sample.setting), []).append(sample)
    found = []
    for (nodes, setting), measured in sorted(by_place.items()):
        if setting == CRASH:
            numbers = _compared_crashes(measured, limit[nodes, CRASH])
        else:
            numbers = _compared_updates(measured, limit[nodes, UPDATE])
        found.append(Sample(experiment=EXPERIMENT, system=COMPARED, nodes=nodes, setting=setting, numbers=numbers))
    return found


def _compared_updates(measured: Sequence[Sample], limit: Sample) -> dict[str, Number]:
    hops, rounds = _all_of(measured, "last_hops"), _all_of(measured, "last_rounds")
    mean_hops, mean_rounds = statistics.fmean(hops), statistics.fmean(rounds)
    return {
        "repeats": len(measured),
        "missing_nodes": sum(_all_of(measured, "missing_nodes")),
        "mean_hops": mean_hops,
        "worst_hops": max(hops),
        "hops_to_limit_ratio": _ratio(mean_hops, limit, "limit_hops"),
        "hops_to_whole_limit_ratio": _ratio(mean_hops, limit, "limit_whole_hops"),
        "worst_hops_to_whole_limit_ratio": _ratio(max(hops), limit, "limit_whole_hops"),
        "hops_to_push_once_ratio": _ratio(mean_hops, limit, "push_once_mean_hops"),
        "mean_rounds": mean_rounds,
        "worst_rounds": max(rounds),
        "rounds_to_push_pull_formula_ratio": _ratio(mean_rounds, limit, "push_pull_formula_rounds"),
        "rounds_to_push_pull_ratio": _ratio(mean_rounds, limit, "push_pull_mean_rounds"),
        "rounds_to_push_pull_same_fan_out_ratio": _ratio(mean_rounds, limit, "push_pull_same_fan_out_mean_rounds"),
    }


def _compared_crashes(measured: Sequence[Sample], limit: Sample) -> dict[str, Number]:
    asked, whole = _all_of(measured, "asked_intervals"), _all_of(measured, "asked_whole_intervals")
    last = _all_of(measured, "last_dead_intervals")
    p99 = percentile(asked, 0.99)
    assert p99 is not None
    return {
        "repeats": len(measured),
        "missing_nodes": sum(_all_of(measured, "missing_nodes")),
        "asked_mean_intervals": statistics.fmean(asked),
        "asked_p99_intervals": p99,
        "asked_mean_whole_intervals": statistics.fmean(whole),
        "asked_to_random_ratio": _ratio(statistics.fmean(asked), limit, "random_mean_intervals"),
        "asked_p99_to_random_ratio": _ratio(p99, limit, "random_p99_intervals"),
        "asked_whole_to_random_ratio": _ratio(statistics.fmean(whole), limit, "random_mean_whole_intervals"),
        "last_dead_mean_intervals": statistics.fmean(last),
        "last_dead_to_asked_ratio": statistics.fmean(last) / statistics.fmean(asked),
        "last_dead_to_random_ratio": _ratio(statistics.fmean(last), limit, "random_mean_intervals"),
    }


def _all_of(samples: Iterable[Sample], name: str) -> list[float]:
    """The numbers of one name; without end where something never happened."""
    return [math.inf if (number := sample.numbers[name]) is None else number for sample in samples]


def _ratio(value: float, limit: Sample, name: str) -> Number:
    against = limit.numbers[name]
    return value / against if against else None
