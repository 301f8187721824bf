"""What a reader of an agent's output knows so far, and which events lead from there to a snapshot.

This module decides what a reader gets that fell behind. It writes nothing; see :mod:`gossip.cli.agent.report`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from gossip import MembershipEvent, NodeStanding, Snapshot
from gossip.core.events import EventKind
from gossip.core.state.member import Member, Status


class Told:
    """The members and the standing that the reader knows: at most as many names as there are members."""

    def __init__(self) -> None:
        self.members: dict[str, Member] = {}
        """By name."""
        self.standing: NodeStanding | None = None

    def began(self, local: Member, standing: NodeStanding) -> None:
        """Note that the reader knows the agent itself."""
        self.members[local.name], self.standing = local, standing

    def event(self, event: MembershipEvent) -> None:
        """Note that the reader knows an event."""
        name = event.member.name
        self.standing = event.standing or self.standing
        if event.kind is EventKind.FORGOTTEN:
            self.members.pop(name, None)
        elif event.kind is not EventKind.CONFLICT and event.member.status is not Status.DISPLACED:
            self.members[name] = event.member  # in the other two cases, the member does not hold the name

    def snapshot(self, snapshot: Snapshot) -> None:
        """Note that the reader knows a snapshot."""
        self.members = {member.name: member for member in snapshot.members}
        self.standing = snapshot.standing

    def events_in(self, snapshot: Snapshot, local: Member, alive: int, now: float) -> Iterator[MembershipEvent]:
        """The events that give the reader what is new in a snapshot.

        :param local: the agent as a member.
        :param alive: number of living members now.
        :param now: local time in seconds.
        """
        if snapshot.standing != self.standing:
            own = snapshot.standing
            yield MembershipEvent(EventKind.STANDING, local, alive, own.since, standing=own)
        yield from changes_between(dict(self.members), snapshot.members, now)


def changes_between(known: Mapping[str, Member], members: Iterable[Member], time: float) -> Iterator[MembershipEvent]:
    """The events that lead from what the reader knows (``known``, by name) to a snapshot.

    A reader that fell behind loses single events; these events give it the right picture. They do not say who accused a
    member. They leave out a member that lost its name to another process: it is the agent itself, and its standing is
    written separately.
    """
    snapshot = tuple(member for member in members if member.status is not Status.DISPLACED)
    alive = sum(member.status.is_living for member in snapshot)
    for name in known.keys() - {member.name for member in snapshot}:
        yield MembershipEvent(EventKind.FORGOTTEN, known[name], alive, time, known[name].status)
    for member in snapshot:
        before = known.get(member.name)
        if before is not None and before.generation != member.generation:
            before = None
        for kind in _kinds_between(before, member):
            yield MembershipEvent(kind, member, alive, time, before.status if before else None)


def _kinds_between(before: Member | None, after: Member) -> Iterator[EventKind]:
    if before is None and after.status.is_living:
        yield EventKind.JOINED
    if before is not None and (before.version, before.address) != (after.version, after.address):
        yield EventKind.UPDATED
    status_before = Status.ALIVE if before is None else before.status
    if after.status is not status_before:
        yield {
            Status.ALIVE: EventKind.RESTORED,
            Status.SUSPECT: EventKind.SUSPECTED,
            Status.DEAD: EventKind.DIED,
            Status.LEFT: EventKind.LEFT,
        }[after.status]
