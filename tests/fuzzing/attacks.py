"""Attacks: what an input of the target ``core`` tells a hostile member, or the network, to do to a cluster.

An attack is a list of steps (:mod:`tests.fuzzing.steps`). The lowest two bits of the second byte of a step say to
which member it is done, the others as if from where. What is too large is taken modulo, so every input is an attack.
This module does what is asked; :mod:`tests.fuzzing.cores` decides what must hold.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from functools import partial

from gossip.core.errors import WireError
from gossip.core.state.entry import Entry
from gossip.core.state.heartbeat import MAX_COUNTER, MAX_STEPS_AHEAD
from gossip.core.state.member import MAX_VERSION, SIGNATURE_BYTES, Identity, Record
from gossip.core.state.signing import Signatures, Signing
from gossip.core.support.address import Address
from gossip.core.wire import CLUSTER_TAG_BYTES, PROTOCOL_VERSION, Codec, encode_fact
from gossip.core.wire.messages import (
    ANONYMOUS,
    DIGEST_RANGES,
    MAX_ID,
    Ack,
    AliveFact,
    Body,
    DeadFact,
    Digest,
    Entries,
    Fact,
    IndirectAck,
    LeftFact,
    Nack,
    News,
    Ping,
    PingRequest,
    RecordFact,
    SuspectFact,
)
from sims.world import Observer, SimulatedNode
from tests.core.worlds import STRANGER, World
from tests.fuzzing.mutations import sealed
from tests.fuzzing.notary import CheapNotary
from tests.fuzzing.steps import Details, Step

MAX_WAITED_S = 60.0
"""Virtual time that one attack may let pass."""

WAITS_S = (0.0, 0.001, 0.01, 0.05, 0.1, 0.2, 0.3, 0.5, 1.0, 1.5, 2.0, 3.0, 5.0, 8.0, 12.0, 20.0)
PAUSES_S = (0.05, 0.1, 0.2, 0.5, 1.0)
"""Stalls of a process that nobody may mistake for its death: all shorter than the shortest suspicion."""

CAPTURED = 64
"""Datagrams of honest members that the attacker remembers."""

GHOSTS = (1, 2, 3, 7, MAX_ID)
"""Ids of members that do not run."""

FACT_BYTES = 4
LATECOMER = "late"
THIEF = Signing(CheapNotary("thief"))
"""What the attacker signs with, where members do: a key of its own."""


class Captured(Observer):
    """Keeps the last datagrams of honest members, with who sent them."""

    def __init__(self) -> None:
        self.datagrams: deque[tuple[bytes, Address, Address]] = deque(maxlen=CAPTURED)

    def sent(self, node: SimulatedNode, data: bytes, destination: Address, arrivals: list[tuple[float, bytes]],
             lost_to: str) -> None:  # fmt: skip
        """Bytes, source and destination, in order."""
        self.datagrams.append((data, node.address, destination))


class Attacker:
    """Does to a world what an input says."""

    def __init__(self, world: World, captured: Captured) -> None:
        self._world = world
        self._captured = captured.datagrams
        self._codec = Codec(world.config.cluster)
        self._signatures = Signatures(world.config.cluster, THIEF)
        self._tag = Codec(world.config.cluster).encode(0, 0, 0, News(), (), 0)[0][3 : 3 + CLUSTER_TAG_BYTES]
        self._waited_s = 0.0
        self._streams: list[tuple[SimulatedNode, int]] = []
        self._does: tuple[Callable[[SimulatedNode, Address, Details], None], ...] = (
            self._wait,
            self._tell,
            self._tell,
            self._tell_on_stream,
            self._change_captured,
            self._replay,
            self._send_content,
            self._send_bytes,
            self._open_stream,
            self._close_stream,
            self._refuse,
            self._pause,
            self._update,
            self._start,
            self._end,
        )

    def do(self, step: Step) -> None:
        """Do one step."""
        honest = self._world.running
        node = honest[(step.how & 3) % len(honest)]
        places = [STRANGER, *(each.address for each in honest), Address("::ffff:10.0.0.1", 0)]
        self._does[step.what % len(self._does)](node, places[(step.how >> 2) % len(places)], Details(step.details))

    def give_up(self) -> None:
        """Close whatever is still open."""
        for node, number in self._streams:
            self._end_stream(node, number)
        self._streams.clear()

    # --- what is done

    def _wait(self, node: SimulatedNode, source: Address, details: Details) -> None:
        seconds = WAITS_S[details.byte() % len(WAITS_S)]
        if self._waited_s + seconds <= MAX_WAITED_S:
            self._waited_s += seconds
            self._world.run(seconds)

    def _tell(self, node: SimulatedNode, source: Address, details: Details) -> None:
        self._world.inject(node.key, self._message(node, details), source)

    def _tell_on_stream(self, node: SimulatedNode, source: Address, details: Details) -> None:
        if self._streams:
            node, number = self._streams[details.byte() % len(self._streams)]
            data = self._message(node, details)
            self._hand(node, lambda: node.protocol.receive_frame(number, data, self._now(node)))

    def _change_captured(self, node: SimulatedNode, source: Address, details: Details) -> None:
        """Another byte here and there in something that was said, or one less or more; the checksum is right."""
        if not self._captured:
            return
        data, said_by, _ = self._captured[-1 - details.byte() % len(self._captured)]
        content = bytearray(data[:-4])
        while details and content:
            at, what, value = details.byte() % len(content), details.byte() % 4, details.byte()
            if what == 0:
                content[at] = value
            elif what == 1:
                content[at] = content[at] + (1 if value % 2 else -1) & 255
            elif what == 2:
                content.insert(at, value)
            else:
                del content[at]
        self._world.inject(node.key, sealed(bytes(content)), source if details.byte() % 2 else said_by)

    def _replay(self, node: SimulatedNode, source: Address, details: Details) -> None:
        if self._captured:
            data, said_by, _ = self._captured[-1 - details.byte() % len(self._captured)]
            self._world.inject(node.key, data, source if details.byte() % 2 else said_by)

    def _send_content(self, node: SimulatedNode, source: Address, details: Details) -> None:
        """Any bytes behind the version and the tag of the cluster, with the right checksum."""
        head = bytes((0x80 | details.byte() % 24, PROTOCOL_VERSION, 0x40 | CLUSTER_TAG_BYTES)) + self._tag
        self._world.inject(node.key, sealed(head + details.rest), source)

    def _send_bytes(self, node: SimulatedNode, source: Address, details: Details) -> None:
        self._world.inject(node.key, details.rest, source)

    def _open_stream(self, node: SimulatedNode, source: Address, details: Details) -> None:
        def accept() -> None:
            number = node.protocol.stream_accepted(source, self._now(node))
            if number is not None:
                self._streams.append((node, number))

        self._hand(node, accept)

    def _close_stream(self, node: SimulatedNode, source: Address, details: Details) -> None:
        if self._streams:
            node, number = self._streams.pop(details.byte() % len(self._streams))
            self._end_stream(node, number)

    def _refuse(self, node: SimulatedNode, source: Address, details: Details) -> None:
        """Forge the word of a system that no process listens there."""
        self._hand(node, lambda: node.protocol.datagram_refused(source, self._now(node)))

    def _pause(self, node: SimulatedNode, source: Address, details: Details) -> None:
        if node.paused_until <= self._world.now:
            self._world.pause(node.key, PAUSES_S[details.byte() % len(PAUSES_S)])
            self._wait(node, source, details)

    def _update(self, node: SimulatedNode, source: Address, details: Details) -> None:
        if node.is_member and not node.protocol.view.is_displaced:  # else it is refused
            self._world.update(node.key, {"n": str(details.byte())})

    def _start(self, node: SimulatedNode, source: Address, details: Details) -> None:
        """Somebody honest joins meanwhile, perhaps again."""
        late = self._world.nodes.get(LATECOMER)
        if late is None or not late.is_member:
            if late is not None:
                self._world.crash(LATECOMER)
            seed = node if node is not late else self._world.members[0]  # or nobody could find the other
            self._world.start(LATECOMER, seeds=(seed.key,), learns_address=details.byte() % 2 == 1)

    def _end(self, node: SimulatedNode, source: Address, details: Details) -> None:
        """And leaves, or crashes."""
        late = self._world.nodes.get(LATECOMER)
        if late is not None and late.is_member:
            match details.byte() % 3:
                case 0:
                    self._world.leave(LATECOMER)
                case how:
                    self._world.crash(LATECOMER, refuses=how == 2)

    def _end_stream(self, node: SimulatedNode, number: int) -> None:
        self._hand(node, lambda: node.protocol.stream_closed(number, self._now(node)))

    def _hand(self, node: SimulatedNode, action: Callable[[], object]) -> None:
        self._world.driver.hand_over(node, partial(_nothing, action))

    def _now(self, node: SimulatedNode) -> float:
        return node.local_time(self._world.now)

    # --- what is said

    def _message(self, node: SimulatedNode, details: Details) -> bytes:
        """A well-formed message: sender, counter, fingerprint, body and facts all follow from the details."""
        sender = details.one_of((ANONYMOUS, *self._ids()))
        heartbeat = self._counter(node, sender, details.byte())
        fingerprint = node.protocol.fingerprint if details.byte() % 2 else 0
        body = self._body(node, details)
        facts = []
        while details:
            facts.append(encode_fact(self._fact(node, details)))
        return self._codec.encode(sender, heartbeat, fingerprint, body, facts, 60_000)[0]

    def _body(self, node: SimulatedNode, details: Details) -> Body:
        what, which = details.byte() % 8, details.byte()
        if what in (1, 4, 5):
            token = self._token(node, which)
            target = details.one_of(self._ids())
            return (Ack(token), Nack(token, target), IndirectAck(token, target, self._counter(node, target, which)))[
                {1: 0, 4: 1, 5: 2}[what]
            ]
        if what in (3, 6):
            ids = sorted((details.one_of((0, MAX_ID, *self._ids())), details.one_of((MAX_ID, 0, *self._ids()))))
            return Digest(ids[0], ids[1], (which,) * DIGEST_RANGES) if what == 3 else Entries(ids[0], ids[1])
        if what == 2:
            return PingRequest(which, details.one_of(self._ids()))
        return News() if what == 7 else Ping(which)

    def _fact(self, node: SimulatedNode, details: Details) -> Fact:
        kind, subject, counter, which = (details.byte() for _ in range(FACT_BYTES))
        ids = self._ids()
        member = ids[subject % len(ids)]
        value = self._counter(node, member, counter)
        accusers = tuple(dict.fromkeys(ids[(which + step) % len(ids)] for step in range(which % 5)))
        match kind % 5:
            case 0:
                return AliveFact(member, value)
            case 1:
                return SuspectFact(member, max(1, value), accusers, self._counter(node, member, which))
            case 2:
                return DeadFact(member, max(1, value), accusers, self._counter(node, member, which))
            case 3:
                signature = (b"", bytes(SIGNATURE_BYTES), self._farewell(node, member, max(1, value)))[which % 3]
                return LeftFact(member, max(1, value), signature)
        return self._record(node, member, value, which, kind // 5)

    def _record(self, node: SimulatedNode, member: int, heartbeat: int, which: int, more: int) -> RecordFact:
        """What a member says of itself with something of it changed, or a ghost."""
        entry = node.view.get(member)
        nodes = self._world.running
        name, generation, version = "ghost", 1_700_000_000_000, 1
        address, metadata, key, signature = STRANGER, {"a": "b"} if which & 1 else {}, b"", b""
        if entry is not None:
            known = entry.registers.record
            key, signature = known.key, known.signature
            name, generation, version, address = (
                known.identity.name, known.identity.generation, known.version, known.address
            )  # fmt: skip
        if which & 2:
            later = (version + 1, version + 1000, MAX_VERSION - MAX_STEPS_AHEAD, MAX_VERSION)
            version = min(MAX_VERSION, later[more % 4])
        if which & 4:
            generation = (generation + 1, generation + 1000, 2**50, 0)[more // 4 % 4]
        if which & 8:
            address = (*(each.address for each in nodes), STRANGER, Address("::", 7946), Address("10.9.9.9", 0))[
                more % (len(nodes) + 3)
            ]
        if which & 16:
            name = (*(each.name for each in nodes), "ghost", "other")[more % (len(nodes) + 2)]
        if which & 32:
            metadata = {"big": "x" * (480 + more)}
        if which & 64:
            member = GHOSTS[more % len(GHOSTS)]
        record = Record(Identity(name, generation, member), version, address, metadata, key, signature)
        return RecordFact(self._signatures.signed(record) if which & 128 else record, heartbeat)

    def _farewell(self, node: SimulatedNode, member: int, counter: int) -> bytes:
        """The attacker's own signature under the farewell of somebody."""
        entry = node.view.get(member)
        return b"" if entry is None else self._signatures.farewell(entry.registers.record, counter)

    def _ids(self) -> tuple[int, ...]:
        return (*(node.id for node in self._world.running), *GHOSTS)

    def _counter(self, node: SimulatedNode, member: int, choice: int) -> int:
        """A counter or floor of a member: around the one it shows, around the bounds of belief, or absurd."""
        entry: Entry | None = node.view.get(member)
        shown = 100 if entry is None else entry.registers.heartbeat
        expected = shown if entry is None else entry.estimate.expected(node.local_time(self._world.now))
        values = (shown, shown + 1, shown - 1, shown + 2, 0, 1, expected, expected + 1, expected + 50,
                  expected + MAX_STEPS_AHEAD, expected + MAX_STEPS_AHEAD + 1, MAX_COUNTER // 2, MAX_COUNTER // 2 + 1,
                  MAX_COUNTER - 1, MAX_COUNTER)  # fmt: skip
        return min(MAX_COUNTER, max(0, values[choice % len(values)]))

    def _token(self, node: SimulatedNode, which: int) -> int:
        """One of the numbers by which the member knows its own questions."""
        asked = []
        for data, source, _ in self._captured:
            if source == node.address:
                try:
                    body = self._codec.decode(data).body
                except WireError:
                    continue
                if isinstance(body, (Ping, PingRequest)):
                    asked.append(body.token)
        return asked[-1 - which % len(asked)] if asked else which


def _nothing(action: Callable[[], object]) -> None:
    action()
