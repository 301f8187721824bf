"""The journal: turns changes of the view into events for the embedding program, in order.

While a node is isolated, what it believes of others is a guess. Nothing of that is told; once it hears others again,
the journal tells what is different from what was told before.
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
"""Conflicts are told once per process involved; the oldest are forgotten and may be told again."""


def kinds_of(change: Change) -> list[EventKind]:
    """The events that a change amounts to; none if only counters, floors or accusers moved."""
    before, after = change.before, change.after
    if before is None:
        return [EventKind.JOINED]
    kinds = [EventKind.UPDATED] if change.updated else []  # of the dead as well, or a mirror would lack it
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
        """What was last told of this node itself, while another process bears its name."""
        self._last_told: dict[int, Member] | None = None
        """While nothing is told of others: how they were told to be, by id."""

    def note(self, change: Change, now: float) -> None:
        """Record what a change means to a user."""
        if self._last_told is not None:
            if change.entry is not self._view.local:
                return
            name = change.entry.identity.name  # which this node may just have taken back from another process
            self._last_told = {each.id: each for each in self._last_told.values() if each.name != name}
        for kind in kinds_of(change):
            self._note(kind, change.entry, change.before, now)

    def note_forgotten(self, entry: Entry, now: float) -> None:
        """Record that a member is known no more."""
        if self._last_told is None:
            self._note(EventKind.FORGOTTEN, entry, entry.status, now)

    def note_standing(self, standing: NodeStanding, now: float) -> None:
        """Record what this node's own standing is now."""
        local = self._view.local_member
        self._displaced = (local, standing) if local.status is Status.DISPLACED else None
        self.events.append(MembershipEvent(EventKind.STANDING, local, self._view.alive, now, standing=standing))

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
                self._tell_lost(member, now)
        for entry in self._view:
            if entry is not self._view.local:
                self._catch_up(entry, before.get(entry.id), now)

    def _tell_lost(self, told: Member, now: float) -> None:
        """Tell of somebody who is known no more. Whoever was told as living has died first, so that a program which
        goes by the dead and departed alone misses nobody."""
        alive = self._view.alive
        gone = attrs.evolve(told, status=Status.DEAD) if told.status.is_living else told
        if gone is not told:
            why = self._casebook.explain(gone.name, now)
            event = MembershipEvent(EventKind.DIED, gone, alive, now, previous=told.status, explanation=why)
            self.events.append(event)
        self.events.append(MembershipEvent(EventKind.FORGOTTEN, gone, alive, now, previous=gone.status))

    def _catch_up(self, entry: Entry, told: Member | None, now: float) -> None:
        if told is None:  # it was living when it was first heard of, whatever it is by now
            told = attrs.evolve(entry.snapshot(), status=Status.ALIVE)
            self._append(MembershipEvent(EventKind.JOINED, told, self._view.alive, now))
        is_updated = entry.snapshot() != attrs.evolve(told, status=entry.status)
        self.note(Change(entry, told.status, entry.status, is_updated), now)

    @property
    def last_told(self) -> Collection[Member] | None:
        """The others as they were told to be, while nothing is told of them; else None."""
        return None if self._last_told is None else self._last_told.values()

    def claimant(self, member_id: int) -> Member | None:
        """The process with this id, if a conflict about it has been told."""
        return self._conflicts.get(member_id)

    def note_conflict(self, member: Member, now: float) -> None:
        """Record, once, that this member's name is borne by another running process."""
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
        """Tell something of a member. Whoever joins takes the place of all who have the name; while this node is
        displaced, it is told once more that it is there, too."""
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
        claimant = self._conflicts.get(member_id)  # which runs, but is nobody's member
        return f"unknown {member_id:016x}" if claimant is None else claimant.name
