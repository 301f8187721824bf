"""Against somebody on the network without a key: it can make members look silent, and nothing else.

A state machine of sealed nodes, their datagrams in flight, and an adversary that holds back, repeats, reorders,
reflects and forges them as it likes. Time is virtual; a held-back datagram is delivered late or never.
"""

from __future__ import annotations

import math
from collections import Counter
from random import Random

import attrs
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from gossip.core.config import Config
from gossip.core.errors import WireError
from gossip.core.events import EventKind
from gossip.core.protocol import Protocol
from gossip.core.support.address import Address
from gossip.core.wire import Codec, encode_fact
from gossip.core.wire.messages import DeadFact, Fact, LeftFact, News, RecordFact
from gossip.security.envelope import HEADER_BYTES, OVERHEAD_BYTES, Envelope
from gossip.security.keyring import Key, Keyring
from tests.core.worlds import examples

CONFIG = Config.lan(max_datagram=1200 - OVERHEAD_BYTES)
KEYRING = Keyring.of(Key("aes-256-gcm", bytes(range(32))))
OTHER_KEYRING = Keyring.of(Key("aes-256-gcm", bytes(range(1, 33))))
NODES = 4
LATENCY_S = 0.001
RECOVERY_S = 60.0
"""Longer than the longest suspicion and what it takes to refute it, and to join again."""

nodes = st.integers(0, NODES - 1)


@attrs.define
class Flight:
    """A datagram on its way."""

    arrives: float
    data: bytes
    source: Address
    destination: Address


@attrs.define
class Node:
    """One member with its envelope."""

    protocol: Protocol
    envelope: Envelope
    events: list[EventKind] = attrs.Factory(list)
    opened: Counter[bytes] = attrs.Factory(Counter)
    """How often each datagram was let in."""


