"""The intake: takes others' facts about members into the view, and passes on what that changes.

Belief judges each counter and each fact. The failure detector follows what is believed, the embedding program hears of
it, and this node spreads it. The intake collects the facts that the sender knows less well than this node, so that they
go into the answer.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from gossip.core.belief import Belief, Disbelief, Verdict
from gossip.core.changes import Changes
from gossip.core.detection.detector import Detector
from gossip.core.dissemination.facts import all_facts, liveness_fact, record_fact
from gossip.core.dissemination.outbox import Path
from gossip.core.dissemination.push import Dissemination
from gossip.core.dissemination.streams import Streams
from gossip.core.errors import WireError
from gossip.core.journal import Journal
from gossip.core.presence.names import Names
from gossip.core.presence.own_address import OwnAddress
from gossip.core.presence.standing import OwnStanding
from gossip.core.state.entry import Change, Entry
from gossip.core.state.local import LocalMember
from gossip.core.state.member import Member, Status
from gossip.core.state.view import View
from gossip.core.support.address import Address
from gossip.core.support.drops import Drops
from gossip.core.support.timers import Timers
from gossip.core.wire import Records
from gossip.core.wire.messages import DeadFact, Fact, Message, RecordFact


class Intake:
    """Takes facts and counters into the view of one node."""

    def __init__(self, view: View, timers: Timers, local: LocalMember, belief: Belief, detector: Detector,
                 dissemination: Dissemination, own_address: OwnAddress, standing: OwnStanding, names: Names,
                 streams: Streams, changes: Changes, journal: Journal, records: Records,
                 drops: Drops) -> None:  # fmt: skip
        self._view = view
        self._timers = timers
        self._local = local
        self._belief = belief
        self._detector = detector
        self._dissemination = dissemination
        self._own_address = own_address
        self._standing = standing
        self._names = names
        self._streams = streams
        self._changes = changes
        self._journal = journal
        self._records = records
        self._drops = drops

    def counter(self, sender: Entry, heartbeat: int, now: float) -> None:
        """Take in the counter of a member's message."""
        outcome = self._belief.counter(sender, heartbeat, now)
        if isinstance(outcome, Change):
            self.distribute(outcome, sender.id, now)
        elif isinstance(outcome, Disbelief):
            self._drops.note(outcome.reason)

    def answer_of_contact(self, message: Message, address: Address, asked_at: float, now: float) -> None:
        """Take in the counter from the answer to a contact at this address. Such a reading is as good as any, however
        far the counter has jumped meanwhile."""
        sender = self._view.get(message.sender)
        if sender is not None and sender.registers.record.address == address:
            self._view.note_answer(sender, message.heartbeat, asked_at, now)
            outcome = self._belief.counter(sender, message.heartbeat, now)
            if isinstance(outcome, Change):
                self.distribute(outcome, sender.id, now)

    def facts(self, facts: Sequence[Fact], told_by: int, path: Path, now: float) -> list[bytes]:
        """Take in facts; returns the corrections, encoded, that their sender should be told."""
        stream = None if path.stream is None else self._streams.get(path.stream)
        is_first_copy = stream is not None and stream.copies_view
        source = None if is_first_copy else path.address.host
        corrections: dict[int, list[bytes]] = {}
        for fact in facts:
            outcome = self._belief.judge(fact, now, source, path.address)
            if outcome is Verdict.KNOWN and not isinstance(fact, DeadFact):  # the usual case
                continue
            if isinstance(outcome, Change) and not isinstance(fact, DeadFact):
                self.distribute(outcome, told_by, now, spread=not is_first_copy)
                continue
            entry = self._subject(fact, told_by, now)
            if isinstance(outcome, Disbelief):
                entry = outcome.holder
                self._disbelieved(outcome, fact.id == told_by, path, now)
            elif isinstance(outcome, Change):
                self.distribute(outcome, told_by, now, spread=not is_first_copy)
            elif outcome is Verdict.ACCUSED:
                self._dissemination.defend(now)
                self._own_address.reconsider(now)
            if entry is not None and (isinstance(outcome, Disbelief) or outcome in (Verdict.OUTDATED, Verdict.ACCUSED)):
                corrections[entry.id] = self._correction(fact, entry)
            elif isinstance(fact, DeadFact) and entry is not None and entry.status is Status.SUSPECT:
                self._detector.convicted_elsewhere(entry, fact.floor, told_by, now)
        if self._view.is_displaced:
            self._names.resolve_displacement(now)
        return [fact for about in corrections.values() for fact in about]

    def _disbelieved(self, outcome: Disbelief, is_own_word: bool, path: Path, now: float) -> None:
        """Count a fact that is not believed. If its sender claims another member's name, find out whether it runs."""
        self._drops.note(outcome.reason)
        if outcome.claimant is not None and is_own_word:
            self._names.challenge(outcome.claimant, path, now)

    def _subject(self, fact: Fact, told_by: int, now: float) -> Entry | None:
        """The member that a fact is about, if it is known. If a living member says that this node is dead, that
        concerns this node's standing. A member that is held dead here does not count: it may be deaf and hold everybody
        dead."""
        if fact.id != self._local.id:
            return self._view.get(fact.id)
        member = self._view.get(told_by)
        if isinstance(fact, DeadFact) and member is not None and member.registers.is_living:
            self._standing.note_conviction(member.identity.name, self._timers.late(now), now)
        return self._local.entry

    def _correction(self, fact: Fact, entry: Entry) -> list[bytes]:
        """What to tell a sender whose ``fact`` shows that it knows ``entry`` less well than this node does."""
        if not isinstance(fact, RecordFact):
            return [liveness_fact(entry)]
        if fact.id != entry.id and not entry.registers.is_living:
            # It may not know the dead holder of its name, and needs to, so that it takes a higher generation.
            return [record_fact(entry), liveness_fact(entry)]
        return all_facts(entry)

    def remember(self, members: Iterable[Member], now: float) -> None:
        """Take in members known from an earlier life of this node, without telling anybody."""
        for member in members:
            if not member.status.is_living or member.id == self._local.id:
                continue
            try:
                outcome = self._belief.judge(RecordFact(self._records.of(member), 0), now)
            except WireError as error:
                self._drops.note(error.reason)
                continue
            if isinstance(outcome, Disbelief):
                self._drops.note(outcome.reason)
                continue
            if isinstance(outcome, Change):
                for forgotten in outcome.forgotten:
                    self._journal.note_forgotten(forgotten, now)
            if (entry := self._view.get(member.id)) is not None:
                self._view.note_known_before(entry)

    def distribute(self, change: Change, told_by: int, now: float, *, spread: bool = True) -> None:
        """Pass on a change that others have told this node, to every module that it concerns."""
        entry = change.entry
        if entry is not self._view.local:
            if change.updated and self._own_address.is_open:
                self._own_address.note_address(entry, now)
            self._detector.note_change(change, told_by, now)
        self._changes.make_known(change, told_by, now, spread=spread)
