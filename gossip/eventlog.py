"""What the log says about each change of the membership: one line, with the reason.

Names and metadata come from peers, so they are written as Python literals: no peer can forge a line.
"""

from __future__ import annotations

import logging

from gossip.core.events import EventKind, MembershipEvent

_log = logging.getLogger(__name__)

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
"""A suspicion is the protocol at work, a death is something to look at. So is this node's own standing if anything is
wrong with it, or was."""


def log_event(node_name: str, event: MembershipEvent) -> None:
    """Write one line about ``event`` as seen by the node named."""
    level = LEVELS[event.kind]
    if event.standing is not None and event.standing.is_warning:
        level = logging.WARNING
    if _log.isEnabledFor(level):
        _log.log(level, "%r: %s, %d alive", node_name, describe(event), event.alive)


def log_notice(node_name: str, notice: str) -> None:
    """Write a sentence about what is set up in a way that cannot work, and what to do."""
    _log.warning("%r: %s", node_name, notice)


def describe(event: MembershipEvent) -> str:
    """The change in words, with its reason where there is one."""
    member, name = event.member, repr(event.member.name)
    before = f", was {event.previous.value}" if event.previous else ""
    return {
        EventKind.JOINED: f"{name} joined at {member.address}",
        EventKind.UPDATED: f"{name} is now version {member.version} at {member.address}, {dict(member.metadata)!r}",
        EventKind.SUSPECTED: f"{name} is suspected{_reason(event)}",
        EventKind.RESTORED: f"{name} is restored{before}",
        EventKind.DIED: f"{name} died{_reason(event)}",
        EventKind.LEFT: f"{name} left{before}",
        EventKind.CONFLICT: f"{name} at {member.address} bears the name of another member",
        EventKind.FORGOTTEN: f"{name} is forgotten{before}",
        EventKind.STANDING: _standing(event),
    }[event.kind]


def _standing(event: MembershipEvent) -> str:
    return "" if event.standing is None else f"this node is {event.standing}"


def _reason(event: MembershipEvent) -> str:
    silent = "" if event.silent_for is None else f", silent for {event.silent_for:.1f} s"
    accusers = f", accused by {', '.join(map(repr, event.accusers))}" if event.accusers else ""
    floor = f", floor {event.floor}" if event.floor else ""
    return silent + accusers + floor
