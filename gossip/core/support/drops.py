"""Drops: what was refused or given up at a bound, how often, and whose message it was the last time.

This module counts. What is refused is decided where a reason is given; the driver decides what is written into a log,
and how often.
"""

from __future__ import annotations

from collections import Counter

from gossip.core.support.address import Address
from gossip.core.support.drop_reasons import Drop


class Drops:
    """The drops of one node since its start, by reason."""

    def __init__(self) -> None:
        self.total = 0
        """Number of drops of all kinds; as long as it stays, there is nothing new to look at."""
        self.counts: Counter[Drop] = Counter()
        self.last_source: dict[Drop, Address | None] = {}
        """By reason, whose message was dropped last; None if it was nobody's."""
        self.handling: Address | None = None
        """Where the message came from that is being handled; None while none is."""

    def note(self, reason: Drop, source: Address | None = None) -> None:
        """Count one drop.

        :param source: whom it comes from, where that is not the message being handled.
        """
        self.total += 1
        self.counts[reason] += 1
        self.last_source[reason] = source or self.handling
