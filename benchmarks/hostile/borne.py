"""Which rate of the dearest bombs a node of three bears until it suspects a healthy peer, or is suspected."""

from __future__ import annotations

import itertools
import time
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import trio

from benchmarks.hostile.attack import Victim, accusations, cluster, fill_streams, flood
from benchmarks.hostile.bombs import BOMBS, Bomb
from benchmarks.hostile.measurement import Measurement
from gossip import Keyring, query_members
from gossip.security.envelope import Envelope

STEP_S = 8.0
"""How long each rate lasts: two seconds more than a suspicion with a single accuser does."""

SETTLED_AFTER_S = 2.0
"""In which suspicions that have begun are told."""

POOL = 200
"""Different messages that are sent over and over: as many strangers as make a view five times full."""

SENT_AT_LEAST = 0.9
"""Share of a rate that must have been sent for it to count."""


def bombs(measurement: Measurement) -> None:
    """The most of each bomb under which nobody was suspected, and by how much the node's loop was late meanwhile."""
    for bomb in BOMBS:
        keyring = measurement.keyring if bomb.is_sealed else None
        task = measurement.progress.add_task(bomb.name, total=len(bomb.steps))
        borne, late_ms = 0, 0.0
        with cluster(2, keyring) as nodes:
            sending = _sending(bomb, nodes[0], keyring)
            for step in bomb.steps:
                before, nodes[0].late_ms = accusations(nodes), 0.0
                was_sent = _send(bomb, nodes[0], sending, step, max(1.0, STEP_S * measurement.share))
                time.sleep(SETTLED_AFTER_S)
                if accusations(nodes) > before or not was_sent:
                    break
                borne, late_ms = step, nodes[0].late_ms
                measurement.progress.advance(task)
        measurement.progress.remove_task(task)
        measurement.note(borne_name(bomb), borne)
        measurement.note(late_name(bomb), late_ms, "ms")


def borne_name(bomb: Bomb) -> str:
    """Name of the figure that says how much of it was borne."""
    return f"{bomb.name}: borne, {'streams' if bomb.on_streams else 'a second'}"


def late_name(bomb: Bomb) -> str:
    """Name of the figure that says how late the node's loop was at that."""
    return f"{bomb.name}: loop late by"


def _sending(bomb: Bomb, victim: Victim, keyring: Path | None) -> Iterator[bytes]:
    """What to send, without an end."""
    ring = None if keyring is None else Keyring.load(keyring)
    members = trio.run(partial(query_members, victim.where, keyring=ring))
    made = bomb.messages([member.id for member in members], bomb.message_bytes)
    pool = itertools.cycle(list(itertools.islice(made, POOL)))
    return pool if ring is None else map(Envelope(ring, "default").seal, pool)


def _send(bomb: Bomb, victim: Victim, sending: Iterator[bytes], step: int, seconds: float) -> bool:
    """Send for so long; whether all was sent that there was to send."""
    if bomb.on_streams:
        fill_streams(victim.address, sending, step, seconds)
        return True
    return flood(victim.address, sending, step, seconds) >= SENT_AT_LEAST * step * seconds
