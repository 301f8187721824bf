"""The protocol of one node as a few calls: what came in, what time it is, what to send, what happened.

It owns no socket, reads no clock, and draws from no random source except the one given. A driver passes in datagrams,
stream frames and the time. After each call the driver sends what the protocol wants sent, takes the events, and sets
its alarm to :meth:`Protocol.next_timer`. All times are seconds on one monotonic clock of the driver's choice. Nothing
that a peer sends makes any of these calls raise.

Each part decides one thing: the view (what is known), belief (what to believe), dissemination (what to tell), the
detector (whom to suspect), reconciliation (how to agree), joining (whom to find). This module only passes messages and
changes from one part to another.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from gossip.core.assembly import Parts
from gossip.core.config import Config
from gossip.core.detection.evidence import Explanation
from gossip.core.detection.health import StallGuard
from gossip.core.dissemination.outbox import (
    PACKET_OVERHEAD_BYTES,
    CloseStream,
    OpenStream,
    Path,
    SendFrame,
    StreamAction,
)
from gossip.core.errors import DisplacedError
from gossip.core.events import MembershipEvent
from gossip.core.state.entry import Change
from gossip.core.state.local import NO_METADATA, check_metadata
from gossip.core.state.member import Member, Status
from gossip.core.state.node_standing import NodeStanding
from gossip.core.state.signing import Signing
from gossip.core.state.view import View
from gossip.core.state.wall import ClockDispute
from gossip.core.stats import ProtocolLoad, ProtocolStats
from gossip.core.support.address import Address
from gossip.core.support.drop_reasons import Drop
from gossip.core.support.random_source import RandomSource
from gossip.core.wire import Records

JUMBO_DATAGRAM_BYTES = 8972
"""The largest datagram accepted, unless ``max_datagram`` is larger: the payload of a frame of 9,000 bytes, the largest
that crosses an Ethernet. So members with different ``max_datagram`` understand each other, and no single packet makes a
node decode 64 KB, which takes up to 90 ms."""

FORGET_EVERY_ROUNDS = 16
"""Rounds between two searches for members that may be forgotten."""


class Protocol:
    """The sans-I/O protocol of one node; see the module's docstring."""

    def __init__(self, config: Config, *, name: str, generation: int, random: RandomSource, now: float,
                 address: Address | None = None, metadata: Mapping[str, str] = NO_METADATA,
                 signing: Signing | None = None, records: Records | None = None) -> None:  # fmt: skip
        """Start a node that knows only itself.

        :param generation: Unix time in milliseconds; a restart under the same name must have a higher one.
        :param random: a random source for this node alone; with a seeded source the run is repeatable.
        :param now: local time in seconds.
        :param address: where others reach this node; None if it has to learn that from them.
        :param signing: what this node needs where members sign their records; None where they do not.
        :param records: a store of records that the nodes of one process share; None for a store of its own.
        :raises ConfigurationError: if the name, the address or the metadata cannot be announced.
        """
        parts = self.parts = Parts(
            config, name=name, generation=generation, random=random, now=now, address=address, metadata=metadata,
            signing=signing, records=records,
        )  # fmt: skip
        """The parts of the protocol, for tools that look inside, such as tests."""
        self._config = config
        self.drops = parts.drops
        """What was refused or given up, by reason. A driver adds its own refusals."""
        self._view = parts.view
        self._local = parts.local
        self._timers = parts.timers
        self._inbox = parts.inbox
        self._outbox = parts.outbox
        self._journal = parts.journal
        self._standing = parts.standing
        # With the overhead, because members that do not seal yet may use the room of the envelope.
        self._longest = max(JUMBO_DATAGRAM_BYTES, config.max_datagram + PACKET_OVERHEAD_BYTES)
        self._datagrams_received = 0
        self._guard = StallGuard(now)
        self._rounds = 0
        self._timers.at(now + random.random() * config.probe_interval, self._round)

    # --- what came in

    def receive_datagram(self, data: bytes, source: Address, now: float) -> None:
        """Take in a datagram that arrived from ``source``."""
        self._datagrams_received += 1
        if lost := self._guard.lost(now, self._timers.next_deadline()):
            self._stalled(lost, now)
        self.drops.handling = source
        size = len(data)
        if size > self._longest:
            self.drops.note(Drop.TOO_LARGE)
        else:
            self._inbox.receive(data, Path(source, None, size), now)
        self.drops.handling = None

    def busy(self, since: float, until: float) -> None:
        """Take note that the driver handled datagrams between these moments, whether they were for this node or not.

        Without this, the time that it takes to handle or refuse datagrams could look like a stall of the process, if a
        timer is due meanwhile.
        """
        if lost := self._guard.busy(since, until, self._timers.next_deadline()):
            self._stalled(lost, until)

    def datagram_refused(self, destination: Address, now: float) -> None:
        """Take note that the system at ``destination`` refused a datagram of this node: no process listens there.

        A driver calls this if it learns of refusals (ICMP port unreachable, which anybody can forge); it need not. A
        refusal proves nothing, but if nothing else is heard, it lets this node find a crash sooner.
        """
        self.parts.prober.refused(destination, now)
        self.parts.farewell.refused(destination)
        self._standing.refused(destination)

    def receive_frame(self, stream: int, data: bytes, now: float) -> None:
        """Take in a message that arrived on a stream."""
        if lost := self._guard.lost(now, self._timers.next_deadline()):
            self._stalled(lost, now)
        opened = self.parts.streams.get(stream)
        if opened is not None:
            self.drops.handling = opened.path.address
            self._inbox.receive(data, opened.path, now)
            self.drops.handling = None

    def stream_accepted(self, source: Address, now: float) -> int | None:
        """Take in a stream that a peer opened. Returns its number; None if there are too many already."""
        return self.parts.streams.accept(source)

    def stream_closed(self, stream: int, now: float) -> None:
        """Take note that a stream has ended, or could not be opened."""
        closed = self.parts.streams.closed(stream)
        if closed is None or closed.incoming:
            return
        if closed.copies_view:
            self.parts.joining.copy_ended(now)
        else:
            self.parts.prober.stream_closed(stream, now)

    def handle_timer(self, now: float) -> None:
        """Do what is due. Call it at :meth:`next_timer`, after everything that has arrived."""
        due = self._timers.next_deadline()
        if due > now:
            return
        if lost := self._guard.lost(now, due):
            self._stalled(lost, now)
        else:
            self._guard.was_stalled = False
        self._local.refresh(now)
        self._timers.run_due(now)

    def wall_clock(self, wall_ms: int, now: float) -> None:
        """Take note of what the system's wall clock shows. Call it now and then, for example with each timer.

        The protocol judges only generations by it, and allows them a year, so small corrections change nothing.

        :param wall_ms: Unix time in milliseconds.
        """
        was_set = self._local.wall.set(wall_ms, now)
        self.parts.names.follow_clock(now)
        if was_set and self._local.wall.has_come_to_believe(now):  # without a set clock, the next try is soon enough
            self.parts.joining.seek_again(now)

    # --- what the embedding program wants

    def seed(self, addresses: Sequence[Address], now: float, unresolved: Sequence[Address] = ()) -> None:
        """Replace the addresses at which the cluster may be found.

        :param unresolved: seeds whose names have no address so far.
        """
        self._local.refresh(now)
        self.parts.own_address.seeds(addresses)
        self.parts.joining.seed(addresses, now)
        self._standing.seeds_given(unresolved, now)

    def seek(self, now: float, seeds: Sequence[Address] = ()) -> None:
        """Take note that seeds will follow, before any of their addresses is known. Until one of them answers, this
        node is joining.

        :param seeds: as the program gave them; the hosts may be names.
        """
        self._standing.seek(now, seeds)

    def remember(self, members: Iterable[Member], now: float) -> None:
        """Take in members known from elsewhere, such as the :meth:`members` of an earlier life of this node.

        This node tells nobody and creates no events. :meth:`members` shows them at once; a node that knows others need
        not join. This skips the dead and those that left, and counts as dropped each member that no peer could have
        presented.
        """
        self.parts.intake.remember(members, now)
        if self._view.others:
            self._standing.seek(now)

    def update(self, metadata: Mapping[str, str], now: float) -> None:
        """Replace this node's metadata, and tell everybody.

        :raises ConfigurationError: if it is no mapping of texts, or too large.
        :raises LeftError: if the node has left.
        :raises DisplacedError: while another process holds the node's name.
        """
        checked = check_metadata(metadata, self._config)
        if self._view.is_displaced and not self._local.has_left:
            raise DisplacedError(f"this node cannot announce new metadata: {self._standing.value.why}")
        self._local.announce(now, metadata=checked)
        self.parts.changes.make_known(Change(self._view.local, Status.ALIVE, Status.ALIVE, updated=True), 0, now)

    def leave(self, now: float) -> None:
        """Say farewell. Does nothing if the node has left already."""
        if self._local.has_left:
            return
        self._local.refresh(now)
        unheard = self.parts.joining.unheard(now)
        self._local.say_farewell(now)
        self.parts.changes.make_known(Change(self._view.local, Status.ALIVE, Status.LEFT), 0, now)
        # A node that does not know this one needs both, the record and the farewell.
        self.parts.dissemination.spread(self._view.local, 0, now, record=True, liveness=True)
        self.parts.farewell.begin(unheard, now)
        self._standing.look(now)

    # --- what goes out

    def next_timer(self) -> float:
        """Local time at which to call :meth:`handle_timer`; it may change with every call."""
        return self._timers.next_deadline()

    def datagrams_to_send(self, now: float) -> list[tuple[bytes, Address]]:
        """Take the datagrams to send, in order."""
        datagrams, self._outbox.datagrams = self._outbox.datagrams, []
        return datagrams

    def stream_actions(self) -> list[StreamAction]:
        """Take the pending actions on streams, in order."""
        actions, self._outbox.actions = self._outbox.actions, []
        return actions

    def next_event(self) -> MembershipEvent | None:
        """Take the oldest event; None if there is none."""
        return self._journal.events.popleft() if self._journal.events else None

    def next_notice(self) -> str | None:
        """Take the oldest notice, a sentence for people (:mod:`gossip.core.support.notices`); None if there is none."""
        return self.parts.notices.pending.popleft() if self.parts.notices.pending else None

    # --- questions

    def members(self) -> tuple[Member, ...]:
        """All known members by name: this node, the dead and those that left are among them. The same tuple until
        something changes."""
        return self._view.listing.members()

    def told_members(self) -> tuple[Member, ...]:
        """The members as the events so far have described them. That is how they are now. While this node is isolated,
        and so creates no events about others, it is how they were when the isolation began."""
        told = self._journal.last_told
        return self._view.listing.members() if told is None else self._view.listing.with_local(list(told))

    def get(self, name: str) -> Member | None:
        """The newest holder of a name; None if there is none."""
        entry = self._view.named(name)
        return None if entry is None else entry.snapshot()

    @property
    def config(self) -> Config:
        """The settings."""
        return self._config

    @property
    def view(self) -> View:
        """Everything that this node knows, for tools that look inside, such as a simulator; read it, do not change
        it."""
        return self._view

    @property
    def local(self) -> Member:
        """This node's own member."""
        return self._view.listing.local

    @property
    def standing(self) -> NodeStanding:
        """What this node knows about its own place in the cluster."""
        return self._standing.value

    @property
    def address_known(self) -> bool:
        """Whether this node knows where others reach it."""
        return self._local.address_known

    @property
    def alive(self) -> int:
        """Number of members seen living, this node included."""
        return self._view.alive

    @property
    def fingerprint(self) -> int:
        """Fingerprint of the view, 64 bits; equal for two nodes exactly when their views are equal."""
        return self._view.fingerprint

    @property
    def health(self) -> int:
        """Local health, from 0 (healthy) to 8: how much this node distrusts its own timeouts."""
        return self.parts.health.score

    def heartbeat(self, now: float) -> int:
        """The value of this node's own counter."""
        return self._local.heartbeat(now)

    @property
    def last_heard(self) -> float:
        """Local time of the last message from another node; minus infinity if there was none."""
        return self.parts.hearing.last_heard

    def agreement(self, now: float) -> float | None:
        """Share, from 0 to 1, of the recently heard peers whose view equalled this node's; None if none was heard."""
        return self.parts.reconciler.agreement(now)

    def explain(self, name: str, now: float) -> Explanation | None:
        """Where the holder of a name stands in this node's view, and why; None if nobody is known by that name."""
        return self.parts.casebook.explain(name, now)

    def clock_dispute(self, now: float) -> ClockDispute | None:
        """A peer whose clock is so far from this node's that one refuses the other; None if there was none lately."""
        return self._local.wall.dispute(self._view.local.identity.generation, now)

    @property
    def farewell_done(self) -> bool:
        """Whether enough members have acknowledged this node's farewell."""
        return self._local.has_left and self.parts.farewell.is_done

    @property
    def farewell_acknowledged_by(self) -> tuple[str, ...]:
        """Names of the members that have acknowledged this node's farewell."""
        return tuple(self.parts.farewell.acknowledged_by.values())

    @property
    def stats(self) -> ProtocolStats:
        """Counters since the start."""
        return self.parts.stats(self._datagrams_received, self._guard.stalls)

    @property
    def load(self) -> ProtocolLoad:
        """Sizes at this moment."""
        return self.parts.load()

    # --- time

    def _round(self, now: float) -> None:
        self._timers.at(now + self._config.probe_interval, self._round)
        self._rounds += 1
        if self._local.has_left:
            self._standing.pass_round(now)
            return
        if self._view.is_displaced:
            self.parts.names.resolve_displacement(now)
        self.parts.own_address.round(now)
        self._standing.pass_round(now)
        self.parts.detector.round(now)
        self.parts.joining.heal(now)
        if self._rounds % FORGET_EVERY_ROUNDS == 0:
            for forgotten in self._view.forget(now):
                self._journal.note_forgotten(forgotten, now)

    def _stalled(self, late: float, now: float) -> None:
        """React to a stall of this node's process: nobody else is to blame for messages that did not arrive meanwhile.

        Every deadline moves back by the lost time, and by one answer timeout more, in which this node hears what waited
        in the sockets. If it stalls again within that time, the deadlines move only by the time lost.
        """
        self._guard.stalls += 1
        self.parts.health.worsen()
        grace = 0.0 if self._guard.was_stalled else self._config.ack_timeout_min
        self._guard.was_stalled = True
        self._timers.push_back(late + grace)
        self.parts.casebook.stood_still(late)
        self._standing.stood_still(late, now)


__all__ = ["CloseStream", "OpenStream", "Protocol", "ProtocolLoad", "ProtocolStats", "SendFrame", "StreamAction"]
