"""Pauses that double while something keeps failing.

This module decides how long a pause is. Its users decide what counts as a failure and what waits: the UDP socket, the
listener, the look-up of seed names, and the log of drops.
"""

from __future__ import annotations

import math


class Backoff:
    """The pauses after the failures of one thing. All times are local times in seconds."""

    def __init__(self, first_s: float, longest_s: float, calm_s: float = math.inf) -> None:
        """:param calm_s: a failure at least this long after the end of the last pause is the first of a new row."""
        self._first_s = first_s
        self._longest_s = longest_s
        self._calm_s = calm_s
        self.failures = 0
        """Number of failures in a row."""
        self.pause_s = 0.0
        """Length of the latest pause."""
        self.ends_at = -math.inf
        """When the latest pause ends."""

    def failed(self, now: float) -> float:
        """Begin the pause after a failure; returns its length in seconds."""
        if now - self.ends_at >= self._calm_s:
            self.reset()
        self.failures += 1
        self.pause_s = min(2 * self.pause_s, self._longest_s) if self.pause_s else self._first_s
        self.ends_at = now + self.pause_s
        return self.pause_s

    def reset(self) -> None:
        """Make the next failure the first of a new row, because nothing is wrong now."""
        self.failures, self.pause_s = 0, 0.0
