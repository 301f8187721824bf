"""The journal: turns changes of the view into events for the embedding program, in order.

While a node is isolated, what it believes about others is a guess, and the journal reports none of it. Once the node
hears others again, the journal reports what differs from its last reports.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Collection

import attrs

from gossip.core.detection.casebook import Casebook
from gossip.core.events import EventKind, MembershipEvent
from gossip.core.state.entry import Change, Entry
from gossip.core.state.member import Member, Status
from gossip.core.state.node_standing import NodeStanding
from gossip.core.state.view import View

MAX_REMEMBERED_CONFLICTS = 256
"""Conflicts are reported once per process involved; the oldest are forgotten and may be reported again."""


def kinds_of(change: Change) -> list[EventKind]:
    """The kinds of events for a change; none if only counters, floors or accusers moved."""
    before, after = change.before, change.after
    if before is None:
        return [EventKind.JOINED]
    kinds = [EventKind.UPDATED] if change.updated else []  # for the dead, too, so that a program's copy stays equal
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

    def __init__(self, view: View, casebook: Casebook) -> None:
        self._view = view
        self._casebook = casebook
        self.events: deque[MembershipEvent] = deque()
        """The oldest first."""
        self._conflicts: dict[int, Member] = {}
        self._displaced: tuple[Member, NodeStanding] | None = None
        """The last report about this node itself, while another process holds its name."""
        self._last_told: dict[int, Member] | None = None
        """The others as last reported, by id, while nothing is reported about them; otherwise None."""

    def note(self, change: Change, now: float) -> None:
        """Create the events for a change."""
        if self._last_told is not None:
            if change.entry is not self._view.local:
                return
            name = change.entry.identity.name  # this node may just have taken it back from another process
            self._last_told = {each.id: each for each in self._last_told.values() if each.name != name}
        for kind in kinds_of(change):
            self._note(kind, change.entry, change.before, now)

    def note_forgotten(self, entry: Entry, now: float) -> None:
        """Report that a member is no longer known."""
        if self._last_told is None:
            self._note(EventKind.FORGOTTEN, entry, entry.status, now)

    def note_standing(self, standing: NodeStanding, now: float) -> None:
        """Report this node's new standing."""
        local = self._view.listing.local
        self._displaced = (local, standing) if local.status is Status.DISPLACED else None
        self.events.append(MembershipEvent(EventKind.STANDING, local, self._view.alive, now, standing=standing))

    def pause(self) -> None:
        """Report nothing about others from now on."""
        if self._last_told is None:
            self._last_told = {entry.id: entry.snapshot() for entry in self._view if entry is not self._view.local}

    def resume(self, now: float) -> None:
        """Report about others again, beginning with what has happened to them meanwhile."""
        if self._last_told is None:
            return
        before, self._last_told = self._last_told, None
        for member in before.values():
            if self._view.get(member.id) is None and self._view.named(member.name) is None:
                self._tell_lost(member, now)
        for entry in self._view:
            if entry is not self._view.local:
                self._catch_up(entry, before.get(entry.id), now)

    def _tell_lost(self, told: Member, now: float) -> None:
        """Report a member that is no longer known. If it was last reported as living, it dies first, so that a program
        that only follows deaths and farewells misses nobody."""
        alive = self._view.alive
        gone = attrs.evolve(told, status=Status.DEAD) if told.status.is_living else told
        if gone is not told:
            why = self._casebook.explain(gone.name, now)
            event = MembershipEvent(EventKind.DIED, gone, alive, now, previous=told.status, explanation=why)
            self.events.append(event)
        self.events.append(MembershipEvent(EventKind.FORGOTTEN, gone, alive, now, previous=gone.status))

    def _catch_up(self, entry: Entry, told: Member | None, now: float) -> None:
        if told is None:  # a member is living when it is first heard of, whatever it is now
            told = attrs.evolve(entry.snapshot(), status=Status.ALIVE)
            self._append(MembershipEvent(EventKind.JOINED, told, self._view.alive, now))
        is_updated = entry.snapshot() != attrs.evolve(told, status=entry.status)
        self.note(Change(entry, told.status, entry.status, is_updated), now)

    @property
    def last_told(self) -> Collection[Member] | None:
        """The others as last reported, while nothing is reported about them; otherwise None."""
        return None if self._last_told is None else self._last_told.values()

    def claimant(self, member_id: int) -> Member | None:
        """The process with this id, if a conflict about it was reported."""
        return self._conflicts.get(member_id)

    def note_conflict(self, member: Member, now: float) -> None:
        """Report, once, that another running process holds this member's name."""
        if member.id in self._conflicts:
            return
        if len(self._conflicts) >= MAX_REMEMBERED_CONFLICTS:
            del self._conflicts[next(iter(self._conflicts))]
        self._conflicts[member.id] = member
        self.events.append(MembershipEvent(EventKind.CONFLICT, member, self._view.alive, now))

    def _note(self, kind: EventKind, entry: Entry, before: Status | None, now: float) -> None:
        accused = kind in (EventKind.SUSPECTED, EventKind.DIED)
        floor = entry.registers.accused if accused else 0
        self._append(
            MembershipEvent(
                kind,
                entry.snapshot(),
                self._view.alive,
                now,
                previous=before,
                accusers=tuple(self._name(each) for each in entry.accusers) if accused else (),
                floor=floor,
                silent_for=max(0.0, now - entry.estimate.time_of(entry.registers.heartbeat)) if accused else None,
                explanation=self._casebook.explanation(entry, now) if kind is EventKind.DIED else None,
            )
        )

    def _append(self, event: MembershipEvent) -> None:
        """Report an event of a member. A member that joins replaces all with its name. While this node is displaced, it
        then reports once more that it exists, too."""
        self.events.append(event)
        if self._displaced is None or event.kind is not EventKind.JOINED:
            return
        local, standing = self._displaced
        if event.member.id == self._view.local.id:
            self._displaced = None
        elif event.member.name == local.name:
            again = attrs.evolve(standing, is_warning=False)
            self.events.append(MembershipEvent(EventKind.STANDING, local, event.alive, event.time, standing=again))

    def _name(self, member_id: int) -> str:
        known = self._view.get(member_id) or (self._view.local if member_id == self._view.local.id else None)
        if known is not None:
            return known.identity.name
        claimant = self._conflicts.get(member_id)  # a claimant runs, but is no member
        return f"unknown {member_id:016x}" if claimant is None else claimant.name
