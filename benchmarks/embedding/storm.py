"""What is left of nodes that were opened, used and cancelled at random points: threads, tasks, sockets, descriptors.

One program of each system opens them, some at a time, and some of them find a node that another process runs. The first
hundred are not counted: a program keeps some of what it has used once, such as modules and caches.
"""

from __future__ import annotations

from functools import partial

import attrs
import trio

from benchmarks.analysis.samples import Number
from benchmarks.embedding.bench import Bench, crowd, peer
from benchmarks.embedding.systems import System
from benchmarks.environment import usage
from benchmarks.environment.hosts import Host, open_host

NODES, QUICK_NODES = 10_000, 200
PROCESSES, QUICK_PROCESSES = 500, 16
"""Nodes in processes of their own: each takes a second of CPU time to start."""

AT_ONCE = 100
"""Nodes that one request asks for."""

BATCH_WITHIN_S = 300.0

LONGEST_S, LONGEST_OF_PROCESSES_S = 0.05, 2.0
"""The longest time until a node is cancelled; several times as long as it takes to open some at once."""

CALM_S = 12.0
"""How long a program is left alone before what it holds is counted: trio and kinship keep a thread for ten seconds that
has nothing to do, in case that they need one again."""


@attrs.frozen
class Held:
    """What a program holds."""

    threads: int
    sockets: int
    descriptors: int
    processes: int
    memory_kib: float

    @classmethod
    async def by(cls, host: Host) -> Held:
        """Let it come to rest, and count that."""
        await trio.sleep(CALM_S)
        pid = host.pid
        processes = len(list(usage.family(pid))) - 1
        return cls(
            usage.threads(pid), usage.sockets(pid), usage.descriptors(pid), processes, usage.memory_kib(pid)
        )  # fmt: skip


def nodes_of(bench: Bench, system: System) -> int:
    """How many nodes a system has to open."""
    if system.name.endswith("-process"):
        return QUICK_PROCESSES if bench.quick else PROCESSES
    return QUICK_NODES if bench.quick else NODES


def pieces(bench: Bench) -> int:
    """How many pieces of work there are: nodes."""
    return sum(nodes_of(bench, system) for system in bench.systems)


async def run(bench: Bench) -> None:
    """Open and cancel nodes of all systems, one system after the other."""
    for system in bench.systems:
        async with bench.measuring(system):
            bench.keep(system, 1, 0, await _storm(bench, system))


async def _storm(bench: Bench, system: System) -> dict[str, Number]:
    opened, tasks = 0, 0
    errors: list[str] = []
    async with crowd(system, 1) as seed, open_host(peer("storm", system.name, seed)) as host:
        longest_s = LONGEST_OF_PROCESSES_S if system.name.endswith("-process") else LONGEST_S
        storm = partial(host.ask, "storm", longest_s=longest_s, within_s=BATCH_WITHIN_S)
        shares = _shares(nodes_of(bench, system))
        await storm(count=shares[0], seed=bench.seed)
        before, began = await Held.by(host), trio.current_time()
        for place, share in enumerate(shares):
            bench.step(f"{system.name}: {place * AT_ONCE}")
            told = await storm(count=share, seed=f"{bench.seed} {place}")
            opened, tasks, errors = opened + told["opened"], told["tasks"], errors + told["errors"]
            bench.done(share)
        took_s = trio.current_time() - began
        after = await Held.by(host)
    return {
        "nodes_asked_for": sum(shares),
        "nodes_opened": opened,
        "threads_left": after.threads - before.threads,
        "tasks_left": tasks,
        "sockets_left": after.sockets - before.sockets,
        "descriptors_left": after.descriptors - before.descriptors,
        "processes_left": after.processes - before.processes,
        "memory_left_kib": after.memory_kib - before.memory_kib,
        "unexpected_errors": len(errors),
        "each_ms": 1000 * took_s / sum(shares),
    }


def _shares(count: int) -> list[int]:
    return [min(AT_ONCE, count - done) for done in range(0, count, AT_ONCE)]
