"""What the figures are held to, and the rules that check it; :mod:`.embedding_targets` has those of embedded nodes.

A rule looks at each size. If it fails at one, the target is missed. If it holds at some sizes and there is nothing to
look at for others, the target counts as not measured.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

from benchmarks.analysis.samples import Number
from benchmarks.analysis.summary import OURS, Stat, Summary, or_never, ratio
from benchmarks.core.ratios import COMPARED, TO_THE_LIMIT
from benchmarks.report.embedding_targets import EMBEDDING_TARGETS
from benchmarks.report.numbers import times, value
from benchmarks.report.verdicts import NOTHING, Look, Rule, Target, Verdict, verdict_of
from benchmarks.report.wording import LIMITS

PEER = "memberlist-lan"
"""The system with which ours is compared: memberlist with its settings for a local network."""

SIZES = (8, 32, 64, 128)

IDLE_DATAGRAMS = 2.5
"""Datagrams per node and second: the 2.0 of memberlist (a probe and its answer each second), and a quarter more."""

IDLE_BYTES = 256.0
"""Payload bytes per node and second: a hundred for each of those datagrams."""

IDLE_CPU = 1.5
"""CPU time of an idle node, in relation to that of a compiled program."""

LOSSY_MINUTES = 10.0
LOSSY_NODES = 64
LOSSY_SETTING = "25 % loss"
SLOW_SETTINGS = ("2 s", "8 s", "16 s")

NEAR_THE_LIMIT = 1.5
"""Ratio to a limit that no protocol of this kind can beat."""


def verdicts_of(summary: Summary) -> tuple[Verdict, ...]:
    """Check all targets."""
    return tuple(verdict_of(target, summary) for target in TARGETS)


# --- rules


def sized(look: Callable[[Summary, int], Look], sizes: Sequence[int] = SIZES) -> Rule:
    """A rule that has to hold at each of these sizes."""
    return lambda summary: [(str(nodes), look(summary, nodes)) for nodes in sizes]


def faster(experiment: str, at_least: float | None = None) -> Callable[[Summary, int], Look]:
    """The median time of the last node with the peer is so many times ours; if no number is given, it is longer."""

    def look(summary: Summary, nodes: int) -> Look:
        ours, peer = _both(summary, experiment, nodes, "last_s")
        factor = ratio(ours, peer)
        if factor is None:
            return NOTHING if ours is None or peer is None else Look("never with either", False)
        return Look(_factor_text(factor), factor > 1.0 if at_least is None else factor >= at_least)

    return look


def worst_below_median(experiment: str) -> Callable[[Summary, int], Look]:
    """The longest time that ours ever took is less than the median time of the peer."""

    def look(summary: Summary, nodes: int) -> Look:
        ours, peer = _both(summary, experiment, nodes, "last_s")
        if ours is None or peer is None:
            return NOTHING
        text = f"{_value_text(ours, ours.most)} against {_value_text(peer, peer.median)}"
        return Look(text, or_never(ours.most) < or_never(peer.median))

    return look


def at_most(experiment: str, number: str, limit: float) -> Callable[[Summary, int], Look]:
    """The median of ours does not exceed a limit; the peer's is told beside it."""

    def look(summary: Summary, nodes: int) -> Look:
        ours, peer = _both(summary, experiment, nodes, number)
        if ours is None:
            return NOTHING
        beside = f" ({_value_text(peer, peer.median)})" if peer else ""
        return Look(_value_text(ours, ours.median) + beside, or_never(ours.median) <= limit)

    return look


def at_most_times(
    experiment: str, number: str, factor: float, is_strict: bool = False
) -> Callable[[Summary, int], Look]:
    """The median of ours is at most so many times the peer's, or less than that."""

    def look(summary: Summary, nodes: int) -> Look:
        ours, peer = _both(summary, experiment, nodes, number)
        if ours is None or peer is None:
            return NOTHING
        mine, limit = or_never(ours.median), factor * or_never(peer.median)
        text = f"{_value_text(ours, ours.median)} against {_value_text(peer, peer.median)}"
        return Look(text, mine < limit if is_strict else mine <= limit)

    return look


def no_false_death_in_loss(summary: Summary, nodes: int) -> Look:
    """No living node was declared dead, in as many minutes as the claim says."""
    ours, peer = _both(summary, "lossy", nodes, "false_deaths", LOSSY_SETTING)
    minutes = summary.stat("lossy", OURS, nodes, "minutes", LOSSY_SETTING)
    if ours is None or minutes is None or minutes.least is None:
        return NOTHING
    text = f"{_deaths_text(ours, peer)}, in {minutes.least:g} min"
    if ours.total:
        return Look(text, False)
    return Look(text, True if minutes.least >= LOSSY_MINUTES else None)


