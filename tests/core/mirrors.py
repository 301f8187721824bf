"""A mirror of the members, kept by the events of a node alone, as an embedding program may keep it."""

from __future__ import annotations

from collections.abc import Iterable

from gossip.core.events import EventKind, MembershipEvent
from gossip.core.state.member import Member


class Mirror:
    """Starts with the members at one moment, and then takes every later event."""

    def __init__(self, members: Iterable[Member]) -> None:
        self._by_id = {member.id: member for member in members}

    def take(self, event: MembershipEvent) -> None:
        """Do what the kind of the event asks for."""
        member = event.member
        match event.kind:
            case EventKind.CONFLICT:
                return
            case EventKind.FORGOTTEN:
                del self._by_id[member.id]
                return
            case EventKind.JOINED:
                self._by_id = {key: each for key, each in self._by_id.items() if each.name != member.name}
            case _:
                assert member.id in self._by_id or event.kind is EventKind.STANDING, f"{event} about nobody known"
        self._by_id[member.id] = member

    @property
    def members(self) -> tuple[Member, ...]:
        """The members as told, in an order of their own."""
        return in_order(self._by_id.values())


def in_order(members: Iterable[Member]) -> tuple[Member, ...]:
    """Members in an order that depends on nothing else."""
    return tuple(sorted(members, key=lambda member: (member.name, member.id)))
