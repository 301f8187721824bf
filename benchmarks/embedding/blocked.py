"""Programs that do not let their own loop run for a while: how often the others take them for dead.

Each system has a cluster of five programs for each way of blocking, and all clusters run side by side. In each
repetition one program of each is blocked, one after the other. Only spinning needs a core: so many programs spin at
once as leave one core to the others.
"""

from __future__ import annotations

import contextlib
import os
import time

import trio

from benchmarks.analysis.samples import Number
from benchmarks.embedding.bench import LOOK_EVERY_S, Bench, Programs, open_programs
from benchmarks.embedding.systems import System

PROGRAMS = 5

BLOCKED_S = 5.0

WATCHED_S = 10.0
"""After that, a suspicion is over for which the blocked program gave a reason: it has refuted it, or is dead."""

RECOVERED_WITHIN_S = 60.0
"""A cluster that has not found together again by then is replaced by a new one."""

NOTICED_WITHIN_S = 60.0
"""A program that was killed is dead to the others by then, or never."""

WAYS = {"sleep": "time.sleep", "spin": "pure Python", "gil": "C code that holds the GIL"}

KILLED = "killed, for comparison"


def pieces(bench: Bench) -> int:
    """How many pieces of work there are."""
    return len(bench.systems) * len(WAYS) * bench.repeats


async def run(bench: Bench) -> None:
    """Block programs of all systems, in all ways."""
    spinning = trio.CapacityLimiter(max(1, (os.cpu_count() or 1) - 1))
    network = 0
    async with trio.open_nursery() as nursery:
        for way in WAYS:
            for system in bench.systems:
                nursery.start_soon(_series, bench, system, way, network, spinning)
                network += 1


async def _series(bench: Bench, system: System, way: str, network: int, spinning: trio.CapacityLimiter) -> None:
    """All repetitions with one system and one way; a new cluster wherever one has fallen apart."""
    repeat = 0
    async with bench.measuring(system):
        while repeat < bench.repeats:
            async with open_programs(system, PROGRAMS, network) as programs:
                await programs.start()
                await programs.meet()
                is_whole = True
                while is_whole and repeat < bench.repeats:
                    numbers = await _trial(programs, 1 + repeat % (PROGRAMS - 1), way, spinning)
                    bench.keep(system, PROGRAMS, repeat, numbers, WAYS[way])
                    bench.step(f"{system.name}, {WAYS[way]}: {repeat + 1}")
                    bench.done(1)
                    repeat += 1
                    is_whole = await programs.see(PROGRAMS, RECOVERED_WITHIN_S)
                if is_whole:
                    bench.keep(system, PROGRAMS, list(WAYS).index(way), await _kill(programs), KILLED)


async def _trial(programs: Programs, victim: int, way: str, spinning: trio.CapacityLimiter) -> dict[str, Number]:
    """Block one program, and count what the others make of it."""
    await programs.ask_all("reset")
    async with spinning if way == "spin" else contextlib.nullcontext():
        blocked = await programs.hosts[victim].ask("block", way=way, seconds=BLOCKED_S)
    await trio.sleep(WATCHED_S)
    reports = await programs.ask_all("report")
    deaths = [at - blocked["began"] for report in reports for _, at in report["deaths"]]
    return {
        "false_deaths": len(deaths),
        "declared_dead_s": min(deaths, default=None),
        "suspicions": sum(report["suspicions"] for report in reports),
        "blocked_s": blocked["took_s"],
    }


async def _kill(programs: Programs) -> dict[str, Number]:
    """Kill one program, and see how long it takes until another one is told that it is dead."""
    victim, others = programs.hosts[-1], programs.hosts[:-1]
    await programs.ask_all("reset")
    killed_at = time.monotonic()
    victim.kill()
    with trio.move_on_after(NOTICED_WITHIN_S):
        while True:
            for host in others:
                if deaths := (await host.ask("report"))["deaths"]:
                    return {"killed_declared_dead_s": deaths[0][1] - killed_at}
            await trio.sleep(LOOK_EVERY_S)
    return {"killed_declared_dead_s": None}
