"""Belief: which of the facts that peers send this node takes into its view, and which it answers back.

A counter is evidence only if it reaches the floor. An accusation or a conviction below a counter that was already seen
is contradicted, not believed. This node takes the conviction of a living member as an accusation, and
:mod:`gossip.core.detection.detector` carries the conviction out unless it is refuted. This node refuses counters and
floors that are far ahead of time. It never merges facts about itself but answers them: by a jump of its counter, by a
newer record or, where that cannot help, by a new generation.

Source: the refutation of SWIM (Das, Gupta and Motivala 2002, section 4.2), opened to every witness.
"""

from __future__ import annotations

import enum
from typing import NamedTuple

from gossip.core.config import Config
from gossip.core.state.entry import Change, Entry, Refused
from gossip.core.state.hearing import CONVICTION_STEPS
from gossip.core.state.heartbeat import MAX_COUNTER, MAX_STEPS_AHEAD
from gossip.core.state.local import LocalMember
from gossip.core.state.member import MAX_VERSION, Member, Record, Status
from gossip.core.state.signing import Signatures
from gossip.core.state.sources import SourceBudgets
from gossip.core.state.view import View
from gossip.core.support.address import Address
from gossip.core.support.drop_reasons import Drop
from gossip.core.wire.messages import MAX_ACCUSERS, AliveFact, DeadFact, Fact, LeftFact, RecordFact, SuspectFact

MAX_FIRST_COUNTER = MAX_COUNTER // 2
"""Highest counter that this node believes of a member for which it has seen none before, so that it can expect no
value. It leaves room for every floor that can honestly be raised above it."""


class Verdict(enum.Enum):
    """What became of a fact that changed nothing."""

    KNOWN = "known"
    """Nothing new, or about an unknown member."""
    OUTDATED = "outdated"
    """This node knows better, and should tell the sender about this member."""
    ACCUSED = "accused"
    """It accuses this node at a floor that was not answered yet; this node should tell everybody that it lives."""


class Disbelief(NamedTuple):
    """A fact that was refused, and is counted under its reason."""

    reason: Drop
    holder: Entry | None = None
    """The present or last holder of the name that the refused record claims."""
    claimant: Member | None = None
    """The member in the refused record, if the holder of its name lives."""


Outcome = Change | Verdict | Disbelief


