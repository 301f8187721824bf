"""The command that attacks nodes: what each attack costs, and whether it changes what a node believes."""

from __future__ import annotations

import itertools
import socket
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from random import Random
from typing import IO

import click
import trio

from benchmarks.analysis.figures import as_json
from benchmarks.endurance.hostile.attack import Victim, accusations, cluster, flood
from benchmarks.endurance.hostile.borne import bombs
from benchmarks.endurance.hostile.forgeries import (
    FORGERIES,
    INVENTED_PER_DATAGRAM,
    invented_members,
    noise,
    of_made_up_sessions,
    sealed,
    strange_pings,
)
from benchmarks.endurance.hostile.measurement import Measurement
from benchmarks.environment.measuring import attempt, machine
from benchmarks.environment.terminal import EXIT_INTERRUPTED, console, progress_bar
from benchmarks.report.simulated import figures_table
from benchmarks.report.text import rich_table
from gossip import Key, Keyring
from gossip.core.errors import WireError
from gossip.security.envelope import Envelope

POOL = 20_000
"""Different hostile datagrams that are sent over and over. They are made beforehand: making them takes longer than
sending them."""

RATES = (1_000, 2_000, 5_000, 10_000, 20_000, 40_000, 80_000)
"""Datagrams a second with which a node is flooded, one rate after the other, until it or a peer of it suspects
somebody."""


async def forged(measurement: Measurement) -> None:
    """Offer a million forged and a million replayed datagrams to an envelope: how many pass, and what they cost."""
    random, keyring = Random(0), Keyring.load(measurement.keyring)
    seen = sealed(keyring, 1_000, random)
    receiver = Envelope(keyring, "default")
    for data in seen:
        receiver.open(data)
    each = int(200_000 * measurement.share)
    accepted = 0
    for name, make in FORGERIES.items():
        accepted += _offered(measurement, receiver, f"forged: {name}", make(seen, random), each)
    measurement.note("forged: accepted, of a million", accepted, target=0)
    accepted = _offered(measurement, receiver, "replayed", itertools.cycle(seen), 5 * each)
    measurement.note("replayed: accepted, of a million", accepted, target=0)


def _offered(measurement: Measurement, receiver: Envelope, name: str, made: Iterator[bytes], count: int) -> int:
    task = measurement.progress.add_task(name, total=count)
    accepted, spent_s = 0, 0.0
    for _ in range(0, count, 10_000):
        batch = list(itertools.islice(made, min(count, 10_000)))
        began = time.perf_counter()
        for data in batch:
            try:
                receiver.open(data)
            except WireError:
                continue
            accepted += 1
        spent_s += time.perf_counter() - began
        measurement.progress.advance(task, len(batch))
    measurement.progress.remove_task(task)
    measurement.note(f"{name}: to refuse one", 1e6 * spent_s / count, "us")
    return accepted


async def rates(measurement: Measurement) -> None:
    """How many datagrams a second a node of three takes before it suspects a healthy peer, or is suspected."""
    random = Random(0)
    floods: list[tuple[str, Path | None, Iterator[bytes]]] = [
        ("sealed, forged", measurement.keyring, of_made_up_sessions(sealed(_ring(measurement), 1, random), random)),
        ("sealed, random bytes", measurement.keyring, noise([], random)),
        ("unsealed, random bytes", None, noise([], random)),
        ("unsealed, valid pings", None, strange_pings(random)),
    ]
    for name, keyring, made in floods:
        pool = list(itertools.islice(made, POOL))
        task = measurement.progress.add_task(f"flood: {name}", total=len(RATES))
        withstood = 0
        async with cluster(2, keyring) as nodes:
            for rate in RATES:
                before = accusations(nodes)
                seconds = measurement.flood_s()
                sent = await flood(nodes[0].address, itertools.cycle(pool), rate, seconds)
                await trio.sleep(2.0)
                if accusations(nodes) > before or sent < 0.9 * rate * seconds:
                    break
                withstood = rate
                measurement.progress.advance(task)
        measurement.progress.remove_task(task)
        measurement.note(f"flood: {name}: withstood, a second", withstood)


