"""What nodes in programs are held to that trio does not run, and how that is checked."""

from __future__ import annotations

from collections.abc import Sequence

from benchmarks.analysis.summary import COUNTERPARTS, Summary, or_never
from benchmarks.report.numbers import times, value
from benchmarks.report.verdicts import NOTHING, Look, Rule, Target

PEER = "kinship"
PEERS = {ours: peer for peer, ours in COUNTERPARTS.items()}
"""The system whose figure stands beside that of ours, in brackets."""

PROGRAMS = 5
"""Programs in a cluster, where each has a node."""

MEMBERS = 128

MEDIAN_S = 0.3e-3
P99_S = 2e-3
"""From a node's event to its reader on asyncio."""

MEMBERS_US = 1.0
IDLE_CPU = 1.3
"""CPU time of a program with an idle node, in relation to that of a trio program with one."""

HARMLESS = ("time.sleep", "pure Python")
"""Blocks during which Python gives other threads their turn."""

WAYS = (*HARMLESS, "C code that holds the GIL")

LEFT = ("threads_left", "tasks_left", "sockets_left", "descriptors_left", "processes_left", "unexpected_errors")


def no_false_death(system: str, ways: Sequence[str]) -> Rule:
    """No other program was told that a blocked one is dead."""

    def look(summary: Summary, way: str) -> Look:
        ours, peer = (summary.stat("blocked", name, PROGRAMS, "false_deaths", way) for name in (system, PEER))
        if ours is None:
            return NOTHING
        beside = f" ({peer.total:,.0f})" if peer else ""
        return Look(f"{ours.total:,.0f}{beside} in {ours.count}", not ours.total)

    return lambda summary: [(way, look(summary, way)) for way in ways]


def at_most(experiment: str, number: str, nodes: int, limit: float, *systems: str) -> Rule:
    """The median of each of these systems does not exceed a limit; the peer's is told beside it."""

    def look(summary: Summary, system: str) -> Look:
        ours, peer = (summary.stat(experiment, name, nodes, number) for name in (system, PEERS[system]))
        if ours is None or ours.median is None:
            return NOTHING
        show = times if number.endswith("_ratio") else lambda median: value(number, median)
        beside = f" ({show(peer.median)})" if peer and peer.median is not None else ""
        return Look(show(ours.median) + beside, or_never(ours.median) <= limit)

    return lambda summary: [(system, look(summary, system)) for system in systems]


def nothing_left(*systems: str) -> Rule:
    """A program holds as much after it has opened and cancelled its nodes as before."""

    def look(summary: Summary, system: str) -> Look:
        stats = [summary.stat("storm", system, 1, number) for number in LEFT]
        count = summary.stat("storm", system, 1, "nodes_asked_for")
        if count is None or None in stats:
            return NOTHING
        left = sum(max(0.0, stat.total) for stat in stats if stat)
        return Look(f"{left:,.0f} after {count.total:,.0f}", not left)

    return lambda summary: [(system, look(summary, system)) for system in systems]


EMBEDDING_TARGETS = (
    Target(f"blocked: false deaths, node in a thread ({PEER})", "0", no_false_death("ours-aio", HARMLESS)),
    Target(f"blocked: false deaths, node in a process ({PEER})", "0", no_false_death("ours-aio-process", WAYS)),
    Target(
        "latency: from the node's event to its reader on asyncio, median",
        f"at most {1e3 * MEDIAN_S:g} ms",
        at_most("latency", "from_node_median_s", 2, MEDIAN_S, "ours-aio"),
    ),
    Target(
        "latency: from the node's event to its reader on asyncio, 99 %",
        f"at most {1e3 * P99_S:g} ms",
        at_most("latency", "from_node_p99_s", 2, P99_S, "ours-aio"),
    ),
    Target(
        f"latency: members() of {MEMBERS} when nothing changes, µs ({PEER})",
        f"at most {MEMBERS_US:g}",
        at_most("latency", "members_us", MEMBERS, MEMBERS_US, "ours-aio", "ours-blocking"),
    ),
    Target(
        f"embedded: CPU time when nothing happens, divided by that on trio ({PEER})",
        f"at most {IDLE_CPU:g}",
        at_most("embedded", "cpu_to_trio_ratio", PROGRAMS, IDLE_CPU, "ours-aio", "ours-blocking"),
    ),
    Target(
        "storm: threads, tasks, sockets, descriptors and processes left, and unexpected errors",
        "0",
        nothing_left("ours-aio", "ours-aio-process", "ours-blocking"),
    ),
)
"""In the order in which they are told."""