class Belief:
    """Judges facts and merges those it believes into the view."""

    def __init__(self, config: Config, view: View, local: LocalMember, signatures: Signatures) -> None:
        self._config = config
        self._view = view
        self._local = local
        self._signatures = signatures
        self._newcomers = SourceBudgets(config.max_new_members_per_source)
        self._answered_floor = 0
        """The counter that this node last showed to everybody in its defence."""

    def judge(self, fact: Fact, now: float, source: str | None = None, origin: Address | None = None) -> Outcome:
        """Judge one fact, and merge it if it is believed.

        :param source: the host that told it, which may present only a limited number of new members; None if this node
            itself asked there for all members.
        :param origin: where it came from; None if it was stored on this machine.
        """
        member_id = fact.id
        if member_id == self._local.entry.id:
            return self._about_self(fact, now)
        entry = self._view.get(member_id)
        if isinstance(fact, RecordFact):
            return self._record(entry, fact, now, source, origin)
        if entry is None:
            return Verdict.KNOWN
        match fact:
            case AliveFact():
                return self.counter(entry, fact.heartbeat, now)
            case SuspectFact() | DeadFact():
                return self._floor(entry, fact, now)
            case LeftFact():
                return self._farewell(entry, fact, now)

    def counter(self, entry: Entry, heartbeat: int, now: float) -> Outcome:
        """Judge a counter seen for a member other than this node."""
        registers = entry.registers
        if heartbeat <= registers.heartbeat:
            return Verdict.KNOWN if registers.is_living else Verdict.OUTDATED
        if not _is_plausible(entry, heartbeat, now):
            return Disbelief(Drop.COUNTER_AHEAD_OF_TIME)
        if change := self._view.advance(entry, heartbeat, now):
            return change
        was_never_dead = not (registers.convicted or registers.left)  # the usual case, checked first because it is fast
        return Verdict.KNOWN if was_never_dead or entry.registers.is_living else Verdict.OUTDATED

    def _record(self, entry: Entry | None, fact: RecordFact, now: float, source: str | None,
                origin: Address | None) -> Outcome:  # fmt: skip
        record = fact.record
        if entry is not None:
            known = entry.registers.record
            if record is known or record == known:
                return self.counter(entry, fact.heartbeat, now)
            if record.identity != known.identity:
                entry = None  # another member with this id: the view decides which one keeps it
            elif known.newest(record) is known:
                return Verdict.OUTDATED
        objection = self._objection(record, origin)
        if objection is not None:
            holder = self._view.named(record.identity.name) if objection is Drop.NAME_OF_ANOTHER_KEY else None
            return _disbelief(objection, holder, record)
        if entry is None:
            return self._stranger(fact, now, source)
        if not _is_plausible(entry, fact.heartbeat, now):
            return Disbelief(Drop.COUNTER_AHEAD_OF_TIME)
        change = self._view.merge(entry, now, record=record, heartbeat=fact.heartbeat)
        if change is None:
            return Verdict.KNOWN if entry.registers.is_living else Verdict.OUTDATED
        return change

    def _objection(self, record: Record, origin: Address | None) -> Drop | None:
        """Why this node does not believe a record, whichever member it is about; None if it has no objection."""
        if record.metadata_bytes > self._config.max_metadata:
            return Drop.METADATA_TOO_LARGE
        if record.is_unreachable:
            return Drop.ADDRESS_NOBODY_CAN_SEND_TO
        if record.address.is_loopback and self._is_elsewhere(origin):
            return Drop.LOOPBACK_ADDRESS_OF_ANOTHER_MACHINE
        return self._signatures.objection(record, self._view.owners(record.identity))

    def _is_elsewhere(self, origin: Address | None) -> bool:
        """Whether loopback addresses from this origin are useless here: they come from another machine, or this node
        has an address for other machines, which could not reach the members at those addresses."""
        own = self._local.entry.registers.record.address
        return (origin is not None and not origin.is_loopback) or (self._local.address_known and not own.is_loopback)

    def _stranger(self, fact: RecordFact, now: float, source: str | None) -> Outcome:
        if fact.heartbeat > MAX_FIRST_COUNTER:
            return Disbelief(Drop.COUNTER_AHEAD_OF_TIME)
        if source is not None and self._newcomers.available(source, now) < 1:
            return Disbelief(Drop.TOO_MANY_NEW_MEMBERS)
        try:
            change = self._view.introduce(fact.record, fact.heartbeat, now, self._local.wall.time_ms(now))
        except Refused as refusal:
            return _disbelief(refusal.reason, refusal.holder, fact.record)
        if source is not None:
            self._newcomers.spend(source, now)
        return change

    def _floor(self, entry: Entry, fact: SuspectFact | DeadFact, now: float) -> Outcome:
        registers = entry.registers
        if registers.left or fact.floor <= registers.heartbeat:
            return Verdict.OUTDATED
        if not _is_plausible(entry, max(fact.floor, fact.heartbeat), now):
            return Disbelief(Drop.FLOOR_AHEAD_OF_TIME)
        was_dead = registers.status is Status.DEAD
        if was_dead and isinstance(fact, DeadFact):
            return self._view.merge(entry, now, convicted=fact.floor, heartbeat=fact.heartbeat) or Verdict.KNOWN
        accusers = entry.accusers if was_dead else _united(entry.accusers, fact.accusers)
        change = self._view.accuse(entry, accusers, now, _accusation(entry, fact), fact.heartbeat)
        if entry.status is Status.DEAD:
            return Verdict.OUTDATED
        return change or Verdict.KNOWN

    def _farewell(self, entry: Entry, fact: LeftFact, now: float) -> Outcome:
        if not _is_plausible(entry, fact.counter, now):
            return Disbelief(Drop.COUNTER_AHEAD_OF_TIME)
        if fact.counter <= entry.registers.left:
            return Verdict.KNOWN
        objection = self._signatures.farewell_objection(entry.registers.record, fact.counter, fact.signature)
        if objection is not None:
            return Disbelief(objection)
        return self._view.depart(entry, fact.counter, fact.signature, now) or Verdict.KNOWN

    def _about_self(self, fact: Fact, now: float) -> Outcome:
        local = self._local
        match fact:
            case RecordFact():
                return self._own_record(fact, now)
            case LeftFact():
                if local.has_left:
                    return Verdict.KNOWN
                return self._own_farewell(fact, now)
            case AliveFact():
                said, is_accusation = fact.heartbeat, False
            case _:
                said, is_accusation = max(fact.floor, fact.heartbeat), True
        own = local.heartbeat(now)
        if said > own:
            if not local.can_outrun(said, now):
                return self._new_generation(now)
            local.outrun(said, now)
        elif not is_accusation:
            return Verdict.KNOWN
        if not is_accusation or said <= self._answered_floor:
            return Verdict.OUTDATED
        self._answered_floor = local.heartbeat(now)
        return Verdict.ACCUSED

    def _own_farewell(self, fact: LeftFact, now: float) -> Outcome:
        record = self._local.entry.registers.record
        objection = self._signatures.farewell_objection(record, fact.counter, fact.signature)
        return self._new_generation(now) if objection is None else Disbelief(objection)

    def _own_record(self, fact: RecordFact, now: float) -> Outcome:
        local, own, told = self._local, self._local.entry.registers.record, fact.record
        objection = None if told == own else self._signatures.objection(told, [own.key])
        if objection is not None:
            return Disbelief(objection)
        if told.identity != own.identity:
            if (told.identity.generation, told.identity.name) < (own.identity.generation, own.identity.name):
                return Verdict.OUTDATED  # a node that hears of this one decides that the id is this node's
            # Another member has this node's id, so this node needs another one.
            has_our_name = told.identity.name == own.identity.name
            return self._new_generation(now, told.identity.generation if has_our_name else 0)
        if told.version < own.version or told == own or local.has_left:
            return Verdict.KNOWN
        if told.version >= MAX_VERSION - MAX_STEPS_AHEAD:
            return self._new_generation(now)
        local.announce(now, above=told.version)
        return Change(local.entry, Status.ALIVE, Status.ALIVE, updated=True)

    def _new_generation(self, now: float, above: int = 0) -> Outcome:
        # While another process holds the name, this node must not renew it.
        if self._local.has_left or self._view.is_displaced:
            return Verdict.KNOWN
        if not self._local.may_renew(now):
            return Disbelief(Drop.TOO_MANY_NEW_GENERATIONS)  # a peer that believes the fact sends it again
        self._local.start_generation(above, now)
        self._answered_floor = 0
        return Change(self._local.entry, None, Status.ALIVE, updated=True)