async def memory(measurement: Measurement) -> None:
    """Memory of a node that is told of a million members that do not exist, and of one that gets 10 MB a second."""
    million = int(1_000_000 * measurement.share)
    async with cluster(1, None) as nodes:
        victim = nodes[0]
        for told, label in ((million // 100, "10,000"), (million // 10, "100,000"), (million, "1,000,000")):
            count = told // INVENTED_PER_DATAGRAM
            await flood(victim.address, invented_members(Random(told)), 2_000, count / 2_000)
            measurement.note(f"invented members: memory after {label}", (await _settled(victim))["kib"], "KiB")
        measurement.note("invented members: known in the end", (await _settled(victim))["members"], target=10_000)
        measurement.note("invented members: healthy ones held for dead", accusations(nodes), target=0)
    pool = [Random(number).randbytes(1_200) for number in range(1_000)]
    async with cluster(1, measurement.keyring) as nodes:
        victim = nodes[0]
        for label in ("before", "after 10 s", "after 60 s"):
            measurement.note(f"10 MB/s: memory {label}", (await _settled(victim))["kib"], "KiB")
            if label != "after 60 s":
                seconds = (10.0 if label == "before" else 50.0) * measurement.share
                await flood(victim.address, itertools.cycle(pool), 10_000_000 / 1_200, seconds)
        measurement.note("10 MB/s: healthy ones held for dead", accusations(nodes), target=0)


async def streams(measurement: Measurement) -> None:
    """Memory of a node to which a thousand idle streams are open."""
    async with cluster(1, measurement.keyring) as nodes:
        victim = nodes[0]
        measurement.note("1,000 idle streams: memory before", (await _settled(victim))["kib"], "KiB")
        with ExitStack() as stack:
            for _ in range(1_000):
                stack.enter_context(socket.create_connection(victim.address))
            await trio.sleep(0.5)
            measurement.note("1,000 idle streams: open at once", victim.counts["streams"])
            measurement.note("1,000 idle streams: refused", victim.counts["streams_refused"])
            measurement.note("1,000 idle streams: memory meanwhile", victim.counts["kib"], "KiB")
            await trio.sleep(6.0)
            measurement.note("1,000 idle streams: open after 6 s", victim.counts["streams"], target=0)
        measurement.note("1,000 idle streams: healthy ones held for dead", accusations(nodes), target=0)


async def _settled(victim: Victim) -> dict[str, int]:
    """What a victim tells of itself once it has dealt with what has arrived."""
    await trio.sleep(3.0)
    return victim.counts


def _ring(measurement: Measurement) -> Keyring:
    return Keyring.load(measurement.keyring)


EXPERIMENTS: dict[str, Callable[[Measurement], Awaitable[None]]] = {
    "forged": forged,
    "rates": rates,
    "memory": memory,
    "streams": streams,
    "bombs": bombs,
}


@click.command(context_settings={"help_option_names": ["-h", "--help"]}, short_help="Attack running nodes.")
@click.option("--only", type=click.Choice(list(EXPERIMENTS)), multiple=True, help="Run only this; may be repeated.")
@click.option("--share", type=click.FloatRange(0.001, 1), default=1.0, show_default=True,
              help="Share of the usual size and duration.")  # fmt: skip
@click.option("--json", "json_file", type=click.File("w", lazy=False), metavar="FILE",
              help="Write the figures to this file.")  # fmt: skip
def main(only: tuple[str, ...], share: float, json_file: IO[str] | None) -> None:
    """Attack nodes on this machine's loopback interface, and print what it costs them.

    \b
    forged   a million forged and a million replayed datagrams at an envelope
    rates    how many datagrams a second a node takes before anybody is suspected
    memory   a million invented members; 10 MB a second for a minute
    streams  a thousand streams on which nothing is said
    bombs    how much of the dearest messages a node takes before anybody is suspected

    The exit code is 1 if a node believed something forged, or took a healthy member for dead.
    """
    before = machine()
    with tempfile.TemporaryDirectory() as folder, progress_bar() as progress:
        keyring = Path(folder, "keys")
        Keyring.of(Key.generate()).save(keyring)
        measurement = Measurement(progress, keyring, share)

        async def attack() -> None:
            for name in only or EXPERIMENTS:
                await EXPERIMENTS[name](measurement)

        ending = attempt(attack)
    console().print(rich_table(figures_table(measurement.figures)))
    missed = [figure.name for figure in measurement.figures if figure.is_met is False]
    if json_file is not None:
        json_file.write(as_json(measurement.figures, missed, {"before": before, "after": machine()}))
    if ending.interrupted:
        sys.exit(EXIT_INTERRUPTED)
    if ending.failure is not None:
        raise click.ClickException(ending.failure)
    sys.exit(1 if missed else 0)
