"""A clock for trio whose times other threads and other processes of this machine can compare with their own."""

from __future__ import annotations

import time

import trio


class MonotonicClock(trio.abc.Clock):
    """The clock of :func:`time.monotonic`."""

    def start_clock(self) -> None:
        """Nothing to start."""

    def current_time(self) -> float:
        """The time, in seconds."""
        return time.monotonic()

    def deadline_to_sleep_time(self, deadline: float) -> float:
        """Seconds until a deadline."""
        return deadline - time.monotonic()
