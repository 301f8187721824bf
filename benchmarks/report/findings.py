"""What a plot shows, in one sentence with figures: its title, and its text for readers who do not see it."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import attrs

from benchmarks.analysis.summary import OURS, Stat, Summary, ratio
from benchmarks.report.numbers import times, value
from benchmarks.report.rst import Picture
from benchmarks.report.targets import PEER
from benchmarks.report.wording import SPREADS

EVENTS = {"update": "an update", "crash": "a crash"}


@attrs.frozen
class Cost:
    """Something that an idle node needs."""

    title: str
    unit: str
    words: str
    """The cost in a sentence, with a place for the figure."""


COSTS: Mapping[str, Cost] = {
    "datagrams_per_node_s": Cost("Datagrams", "per node and second", "{} datagrams a second"),
    "bytes_per_node_s": Cost("Bytes (UDP payload)", "per node and second", "{} bytes a second"),
    "cpu_ms_per_node_s": Cost("CPU time", "ms per node and second", "{} ms of CPU time a second"),
    "memory_kib_per_node": Cost("Memory", "KiB per node", "{} KiB of memory"),
}


def pictures_of(summary: Summary) -> tuple[Picture, ...]:
    """The plots for which there are samples: the file, what it shows, and where it belongs."""
    found = []
    if any(summary.nodes(name, "") for name in SPREADS):
        found.append(Picture("last", how_fast(summary)))
    found += [
        Picture(name, when_known(summary, name), name)
        for name in EVENTS
        if any(group.times_s for group in summary.of(name) if not group.kind.setting)
    ]
    if set(summary.numbers("idle")) & set(COSTS):
        found.append(Picture("idle", what_it_costs(summary), "idle"))
    return tuple(found)


def when_known(summary: Summary, experiment: str) -> str:
    """When the last node knows of an event, with ours and with the other one, in the largest cluster of both."""
    nodes = largest(summary, experiment, "last_s")
    if nodes is None:
        return f"When nodes know of {EVENTS[experiment]}"
    ours, peer = _both(summary, experiment, nodes, "last_s")
    beside = f", with {PEER} {_after(peer)}" if peer else ""
    return f"The last of {nodes} nodes knows of {EVENTS[experiment]} {_after(ours)} with ours{beside} (medians)"


def how_fast(summary: Summary) -> str:
    """How much sooner the last node knows with ours than with the other one."""
    factors = {name: found for name in SPREADS if (found := speed(summary, name))}
    if not factors:
        return "How long until the last node knows"
    sizes = {nodes for nodes, _ in factors.values()}
    who = f"the last of {sizes.pop()} nodes" if len(sizes) == 1 else "the last node of the largest clusters"
    figures = {SPREADS[name]: times(factor) for name, (_, factor) in factors.items()}
    words = [f"{figure} {'' if place else 'times as long as ours '}in {name}"
             for place, (name, figure) in enumerate(figures.items())]  # fmt: skip
    return f"Until {who} knows, {PEER} takes {_listed(words)}"


def speed(summary: Summary, experiment: str) -> tuple[int, float] | None:
    """How many times as long the peer takes, and in a cluster of which size; None if that cannot be told."""
    nodes = largest(summary, experiment, "last_s")
    factor = ratio(*_both(summary, experiment, nodes, "last_s")) if nodes else None
    return (nodes, factor) if nodes and factor and math.isfinite(factor) else None


def what_it_costs(summary: Summary) -> str:
    """What an idle node of ours costs, and one of the peer."""
    nodes = largest(summary, "idle", "datagrams_per_node_s")
    parts = []
    for number, cost in COSTS.items():
        ours, peer = _both(summary, "idle", nodes, number) if nodes else (None, None)
        if ours and ours.median is not None:
            beside = f" ({value(number, peer.median)})" if peer and peer.median is not None else ""
            parts.append(cost.words.format(value(number, ours.median) + beside))
    if not parts:
        return "What an idle node costs"
    return f"An idle node among {nodes} costs with ours (with {PEER}) {_listed(parts)}"


def largest(summary: Summary, experiment: str, number: str) -> int | None:
    """The largest cluster that was measured with both systems; with ours alone, if the peer did not take part."""
    ours, both = [], []
    for nodes in summary.nodes(experiment, ""):
        mine, peer = _both(summary, experiment, nodes, number)
        ours += [nodes] if mine else []
        both += [nodes] if mine and peer else []
    return max(both or ours, default=None)


def _both(summary: Summary, experiment: str, nodes: int, number: str) -> tuple[Stat | None, Stat | None]:
    return summary.stat(experiment, OURS, nodes, number), summary.stat(experiment, PEER, nodes, number)


def _after(stat: Stat | None) -> str:
    if stat is None or stat.median is None:
        return "never"
    return f"after {value(stat.name, stat.median)}"


def _listed(parts: Sequence[str]) -> str:
    return " and ".join([", ".join(parts[:-1]), parts[-1]] if len(parts) > 1 else parts)
