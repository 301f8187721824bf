"""Entries: what is known of one identity, and what a merge did to it. Only the view writes entries."""

from __future__ import annotations

from typing import NamedTuple

import attrs

from gossip.core.state.heartbeat import HeartbeatEstimate
from gossip.core.state.member import Identity, Member, Record, Registers, Status
from gossip.core.state.round_trip import RoundTrip
from gossip.core.support.address import Address
from gossip.core.support.drop_reasons import Drop


@attrs.define(eq=False, weakref_slot=False)
class Entry:
    """One identity and what is known of it."""

    registers: Registers
    estimate: HeartbeatEstimate
    accusers: tuple[int, ...] = ()
    """Ids of the members that accuse it at the floor ``registers.accused``."""
    farewell: bytes = b""
    """The member's signature of the farewell in ``registers.left``, where identities are signed."""
    gone_at: float | None = None
    """Local time at which this node found that it is dead or has left."""
    round_trip: RoundTrip | None = None
    """Measured round trip to it; None until it has answered a ping of this node."""
    answering_since: float | None = None
    """Local time at which it first answered a ping of this node, moved on by the time for which it was gone since; None
    until it has answered. A later holder of its name inherits the value."""
    answered_from: Address | None = None
    """Address from which it last answered a ping of this node, or at which it was remembered. Any other claim about its
    address may be forged."""
    id: int = attrs.field(init=False, default=attrs.Factory(lambda self: self.identity.id, takes_self=True))
    """Shorthand for ``identity.id``, which is needed all the time."""

    @classmethod
    def first(cls, record: Record, heartbeat: int, now: float) -> Entry:
        """The entry of a living member whose record and counter this node has just heard."""
        return cls(Registers(record, heartbeat), HeartbeatEstimate.first(heartbeat, now))

    @property
    def identity(self) -> Identity:
        """The identity that this entry is about."""
        return self.registers.record.identity

    @property
    def status(self) -> Status:
        """Derived from the registers."""
        return self.registers.status

    def acquaintance(self, now: float) -> float:
        """Seconds for which this node has known it as a member that answers; 0 if it never has."""
        if self.answering_since is None:
            return 0.0
        return (now if self.gone_at is None else self.gone_at) - self.answering_since

    def snapshot(self) -> Member:
        """The member as the embedding program sees it."""
        registers = self.registers  # read once: another thread may ask while a new value is put here
        return registers.record.member(registers.status)


class Change(NamedTuple):
    """What one merge did to one member."""

    entry: Entry
    before: Status | None
    """None if the member was not known."""
    after: Status
    updated: bool = False
    """Whether its record was replaced by a newer one."""
    forgotten: tuple[Entry, ...] = ()
    """Members that made room for it and whose names have no later holder."""


class Tombstone(NamedTuple):
    """What stays of a forgotten member, so that stale news does not bring it back."""

    entry: Entry
    expires: float

    def admits(self, identity: Identity, heartbeat: int) -> bool:
        """Whether a record of ``identity`` at this counter is news of a later holder of the name, or shows that the
        member lives."""
        if identity == self.entry.identity:
            registers = self.entry.registers
            return not registers.left and registers.convicted <= heartbeat
        return identity.supersedes(self.entry.identity)


class Refused(Exception):
    """A record was not taken into the view. The text is a short reason that can be counted."""

    def __init__(self, reason: Drop, holder: Entry | None = None) -> None:
        super().__init__(reason)
        self.reason = reason
        self.holder = holder
        """The present or last holder of the name."""
