"""Nodes for programs that trio does not run: each lives in a trio thread, and this room forwards to it.

This room decides nothing about membership. It decides in which thread something runs, what crosses between threads, and
when a node that is held from another thread is over. How a program waits is the only thing that differs between
:mod:`gossip.aio` and :mod:`gossip.blocking`, and is decided there.

``trio_thread``
    The one thread of a process in which trio runs, and work in it; and the threads of tests, in virtual time.
``held``
    A node in that thread.
``isolation``
    Where a node runs.
``relay``
    A subscription, filled by that thread and read by another.
``reading``
    What can be read of a node in any thread, without waiting.

Import the names below from here.
"""

from __future__ import annotations

from gossip.facade.held import Held
from gossip.facade.isolation import Isolation, opening
from gossip.facade.reading import Reading
from gossip.facade.relay import EndOfChanges, Relay
from gossip.facade.trio_thread import Call, Pace, TrioThread, refuse_own_thread, start, start_apart

__all__ = [
    "Call",
    "EndOfChanges",
    "Held",
    "Isolation",
    "Pace",
    "Reading",
    "Relay",
    "TrioThread",
    "opening",
    "refuse_own_thread",
    "start",
    "start_apart",
]
