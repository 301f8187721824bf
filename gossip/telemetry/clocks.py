"""Lines about a wall clock that is years off, a peer's or this node's: by how much, and what to do.

The core keeps the latest dispute (:mod:`gossip.core.state.wall`). This module writes a warning when a dispute begins,
another one every hour while it lasts, and a line when it is over. A peer may lie about its clock, so its statement
changes nothing and is reported this rarely.
"""

from __future__ import annotations

import math
import time

from gossip.core.protocol import Protocol
from gossip.core.state.wall import ClockDispute
from gossip.telemetry.node_log import NodeLog

AGAIN_AFTER_S = 3600.0
"""Seconds between two warnings about the same side."""

_YEAR_MS = 365.25 * 24 * 3600 * 1000
_LAST_SECOND = 253_402_300_799
"""The end of the year 9999."""


class ClockLog:
    """Writes the disputes of one node about the time to the log."""

    def __init__(self, node_name: str, protocol: Protocol) -> None:
        self._log = NodeLog(__name__, node_name)
        self._protocol = protocol
        self._silent_until = {False: -math.inf, True: -math.inf}
        self._told: ClockDispute | None = None

    def look(self, now: float) -> None:
        """Write what is new; cheap if there is nothing."""
        dispute = self._protocol.clock_dispute(now)
        if dispute is None:
            if self._told is not None:
                self._told = None
                self._log.info("no clock is in dispute any more")
        elif now >= self._silent_until[dispute.refuses_us]:
            self._silent_until[dispute.refuses_us] = now + AGAIN_AFTER_S
            self._told = dispute
            self._log.warning("%s", sentence(dispute))


def sentence(dispute: ClockDispute) -> str:
    """What is off, by how much, and what to do."""
    years = f"{dispute.ahead_ms / _YEAR_MS:.1f} years"
    here = "here" if dispute.refuses_us else "there"
    who = f"{dispute.address} refuses this node" if dispute.refuses_us else f"refuses {dispute.address}"
    clock = "its clock shows" if dispute.refuses_us else "the clock here shows"
    return (
        f"{who}: the node {here} says that it started at {_date(dispute.generation)}, which is {years} after what "
        f"{clock}, {_date(dispute.wall_ms)}. One of the two clocks is wrong. Set it right, for example by NTP; no "
        f"restart is needed"
    )


def _date(wall_ms: int) -> str:
    return time.strftime("%Y-%m-%d %H:%M UTC", time.gmtime(min(wall_ms // 1000, _LAST_SECOND)))
