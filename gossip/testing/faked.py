"""What all fake nodes have in common: what a test says, and what the node answers.

How a program waits for a fake node, and what it awaits, is decided by the flavours.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping
from typing import Any, ClassVar

import attrs

from gossip.core.detection.evidence import Explanation
from gossip.core.errors import DisplacedError, LeftError
from gossip.core.events import EventKind, MembershipEvent
from gossip.core.state.local import NO_METADATA
from gossip.core.state.member import Member, Status
from gossip.core.state.node_standing import NodeStanding, Standing
from gossip.core.state.wall import ClockDispute
from gossip.core.stats import ProtocolStats
from gossip.core.support.address import Address
from gossip.core.support.arguments import require, wrong
from gossip.errors import ClosedError
from gossip.node import Broadcast
from gossip.security import Keyring
from gossip.telemetry import NodeStats, ShellCounters
from gossip.testing.fake_members import FakeMembers

_NOTHING: dict[str, Any] = {field.name: {} if field.name == "dropped" else 0 for field in attrs.fields(ProtocolStats)}
_NO_PROTOCOL = ProtocolStats(**_NOTHING)


class Faked:
    """A node without any protocol. Each flavour of :class:`gossip.testing.FakeNode` is one."""

    _called: ClassVar[str]
    """The name of the class, for people."""

    agreement: float | None = 1.0
    """What the test says; 1.0 at first."""
    health: int = 0
    """What the test says."""
    clock_dispute: ClockDispute | None = None
    """What the test says."""
    keyring: Keyring | None = None
    """What the test says; what the program under test gives to ``use_keyring()`` takes its place."""

    def __init__(
        self,
        name: str = "me",
        members: Mapping[str, Mapping[str, str]] | Iterable[str] = (),
        *,
        metadata: Mapping[str, str] = NO_METADATA,
    ) -> None:
        """:param name: of the node itself.

        :param members: the others, all alive: their names, or the metadata of each by its name.
        :param metadata: of the node itself.
        :raises ConfigurationError: if an argument is malformed.
        """
        self._name = name
        self._members = FakeMembers(name, metadata, self._now)
        self._counters = ShellCounters()
        self._broadcast = Broadcast(self._members, self._counters)
        self._closed_at: float | None = None
        self.explanations: dict[str, Explanation] = {}
        """What ``explain()`` answers, by the name of the member; None for all other names."""
        self.updates: list[Mapping[str, str]] = []
        """The metadata of each ``update()``, in order."""
        self.keyrings: list[Keyring] = []
        """What ``use_keyring()`` was given, in order."""
        for other, about in _others(members).items():
            self._members.join(other, about, None)

    def __repr__(self) -> str:
        state = "closed" if self._closed_at is not None else self.standing.standing.value
        return f"<{self._called} {self._name!r}, {state}, {self.alive} alive>"

    # --- for the test

    def member_joined(
        self, name: str, metadata: Mapping[str, str] = NO_METADATA, *, address: Address | None = None
    ) -> Member:
        """A member has joined, or has restarted: its id is new, and its generation higher than all before.

        :raises ConfigurationError: if an argument is malformed, or it is the node itself.
        """
        return self._tell(lambda: self._members.join(name, metadata, address))

    def member_updated(
        self, name: str, metadata: Mapping[str, str] | None = None, *, address: Address | None = None
    ) -> Member:
        """A member has new metadata, or a new address; what is not given stays as it was.

        :raises ConfigurationError: if the metadata is malformed.
        :raises KeyError: if there is no such member.
        """
        return self._tell(lambda: self._members.update(name, metadata, address))

    def member_suspected(self, name: str) -> Member:
        """A member has not answered; it still counts as living.

        :raises KeyError: if there is no such member.
        """
        return self._tell(lambda: self._members.turn(name, Status.SUSPECT, EventKind.SUSPECTED))

    def member_restored(self, name: str) -> Member:
        """A member that was suspected or dead has shown that it lives.

        :raises KeyError: if there is no such member.
        """
        return self._tell(lambda: self._members.turn(name, Status.ALIVE, EventKind.RESTORED))

    def member_died(self, name: str) -> Member:
        """A member has not shown in time that it lives.

        :raises KeyError: if there is no such member.
        """
        return self._tell(lambda: self._members.turn(name, Status.DEAD, EventKind.DIED))

    def member_left(self, name: str) -> Member:
        """A member has said farewell.

        :raises KeyError: if there is no such member.
        """
        return self._tell(lambda: self._members.turn(name, Status.LEFT, EventKind.LEFT))

    def member_forgotten(self, name: str) -> Member:
        """A member is none any more: it was dead or gone for long.

        :raises KeyError: if there is no such member.
        """
        return self._tell(lambda: self._members.forget(name))

    def member_conflicted(self, name: str) -> Member:
        """An older process has the name of a member, too; returns what is told of that process.

        :raises KeyError: if there is no such member.
        """
        return self._tell(lambda: self._members.conflict(name))

    def standing_changed(self, standing: Standing, why: str = "the test says so") -> None:
        """The node itself has another place in the cluster.

        :raises ConfigurationError: if it is no :class:`gossip.Standing`.
        """
        require("standing", standing, Standing, "a gossip.Standing")
        self._tell(lambda: self._members.stand(NodeStanding(standing, self._now(), why)))

    @property
    def has_left(self) -> bool:
        """Whether the program under test has called ``leave()``."""
        return self.standing.standing is Standing.LEFT

    # --- what a node answers

    @property
    def local(self) -> Member:
        """This node as a member."""
        return self._members.local

    @property
    def address(self) -> Address:
        """Where others would reach this node."""
        return self.local.address

    @property
    def bound_address(self) -> Address:
        """The same as ``address``."""
        return self.local.address

    @property
    def standing(self) -> NodeStanding:
        """What the test says; connected at first."""
        return self._members.standing

    @property
    def alive(self) -> int:
        """Number of living members, this node included."""
        return self._members.alive

    @property
    def stats(self) -> NodeStats:
        """Only the events that subscriptions have missed are counted."""
        return NodeStats(protocol=_NO_PROTOCOL, streams_active=0, opened={}, **vars(self._counters))

    def members(self) -> tuple[Member, ...]:
        """All members sorted by name."""
        return self._members.told_members()

    def get(self, name: str) -> Member | None:
        """The member of that name, or None.

        :raises ConfigurationError: if ``name`` is no text.
        """
        require("name", name, str, "the name of a member, a text")
        return self._members.get(name)

    # --- for the flavours

    def _close(self) -> None:
        if self._closed_at is None:
            self._closed_at = self._now()
            self._broadcast.close()
            self._stepped()

    def _explain(self, name: str) -> Explanation | None:
        require("name", name, str, "the name of a member, a text")
        return self.explanations.get(name)

    def _update(self, metadata: Mapping[str, str]) -> None:
        self._require_open()
        if self.standing.standing is Standing.LEFT:
            raise LeftError(f"node {self._name!r} has left its cluster, so it can announce nothing")
        if self.standing.standing is Standing.DISPLACED:
            raise DisplacedError(f"this node cannot announce new metadata: {self.standing.why}")
        told = self._tell(lambda: self._members.update(self._name, metadata, None))
        self.updates.append(told.metadata)

    def _use_keyring(self, keyring: Keyring) -> None:
        self._require_open()
        require("keyring", keyring, Keyring, "a gossip.Keyring", secret=True)
        if self.keyring is None:
            raise wrong("keyring", "given from the beginning: set FakeNode.keyring in the test", keyring, secret=True)
        self.keyring = keyring
        self.keyrings.append(keyring)

    def _leave(self) -> tuple[str, ...]:
        self._require_open()
        if not self.has_left:
            self.standing_changed(Standing.LEFT, "it said farewell")
        return tuple(member.name for member in self.members() if member.status.is_living)

    def _tell(self, change: Callable[[], MembershipEvent]) -> Member:
        event = change()
        self._broadcast.publish(event)
        self._stepped()
        return event.member

    def _stepped(self) -> None:
        """Look again at what is waited for."""
        raise NotImplementedError

    def _require_open(self) -> None:
        if self._closed_at is not None:
            raise ClosedError(f"node {self._name!r} is closed")

    def _now(self) -> float:
        return time.monotonic()


def _others(members: Mapping[str, Mapping[str, str]] | Iterable[str]) -> Mapping[str, Mapping[str, str]]:
    if isinstance(members, Mapping):
        return members
    if isinstance(members, str) or not isinstance(members, Iterable):
        raise wrong("members", "the names of members, or their metadata by name", members)
    return dict.fromkeys(members, NO_METADATA)
