"""The journal: turns changes of the view into events for the embedding program, in order."""

from __future__ import annotations

from collections import deque

from gossip.core.events import EventKind, MembershipEvent
from gossip.core.member import Member, Status
from gossip.core.view import Change, Entry, View

MAX_REMEMBERED_CONFLICTS = 256
"""Conflicts are told once per process involved; the oldest are forgotten and may be told again."""


def kinds_of(change: Change) -> list[EventKind]:
    """The events that a change amounts to; none if only counters, floors or accusers moved."""
    before, after = change.before, change.after
    if before is None:
        return [EventKind.JOINED]
    kinds = [EventKind.UPDATED] if change.updated and after.is_living else []
    if after is not before:
        kinds.append(
            {
                Status.ALIVE: EventKind.RESTORED,
                Status.SUSPECT: EventKind.SUSPECTED if before is Status.ALIVE else EventKind.RESTORED,
                Status.DEAD: EventKind.DIED,
                Status.LEFT: EventKind.LEFT,
            }[after]
        )
    return kinds


class Journal:
    """Events that the embedding program has not taken yet."""

    def __init__(self, view: View) -> None:
        self._view = view
        self.events: deque[MembershipEvent] = deque()
        """The oldest first."""
        self._conflicts: dict[int, None] = {}

    def note(self, change: Change, now: float) -> None:
        """Record what a change means to a user."""
        for kind in kinds_of(change):
            self._note(kind, change.entry, change.before, now)

    def has_told_of(self, member_id: int) -> bool:
        """Whether a conflict about this process has been told already."""
        return member_id in self._conflicts

    def note_conflict(self, member: Member, now: float) -> None:
        """Record, once, that this member's name is borne by another running process."""
        if member.id in self._conflicts:
            return
        if len(self._conflicts) >= MAX_REMEMBERED_CONFLICTS:
            del self._conflicts[next(iter(self._conflicts))]
        self._conflicts[member.id] = None
        self.events.append(MembershipEvent(EventKind.CONFLICT, member, self._view.alive, now))

    def _note(self, kind: EventKind, entry: Entry, before: Status | None, now: float) -> None:
        accused = kind in (EventKind.SUSPECTED, EventKind.DIED)
        floor = entry.registers.accused if accused else 0
        self.events.append(
            MembershipEvent(
                kind,
                entry.snapshot(),
                self._view.alive,
                now,
                previous=before,
                accusers=tuple(self._name(each) for each in entry.accusers) if accused else (),
                floor=floor,
                silent_for=max(0.0, now - entry.estimate.time_of(entry.registers.heartbeat)) if accused else None,
            )
        )

    def _name(self, member_id: int) -> str:
        entry = self._view.get(member_id)
        return entry.identity.name if entry is not None else f"unknown {member_id:016x}"
