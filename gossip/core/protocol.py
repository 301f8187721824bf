"""The protocol of one node as a few calls: what came in, what time it is, what to send, what happened.

It owns no socket, reads no clock and draws from no random source but the one given. A driver passes in
datagrams, stream frames and the time, and after each call sends what the protocol wants sent, takes
the events, and sets its alarm to :meth:`Protocol.next_timer`. All times are seconds on one monotonic
clock of the driver's choice. Nothing a peer sends makes any of these calls raise.

The parts each decide one thing: the view (what is known), belief (what to believe), dissemination
(what to tell), the detector (whom to suspect), reconciliation (how to agree), joining (whom to find).
This module only passes messages and changes from one to the other.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from operator import attrgetter

import attrs

from gossip.core.address import Address
from gossip.core.belief import Belief, Disbelief, Verdict
from gossip.core.config import Config
from gossip.core.detector import Detector
from gossip.core.dissemination import Dissemination
from gossip.core.drops import Drops
from gossip.core.errors import DisplacedError, WireError
from gossip.core.events import MembershipEvent
from gossip.core.facts import all_facts, liveness_fact, record_fact
from gossip.core.farewell import Farewell
from gossip.core.health import LocalHealth, StallGuard
from gossip.core.hearing import Hearing
from gossip.core.heartbeat import FLOOR_SLACK_STEPS
from gossip.core.helping import Helping
from gossip.core.joining import Joining
from gossip.core.journal import Journal
from gossip.core.local import NO_METADATA, LocalMember, check_metadata
from gossip.core.member import Member, Status
from gossip.core.messages import (
    ANONYMOUS,
    Ack,
    AliveFact,
    Clock,
    DeadFact,
    Digest,
    Entries,
    Fact,
    IndirectAck,
    Message,
    Nack,
    News,
    Ping,
    PingRequest,
    RecordFact,
)
from gossip.core.notices import Notices
from gossip.core.outbox import OVERHEAD_BYTES, CloseStream, OpenStream, Outbox, Path, SendFrame, StreamAction
from gossip.core.own_address import OwnAddress
from gossip.core.probing import Prober
from gossip.core.proof import Proofs
from gossip.core.reconciliation import DIGEST_BYTES, Reconciler
from gossip.core.shared_address import SharedAddresses
from gossip.core.signing import Identities, Signatures
from gossip.core.source import RandomSource
from gossip.core.standing import NodeStanding, OwnStanding, Standing
from gossip.core.stats import ProtocolLoad, ProtocolStats
from gossip.core.streams import Streams
from gossip.core.suspicion import Suspicions
from gossip.core.timers import Timers
from gossip.core.view import Change, Entry, View
from gossip.core.wall import ClockDispute
from gossip.core.wire import ACK_BYTES, COOKIE_BYTES, OBSERVED_BYTES, Codec, record_of

JUMBO_DATAGRAM_BYTES = 8972
"""A datagram may have so many bytes, or ``max_datagram`` if that is more: what one frame of 9,000 bytes holds, the
largest that crosses an Ethernet. So members whose ``max_datagram`` differ understand each other, and no single packet
makes a node decode 64 KB, which takes up to 90 ms."""

MAX_CORRECTIONS = 8
"""Datagrams in which the sender of outdated facts is told better, at most."""

MAX_CHALLENGES = 8
"""Challenges to processes that speak under another's name, within the time that one is open."""

_by_name = attrgetter("name")

SETTLING_ROOM = DIGEST_BYTES + OVERHEAD_BYTES
"""Bytes kept in an answer for the digest with which a difference is to be settled."""

FORGET_EVERY_ROUNDS = 16
"""Rounds between two looks for members that may be forgotten."""


