"""The journal: turns changes of the view into events for the embedding program, in order.

While a node is isolated, what it believes of others is a guess. Nothing of that is told; once it hears others again,
the journal tells what is different from what was told before.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Collection

from gossip.core.events import EventKind, MembershipEvent
from gossip.core.member import Member, Status
from gossip.core.standing import NodeStanding
from gossip.core.view import Change, Entry, View

MAX_REMEMBERED_CONFLICTS = 256
"""Conflicts are told once per process involved; the oldest are forgotten and may be told again."""


def kinds_of(change: Change) -> list[EventKind]:
    """The events that a change amounts to; none if only counters, floors or accusers moved."""
    before, after = change.before, change.after
    if before is None:
        return [EventKind.JOINED]
    kinds = [EventKind.UPDATED] if change.updated else []
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
        self._last_told: dict[int, Member] | None = None
        """While nothing is told of others: how they were told to be, by id."""

    def note(self, change: Change, now: float) -> None:
        """Record what a change means to a user."""
        if self._last_told is not None and change.entry is not self._view.local:
            return
        for kind in kinds_of(change):
            self._note(kind, change.entry, change.before, now)

    def note_forgotten(self, entry: Entry, now: float) -> None:
        """Record that a member is known no more."""
        if self._last_told is None:
            self._note(EventKind.FORGOTTEN, entry, entry.status, now)

    def note_standing(self, standing: NodeStanding, local: Member, now: float) -> None:
        """Record what this node's own standing is now."""
        alive = self._view.alive
        self.events.append(MembershipEvent(EventKind.STANDING, local, alive, now, standing=standing))

    def pause(self) -> None:
        """Tell nothing of others from now on."""
        if self._last_told is None:
            self._last_told = {entry.id: entry.snapshot() for entry in self._view if entry is not self._view.local}

    def resume(self, now: float) -> None:
        """Tell of others again, and first what has become of them meanwhile."""
        if self._last_told is None:
            return
        before, self._last_told = self._last_told, None
        for member in before.values():
            if self._view.get(member.id) is None and self._view.named(member.name) is None:
                self.events.append(
                    MembershipEvent(EventKind.FORGOTTEN, member, self._view.alive, now, previous=member.status)
                )
        for entry in self._view:
            if entry is not self._view.local:
                self._catch_up(entry, before.get(entry.id), now)

    def _catch_up(self, entry: Entry, told: Member | None, now: float) -> None:
        if told is None:
            self._note(EventKind.JOINED, entry, None, now)
        else:
            self.note(Change(entry, told.status, entry.status, entry.snapshot().version != told.version), now)

    @property
    def last_told(self) -> Collection[Member] | None:
        """The others as they were told to be, while nothing is told of them; else None."""
        return None if self._last_told is None else self._last_told.values()

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
