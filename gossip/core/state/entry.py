"""Entries: one identity each, with what is known of it; and what a merge did to it. Only the view writes them."""

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
    """Its signature under the farewell in ``registers.left``, where identities are signed."""
    gone_at: float | None = None
    """Local time at which it was found dead or gone."""
    round_trip: RoundTrip | None = None
    """Measured round trip to it; None until it has answered a ping of ours."""
    answering_since: float | None = None
    """Local time at which it first answered a ping of ours, moved on by as long as it was gone meanwhile; None until it
    has. A later holder of its name inherits it."""
    answered_from: Address | None = None
    """Where it last answered a ping of ours, or was remembered to be. Anything else that is said of where it is may be
    forged."""
    id: int = attrs.field(init=False, default=attrs.Factory(lambda self: self.identity.id, takes_self=True))
    """Shorthand for ``identity.id``, which is asked for all the time."""

    @classmethod
    def first(cls, record: Record, heartbeat: int, now: float) -> Entry:
        """A living member of which a record and a counter have just been heard."""
        return cls(Registers(record, heartbeat), HeartbeatEstimate.first(heartbeat, now))

    @property
    def identity(self) -> Identity:
        """Whose entry this is."""
        return self.registers.record.identity

    @property
    def status(self) -> Status:
        """Derived from the registers."""
        return self.registers.status

    def acquaintance(self, now: float) -> float:
        """Seconds for which this node knows it as one that answers; 0 if it never has."""
        if self.answering_since is None:
            return 0.0
        return (now if self.gone_at is None else self.gone_at) - self.answering_since

    def snapshot(self) -> Member:
        """The member as the embedding program sees it."""
        return self.registers.record.member(self.registers.status)


class Change(NamedTuple):
    """What one merge did to one member."""

    entry: Entry
    before: Status | None
    """None if the member was not known."""
    after: Status
    updated: bool = False
    """Whether its record was replaced by a newer one."""
    forgotten: tuple[Entry, ...] = ()
    """Members that made room for it, and that no later holder of their names replaces."""


@attrs.frozen
class Tombstone:
    """What outlives a forgotten member, so that stale news does not bring it back."""

    entry: Entry
    expires: float

    def admits(self, identity: Identity, heartbeat: int) -> bool:
        """Whether a record of ``identity`` at this counter is news of a later holder, or of a revival."""
        if identity == self.entry.identity:
            registers = self.entry.registers
            return not registers.left and registers.convicted <= heartbeat
        return identity.supersedes(self.entry.identity)


class Refused(Exception):
    """A record was not taken into the view. The text is a short reason, fit to count by."""

    def __init__(self, reason: Drop, holder: Entry | None = None) -> None:
        super().__init__(reason)
        self.reason = reason
        self.holder = holder
        """Who bears, or last bore, the name instead."""
