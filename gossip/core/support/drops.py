"""Drops: how often something was refused, or given up at a bound, and where the last such message came from.

This module counts. The modules that give a reason decide what to refuse. The driver decides what to write into the log,
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
        """Number of drops of all kinds; while it does not change, there is nothing new to look at."""
        self.counts: Counter[Drop] = Counter()
        self.last_source: dict[Drop, Address | None] = {}
        """By reason, the source of the last dropped message; None if the drop concerned no message."""
        self.handling: Address | None = None
        """The source of the message that is being handled; None while none is."""

    def note(self, reason: Drop, source: Address | None = None) -> None:
        """Count one drop.

        :param source: where it came from, if that is not the message being handled.
        """
        self.total += 1
        self.counts[reason] += 1
        self.last_source[reason] = source or self.handling
