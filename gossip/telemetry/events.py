"""Lines about what the core reports: one for each change of the membership, with its reason, and one for each notice.

Names and metadata come from peers, so a line shows them as Python literals: no peer can forge a line.
"""

from __future__ import annotations

import logging

from gossip.core.detection.evidence import Explanation
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
            self._log.log(level, "%s, %d alive", describe(event), event.alive)

    def notice(self, notice: str) -> None:
        """Write a sentence about a setup that cannot work, and what to do about it."""
        self._log.warning("%s", notice)


def describe(event: MembershipEvent) -> str:
    """The change in words, with its reason where there is one."""
    member, name = event.member, repr(event.member.name)
    before = f", was {event.previous.value}" if event.previous else ""
    match event.kind:
        case EventKind.JOINED:
            return f"{name} joined at {member.address}"
        case EventKind.UPDATED:
            return f"{name} is now version {member.version} at {member.address}, {dict(member.metadata)!r}"
        case EventKind.SUSPECTED:
            return f"{name} is suspected{_reason(event)}"
        case EventKind.RESTORED:
            return f"{name} is restored{before}"
        case EventKind.DIED:
            return f"{name} died{_reason(event)}{_findings(event.explanation)}"
        case EventKind.LEFT:
            return f"{name} left{before}"
        case EventKind.CONFLICT:
            return f"two processes use the name {name}, one of them at {member.address}"
        case EventKind.FORGOTTEN:
            return f"{name} is forgotten{before}"
        case EventKind.STANDING:
            return f"this node is {event.standing}"


def _reason(event: MembershipEvent) -> str:
    silent = "" if event.silent_for is None else f", silent for {event.silent_for:.1f} s"
    accusers = f", accused by {', '.join(map(repr, event.accusers))}" if event.accusers else ""
    floor = f", floor {event.floor}" if event.floor else ""
    return silent + accusers + floor


def _findings(explanation: Explanation | None) -> str:
    """What this node found out about a dead member by probing it."""
    if explanation is None:
        return ""
    probes, refused = len(explanation.asked), sum(each.refused for each in explanation.asked)
    if not probes:
        return ", not probed from here"
    if refused:
        return f", probes refused by its system: {refused} of {probes}"
    return f", probes unanswered: {probes}"
