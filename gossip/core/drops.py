"""Drops: what was refused or given up at a bound, how often, and whose message it was the last time.

This module counts. What is refused is decided where a reason is given; who writes it into a log, and how often, is
the driver's business. Reasons are short constant texts of this project, never a peer's, and so there are few of
them; docs/reference/limits.rst lists all.
"""

from __future__ import annotations

from collections import Counter

from gossip.core.address import Address


class Drops:
    """The drops of one node since its start, by reason."""

    def __init__(self) -> None:
        self.total = 0
        """Number of drops of all kinds; as long as it stays, there is nothing new to look at."""
        self.counts: Counter[str] = Counter()
        self.last_source: dict[str, Address | None] = {}
        """By reason, whose message was dropped last; None if it was nobody's."""
        self.handling: Address | None = None
        """Where the message came from that is being handled; None while none is."""

    def note(self, reason: str, source: Address | None = None) -> None:
        """Count one drop.

        :param source: whom it comes from, where that is not the message being handled.
        """
        self.total += 1
        self.counts[reason] += 1
        self.last_source[reason] = source or self.handling
