"""How long after its node a program knows of something, and how long it takes to ask for all members.

Another process sends a thousand changes a second, each with the time at which it was sent. That of kinship sends
messages, since kinship tells of new metadata a few times a second at most. The node of ours also tells when it read the
datagram; kinship does not.
"""

from __future__ import annotations

from collections.abc import Sequence

import trio

from benchmarks.analysis.samples import Number
from benchmarks.embedding.bench import MET_WITHIN_S, Bench, addresses, crowd, open_programs, peer
from benchmarks.embedding.systems import System
from benchmarks.environment.builds import ROOT
from benchmarks.environment.measuring import MeasurementFailed
from sims.watching import percentile

PER_S = 1000
SECONDS, QUICK_SECONDS = 10.0, 2.0
TOLD_WITHIN_S = 120.0
"""A sender that has not ended by then never will."""

MEMBERS, QUICK_MEMBERS = 128, 16
CALLS = 10_000
"""Calls of ``members()`` in one measurement."""


def pieces(bench: Bench) -> int:
    """How many pieces of work there are."""
    return len(bench.systems) * (bench.repeats + 1)


async def run(bench: Bench) -> None:
    """Measure all systems, in turns and never two at once."""
    for repeat in range(bench.repeats):
        for system in bench.systems:
            async with bench.measuring(system):
                bench.step(f"{system.name}: changes {repeat + 1}")
                bench.keep(system, 2, repeat, await _changes(bench, system))
            bench.done(1)
    for system in bench.systems:
        async with bench.measuring(system):
            bench.step(f"{system.name}: members()")
            await _members(bench, system)
        bench.done(1)


async def _changes(bench: Bench, system: System) -> dict[str, Number]:
    """When a program knows of what another process sends to it."""
    seconds = bench.full(SECONDS, QUICK_SECONDS)
    mine = addresses(0, 1)[0]
    async with open_programs(system, 1, 1) as programs:
        await programs.start()
        seed = addresses(1, 1)[0]
        await _send(system, mine, seed, programs.names[0], seconds)
        (report,) = await programs.ask_all("report")
    since_read = [delay for delay, _ in report["delays_s"] if delay is not None]
    since_sent = [delay for _, delay in report["delays_s"]]
    if not since_sent:
        raise MeasurementFailed("the program was told of nothing")
    return {
        **_spread("from_node", since_read),
        **_spread("from_sender", since_sent),
        "event_rate": len(since_sent) / seconds,
        "events_missed": report["missed"],
    }


def _spread(name: str, delays_s: Sequence[float]) -> dict[str, Number]:
    shares = {"median": 0.5, "p99": 0.99, "most": 1.0}
    return {f"{name}_{word}_s": percentile(delays_s, share) for word, share in shares.items()} if delays_s else {}


async def _send(system: System, address: str, seed: str, to: str, seconds: float) -> None:
    command = peer("neighbours", "sender", system.library, address, seed, to, str(PER_S), str(seconds))
    with trio.move_on_after(TOLD_WITHIN_S):
        done = await trio.run_process(command, capture_stdout=True, capture_stderr=True, check=False, cwd=ROOT)
        if not done.stdout:
            raise MeasurementFailed(f"the sender failed: {done.stderr.decode(errors='replace').strip()[-500:]}")
        return
    raise MeasurementFailed(f"the sender did not end within {TOLD_WITHIN_S:g} s")


async def _members(bench: Bench, system: System) -> None:
    """How long ``members()`` takes in a large cluster in which nothing changes."""
    count = QUICK_MEMBERS if bench.quick else MEMBERS
    async with crowd(system, count - 1) as seed, open_programs(system, 1, 1) as programs:
        await programs.start(seed)
        if not await programs.see(count):
            raise MeasurementFailed(f"the program did not see {count} members within {MET_WITHIN_S:g} s")
        for repeat in range(bench.repeats):
            (told,) = await programs.ask_all("members", calls=CALLS)
            bench.keep(system, count, repeat, {"members_us": 1e6 * told["took_s"] / CALLS})
