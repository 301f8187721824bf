"""The wire between the nodes of a test: what is sent arrives later, or never.

This module decides how long things take on their way, what is lost, and which nodes are cut off from each other. What
is sent, and what becomes of it on arrival, is decided in :mod:`gossip.testing.transport`.
"""

from __future__ import annotations

import heapq
import itertools
import math
from collections.abc import Callable, Collection, Mapping
from random import Random

import attrs
import trio

from gossip.core.support.arguments import wrong

DEFAULT_LATENCY_S = 0.001
"""Seconds from one node to another: about that of two machines in one data centre."""

JITTER = 0.5
"""Share by which the time on the way varies. So two things hardly ever arrive at one moment, and the seed alone decides
in which order they are handled."""

MIN_LATENCY_S = 1e-6
"""Seconds, the most that is added, so that things differ in time even where the latency is 0."""


class Wire:
    """Carries what is sent. Its settings may be changed at any time."""

    def __init__(self, latency: float, loss: float) -> None:
        self.latency = latency
        self.loss = loss
        self._side_of: Mapping[str, int] = {}
        self._arrivals: list[tuple[float, int, Callable[[], object]]] = []
        self._count = itertools.count()
        self._sleep: trio.CancelScope | None = None

    @property
    def latency(self) -> float:
        """Seconds from one node to another, on average."""
        return self._latency

    @latency.setter
    def latency(self, seconds: float) -> None:
        if not _is_number(seconds) or not 0 <= seconds < math.inf:
            raise wrong("latency", "a finite number of seconds from 0 on", seconds)
        self._latency = seconds

    @property
    def loss(self) -> float:
        """Share (0 to 1) of what is sent that is lost."""
        return self._loss

    @loss.setter
    def loss(self, share: float) -> None:
        if not _is_number(share) or not 0 <= share <= 1:
            raise wrong("loss", "a share from 0 to 1", share)
        self._loss = share

    def split(self, groups: Collection[Collection[str]]) -> None:
        """Let nothing pass between these groups of names, nor between them and the names that are in none."""
        self._side_of = {name: side for side, names in enumerate(groups, 1) for name in names}

    def is_cut(self, one: str, other: str) -> bool:
        """Whether nothing passes between two nodes."""
        return self._side_of.get(one, 0) != self._side_of.get(other, 0)

    def is_lost(self, random: Random) -> bool:
        """Draw whether something that is sent now is lost."""
        return self._loss > 0 and random.random() < self._loss

    def arrive(self, random: Random, action: Callable[[], object]) -> None:
        """Call ``action`` once something that is sent now has arrived."""
        delay = self._latency * random.uniform(1 - JITTER, 1 + JITTER) + MIN_LATENCY_S * random.random()
        self.call_at(trio.current_time() + delay, action)

    def call_at(self, time: float, action: Callable[[], object]) -> None:
        """Call ``action`` at a local time in seconds."""
        heapq.heappush(self._arrivals, (time, next(self._count), action))
        if self._sleep is not None and time < self._sleep.deadline:
            self._sleep.deadline = time

    async def run(self) -> None:
        """Let things arrive, until cancelled."""
        arrivals = self._arrivals
        while True:
            while arrivals and arrivals[0][0] <= trio.current_time():
                heapq.heappop(arrivals)[-1]()
            with trio.CancelScope(deadline=arrivals[0][0] if arrivals else math.inf) as self._sleep:
                await trio.sleep_forever()
            self._sleep = None


@attrs.frozen
class Way:
    """The way from one node to another."""

    wire: Wire
    random: Random
    """Where the time on this way and the losses are drawn from."""
    sender: str
    receiver: str

    def send(self, arrived: Callable[[], object]) -> None:
        """Call ``arrived`` when something has arrived that is sent now, unless it is lost or does not get through."""
        if not self.wire.is_lost(self.random):
            self.wire.arrive(self.random, lambda: self._is_cut() or arrived())

    def carry(self, arrived: Callable[[], object], again_after: float, is_void: Callable[[], bool]) -> None:
        """The same for something that is sent again until it arrives, or until it is void.

        :param again_after: seconds from one try to the next.
        """

        def again() -> None:
            self.wire.call_at(trio.current_time() + again_after, attempt)

        def attempt() -> None:
            if is_void():
                return
            if self.wire.is_lost(self.random):
                again()
            else:
                self.wire.arrive(self.random, arrive)

        def arrive() -> None:
            if self._is_cut():
                again()
            else:
                arrived()

        attempt()

    def back(self) -> Way:
        """The way from the receiver to the sender."""
        return Way(self.wire, self.random, self.receiver, self.sender)

    def _is_cut(self) -> bool:
        return self.wire.is_cut(self.sender, self.receiver)


def _is_number(value: object) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)
