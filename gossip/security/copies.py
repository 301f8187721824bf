"""Noticing that this process may be a copy of another one that goes on from the same memory.

Code that takes its nonces from a counter must begin anew then, or it would seal two messages with one nonce under one
subkey. A fork is certain: the child tells all objects that asked for it. A process cannot be certain that it was
restored from an image. But once the wall clock is right again, it has moved on, and local time has not.

This module decides what counts as such a jump. The code that seals decides what follows from it.
"""

from __future__ import annotations

import os
import time
import weakref
from collections.abc import Callable
from typing import Protocol

JUMP_NS = 1_000_000_000
"""Nanoseconds by which the two clocks may come apart between two looks. NTP changes the pace of a clock by less than a
thousandth, and sets the clock only if it is off by more than a fraction of a second."""


class Sealing(Protocol):
    """An object that seals with nonces from a counter."""

    def begin_anew(self) -> None:
        """Seal with a subkey that was not used before."""


_sealing: weakref.WeakSet[Sealing] = weakref.WeakSet()


def begin_anew_in_children(sealing: Sealing) -> None:
    """Make this object begin anew in every child that this process forks while the object lives."""
    _sealing.add(sealing)


def _in_child() -> None:
    for each in list(_sealing):
        each.begin_anew()


if hasattr(os, "register_at_fork"):  # on systems that fork processes
    os.register_at_fork(after_in_child=_in_child)


class Clocks:
    """The two clocks of a process. They keep one pace unless somebody sets one of them, or the machine stood still or
    was restored."""

    def __init__(
        self, wall_ns: Callable[[], int] = time.time_ns, local_ns: Callable[[], int] = time.monotonic_ns
    ) -> None:
        """By default the clocks of the system, because a clock of virtual time has another pace."""
        self._wall_ns = wall_ns
        self._local_ns = local_ns
        self._ahead_ns = wall_ns() - local_ns()

    def have_jumped(self) -> bool:
        """Whether one of them jumped since the last look."""
        before, self._ahead_ns = self._ahead_ns, self._wall_ns() - self._local_ns()
        return abs(self._ahead_ns - before) > JUMP_NS