class Protocol:
    """The sans-I/O protocol of one node; see the module's docstring."""

    def __init__(self, config: Config, *, name: str, generation: int, random: RandomSource, now: float,
                 address: Address | None = None, metadata: Mapping[str, str] = NO_METADATA,
                 identities: Identities | None = None) -> None:  # fmt: skip
        """Start a node that knows only itself.

        :param generation: Unix time in milliseconds; a restart under the same name must have a higher one.
        :param random: a source of its own for this node; seeded, the run is repeatable.
        :param now: local time in seconds.
        :param address: where others reach this node; None if that is to be learnt from them.
        :param identities: what is needed where members sign what they say of themselves; None where they do not.
        :raises ConfigurationError: if the name, the address or the metadata cannot be announced.
        """
        self._config = config
        self.drops = Drops()
        """What was refused or given up, by reason. A driver adds what it refuses itself."""
        signatures = Signatures(config.cluster, identities)
        self._hearing = Hearing()
        self._local = LocalMember(config, name, generation, random, now, address, metadata, signatures, self._hearing)
        self._view = View(config, self._local.entry)
        self._timers = Timers()
        self._health = LocalHealth()
        self._journal = Journal(self._view)
        self._belief = Belief(config, self._view, self._local, signatures)
        self._dissemination = Dissemination(config, self._view, self._timers, self.drops, now)
        self._codec = Codec(config.cluster)
        self._longest = max(JUMBO_DATAGRAM_BYTES, config.max_datagram + OVERHEAD_BYTES)  # members may not seal yet
        self._proofs = Proofs(random)
        self._outbox = Outbox(
            config, self._view, self._local, self._dissemination, self._codec, self._proofs, self.drops, now
        )
        self._streams = Streams(config, self._outbox, self.drops)
        self._notices = Notices()
        shared_addresses = SharedAddresses(self._notices, self.drops)
        self._prober = Prober(
            config, self._view, self._timers, random, self._outbox, self._health, self._hearing, self._streams,
            self.drops, shared_addresses,
        )  # fmt: skip
        self._helping = Helping(config, self._view, self._outbox, self._prober, self.drops)
        self._suspicions = Suspicions(
            config, self._view, self._timers, random, self._prober, self._health, self._dissemination
        )
        self._detector = Detector(
            config, self._view, self._timers, random, self._prober, self._suspicions, self._health, self._hearing
        )
        self._reconciler = Reconciler(config, self._view, random, self._outbox)
        self._joining = Joining(
            config, self._view, self._timers, random, self._outbox, self._local, self._hearing, self._streams,
            self._reconciler,
        )  # fmt: skip
        self._farewell = Farewell(config, self._view, self._timers, random, self._outbox, self._local, self._prober)
        self._standing = OwnStanding(config, self._view, self._local, self._hearing, self._joining, self.drops, now)
        self._standing.changed, self._standing.withheld = self._standing_changed, self._withhold
        self._view.forgot = self._journal.note_forgotten
        self._own_address = OwnAddress(config, self._view, self._local, self._timers, random, self._notices, now)
        self._own_address.contact, self._own_address.learnt = self._joining.contact, self._announce_at
        self._dissemination.send_news = self._outbox.send_news
        self._suspicions.changed = self._judged
        self._detector.changed = self._accused
        self._datagrams_received = 0
        self._guard = StallGuard(now)
        self._rounds = 0
        self._rivals: dict[int, Member] = {}
        self._timers.at(now + random.random() * config.probe_interval, self._round)

    # --- what came in

    def receive_datagram(self, data: bytes, source: Address, now: float) -> None:
        """Take in a datagram that arrived from ``source``."""
        self._datagrams_received += 1
        if lost := self._guard.lost(now, self.next_timer()):
            self._stalled(lost, now)
        self.drops.handling = source
        size = len(data)
        if size > self._longest:
            self.drops.note("too large")
        else:
            self._receive(data, Path(source, None, size), now)
        self.drops.handling = None

    def busy(self, since: float, until: float) -> None:
        """Take note that the driver handled datagrams between these moments, whether they were for us or not.

        Without this, what it takes to handle a datagram, or to refuse it before it comes here, could be taken for a
        stall of the process if a timer is due meanwhile.
        """
        if lost := self._guard.busy(since, until, self.next_timer()):
            self._stalled(lost, until)

    def datagram_refused(self, destination: Address, now: float) -> None:
        """Take note that the system at ``destination`` refused a datagram of ours: no process listens there.

        For drivers that learn of it (ICMP port unreachable, which anybody can forge); one that does not may leave
        it. It is never proof of anything, but where it is all there is to hear, a crash is found sooner.
        """
        self._prober.refused(destination, now)
        self._farewell.refused(destination)
        self._standing.refused(destination)

    def receive_frame(self, stream: int, data: bytes, now: float) -> None:
        """Take in a message that arrived on a stream."""
        if lost := self._guard.lost(now, self.next_timer()):
            self._stalled(lost, now)
        opened = self._streams.get(stream)
        if opened is not None:
            self.drops.handling = opened.path.address
            self._receive(data, opened.path, now)
            self.drops.handling = None

    def stream_accepted(self, source: Address, now: float) -> int | None:
        """Take in a stream that a peer opened. Its number; None if there are too many already."""
        return self._streams.accept(source)

    def stream_closed(self, stream: int, now: float) -> None:
        """Take note that a stream has ended, or could not be opened."""
        closed = self._streams.closed(stream)
        if closed is None or closed.incoming:
            return
        if closed.copies_view:
            self._joining.copy_ended(now)
        else:
            self._prober.stream_closed(stream, now)

    def handle_timer(self, now: float) -> None:
        """Do what is due. Call it when :meth:`next_timer` has come, after all that has arrived."""
        due = self.next_timer()
        if due > now:
            return
        if lost := self._guard.lost(now, due):
            self._stalled(lost, now)
        else:
            self._guard.was_stalled = False
        self._local.refresh(now)
        self._timers.run_due(now)

    def wall_clock(self, wall_ms: int, now: float) -> None:
        """Take note of what the system's wall clock shows. Call it now and then, such as with each timer.

        Only generations are judged by it, and these by a year more or less, so small corrections change nothing.

        :param wall_ms: Unix time in milliseconds.
        """
        was_set = self._local.wall.set(wall_ms, now)
        self._follow_clock(now)
        if was_set and self._local.wall.has_come_to_believe(now):  # who only waits is believed at the next try
            self._joining.seek_again(now)

    # --- what the embedding program wants

    def seed(self, addresses: Sequence[Address], now: float, unresolved: Sequence[Address] = ()) -> None:
        """Replace the addresses at which the cluster may be found.

        :param unresolved: seeds whose names have no address so far.
        """
        self._local.refresh(now)
        self._own_address.seeds(addresses)
        self._joining.seed(addresses, now)
        self._standing.seeds_given(unresolved, now)

    def seek(self, now: float, seeds: Sequence[Address] = ()) -> None:
        """Take note that there will be seeds, before any address of theirs is known: until one of them answers, this
        node is joining.

        :param seeds: as they were given; the hosts may be names.
        """
        self._standing.seek(now, seeds)

    def remember(self, members: Iterable[Member], now: float) -> None:
        """Take in members known from elsewhere, such as the :meth:`members` of an earlier life of this node.

        Nobody is told, there are no events, and :meth:`members` shows them at once; a node that knows others
        need not join. The dead and those who left are passed over, and whoever a peer could not have presented
        either is counted as dropped.
        """
        for member in members:
            if not member.status.is_living or member.id == self._local.id:
                continue
            try:
                outcome = self._belief.take(RecordFact(record_of(member), 0), now)
            except WireError as error:
                self.drops.note(str(error))
                continue
            if isinstance(outcome, Disbelief):
                self.drops.note(outcome.reason)
            elif (entry := self._view.get(member.id)) is not None:
                entry.answered_at = entry.registers.record.address
        if self._view.others:
            self._standing.seek(now)

    def update(self, metadata: Mapping[str, str], now: float) -> None:
        """Replace this node's metadata, and tell everybody.

        :raises ConfigurationError: if it is no mapping of texts, or too large.
        :raises LeftError: if the node has left.
        :raises DisplacedError: while another process bears the node's name.
        """
        checked = check_metadata(metadata, self._config)
        if self._view.is_displaced and not self._local.has_left:
            raise DisplacedError(f"nobody can be told of new metadata: {self._standing.value.why}")
        self._local.announce(self._view, now, metadata=checked)
        self._changed(Change(self._local.entry, Status.ALIVE, Status.ALIVE, updated=True), now)

    def leave(self, now: float) -> None:
        """Say farewell. Does nothing if the node has left already."""
        if self._local.has_left:
            return
        self._local.refresh(now)
        unheard = self._joining.unheard(now)
        self._local.say_farewell(self._view, now)
        self._changed(Change(self._local.entry, Status.ALIVE, Status.LEFT), now)
        self._dissemination.spread(self._local.entry, 0, now, record=True, liveness=True)  # who lacks it needs both
        self._farewell.begin(unheard, now)
        self._standing.look(now)

    # --- what goes out

    def next_timer(self) -> float:
        """Local time at which :meth:`handle_timer` is to be called; may change with every call."""
        deadline = self._timers.next_deadline()
        assert deadline is not None, "the next round is always pending"
        return deadline

    def datagrams_to_send(self, now: float) -> list[tuple[bytes, Address]]:
        """Hand over the datagrams to send, in order."""
        datagrams, self._outbox.datagrams = self._outbox.datagrams, []
        return datagrams

    def stream_actions(self) -> list[StreamAction]:
        """Hand over what is to be done with streams, in order."""
        actions, self._outbox.actions = self._outbox.actions, []
        return actions

    def next_event(self) -> MembershipEvent | None:
        """The oldest event not yet taken, None if there is none."""
        return self._journal.events.popleft() if self._journal.events else None

    def next_notice(self) -> str | None:
        """The oldest sentence for people not yet taken, None if there is none; see :mod:`gossip.core.notices`."""
        return self._notices.pending.popleft() if self._notices.pending else None

    # --- questions

    def members(self) -> tuple[Member, ...]:
        """All known members, this node, the dead and those who left included, by name."""
        others = [entry.snapshot() for entry in self._view if entry is not self._local.entry]
        return tuple(sorted([self.local, *others], key=_by_name))

    def told_members(self) -> tuple[Member, ...]:
        """The members as the events so far have told them: as they are, or, while this node is isolated and nothing is
        told of others, as they were when it came to be."""
        told = self._journal.last_told
        return self.members() if told is None else tuple(sorted([self.local, *told], key=_by_name))

    def get(self, name: str) -> Member | None:
        """The newest bearer of a name."""
        entry = self._view.named(name)
        return None if entry is None else entry.snapshot()

    @property
    def config(self) -> Config:
        """The settings."""
        return self._config

    @property
    def view(self) -> View:
        """All that is known, for tools that look inside, such as a simulator; read it, do not change it."""
        return self._view

    @property
    def local(self) -> Member:
        """This node's own member."""
        own = self._local.entry.snapshot()
        if self._view.is_displaced and own.status.is_living:
            return attrs.evolve(own, status=Status.DISPLACED)
        return own

    @property
    def standing(self) -> NodeStanding:
        """What this node knows of its own place in the cluster."""
        return self._standing.value

    @property
    def address_known(self) -> bool:
        """Whether this node knows where others reach it."""
        return self._local.address_known

    @property
    def alive(self) -> int:
        """Members seen living, this node included."""
        return self._view.alive

    @property
    def fingerprint(self) -> int:
        """Fingerprint of the view, 64 bits; equal for two nodes exactly when their views are."""
        return self._view.fingerprint

    @property
    def health(self) -> int:
        """Local health, from 0 (healthy) to 8: how much this node distrusts its own impatience."""
        return self._health.score

    def heartbeat(self, now: float) -> int:
        """The value of this node's own counter."""
        return self._local.heartbeat(now)

    @property
    def last_heard(self) -> float:
        """Local time of the last message from another node; minus infinity if there was none."""
        return self._hearing.last_heard

    def agreement(self, now: float) -> float | None:
        """Share, from 0 to 1, of the peers heard recently whose view equalled ours; None if none was heard."""
        return self._reconciler.agreement(now)

    def clock_dispute(self, now: float) -> ClockDispute | None:
        """A peer whose clock and ours are so far apart that one refuses the other; None if there is none of late."""
        return self._local.wall.dispute(self._local.entry.identity.generation, now)

    @property
    def farewell_done(self) -> bool:
        """Whether enough members have acknowledged our farewell."""
        return self._local.has_left and self._farewell.is_done

    @property
    def farewell_acknowledged_by(self) -> tuple[str, ...]:
        """Names of the members that have acknowledged our farewell."""
        return tuple(self._farewell.acknowledged_by.values())

    @property
    def stats(self) -> ProtocolStats:
        """Counters since the start."""
        return ProtocolStats(
            self._datagrams_received,
            self._outbox.datagrams_sent,
            self._outbox.bytes_sent,
            self._prober.datagrams_refused,
            dict(self.drops.counts),
            self._detector.accusations,
            self._reconciler.started,
            self._joining.heals,
            self._prober.answered_through_helpers,
            self._prober.answered_by_stream,
            self._guard.stalls,
            self._outbox.replies_cut,
        )

    @property
    def load(self) -> ProtocolLoad:
        """Sizes at this moment."""
        return ProtocolLoad(
            len(self._view),
            self._view.tombstones,
            len(self._dissemination),
            len(self._timers),
            self._prober.under_way,
            len(self._streams),
            self._joining.unanswered,
            len(self._rivals),
            len(self._suspicions),
            self._outbox.pending,
            len(self._helping),
            len(self._proofs),
            len(self._own_address),
            len(self._prober.shared_addresses),
            len(self._notices),
        )

    # --- messages

    def _receive(self, data: bytes, path: Path, now: float) -> None:
        """Take in what a message says, and answer it."""
        try:
            message = self._codec.decode(data)
        except WireError as error:
            self._refuse(path, str(error), now)
            return
        for reason in message.refused:
            self.drops.note(reason)
        if message.sender == self._local.entry.id:
            self._came_back(message, path, now)
            return
        sender = self._view.get(message.sender)
        if sender is not None or (message.sender != ANONYMOUS and not self._view.others):  # who knows nobody hears all
            self._hearing.note(now)
        is_due = message.sender != ANONYMOUS and self._reconciler.heard(sender, message, path, now)
        self._local.refresh(now)
        if sender is not None:
            self._hear_counter(sender, message.heartbeat, now)
        corrections: list[bytes] = []
        if message.facts:
            corrections = self._hear_facts(message.facts, message.sender, path, now)
            sender = sender or self._introduced(message.sender, now)
            if self._own_address.is_waiting:
                self._own_address.heard_facts(now)
        if is_due or sender is None or isinstance(message.body, Clock):
            self._respond(message, sender, path, corrections, is_due, now)
        else:
            self._answer(message, sender, path, corrections, now)
        if self._standing.is_unsettled and message.sender != ANONYMOUS:
            self._heard_unsettled(message, sender, now)

    def _heard_unsettled(self, message: Message, sender: Entry | None, now: float) -> None:
        """Take a message into account where the standing may change by it: of a member, or of a process that runs under
        the name of one."""
        rival = self._journal.rival(message.sender) if sender is None else None
        if sender is not None or rival is not None:
            if sender is not None and sender.registers.is_living:
                self._standing.heard_living(now)
            self._standing.heard(message.fingerprint == self._view.fingerprint, rival, now)

    def _came_back(self, message: Message, path: Path, now: float) -> None:
        """Drop a message of our own. A ping that comes from where it was sent to shows that this node itself is there,
        which a node that does not know its address yet could not tell."""
        self.drops.note("our own message")
        body = message.body
        if path.stream is None and isinstance(body, Ping) and self._joining.came_back(body.token, path.address):
            self._standing.own_seed_found(now)

    def _introduced(self, sender_id: int, now: float) -> Entry | None:
        """Who a sender that was not known is, if its message has just said so: from now on it counts as heard."""
        sender = self._view.get(sender_id)
        if sender is not None:
            self._hearing.note(now)
            self._local.refresh(now)
        return sender

    def _respond(self, message: Message, sender: Entry | None, path: Path, corrections: list[bytes], is_due: bool,
                 now: float) -> None:  # fmt: skip
        """Answer a message that is out of the common: its sender is not known, or says that it does not believe our
        generation, or its view differs and settling that is due."""
        body = message.body
        if isinstance(body, Clock):
            self._local.wall.be_refused(path.address, self._local.entry.identity.generation, body.wall_ms, now)
            self._follow_clock(now)
        elif sender is None and message.facts and self._refuses_for_clock(message, path, now):
            self._answer(message, sender, path, corrections, now)  # the difference of our views cannot be settled
            self._outbox.send(path, Clock(self._local.wall.time_ms(now)), now)
        elif is_due and not isinstance(body, PingRequest):  # what may be sent for that is to be its answer
            kept = path.keep(SETTLING_ROOM)
            self._answer(message, sender, path, corrections, now)
            path.give_back(kept)
            self._reconciler.settle(path, now, body.cookie if isinstance(body, Ack) else None)
        else:
            self._answer(message, sender, path, corrections, now)

    def _refuse(self, path: Path, reason: str, now: float) -> None:
        """Count what is no message. Have whoever connected to us from another cluster see a message of this one, to
        learn that it is another."""
        self.drops.note(reason)
        stream = None if path.stream is None else self._streams.get(path.stream)
        if reason == "other cluster" and stream is not None and stream.incoming:
            self._outbox.send(path, News(), now)

    def _hear_counter(self, sender: Entry, heartbeat: int, now: float) -> None:
        """Take in the counter that a member has shown."""
        outcome = self._belief.counter(sender, heartbeat, now)
        if isinstance(outcome, Change):
            self._changed(outcome, now, sender.id)
        elif isinstance(outcome, Disbelief):
            self.drops.note(outcome.reason)

    def _hear_facts(self, facts: Sequence[Fact], teller: int, path: Path, now: float) -> list[bytes]:
        """Take in facts; returns the facts, encoded, that their teller should be told in return."""
        stream = None if path.stream is None else self._streams.get(path.stream)
        is_first_copy = stream is not None and stream.copies_view
        source = None if is_first_copy else path.address.host
        corrections: dict[int, list[bytes]] = {}
        for fact in facts:
            outcome = self._belief.take(fact, now, source, path.address)
            if outcome is Verdict.KNOWN and not isinstance(fact, DeadFact):  # as nearly always
                continue
            if isinstance(outcome, Change) and not isinstance(fact, DeadFact):
                self._changed(outcome, now, teller, spread=not is_first_copy)
                continue
            entry = self._subject(fact, teller, now)
            if isinstance(outcome, Disbelief):
                entry = outcome.bearer
                self._disbelieved(outcome, fact.id == teller, path, now)
            elif isinstance(outcome, Change):
                self._changed(outcome, now, teller, spread=not is_first_copy)
            elif outcome is Verdict.ACCUSED:
                self._dissemination.defend(now)
                self._own_address.doubt(now)
            if entry is not None and (isinstance(outcome, Disbelief) or outcome in (Verdict.OUTDATED, Verdict.ACCUSED)):
                corrections[entry.id] = self._correction(fact, entry)
            elif isinstance(fact, DeadFact) and entry is not None and entry.status is Status.SUSPECT:
                self._suspicions.convicted_elsewhere(entry, fact.floor, now)
        if self._view.is_displaced:
            self._resolve_displacement(now)
        return [fact for about in corrections.values() for fact in about]

    def _disbelieved(self, outcome: Disbelief, is_own_word: bool, path: Path, now: float) -> None:
        """Count a fact that is not believed. If its teller bears the name of another, find out whether it runs."""
        self.drops.note(outcome.reason)
        if outcome.rival is not None and is_own_word:
            self._challenge(outcome.rival, path, now)

    def _subject(self, fact: Fact, teller: int, now: float) -> Entry | None:
        """Whom a fact is about, if that is known. That this node itself is said to be dead concerns its standing, if a
        living member says so: one that is held dead here may be deaf, and holds everybody dead."""
        if fact.id != self._local.id:
            return self._view.get(fact.id)
        told_by = self._view.get(teller)
        if isinstance(fact, DeadFact) and told_by is not None and told_by.registers.is_living:
            self._standing.convicted(told_by.identity.name, now - self.next_timer(), now)
        return self._local.entry

    def _correction(self, fact: Fact, entry: Entry) -> list[bytes]:
        """What to tell somebody whose ``fact`` shows that it knows ``entry`` less well than we do."""
        if not isinstance(fact, RecordFact):
            return [liveness_fact(entry)]
        if fact.id != entry.id and not entry.registers.is_living:
            # It may not know the dead bearer of its name, and must, to take a generation above it.
            return [record_fact(entry), liveness_fact(entry)]
        return all_facts(entry)

    def _answer(self, message: Message, sender: Entry | None, path: Path, corrections: list[bytes],
                now: float) -> None:  # fmt: skip
        """Do what the body of a message asks for."""
        match message.body:
            case Ping(token=token):
                self._answer_ping(message, token, sender, path, corrections, now)
                return
            case Ack():
                self._acknowledged(message, message.body, path, now)
            case PingRequest(token=token, target=target):
                self._helping.help(path, token, target, now)
                return
            case Nack(token=token, target=target):
                self._prober.refused_by_helper(token, target, message.sender, now)
            case IndirectAck(token=token, target=target, target_heartbeat=heartbeat):
                self._hear_facts([AliveFact(target, heartbeat)], message.sender, path, now)
                self._prober.acknowledged_indirectly(token, target, now)
            case Digest() | Entries():
                corrections += self._compare(message, message.body, path, now)
        self._outbox.send_answer(path, corrections, now, MAX_CORRECTIONS)

    def _compare(self, message: Message, body: Digest | Entries, path: Path, now: float) -> list[bytes]:
        """Find out what the sender's view lacks, and ours; returns the facts to answer with."""
        if message.sender == ANONYMOUS and isinstance(body, Digest):
            if path.stream is not None:
                self._reconciler.answer_query(path, now)
            return []
        self._proofs.repeated(body.repeats, path.address, now)
        if isinstance(body, Digest):
            self._reconciler.answer_digest(body, path, now)
            return []
        return self._reconciler.missing_from(body, message.facts, path, now)

    def _answer_ping(self, message: Message, token: int, sender: Entry | None, path: Path, corrections: list[bytes],
                     now: float) -> None:  # fmt: skip
        if path.stream is None:
            self._own_address.asked_at = now
        agrees = message.fingerprint == self._view.fingerprint
        is_plain = agrees and sender is not None and not _is_away(sender, path)
        ack = Ack(token) if is_plain else self._ack(token, sender, agrees, path, now)
        self._outbox.send(path, ack, now, to=sender, facts=corrections, agrees=agrees)

    def _ack(self, token: int, sender: Entry | None, agrees: bool, path: Path, now: float) -> Ack:
        """The answer to a ping, with all that is to be said and has room: where it came from, to somebody who is not
        known, or has asked from elsewhere than where it is known to be, and with a ping that leaves room for it; and
        what to repeat, to somebody who is not proven and with whom we may have to settle a difference."""
        room = self._outbox.limit(path, now) - ACK_BYTES
        if sender is None:
            says_where = room >= OBSERVED_BYTES
        else:
            says_where = _is_away(sender, path) and (path.credit or 0) >= ACK_BYTES + OBSERVED_BYTES
        observed = path.address if says_where else None
        room -= OBSERVED_BYTES if observed is not None else 0
        wants_cookie = not agrees and room >= COOKIE_BYTES and not self._outbox.is_proven(path, now)
        return Ack(token, observed, self._outbox.cookie(path, now) if wants_cookie else None)

    def _acknowledged(self, message: Message, ack: Ack, path: Path, now: float) -> None:
        token, sender = ack.token, message.sender
        stream = None if path.stream is None else self._streams.get(path.stream)
        asked = self._prober.acknowledged(token, sender, message.heartbeat, stream is not None, now)
        self._farewell.acknowledged(token, sender)
        rival = self._rivals.get(token)
        if rival is not None and rival.id == sender:
            self._journal.note_conflict(rival, now)
        contact = self._joining.answered(token, now)
        self._reconciler.acknowledged(token, now)
        if contact is not None:
            self._contact_answered(message, *contact, now)
        if asked and stream is None and message.fingerprint != self._view.fingerprint:
            self._reconciler.pull(message, path, now)
        if asked or contact is not None:
            self._standing.answered(ack.observed != self._local.entry.registers.record.address, now)
            if stream is None and (ack.observed is not None or contact is not None):
                self._learn_where_we_are(ack.observed, None if contact is None else contact[0], now)
            self._tell_of_excess(sender, path, now)
        elif stream is not None and stream.copies_view:
            self._streams.close(stream.number)
            self._joining.copied_view(now)
            self._own_address.copied_view(now)
        if ack.observed is not None and (asked or contact is not None) and self._local.address_known:
            self._outbox.send_pages(path, all_facts(self._local.entry), now, 1)

    def _contact_answered(self, message: Message, address: Address, asked_at: float, now: float) -> None:
        """Take in the counter that answers a contact of ours: as good a reading as any, however far it has jumped
        meanwhile."""
        sender = self._view.get(message.sender)
        if sender is not None and sender.registers.record.address == address:
            sender.estimate.fresh(message.heartbeat, asked_at, now)
            outcome = self._belief.counter(sender, message.heartbeat, now)
            if isinstance(outcome, Change):
                self._changed(outcome, now, sender.id)

    def _tell_of_excess(self, member: int, path: Path, now: float) -> None:
        """Whoever has just shown a counter well below one that we believe to have seen must hear of that, and
        jump over it: until then nobody could tell from that counter that it has stopped."""
        entry = self._view.get(member)
        if entry is not None and entry.registers.heartbeat > entry.estimate.expected(now) + FLOOR_SLACK_STEPS:
            self._outbox.send_pages(path, [liveness_fact(entry)], now, 1)

    def _learn_where_we_are(self, observed: Address | None, asked: Address | None, now: float) -> None:
        """Take in where a peer sees us. What comes on a stream comes from a port of its own, where nobody is reached.

        :param asked: where it was asked for that, by a contact; None if another question of ours was answered.
        """
        if asked is not None:
            self._own_address.answered(asked, observed, now)
        elif observed is not None:
            self._own_address.seen_at(observed, now)

    def _announce_at(self, address: Address, now: float) -> None:
        """From now on we are to be reached at this address; tell everybody."""
        self._local.announce(self._view, now, address=address)
        self._outbox.hides_loopback = address.is_loopback
        self._changed(Change(self._local.entry, Status.ALIVE, Status.ALIVE, updated=True), now)

    def _challenge(self, rival: Member, path: Path, now: float) -> None:
        """Ask a process that speaks under another's name: only one that runs can answer."""
        if path.stream is None and len(self._rivals) < MAX_CHALLENGES and self._journal.rival(rival.id) is None:
            token = self._prober.new_token()
            self._rivals[token] = rival
            self._timers.at(now + self._config.suspicion_min, lambda _now: self._forget_rival(token))
            self._outbox.send(path, Ping(token), now)

    def _forget_rival(self, token: int) -> None:
        self._rivals.pop(token, None)

    # --- changes

    def _changed(self, change: Change, now: float, teller: int = 0, *, spread: bool = True) -> None:
        """Pass a change of the view on to all whom it concerns."""
        entry = change.entry
        if entry is not self._local.entry:
            self._suspicions.follow(change, now)
            if change.before is Status.ALIVE and change.after is Status.SUSPECT:
                self._detector.witness(change, now)
            self._journal.note(change, now)
            if change.updated and self._own_address.is_open:
                self._own_address.follow(entry, now)
        elif change.updated:
            self._journal.note(change, now)
        if spread:
            self._dissemination.spread(entry, teller, now, record=change.updated, liveness=not change.updated)

    def _accused(self, change: Change, now: float) -> None:
        """Pass on an accusation of our own; its subject hears of it directly."""
        self._judged(change, now)
        entry = change.entry
        self._outbox.send_pages(Path(entry.registers.record.address), [liveness_fact(entry)], now, 1)

    def _judged(self, change: Change, now: float) -> None:
        """Pass on what this node has found out about another, unless the fault may be its own: somebody who
        hears nobody is the last one alive, or deaf, and has nobody to tell or nothing to say."""
        self._changed(change, now, spread=not self._detector.is_deaf(now))

    def _resolve_displacement(self, now: float) -> None:
        """Another process bears our name: say so, or take the name back if that one is gone, or was ourselves."""
        name = self._local.entry.identity.name
        bearer = self._view.named(name)
        if self._local.has_left:
            return
        self._outbox.is_known = False
        holder = bearer.registers if bearer is not None and bearer.registers.is_living else None
        if holder is not None and not self._local.may_succeed(holder.record, now):
            self._journal.note_conflict(self.local, now)
        elif not self._standing.withholds and (bearer is None or holder is not None or self._local.may_renew(now)):
            # Who is cut off only guesses that the other one is gone.
            self._local.start_generation(self._view, self._view.last_generation(name), now)
            self._changed(Change(self._local.entry, None, Status.ALIVE, updated=True), now)
        self._standing.look(now)

    def _standing_changed(self, standing: NodeStanding, now: float) -> None:
        """Tell what this node's own standing is now."""
        self._outbox.is_in_doubt = standing.standing is Standing.ISOLATED
        self._journal.note_standing(standing, self.local, now)

    def _withhold(self, withholds: bool, now: float) -> None:
        """Tell of others, or not, whatever the standing is: a node may be displaced, or have left, and be cut off."""
        if withholds:
            self._journal.pause()
        else:
            self._journal.resume(now)

    # --- clocks

    def _refuses_for_clock(self, message: Message, path: Path, now: float) -> bool:
        """Whether a stranger that has presented itself in a datagram is not believed for its generation, and should
        be told so."""
        own = (fact for fact in message.facts if fact.id == message.sender and isinstance(fact, RecordFact))
        generation = next((fact.record.identity.generation for fact in own), 0)
        if self._local.wall.believes(generation, now):
            return False
        self._local.wall.refuse(path.address, generation, now)
        return path.stream is None

    def _follow_clock(self, now: float) -> None:
        """Become a generation that others can believe, if the present one was drawn from a clock that was wrong.

        Those who hold us go on to hold us, so it is done only as long as nobody does, or if a member refuses us. That
        one's word alone changes nothing: our own clock has to say the same. It may be our clock that is wrong now, so
        afterwards this node has to find out whether anybody takes it in.
        """
        local = self._local
        generation = local.entry.identity.generation
        if local.has_left or local.wall.believes(generation, now):
            return
        if self._outbox.is_known and not self._is_refused_by_a_member(generation, now):
            return
        local.start_generation_by_the_clock(self._view, now)
        self._outbox.is_known = False
        self._changed(Change(local.entry, None, Status.ALIVE, updated=True), now)
        self._standing.became_another(now)

    def _is_refused_by_a_member(self, generation: int, now: float) -> bool:
        """Whether a living member whose own generation we believe refuses ours. More than one cannot be asked for:
        those who started under the same wrong clock as we did know us, and will not refuse us."""
        wall = self._local.wall
        refused_by = wall.refused_by(generation, now)
        return bool(refused_by) and any(
            each.registers.record.address in refused_by
            and each.registers.is_living
            and wall.believes(each.identity.generation, now)
            for each in self._view
        )

    # --- time

    def _round(self, now: float) -> None:
        self._timers.at(now + self._config.probe_interval, self._round)
        self._rounds += 1
        if self._local.has_left:
            self._standing.pass_round(now)
            return
        if self._view.is_displaced:
            self._resolve_displacement(now)
        self._own_address.round(now)
        self._standing.pass_round(now)
        self._detector.round(now)
        self._joining.heal(now)
        if self._rounds % FORGET_EVERY_ROUNDS == 0:
            self._view.forget(now)

    def _stalled(self, late: float, now: float) -> None:
        """Our process did not run for a while: nobody else is to blame for what did not arrive.

        Every deadline moves back by as long, and by one answer timeout more, in which what waited in
        the sockets is heard. Stalled again within it, the deadlines move only by the time lost.
        """
        self._guard.stalls += 1
        self._health.worsen()
        grace = 0.0 if self._guard.was_stalled else self._config.ack_timeout_min
        self._guard.was_stalled = True
        self._timers.push_back(late + grace)
        self._standing.stood_still(late, now)


def _is_away(sender: Entry, path: Path) -> bool:
    """Whether a datagram came from elsewhere than where its sender is known to be."""
    return path.stream is None and sender.registers.record.address != path.address


__all__ = ["CloseStream", "OpenStream", "Protocol", "ProtocolLoad", "ProtocolStats", "SendFrame", "StreamAction"]
