"""Budgets per source: how much any one host may cause on this node, independent of the other hosts.

The table of sources is bounded too. The source that has caused nothing for the longest time gives way, and starts again
with a full budget. This does no harm: a budget that nobody used for :data:`BURST_S` is full anyway. To push out a
budget that is not full, more than :data:`MAX_SOURCES` hosts must spend within that time, and an attacker with that many
addresses needs no second budget at any of them. Other bounds limit what all sources cause together.
"""

from __future__ import annotations

from gossip.core.support.budget import TokenBucket

MAX_SOURCES = 1024
"""Sources for which this node keeps how much they have caused lately; some 250 KB."""

BURST_S = 4.0
"""A source may cause at once as much as in this many seconds, because members that join together come at once."""


class SourceBudgets:
    """A token bucket for each source."""

    def __init__(self, rate: float) -> None:
        self._rate = rate
        self._burst = max(1, int(rate * BURST_S))
        self._buckets: dict[str, TokenBucket] = {}

    def __len__(self) -> int:
        return len(self._buckets)

    def available(self, source: str, now: float) -> int:
        """How much ``source`` may cause now."""
        bucket = self._buckets.get(source)
        return self._burst if bucket is None else bucket.available(now)

    def spend(self, source: str, now: float) -> None:
        """Take one from the budget of ``source``, which :meth:`available` has just shown to hold one."""
        bucket = self._buckets.pop(source, None)
        if bucket is None:
            while len(self._buckets) >= MAX_SOURCES:
                del self._buckets[next(iter(self._buckets))]
            bucket = TokenBucket(self._rate, self._burst, now)
        self._buckets[source] = bucket
        bucket.spend(1)
