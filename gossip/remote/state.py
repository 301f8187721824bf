"""What a program knows of its node in another process: values that never change, each replaced by the next.

Any thread may read them. A reader that holds one sees one moment of the node, as the last message described it.
"""

from __future__ import annotations

import functools
from collections.abc import Iterable, Mapping
from operator import attrgetter
from typing import Any

import attrs

from gossip.core.events import EventKind, MembershipEvent
from gossip.core.state.member import Member, Status
from gossip.core.state.node_standing import NodeStanding
from gossip.core.state.wall import ClockDispute
from gossip.core.support.address import Address
from gossip.node import Snapshot
from gossip.security import Keyring
from gossip.telemetry import NodeStats

_by_name = attrgetter("name")


class Roster:
    """Members by name. A name has two only while another process bears the node's own: then the node comes first."""

    def __init__(self, holders: Mapping[str, tuple[Member, ...]]) -> None:
        self._holders = holders

    @classmethod
    def of(cls, members: Iterable[Member]) -> Roster:
        """The roster of these members, in their order."""
        holders: dict[str, tuple[Member, ...]] = {}
        for member in members:
            holders[member.name] = (*holders.get(member.name, ()), member)
        return cls(holders)

    @functools.cached_property
    def members(self) -> tuple[Member, ...]:
        """All of them, sorted by name."""
        return tuple(sorted((each for holders in self._holders.values() for each in holders), key=_by_name))

    def get(self, name: str) -> Member | None:
        """The newest holder of a name; None if there is none."""
        holders = [each for each in self._holders.get(name, ()) if each.status is not Status.DISPLACED]
        return holders[-1] if holders else None

    def after(self, items: Iterable[Snapshot | MembershipEvent]) -> Roster:
        """The roster after these changes; :mod:`gossip.core.events` says what each kind means."""
        holders = dict(self._holders)
        for item in items:
            if isinstance(item, Snapshot):
                holders = dict(Roster.of(item.members)._holders)
            else:
                _apply(holders, item)
        return Roster(holders)


def _apply(holders: dict[str, tuple[Member, ...]], event: MembershipEvent) -> None:
    member = event.member
    if event.kind is EventKind.CONFLICT:
        return
    if event.kind is EventKind.JOINED:
        holders[member.name] = (member,)
        return
    before = holders.get(member.name, ())
    others = tuple(each for each in before if each.id != member.id)
    if event.kind is EventKind.FORGOTTEN:
        after = others
    elif not others:
        after = (member,)
    else:  # only the node's own standing, or a change of the other process with its name
        is_own = event.kind is EventKind.STANDING or before[0].id == member.id
        after = (member, *others) if is_own else (*others, member)
    if after:
        holders[member.name] = after
    else:
        del holders[member.name]


@attrs.frozen(kw_only=True)
class NodeState:
    """A node at one moment. The fields without another description are the attributes of :class:`gossip.Node`."""

    told: Roster
    """The members as the events so far have described them."""
    guess: tuple[Member, ...] | None
    """The members as the node sees them, where it tells nothing of what it only guesses; None if that is the same."""
    seen: Roster
    """The members as the node sees them."""
    local: Member
    address: Address
    bound_address: Address
    standing: NodeStanding
    alive: int
    keyring: Keyring | None
    agreement: float | None
    health: int
    clock_dispute: ClockDispute | None
    stats: NodeStats

    @classmethod
    def first(cls, items: Iterable[Snapshot | MembershipEvent], fields: Mapping[str, Any]) -> NodeState:
        """The state at the beginning.

        :param fields: all but ``told`` and ``seen``.
        """
        told = Roster({}).after(items)
        return cls(told=told, seen=_seen(told, fields["guess"]), **fields)

    def after(self, items: Iterable[Snapshot | MembershipEvent], changes: Mapping[str, Any]) -> NodeState:
        """The state after these changes of the members, and of other fields."""
        told = self.told.after(items) if items else self.told
        guess = changes.get("guess", self.guess)
        seen = self.seen if told is self.told and guess is self.guess else _seen(told, guess)
        return attrs.evolve(self, told=told, seen=seen, **changes)


def _seen(told: Roster, guess: tuple[Member, ...] | None) -> Roster:
    return told if guess is None else Roster.of(guess)
