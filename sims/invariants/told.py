"""Events: the members that a program keeps from events are those that its node knows."""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache

from gossip.core.events import EventKind, MembershipEvent
from gossip.core.state.member import Identity, Member, Record
from gossip.core.state.node_standing import Standing
from gossip.core.state.view import FINGERPRINT_MODULUS
from gossip.core.support.address import Address

from ..world import SimulatedNode
from .base import Invariant

_WITHHELD = (Standing.ISOLATED, Standing.DISPLACED, Standing.LEFT)
"""Standings in which a program may be told something else of others, or of the node, than the view holds."""


class EventsTellTheMembers(Invariant):
    """The events, replayed, give the members. After each event, the members that it is about are compared, and all of
    them by their fingerprint; now and then all are compared one by one."""

    def __init__(self) -> None:
        self._mirrors: dict[SimulatedNode, _Mirror] = {}
        self._touched: list[int] = []
        self._has_changed = False

    def started(self, node: SimulatedNode) -> None:
        """The program takes all members once."""
        self._mirrors[node] = _Mirror(node.protocol.told_members())

    def acquainted(self, node: SimulatedNode) -> None:
        """The program gave the node members, and takes all members again."""
        self.started(node)

    def happened(self, node: SimulatedNode, event: MembershipEvent, cause: Address | None) -> None:
        """The program is told."""
        if not self._mirrors[node].take(event):
            raise self.violated(
                f"{node.key} told that {event.member.name} {event.kind.value}, but never told of it before"
            )
        self._touched.append(event.member.id)

    def changed(self, node: SimulatedNode) -> None:
        """Note that the view has changed: the program must be told, unless it is told nothing at present."""
        self._has_changed = True

    def handled(self, node: SimulatedNode) -> None:
        """Compare what was told just now with what is known."""
        if not (self._touched or self._has_changed):
            return
        touched, self._touched, self._has_changed = self._touched, [], False
        if node.protocol.standing.standing in _WITHHELD:
            if touched:
                self.check(node)
            return
        mirror, view = self._mirrors[node], node.view
        for each in touched:
            entry = view.get(each)
            known = None if entry is None else entry.snapshot()
            if mirror.members.get(each) != known:
                raise self.violated(f"events of {node.key} give {mirror.members.get(each)}, but it knows {known}")
        if mirror.fingerprint != view.fingerprint:
            self.check(node)

    def check(self, node: SimulatedNode) -> None:
        """Compare all."""
        told = self._mirrors[node].members
        known = {each.id: each for each in node.protocol.told_members()}
        if node.entry.registers.left and node.id not in told:
            del known[node.id]  # it has left, and is not told when another process takes its name
        if told != known:
            first = next(each for each in {**known, **told} if told.get(each) != known.get(each))
            raise self.violated(f"events of {node.key} give {told.get(first)}, but it knows {known.get(first)}")


class ConflictsAreTold(Invariant):
    """A node that is displaced by another process with its name has told its program of the conflict."""

    def __init__(self) -> None:
        self._told: set[tuple[SimulatedNode, int]] = set()
        self._displaced: SimulatedNode | None = None

    def happened(self, node: SimulatedNode, event: MembershipEvent, cause: Address | None) -> None:
        """The program is told."""
        if event.kind is EventKind.CONFLICT:
            self._told.add((node, event.member.id))
        elif event.standing is not None and event.standing.standing is Standing.DISPLACED:
            self._displaced = node

    def handled(self, node: SimulatedNode) -> None:
        """Both must have been told by now."""
        if self._displaced is node:
            self._displaced = None
            if (node, node.id) not in self._told:
                raise self.violated(f"{node.key} is displaced, and did not tell that another process has its name")


class StandstillsAreTold(Invariant):
    """A node that was paused for longer than the shortest suspicion does not believe itself connected when it runs
    on."""

    def __init__(self) -> None:
        self._seen: dict[SimulatedNode, float] = {}

    def handled(self, node: SimulatedNode) -> None:
        """The node may have just begun to run on."""
        until = node.paused_until
        if not until or self.sim.now <= until or self._seen.get(node) == until:
            return
        self._seen[node] = until
        protocol, config = node.protocol, node.config
        lasted = node.clock.local(until) - node.paused_at  # it may have handled nothing since
        if lasted < config.suspicion_min + config.probe_interval or node.slowness or not node.view.others:
            return
        if protocol.standing.standing is Standing.CONNECTED and protocol.standing.since < node.paused_at:
            raise self.violated(
                f"{node.key} was paused for {lasted:.3f} s, and its standing is {protocol.standing.why!r}"
            )


class _Mirror:
    """The members as a program keeps them that knows nothing but events."""

    def __init__(self, members: Iterable[Member]) -> None:
        self.members: dict[int, Member] = {}
        self.fingerprint = 0
        self._ids: dict[str, list[int]] = {}
        for each in members:
            self._put(each)

    def take(self, event: MembershipEvent) -> bool:
        """Apply an event. Returns false if it is about an unknown member."""
        member, kind = event.member, event.kind
        if kind is EventKind.CONFLICT:
            return True
        is_known = member.id in self.members
        if kind is EventKind.FORGOTTEN:
            if is_known:
                self._take_out(member.id)
            return is_known
        if kind is EventKind.JOINED:
            for each in tuple(self._ids.get(member.name, ())):
                self._take_out(each)
        elif is_known:
            self._take_out(member.id)
        elif kind is not EventKind.STANDING:
            return False
        self._put(member)
        return True

    def _put(self, member: Member) -> None:
        self.members[member.id] = member
        self._ids.setdefault(member.name, []).append(member.id)
        if member.status.is_living:
            self.fingerprint = (self.fingerprint + _mark_of(member)) % FINGERPRINT_MODULUS

    def _take_out(self, member_id: int) -> None:
        member = self.members.pop(member_id)
        self._ids[member.name].remove(member_id)
        if member.status.is_living:
            self.fingerprint = (self.fingerprint - _mark_of(member)) % FINGERPRINT_MODULUS


@lru_cache(4096)
def _mark_of(member: Member) -> int:
    identity = Identity(member.name, member.generation, member.id)
    return Record(identity, member.version, member.address, member.metadata, member.key).fingerprint
