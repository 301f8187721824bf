"""Timers: one heap for the whole protocol that says what is due when, and what to call then.

The caller says what time it is. All timers can be pushed back together: a node that was stalled does so, to avoid
blaming others for its own absence.
"""

from __future__ import annotations

import heapq
import itertools
import math
from collections.abc import Callable

Callback = Callable[..., None]

SWEEP_FROM = 1024
"""Number of timers from which on the heap is swept of cancelled ones. After a sweep, the next one comes when there are
twice as many as were left. A peer can make this node set a timer anew with each message, and must not fill the
memory."""


class Timer:
    """A pending call; :meth:`cancel` cancels it."""

    __slots__ = ("callback", "what")

    def __init__(self, callback: Callback, what: tuple[object, ...]) -> None:
        self.callback: Callback | None = callback
        self.what = what
        """What the call is about, such as a member and its stage."""

    def cancel(self) -> None:
        """Cancel the call. Does nothing if it has already run."""
        self.callback = None

    @property
    def is_pending(self) -> bool:
        """Whether the call is still to come."""
        return self.callback is not None


class Timers:
    """Pending timers in the order of their deadlines; of equal deadlines, the one set first runs first.

    Cancelled timers stay in the heap, and count in its length, until they are due or a sweep removes them.
    """

    def __init__(self) -> None:
        self._heap: list[tuple[float, int, Timer]] = []
        self._count = itertools.count()
        self._shift = 0.0
        self._sweep_at = SWEEP_FROM

    def __len__(self) -> int:
        return len(self._heap)

    def at(self, deadline: float, callback: Callback, *what: object) -> Timer:
        """Call ``callback(*what, now)`` once ``deadline`` has come."""
        if len(self._heap) >= self._sweep_at:
            self._sweep()
        timer = Timer(callback, what)
        heapq.heappush(self._heap, (deadline - self._shift, next(self._count), timer))
        return timer

    def deadline(self, timer: Timer) -> float | None:
        """When a timer is due; None if it was cancelled or has run. This looks through all timers."""
        return next((due + self._shift for due, _, each in self._heap if each is timer and each.is_pending), None)

    def next_deadline(self) -> float:
        """When the earliest pending timer is due; infinity if none is pending."""
        heap = self._heap
        while heap:
            deadline, _, timer = heap[0]
            if timer.callback is not None:
                return deadline + self._shift
            heapq.heappop(heap)
        return math.inf

    def late(self, now: float) -> float:
        """Seconds for which the earliest pending timer has been due; negative if it is still to come."""
        return now - self.next_deadline()

    def _sweep(self) -> None:
        self._heap = [each for each in self._heap if each[2].is_pending]
        heapq.heapify(self._heap)
        self._sweep_at = max(SWEEP_FROM, 2 * len(self._heap))

    def push_back(self, seconds: float) -> None:
        """Make every pending timer due ``seconds`` later."""
        self._shift += seconds

    def run_due(self, now: float) -> None:
        """Call everything that is due at ``now``. Timers that are set meanwhile wait for the next call."""
        heap, shift = self._heap, self._shift
        due: list[Timer] = []
        while heap and heap[0][0] + shift <= now:
            due.append(heapq.heappop(heap)[2])
        for timer in due:
            if timer.callback is not None:
                callback, timer.callback = timer.callback, None
                callback(*timer.what, now)
