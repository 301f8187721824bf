"""What a node costs a program: time to open it, CPU time when nothing happens, and memory.

All systems have a cluster of five programs, and all clusters run side by side, so that whatever else the machine does
meets all of them alike. What a node in a process of its own needs counts, too.
"""

from __future__ import annotations

import statistics
import time
from contextlib import AsyncExitStack

import attrs
import trio

from benchmarks.analysis.samples import Number
from benchmarks.embedding.bench import Bench, Programs, open_programs
from benchmarks.embedding.systems import System

PROGRAMS = 5
CALM_S, QUICK_CALM_S = 10.0, 1.0
"""How long all are left alone before anything is measured."""

IDLE_S, QUICK_IDLE_S = 60.0, 3.0
"""How long one measurement takes."""

YARDSTICK = "ours-trio"
"""The system with whose CPU time that of the others is compared."""


@attrs.frozen
class Embedded:
    """The programs of one system, with open nodes."""

    system: System
    programs: Programs
    opened_s: float
    """Median of the time that it took to open a node."""
    empty_kib: float
    """What the programs occupied before that."""


def pieces(bench: Bench) -> int:
    """How many pieces of work there are."""
    return len(bench.systems) + bench.repeats


async def run(bench: Bench) -> None:
    """Start the programs of all systems, and look at what they use."""
    async with AsyncExitStack() as stack:
        running = []
        for network, system in enumerate(bench.systems):
            bench.step(f"{system.name}: starting")
            async with bench.measuring(system):
                running.append(await _start(stack, system, network))
            bench.done(1)
        await trio.sleep(bench.full(CALM_S, QUICK_CALM_S))
        for repeat in range(bench.repeats):
            bench.step(f"idle {repeat + 1}")
            used = await _used(running, bench.full(IDLE_S, QUICK_IDLE_S))
            for each in running:
                bench.keep(each.system, PROGRAMS, repeat, _numbers(each, used))
            bench.done(1)


async def _start(stack: AsyncExitStack, system: System, network: int) -> Embedded:
    programs = await stack.enter_async_context(open_programs(system, PROGRAMS, network))
    empty_kib = programs.memory_kib()
    opened_s = statistics.median(await programs.start())
    await programs.meet()
    return Embedded(system, programs, opened_s, empty_kib)


async def _used(running: list[Embedded], seconds: float) -> dict[str, float]:
    """CPU time of each system in the same seconds, in milliseconds per node and second."""
    before, began = [each.programs.cpu_s() for each in running], time.monotonic()
    await trio.sleep(seconds)
    after, took = [each.programs.cpu_s() for each in running], time.monotonic() - began
    return {
        each.system.name: 1000 * (after - before) / (PROGRAMS * took)
        for each, before, after in zip(running, before, after, strict=True)
    }


def _numbers(embedded: Embedded, used: dict[str, float]) -> dict[str, Number]:
    cpu_ms = used[embedded.system.name]
    numbers: dict[str, Number] = {
        "opened_s": embedded.opened_s,
        "cpu_ms_per_node_s": cpu_ms,
        "memory_kib_per_node": (embedded.programs.memory_kib() - embedded.empty_kib) / PROGRAMS,
    }
    if YARDSTICK in used:
        numbers["cpu_to_trio_ratio"] = cpu_ms / used[YARDSTICK]
    return numbers
