"""``python -m benchmarks.hostile``: what hostile packets cost a node, and whether they change what it believes."""

from __future__ import annotations

import itertools
import socket
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from random import Random
from typing import IO

import click
from rich.console import Console

from benchmarks.figures import WIDTH_ELSEWHERE, as_json, table_of
from benchmarks.hostile.attack import Victim, accusations, cluster, flood
from benchmarks.hostile.borne import bombs
from benchmarks.hostile.forgeries import (
    FORGERIES,
    INVENTED_PER_DATAGRAM,
    invented_members,
    noise,
    of_made_up_sessions,
    sealed,
    strange_pings,
)
from benchmarks.hostile.measurement import Measurement
from benchmarks.measuring import machine, progress_bar
from gossip import Key, Keyring
from gossip.core.errors import WireError
from gossip.security.envelope import Envelope

POOL = 20_000
"""Different hostile datagrams that are sent over and over, made beforehand: to make them takes longer than to send."""

RATES = (1_000, 2_000, 5_000, 10_000, 20_000, 40_000, 80_000)
"""Datagrams a second at which a node is flooded, one after the other until it, or a peer of it, suspects somebody."""


def forged(measurement: Measurement) -> None:
    """A million forged and a million replayed datagrams at an envelope: how many pass, and what they cost."""
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


def rates(measurement: Measurement) -> None:
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
        with cluster(2, keyring) as nodes:
            for rate in RATES:
                before = accusations(nodes)
                seconds = measurement.flood_s()
                sent = flood(nodes[0].address, itertools.cycle(pool), rate, seconds)
                time.sleep(2.0)
                if accusations(nodes) > before or sent < 0.9 * rate * seconds:
                    break
                withstood = rate
                measurement.progress.advance(task)
        measurement.progress.remove_task(task)
        measurement.note(f"flood: {name}: withstood, a second", withstood)


def memory(measurement: Measurement) -> None:
    """Memory of a node that is told of a million members that do not exist, and of one under 10 MB a second."""
    million = int(1_000_000 * measurement.share)
    with cluster(1, None) as nodes:
        victim = nodes[0]
        for told, label in ((million // 100, "10,000"), (million // 10, "100,000"), (million, "1,000,000")):
            count = told // INVENTED_PER_DATAGRAM
            flood(victim.address, invented_members(Random(told)), 2_000, count / 2_000)
            measurement.note(f"invented members: memory after {label}", _settled(victim)["kib"], "KiB")
        measurement.note("invented members: known in the end", _settled(victim)["members"], target=10_000)
        measurement.note("invented members: healthy ones held for dead", accusations(nodes), target=0)
    pool = [Random(number).randbytes(1_200) for number in range(1_000)]
    with cluster(1, measurement.keyring) as nodes:
        victim = nodes[0]
        for label in ("before", "after 10 s", "after 60 s"):
            measurement.note(f"10 MB/s: memory {label}", _settled(victim)["kib"], "KiB")
            if label != "after 60 s":
                seconds = (10.0 if label == "before" else 50.0) * measurement.share
                flood(victim.address, itertools.cycle(pool), 10_000_000 / 1_200, seconds)
        measurement.note("10 MB/s: healthy ones held for dead", accusations(nodes), target=0)


def streams(measurement: Measurement) -> None:
    """Memory of a node to which a thousand streams are opened on which nothing is said."""
    with cluster(1, measurement.keyring) as nodes, ExitStack() as stack:
        victim = nodes[0]
        measurement.note("1,000 idle streams: memory before", _settled(victim)["kib"], "KiB")
        for _ in range(1_000):
            stack.enter_context(socket.create_connection(victim.address))
        time.sleep(0.5)
        measurement.note("1,000 idle streams: open at once", victim.counts["streams"])
        measurement.note("1,000 idle streams: refused", victim.counts["streams_refused"])
        measurement.note("1,000 idle streams: memory meanwhile", victim.counts["kib"], "KiB")
        time.sleep(6.0)
        measurement.note("1,000 idle streams: open after 6 s", victim.counts["streams"], target=0)
        measurement.note("1,000 idle streams: healthy ones held for dead", accusations(nodes), target=0)


def _settled(victim: Victim) -> dict[str, int]:
    """What a victim says of itself once it has dealt with what has arrived."""
    time.sleep(3.0)
    return victim.counts


def _ring(measurement: Measurement) -> Keyring:
    return Keyring.load(measurement.keyring)


EXPERIMENTS: dict[str, Callable[[Measurement], None]] = {
    "forged": forged,
    "rates": rates,
    "memory": memory,
    "streams": streams,
    "bombs": bombs,
}


@click.command()
@click.option("--only", type=click.Choice(list(EXPERIMENTS)), multiple=True, help="Only this; may be repeated.")
@click.option("--share", type=click.FloatRange(0.001, 1), default=1.0, show_default=True, help="Of the usual size.")
@click.option("--json", "json_file", type=click.File("w", lazy=False), metavar="FILE", help="Also write the figures.")
def main(only: tuple[str, ...], share: float, json_file: IO[str] | None) -> None:
    """Attack nodes on this machine's loopback interface, and print what it costs them.

    \b
    forged   a million forged and a million replayed datagrams at an envelope
    rates    how many datagrams a second a node takes before anybody is suspected
    memory   a million invented members; 10 MB a second for a minute
    streams  a thousand streams on which nothing is said
    bombs    how much of the dearest messages a node takes before anybody is suspected

    The exit code is 1 if something was believed, or somebody healthy was held for dead.
    """
    before = machine()
    with tempfile.TemporaryDirectory() as folder, progress_bar() as progress:
        keyring = Path(folder, "keys")
        Keyring.of(Key.generate()).save(keyring)
        measurement = Measurement(progress, keyring, share)
        for name in only or EXPERIMENTS:
            EXPERIMENTS[name](measurement)
    console = Console(width=None if sys.stdout.isatty() else WIDTH_ELSEWHERE, highlight=False)
    console.print(table_of(measurement.figures))
    missed = [figure.name for figure in measurement.figures if figure.is_met is False]
    if json_file is not None:
        json_file.write(as_json(measurement.figures, missed, {"before": before, "after": machine()}))
    sys.exit(1 if missed else 0)


if __name__ == "__main__":
    main()
