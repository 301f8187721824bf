"""Budgets: how many datagrams one node may send on its own initiative, or because of what others sent."""

from __future__ import annotations

ROUNDING = 1e-6
"""Tokens that may be missing only because numbers are rounded."""


class TokenBucket:
    """How many datagrams may be sent now: ``burst`` at once, ``rate`` per second in the long run."""

    def __init__(self, rate: float, burst: int, now: float) -> None:
        self._rate = rate
        self._burst = burst
        self._tokens = float(burst)
        self._at = now

    def wait(self, count: int, now: float) -> float:
        """Seconds until ``count`` may be sent; 0 if they may be sent at once."""
        self._tokens = min(self._burst, self._tokens + self._rate * max(0.0, now - self._at))
        self._at = now
        shortage = min(count, self._burst) - self._tokens
        # The wait for a shortage from rounding would be too short for the clock to show, so it would never end.
        return shortage / self._rate if shortage > ROUNDING else 0.0

    def available(self, now: float) -> int:
        """How many may be sent now."""
        self.wait(0, now)
        return int(self._tokens + ROUNDING)

    def take(self, now: float) -> bool:
        """Take one token if there is one; returns whether there was."""
        if self.wait(1, now):
            return False
        self.spend(1)
        return True

    def spend(self, count: int) -> None:
        """Take out as many tokens as messages were sent."""
        self._tokens -= count
