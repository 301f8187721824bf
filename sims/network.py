"""A network in virtual time: who hears what, how late, how often, or not at all.

Everything it does follows from one seeded random source, so a run can be repeated to the last bit.
"""

from __future__ import annotations

import random
from collections.abc import Callable

import attrs

from gossip.core.address import Address

MAX_STREAM_DELAY_S = 60.0
"""Longer than any driver waits for a stream."""

Blocked = Callable[[Address, Address], bool]
"""Whether nothing gets from the first address to the second."""


@attrs.frozen(kw_only=True)
class Link:
    """How every directed link of a network treats datagrams."""

    latency: float = 0.0005
    """Median one-way delay in seconds."""
    spread: float = 0.3
    """Deviation of the logarithm of the delay; 0 makes it constant. Larger reorders more."""
    loss: float = 0.0
    """Share of datagrams lost, each by itself."""
    duplication: float = 0.0
    """Share of datagrams that arrive twice."""
    corruption: float = 0.0
    """Share of datagrams that arrive with one bit flipped."""


@attrs.define
class Network:
    """Links and partitions between addresses."""

    random: random.Random
    link: Link = attrs.Factory(Link)
    cuts: dict[str, Blocked] = attrs.Factory(dict)
    """What is cut at present, by a name of the caller's choice."""
    down_for_datagrams: bool = False
    """Whether only streams get through."""

    def connects(self, source: Address, destination: Address) -> bool:
        """Whether the way from one to the other is open."""
        return not any(blocked(source, destination) for blocked in self.cuts.values())

    def delay(self) -> float:
        """One draw of the one-way delay, in seconds."""
        link = self.link
        return link.latency * self.random.lognormvariate(0.0, link.spread) if link.spread else link.latency

    def stream_delay(self, first_retry: float) -> float:
        """One draw of how long a segment of a stream takes, sent again after each loss, ever later.

        :param first_retry: pause before it is sent again, in seconds; doubles each time.
        """
        delay, retry = self.delay(), first_retry
        while self.random.random() < self.link.loss and delay < MAX_STREAM_DELAY_S:
            delay, retry = delay + retry, 2 * retry
        return delay

    def deliveries(self, data: bytes, source: Address, destination: Address) -> list[tuple[float, bytes]]:
        """The copies of a datagram that arrive: after how long, and what."""
        link, draw = self.link, self.random.random
        if self.down_for_datagrams or not self.connects(source, destination) or draw() < link.loss:
            return []
        copies = 2 if draw() < link.duplication else 1
        return [(self.delay(), self._corrupted(data)) for _ in range(copies)]

    def _corrupted(self, data: bytes) -> bytes:
        if self.random.random() >= self.link.corruption:
            return data
        bit = self.random.randrange(8 * len(data))
        flipped = bytearray(data)
        flipped[bit // 8] ^= 1 << bit % 8
        return bytes(flipped)