class Adversary(RuleBasedStateMachine):
    """Anything that somebody without the key can do, in any order."""

    def __init__(self) -> None:
        super().__init__()
        self.now = 0.0
        self.addresses = [Address(f"10.0.0.{number + 1}", 7946) for number in range(NODES)]
        self.lives = 0
        self.flying: list[Flight] = []
        self.recorded: list[Flight] = []
        self.held: set[Address] = set()
        """Whose datagrams, to and from, are held back now."""
        self.silenced: set[Address] = set()
        """Whose have ever been held back, or whose process ended."""
        self.nodes = [self._new_node(address) for address in self.addresses]
        for node in self.nodes[1:]:
            node.protocol.seed(self.addresses[:1], self.now)
        self._run(8.0)
        assert all(node.protocol.alive == NODES for node in self.nodes)
        for node in self.nodes:
            node.events.clear()

    # --- the world

    def _new_node(self, address: Address) -> Node:
        self.lives += 1
        random = Random(self.lives)
        protocol = Protocol(
            CONFIG,
            name=address.host,
            generation=1_700_000_000_000 + int(self.now * 1000),
            random=random,
            now=self.now,
            address=address,
        )
        return Node(protocol, Envelope(KEYRING, CONFIG.cluster, random_bytes=random.randbytes))

    def _pump(self, node: Node) -> None:
        source = node.protocol.local.address
        for data, destination in node.protocol.datagrams_to_send(self.now):
            flight = Flight(self.now + LATENCY_S, node.envelope.seal(data), source, destination)
            self.recorded.append(flight)
            if not {source, destination} & self.held:
                self.flying.append(flight)
        node.protocol.stream_actions()  # there are no streams here
        while (event := node.protocol.next_event()) is not None:
            node.events.append(event.kind)

    def _deliver(self, data: bytes, source: Address, destination: Address) -> None:
        for node in self.nodes:
            if node.protocol.local.address == destination:
                try:
                    content = node.envelope.open(data)
                except WireError:
                    return
                node.opened[data] += 1
                node.protocol.receive_datagram(content, source, self.now)
                self._pump(node)

    def _run(self, seconds: float) -> None:
        end = self.now + seconds
        for node in self.nodes:
            self._pump(node)
        while True:
            due = min((flight.arrives for flight in self.flying), default=math.inf)
            alarm = min(node.protocol.next_timer() for node in self.nodes)
            self.now = max(self.now, min(due, alarm, end))
            if min(due, alarm) > end:
                return
            if due <= alarm and self.flying:
                flight = min(self.flying, key=lambda each: each.arrives)
                self.flying.remove(flight)
                self._deliver(flight.data, flight.source, flight.destination)
            for node in self.nodes:
                if node.protocol.next_timer() <= self.now:
                    node.protocol.handle_timer(self.now)
                    self._pump(node)

    # --- what it can do

    @rule(seconds=st.floats(0.01, 3.0))
    def wait(self, seconds: float) -> None:
        """Let time pass; what is not held back arrives."""
        self._run(seconds)

    @rule(victim=nodes)
    def hold_back(self, victim: int) -> None:
        """Hold back all that one node sends and is sent, from now on."""
        self.held.add(self.addresses[victim])
        self.silenced.add(self.addresses[victim])

    @precondition(lambda self: self.held)
    @rule()
    def let_go(self) -> None:
        """Hold back nothing more."""
        self.held.clear()

    @rule(which=st.integers(0, 10**6), receiver=nodes, source=nodes)
    def repeat(self, which: int, receiver: int, source: int) -> None:
        """Deliver anything ever recorded, to anybody, from any address; what was held back comes late this way."""
        flight = self.recorded[which % len(self.recorded)]
        self._deliver(flight.data, self.addresses[source], self.addresses[receiver])

    @rule(count=st.integers(1, 200), shuffler=st.randoms(use_true_random=False))
    def repeat_many(self, count: int, shuffler: Random) -> None:
        """Deliver a lot of it again, in another order, to those whom it was meant for."""
        for flight in shuffler.choices(self.recorded, k=count):
            self._deliver(flight.data, flight.source, flight.destination)

    @rule(victim=nodes)
    def push_out_what_is_remembered(self, victim: int) -> None:
        """Repeat what so many other processes once said that a node has no memory left of those that run now, and does
        not know any more what it has seen of them."""
        self.nodes[victim].envelope._sessions.clear()
        self.nodes[victim].opened.clear()

    @rule(which=st.integers(0, 10**6))
    def reflect(self, which: int) -> None:
        """Send something back to where it came from, as if from where it went."""
        flight = self.recorded[which % len(self.recorded)]
        self._deliver(flight.data, flight.destination, flight.source)

    @rule(which=st.integers(0, 10**6), place=st.integers(0, 1200), flip=st.integers(1, 255), receiver=nodes)
    def change(self, which: int, place: int, flip: int, receiver: int) -> None:
        """Change a byte of something recorded."""
        flight = self.recorded[which % len(self.recorded)]
        data = bytearray(flight.data)
        data[place % len(data)] ^= flip
        self._deliver(bytes(data), flight.source, self.addresses[receiver])

    @rule(first=st.integers(0, 10**6), second=st.integers(0, 10**6), receiver=nodes)
    def splice(self, first: int, second: int, receiver: int) -> None:
        """Put the header of one datagram on the content of another."""
        head = self.recorded[first % len(self.recorded)]
        body = self.recorded[second % len(self.recorded)]
        data = head.data[:HEADER_BYTES] + body.data[HEADER_BYTES:]
        if data != head.data:
            self._deliver(data, head.source, self.addresses[receiver])

    @rule(data=st.binary(max_size=200), receiver=nodes, source=nodes)
    def forge(self, data: bytes, receiver: int, source: int) -> None:
        """Make something up."""
        self._deliver(data, self.addresses[source], self.addresses[receiver])

    @rule(data=st.binary(max_size=100), which=st.integers(0, 10**6), receiver=nodes)
    def forge_with_a_header(self, data: bytes, which: int, receiver: int) -> None:
        """Make up the content behind a header that was seen."""
        flight = self.recorded[which % len(self.recorded)]
        self._deliver(flight.data[:HEADER_BYTES] + data, flight.source, self.addresses[receiver])

    @rule(
        kind=st.sampled_from([LeftFact, DeadFact, RecordFact]),
        about=nodes,
        how=st.sampled_from(["plain", "another key", "a header seen"]),
        receiver=nodes,
        which=st.integers(0, 10**6),
    )
    def say_what_would_be_believed(self, kind: type, about: int, how: str, receiver: int, which: int) -> None:
        """Say something of a member that every holder of the key would be believed."""
        entry = self.nodes[about].protocol.view.local
        facts: dict[type, Fact] = {
            LeftFact: LeftFact(entry.id, entry.registers.heartbeat + 1),
            DeadFact: DeadFact(entry.id, entry.registers.heartbeat + 50, (1, 2, 3)),
            RecordFact: RecordFact(attrs.evolve(entry.registers.record, version=9, metadata={"forged": "1"}), 1),
        }
        message, _ = Codec(CONFIG.cluster).encode(entry.id, 1, 0, News(), [encode_fact(facts[kind])], 1000)
        flight = self.recorded[which % len(self.recorded)]
        data = {
            "plain": message,
            "another key": Envelope(OTHER_KEYRING, CONFIG.cluster).seal(message),
            "a header seen": flight.data[:HEADER_BYTES] + message + bytes(16),
        }[how]
        self._deliver(data, self.addresses[about], self.addresses[receiver])

    # --- what it cannot

    @invariant()
    def nobody_but_the_members_is_known(self) -> None:
        names = {address.host for address in self.addresses}
        for node in self.nodes:
            members = node.protocol.members()
            assert {member.name for member in members} == names
            assert all(member.version == 1 and not member.metadata for member in members)

    @invariant()
    def nothing_is_let_in_twice_by_who_remembers_it(self) -> None:
        for node in self.nodes:
            assert max(node.opened.values(), default=0) <= 1

    @invariant()
    def nobody_leaves_starts_again_or_quarrels(self) -> None:
        for node in self.nodes:
            assert not {EventKind.LEFT, EventKind.JOINED, EventKind.UPDATED, EventKind.CONFLICT} & set(node.events)

    @invariant()
    def nobody_changes_who_was_never_silent(self) -> None:
        if not self.silenced:
            assert not any(node.events for node in self.nodes)

    @invariant()
    def those_never_silent_do_not_die_among_themselves(self) -> None:
        for node in self.nodes:
            if node.protocol.local.address not in self.silenced:
                statuses = [m.status for m in node.protocol.members() if m.address not in self.silenced]
                assert all(status.is_living for status in statuses)

    def teardown(self) -> None:
        """Once it lets go, all see all again, and each is who it was."""
        self.held.clear()
        generations = [node.protocol.local.generation for node in self.nodes]
        self._run(RECOVERY_S)
        for node in self.nodes:
            assert all(member.status.is_living for member in node.protocol.members())
            assert node.protocol.alive == NODES
        assert generations == [node.protocol.local.generation for node in self.nodes]


Adversary.TestCase.settings = settings(max_examples=examples(20), stateful_step_count=30)
TestAdversary = Adversary.TestCase