def _disbelief(reason: Drop, holder: Entry | None, record: Record) -> Disbelief:
    """Why a record was refused, and which member holds its name instead, if that is known."""
    is_contested = holder is not None and holder.registers.is_living
    return Disbelief(reason, holder, record.member(Status.ALIVE) if is_contested else None)


def _is_plausible(entry: Entry, counter: int, now: float) -> bool:
    """Whether a counter or floor is believable. Until this node has seen a counter (0 means *never seen*), it expects
    none."""
    if not entry.registers.heartbeat:
        return counter <= MAX_FIRST_COUNTER
    return entry.estimate.is_plausible(counter, now)


def _accusation(entry: Entry, fact: SuspectFact | DeadFact) -> int:
    """The floor at which a fact accuses a living member. The floor of a conviction lies some steps above that of its
    accusation, and these are subtracted here. They are not if the member has run past the accusation's floor meanwhile
    without showing that it hears."""
    below = fact.floor - CONVICTION_STEPS
    has_run = below <= max(entry.registers.heartbeat, fact.heartbeat)
    return fact.floor if isinstance(fact, SuspectFact) or has_run else below


def _united(ours: tuple[int, ...], theirs: tuple[int, ...]) -> tuple[int, ...]:
    """Both without repetition, the earliest known first, at most :data:`MAX_ACCUSERS`."""
    return tuple(dict.fromkeys((*ours, *theirs)))[:MAX_ACCUSERS]
