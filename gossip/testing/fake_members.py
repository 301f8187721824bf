"""The members of a fake node: what a test says of them, and the event that follows from it.

The events are those that a real node would tell of the same change. There is no protocol behind them, so a test may
also say what no cluster would come to.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

import attrs

from gossip.core.config import Config
from gossip.core.events import EventKind, MembershipEvent
from gossip.core.state.local import check_metadata
from gossip.core.state.member import Identity, Member, Record, Status, is_valid_name
from gossip.core.state.node_standing import NodeStanding, Standing
from gossip.core.support.address import Address
from gossip.core.support.arguments import nearest, wrong

GENERATION_MS = 1_767_225_600_000
"""The generation before that of the first process: the start of 2026. Each further process has the next one."""

HOSTS_PER_NET = 250
PORT = 7946

_SETTINGS = Config.lan()
"""Bounds the metadata, like those of a node by default."""


class FakeMembers:
    """The members of one node, by name."""

    def __init__(self, name: str, metadata: Mapping[str, str], now: Callable[[], float]) -> None:
        """:param name: of the node itself.

        :param now: gives the local time in seconds.
        :raises ConfigurationError: if name or metadata is malformed.
        """
        self.standing = NodeStanding(Standing.CONNECTED, now(), "the test says so")
        self._name = name
        self._now = now
        self._processes = 0
        self._members: Mapping[str, Member] = {}
        """Never changed, but replaced: another thread may go through it at any time."""
        self._keep(self._new(name, metadata, None))

    @property
    def local(self) -> Member:
        """The node itself as a member."""
        return self._members[self._name]

    @property
    def alive(self) -> int:
        """How many members live, the node itself included."""
        return sum(member.status.is_living for member in self._members.values())

    def told_members(self) -> tuple[Member, ...]:
        """All members, sorted by name."""
        members = self._members
        return tuple(members[name] for name in sorted(members))

    def get(self, name: str) -> Member | None:
        """The member of that name; None if there is none."""
        return self._members.get(name)

    def join(self, name: str, metadata: Mapping[str, str], address: Address | None) -> MembershipEvent:
        """A new member, or a new process of one that is known.

        :raises ConfigurationError: if an argument is malformed, or it is the node itself.
        """
        self._require_another(name)
        member = self._keep(self._new(name, metadata, address))
        return self._event(EventKind.JOINED, member, None)

    def update(self, name: str, metadata: Mapping[str, str] | None, address: Address | None) -> MembershipEvent:
        """New metadata or a new address of a member.

        :raises ConfigurationError: if the metadata is malformed.
        :raises KeyError: if there is no such member.
        """
        old = self._known(name)
        who = Identity(old.name, old.generation, old.id)
        metadata = old.metadata if metadata is None else check_metadata(metadata, _SETTINGS)
        record = Record(who, old.version + 1, old.address if address is None else address, metadata)
        return self._event(EventKind.UPDATED, self._keep(record.member(old.status)), old.status)

    def turn(self, name: str, status: Status, kind: EventKind) -> MembershipEvent:
        """Another status of a member.

        :raises ConfigurationError: if it is the node itself.
        :raises KeyError: if there is no such member.
        """
        self._require_another(name)
        old = self._known(name)
        return self._event(kind, self._keep(attrs.evolve(old, status=status)), old.status)

    def forget(self, name: str) -> MembershipEvent:
        """A member that is none any more.

        :raises ConfigurationError: if it is the node itself.
        :raises KeyError: if there is no such member.
        """
        self._require_another(name)
        gone = self._known(name)
        self._members = {other: member for other, member in self._members.items() if other != name}
        return self._event(EventKind.FORGOTTEN, gone, gone.status)

    def conflict(self, name: str) -> MembershipEvent:
        """An older process that runs under the name of a member, too.

        :raises KeyError: if there is no such member.
        """
        holder = self._known(name)
        claimant = attrs.evolve(holder, id=holder.id ^ 1 << 63, generation=holder.generation - 1, status=Status.ALIVE)
        return self._event(EventKind.CONFLICT, claimant, None)

    def stand(self, standing: NodeStanding) -> MembershipEvent:
        """Another standing of the node itself."""
        self.standing = standing
        status = {Standing.LEFT: Status.LEFT, Standing.DISPLACED: Status.DISPLACED}.get(standing.standing, Status.ALIVE)
        self._keep(attrs.evolve(self.local, status=status))
        return attrs.evolve(self._event(EventKind.STANDING, self.local, None), standing=standing)

    def _keep(self, member: Member) -> Member:
        self._members = {**self._members, member.name: member}
        return member

    def _require_another(self, name: str) -> None:
        if name == self._name:
            raise wrong("name", "the name of another member; of the node itself, a test changes the standing", name)

    def _known(self, name: str) -> Member:
        if name not in self._members:
            known = ", ".join(sorted(self._members))
            raise KeyError(f"there is no member {name!r}{nearest(str(name), self._members)}; there are {known}")
        return self._members[name]

    def _new(self, name: str, metadata: Mapping[str, str], address: Address | None) -> Member:
        if not is_valid_name(name):
            raise wrong("name", "the name of a member, a printable text of 1 to 128 bytes", name)
        net, host = divmod(self._processes, HOSTS_PER_NET)
        self._processes += 1
        who = Identity(name, GENERATION_MS + self._processes, self._processes)
        where = Address(f"127.0.{net}.{host + 1}", PORT) if address is None else address
        return Record(who, 1, where, check_metadata(metadata, _SETTINGS)).member(Status.ALIVE)

    def _event(self, kind: EventKind, member: Member, previous: Status | None) -> MembershipEvent:
        return MembershipEvent(kind, member, self.alive, self._now(), previous=previous)
