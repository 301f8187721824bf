"""Virtual time: a heap of what happens when. It passes as fast as the events can be computed."""

from __future__ import annotations

import heapq
import itertools
from collections.abc import Callable
from typing import Any


class VirtualTime:
    """The present moment, and the events to come. Events of one moment happen in the order in which they were added."""

    def __init__(self) -> None:
        self.now = 0.0
        """Virtual seconds since the beginning."""
        self.heap: list[tuple[float, int, Callable[..., None], tuple[Any, ...]]] = []
        """What is to happen: when, in which order among those of one moment, what, and with which arguments."""
        self.count = itertools.count()
        """Numbers the events. The driver adds two for each datagram, and so does it without a call of :meth:`at`."""

    def at(self, when: float, action: Callable[..., None], *arguments: Any) -> None:
        """Call ``action(*arguments)`` at a virtual time."""
        heapq.heappush(self.heap, (when, next(self.count), action, arguments))

    def run(self, seconds: float) -> None:
        """Let so much virtual time pass."""
        end = self.now + seconds
        heap, pop = self.heap, heapq.heappop
        while heap and heap[0][0] <= end:
            when, _, action, arguments = pop(heap)
            if when > self.now:
                self.now = when
            action(*arguments)
        self.now = end

    def run_until(self, condition: Callable[[], bool], within: float) -> float:
        """Let time pass until ``condition()`` holds; returns how many virtual seconds that took.

        :raises TimeoutError: if it does not hold within so many virtual seconds.
        """
        began, end = self.now, self.now + within
        while not condition():
            if not self.heap or self.heap[0][0] > end:
                self.now = end
                raise TimeoutError(f"did not happen within {within} virtual seconds")
            when, _, action, arguments = heapq.heappop(self.heap)
            self.now = max(self.now, when)
            action(*arguments)
        return self.now - began
