"""The rate of each bomb that a node of three bears before it suspects a healthy peer or is suspected itself."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator
from pathlib import Path

import trio

from benchmarks.analysis.figures import Figure
from benchmarks.endurance.hostile.attack import Victim, accusations, cluster, fill_streams, flood
from benchmarks.endurance.hostile.bombs import BOMBS, Bomb
from benchmarks.endurance.hostile.measurement import Measurement
from benchmarks.report.table import Table
from gossip import Keyring, query_members
from gossip.security.envelope import Envelope

STEP_S = 8.0
"""How long each rate lasts: two seconds longer than a suspicion with a single accuser."""

SETTLED_AFTER_S = 2.0
"""The events of a suspicion that has begun arrive within this time."""

POOL = 200
"""Different messages that are sent over and over: they name five times as many strangers as fit into a view."""

SENT_AT_LEAST = 0.9
"""The share of a rate that must have been sent for the rate to count."""


async def bombs(measurement: Measurement) -> None:
    """The highest rate of each bomb at which nobody was suspected, and by how much the node's loop was late at that
    rate."""
    for bomb in BOMBS:
        keyring = measurement.keyring if bomb.is_sealed else None
        task = measurement.progress.add_task(bomb.name, total=len(bomb.steps))
        borne, late_ms = 0, 0.0
        async with cluster(2, keyring) as nodes:
            sending = await _sending(bomb, nodes[0], keyring)
            for step in bomb.steps:
                before, nodes[0].late_ms = accusations(nodes), 0.0
                was_sent = await _send(bomb, nodes[0], sending, step, max(1.0, STEP_S * measurement.share))
                await trio.sleep(SETTLED_AFTER_S)
                if accusations(nodes) > before or not was_sent:
                    break
                borne, late_ms = step, nodes[0].late_ms
                measurement.progress.advance(task)
        measurement.progress.remove_task(task)
        measurement.note(borne_name(bomb), borne)
        measurement.note(late_name(bomb), late_ms, "ms")


def borne_name(bomb: Bomb) -> str:
    """Name of the figure that says how much of a bomb the node bore."""
    return f"{bomb.name}: borne, {'streams' if bomb.on_streams else 'a second'}"


def late_name(bomb: Bomb) -> str:
    """Name of the figure that says how late the node's loop was at that rate."""
    return f"{bomb.name}: loop late by"


def rates_borne(figures: Iterable[Figure]) -> Table:
    """The table "Rates borne" of ``docs/security.rst``: how much of each bomb a node bore, and how late its loop then
    was."""
    values = {figure.name: figure.value for figure in figures}
    rows = []
    for bomb in BOMBS:
        borne, unit = values[borne_name(bomb)], "streams" if bomb.on_streams else "a second"
        all_of_it = "" if borne < bomb.steps[-1] else ", the most that was tried"
        late = f"{values[late_name(bomb)]:.0f}" if borne else "-"
        rows.append((bomb.name, f"{bomb.message_bytes:,}", f"{borne:,} {unit}{all_of_it}", late))
    heads = ("What", "Bytes", "Borne", "Loop late by, ms")
    return Table(title="Rates borne", heads=heads, rows=tuple(rows), widths=(40, 12, 34, 14))


async def _sending(bomb: Bomb, victim: Victim, keyring: Path | None) -> Iterator[bytes]:
    """The datagrams or messages to send, without end."""
    ring = None if keyring is None else Keyring.load(keyring)
    members = await query_members(victim.where, keyring=ring)
    made = bomb.messages([member.id for member in members], bomb.message_bytes)
    pool = itertools.cycle(list(itertools.islice(made, POOL)))
    return pool if ring is None else map(Envelope(ring, "default").seal, pool)


async def _send(bomb: Bomb, victim: Victim, sending: Iterator[bytes], step: int, seconds: float) -> bool:
    """Send for so long; tells whether as much was sent as should be."""
    if bomb.on_streams:
        await fill_streams(victim.address, sending, step, seconds)
        return True
    return await flood(victim.address, sending, step, seconds) >= SENT_AT_LEAST * step * seconds