def no_false_death_of_the_slow(summary: Summary) -> Sequence[tuple[str, Look]]:
    """No process was declared dead because it, or the process that watched it, was stopped, however long."""
    return [(setting, _slow_look(summary, setting)) for setting in SLOW_SETTINGS]


def near_the_limit(summary: Summary) -> Sequence[tuple[str, Look]]:
    """Hops and delays of updates, divided by the limits: the highest of all sizes."""
    found: dict[tuple[str, str], list[tuple[float, int, Stat]]] = {}
    for group in summary.of("limits"):
        for name in TO_THE_LIMIT.get(group.kind.setting, ()):
            stat = group.stats.get(name)
            if group.kind.system == COMPARED and stat is not None and stat.is_told:
                found.setdefault((group.kind.setting, name), []).append((or_never(stat.median), group.kind.nodes, stat))
    looks = []
    for (setting, name), stats in found.items():
        ratio, nodes, stat = max(stats, key=lambda each: each[:2])
        text = f"{_value_text(stat, stat.median)} ({nodes:,} nodes)"
        looks.append((f"{setting}, {LIMITS[name]}", Look(text, ratio <= NEAR_THE_LIMIT)))
    return looks


def _slow_look(summary: Summary, setting: str) -> Look:
    found = [
        _both(summary, "slow", nodes, "false_deaths", setting)
        for nodes in summary.nodes("slow", setting)
        if summary.stat("slow", OURS, nodes, "false_deaths", setting)
    ]
    if not found:
        return NOTHING
    ours = sum(mine.total for mine, _ in found if mine)
    theirs = [peer.total for _, peer in found if peer]
    return Look(f"{ours:,.0f}" + (f" ({sum(theirs):,.0f})" if theirs else ""), not ours)


def _both(
    summary: Summary, experiment: str, nodes: int, number: str, setting: str = ""
) -> tuple[Stat | None, Stat | None]:
    ours = summary.stat(experiment, OURS, nodes, number, setting)
    return ours, summary.stat(experiment, PEER, nodes, number, setting)


def _value_text(stat: Stat, number: Number) -> str:
    return "never" if number is None else value(stat.name, number)


def _factor_text(factor: float) -> str:
    if math.isinf(factor):
        return f"never with {PEER}"
    return f"{times(factor)} times" if factor else "never with ours"


def _deaths_text(ours: Stat, peer: Stat | None) -> str:
    return f"{ours.total:,.0f}" + (f" ({peer.total:,.0f})" if peer else "")


# --- the targets

LAST = {
    "join": "until all see all",
    "update": "until the last node knows",
    "crash": "until the last node knows",
    "leave": "until the last node knows",
}
AT_LEAST: tuple[tuple[str, float, tuple[int, ...]], ...] = (
    ("update", 8.0, SIZES),
    ("crash", 3.0, SIZES),
    ("join", 3.0, (128,)),
)

TARGETS = (
    *(
        Target(f"{name}: {PEER} takes longer than ours {what} (medians)", "above 1 times", sized(faster(name)))
        for name, what in LAST.items()
    ),
    *(
        Target(
            f"{name}: {PEER} takes at least {factor:g} times as long as ours {LAST[name]} (medians)",
            f"at least {factor:g} times",
            sized(faster(name, factor), sizes),
        )
        for name, factor, sizes in AT_LEAST
    ),
    *(
        Target(
            f"{name}: the longest of ours {what}, against the median of {PEER}", "less", sized(worst_below_median(name))
        )
        for name, what in LAST.items()
    ),
    Target(
        f"idle: datagrams per node and second ({PEER})",
        f"at most {IDLE_DATAGRAMS:g}",
        sized(at_most("idle", "datagrams_per_node_s", IDLE_DATAGRAMS)),
    ),
    Target(
        f"idle: bytes per node and second ({PEER})",
        f"at most {IDLE_BYTES:g}",
        sized(at_most("idle", "bytes_per_node_s", IDLE_BYTES)),
    ),
    Target(
        f"idle: CPU time, ms per node and second, against {PEER}",
        f"at most {IDLE_CPU:g} times",
        sized(at_most_times("idle", "cpu_ms_per_node_s", IDLE_CPU)),
    ),
    Target(
        f"idle: memory, KiB per node, against {PEER}",
        "less",
        sized(at_most_times("idle", "memory_kib_per_node", 1.0, is_strict=True)),
    ),
    Target(
        f"lossy: false deaths at {LOSSY_SETTING} in {LOSSY_MINUTES:g} minutes ({PEER})",
        "0",
        sized(no_false_death_in_loss, (LOSSY_NODES,)),
    ),
    Target(f"slow: false deaths ({PEER})", "0", no_false_death_of_the_slow),
    Target(
        "limits: hops and delays, divided by the limit, worst of all sizes",
        f"at most {NEAR_THE_LIMIT:g}",
        near_the_limit,
    ),
    *EMBEDDING_TARGETS,
)
"""In the order in which they are told."""
