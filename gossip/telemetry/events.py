"""Lines about what the core reports: one for each change of the membership, with its reason, and one for each notice.

Names and metadata come from peers, so a line shows them as Python literals: no peer can forge a line.
"""

from __future__ import annotations

import logging

from gossip.core.events import EventKind, MembershipEvent
from gossip.telemetry.node_log import NodeLog

LEVELS = {
    EventKind.JOINED: logging.INFO,
    EventKind.UPDATED: logging.INFO,
    EventKind.SUSPECTED: logging.INFO,
    EventKind.RESTORED: logging.INFO,
    EventKind.DIED: logging.WARNING,
    EventKind.LEFT: logging.INFO,
    EventKind.CONFLICT: logging.WARNING,
    EventKind.FORGOTTEN: logging.INFO,
    EventKind.STANDING: logging.INFO,
}
"""A suspicion is routine; a person should look at a death. A standing of this node is a warning while something is
wrong with it, and when that ends."""


class EventLog:
    """Writes what the core of one node reports to the log."""

    def __init__(self, node_name: str) -> None:
        self._log = NodeLog(__name__, node_name)

    def event(self, event: MembershipEvent) -> None:
        """Write one line about a change that this node sees."""
        level = LEVELS[event.kind]
        if event.standing is not None and event.standing.is_warning:
            level = logging.WARNING
        if self._log.isEnabledFor(level):
            self._log.log(level, "%s", event)

    def notice(self, notice: str) -> None:
        """Write a sentence about a setup that cannot work, and what to do about it."""
        self._log.warning("%s", notice)
