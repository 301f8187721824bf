"""Budgets per source: how much any one host may cause here, whatever the others do.

The table of sources is bounded too. The one that has caused nothing for longest gives way, and its next budget is
a full one. That matters to nobody. A budget that nothing was taken from for :data:`BURST_S` is full anyway; so to
push out one that is not, more than :data:`MAX_SOURCES` hosts must spend within that time, and whoever has as many
addresses needs no second budget at any of them. The bounds on what all sources cause together are others.
"""

from __future__ import annotations

from gossip.core.support.budget import TokenBucket

MAX_SOURCES = 1024
"""Sources of whom it is known how much they have caused of late; some 250 KB."""

BURST_S = 4.0
"""A source may cause at once as much as in so many seconds: what joins together comes together."""


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
        """Take one from the budget of ``source``, which was just found to be :meth:`available`."""
        bucket = self._buckets.pop(source, None)
        if bucket is None:
            while len(self._buckets) >= MAX_SOURCES:
                del self._buckets[next(iter(self._buckets))]
            bucket = TokenBucket(self._rate, self._burst, now)
        self._buckets[source] = bucket
        bucket.spend(1)
