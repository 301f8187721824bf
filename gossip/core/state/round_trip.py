"""How long to wait for an answer: the smoothed round trip and its deviation, as in TCP.

Source: RFC 6298 (Paxson, Allman, Chu and Sargent), sections 2 and 3. Every question carries a token of its own, so an
answer never matches the wrong question (Karn's problem does not arise).
"""

from __future__ import annotations

from gossip.core.config import Config

SMOOTHING = 1 / 8
DEVIATION_SMOOTHING = 1 / 4
DEVIATIONS = 4


class RoundTrip:
    """Smoothed round-trip time in seconds, over all peers of one node or to one of them."""

    __slots__ = ("deviation", "smoothed")

    def __init__(self) -> None:
        self.smoothed: float | None = None
        self.deviation = 0.0

    def sample(self, seconds: float) -> None:
        """Take in one measured round trip."""
        if self.smoothed is None:
            self.smoothed, self.deviation = seconds, seconds / 2
        else:
            self.deviation += DEVIATION_SMOOTHING * (abs(seconds - self.smoothed) - self.deviation)
            self.smoothed += SMOOTHING * (seconds - self.smoothed)

    def timeout(self, config: Config) -> float:
        """How long to wait for an answer, within the bounds of the configuration."""
        if self.smoothed is None:
            return config.ack_timeout_initial
        wanted = self.smoothed + DEVIATIONS * self.deviation
        return min(max(wanted, config.ack_timeout_min), config.ack_timeout_max)
