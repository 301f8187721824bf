"""Messages that are all right and make as much work as one message can: what a holder of the key may send.

Each is made for a node that knows some members, and is as large as a frame may be, or a datagram.
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import islice

from gossip.core.config import Config
from gossip.core.protocol import Protocol
from gossip.core.state.member import Identity, Member, Record, Status
from gossip.core.support.address import Address
from gossip.core.wire import MAX_FRAME_BYTES, Codec, encode_fact
from gossip.core.wire.messages import (
    DIGEST_RANGES,
    MAX_ACCUSERS,
    MAX_ID,
    AliveFact,
    Body,
    DeadFact,
    Digest,
    Entries,
    Explain,
    Explained,
    Fact,
    LeftFact,
    News,
    PingRequest,
    RecordFact,
    SuspectFact,
)
from sims.world import derived_random
from tests.fuzzing import collisions

KNOWN = 128
"""Members that the node knows, itself included."""

CONFIG = Config.lan()
SOURCE = Address("10.0.0.66", 7946)
NOW = 100.0
FLOOR = 2000
"""A floor that is believed of members of whom nothing but their record is known."""

_GENERATION = 1_750_000_000_000


def node() -> Protocol:
    """A node that knows others and has sent nothing yet."""
    protocol = Protocol(
        CONFIG, name="node", generation=_GENERATION, random=derived_random(0, "node"), now=0.0,
        address=Address("10.0.0.1", 7946),
    )  # fmt: skip
    protocol.remember(members(), 0.0)
    return protocol


def members() -> list[Member]:
    """The others that it knows."""
    return [
        Member(f"member-{number}", _GENERATION, _id(number), Address(f"10.1.0.{number}", 7946), {"role": "web"}, 1,
               Status.ALIVE)
        for number in range(1, KNOWN)
    ]  # fmt: skip


def _id(number: int) -> int:
    return number * (MAX_ID // KNOWN)


def _stranger(number: int, *, name: str = "", member_id: int = 0, generation: int = _GENERATION,
              metadata: dict[str, str] | None = None) -> RecordFact:  # fmt: skip
    identity = Identity(name or f"{number:x}", generation, member_id or 2**32 + number)
    return RecordFact(Record(identity, 1, SOURCE, metadata or {}), 1)


_OWN_ID = node().local.id
_NUMBERS = tuple(islice(collisions.neighbours(10**12, 10**6), 4000))
_FOUR = tuple(range(MAX_ID, MAX_ID - MAX_ACCUSERS, -1))

FACTS: dict[str, Callable[[int], Fact]] = {
    "counters of nobody": lambda at: AliveFact(1 + at % 23, 1),
    "counters of members, all old": lambda at: AliveFact(_id(1 + at % (KNOWN - 1)), 0),
    "counters of members, rising": lambda at: AliveFact(_id(1 + at % (KNOWN - 1)), 1 + at // (KNOWN - 1)),
    "suspicions of members": lambda at: SuspectFact(_id(1 + at % (KNOWN - 1)), FLOOR + at, _FOUR),
    "suspicions of members by ever new accusers": lambda at: SuspectFact(_id(1 + at % 127), FLOOR, (at + 1, at + 2)),
    "deaths of members": lambda at: DeadFact(_id(1 + at % (KNOWN - 1)), FLOOR + at, _FOUR),
    "deaths of one member": lambda at: DeadFact(_id(1), FLOOR + at, _FOUR),
    "farewells of members": lambda at: LeftFact(_id(1 + at % (KNOWN - 1)), 1 + at),
    "accusations of the node itself": lambda at: SuspectFact(_OWN_ID, FLOOR + at, _FOUR),
    "farewells of the node itself": lambda at: LeftFact(_OWN_ID, 1 + at),
    "records of strangers": _stranger,
    "records of strangers with the longest names": lambda at: _stranger(at, name=f"{at:x}".rjust(128, "n")),
    "records of strangers with the most metadata": lambda at: _stranger(at, metadata={"k": "v" * 505}),
    "records of strangers with many small metadata": lambda at: _stranger(
        at, metadata={chr(0x61 + key % 26) + chr(0x61 + key // 26): "" for key in range(125)}
    ),
    "records with too much metadata": lambda at: _stranger(at, metadata={"k": "v" * 600}),
    "ever later bearers of one name": lambda at: _stranger(at, name="member-1", generation=_GENERATION + 1 + at),
    "ever other names of one id": lambda at: _stranger(at, member_id=_id(1)),
    "records of one member that differ in their metadata": lambda at: RecordFact(
        Record(Identity("member-1", _GENERATION, _id(1)), 1, SOURCE, {"n": f"{at:x}"}), 1
    ),
    "records whose numbers have one hash": lambda at: RecordFact(
        Record(Identity("n", _NUMBERS[at][0], 1), _NUMBERS[at][1], SOURCE, {}), 1
    ),
    "records whose identities have one hash": lambda at: RecordFact(
        Record(Identity("n", _NUMBERS[at][0], _NUMBERS[at][1]), 1, SOURCE, {}), 1
    ),
}
"""By name, the facts that fill a message: the first, the second and so on."""

BODIES: dict[str, Body] = {
    "a digest that differs everywhere": Digest(0, MAX_ID, (1,) * DIGEST_RANGES),
    "the claim to know nobody": Entries(0, MAX_ID),
    "a request to ask a member": PingRequest(1, _id(1)),
    "a question why a member is where it is": Explain(1, "member-1"),
    "an explanation of empty lists, which nobody asked for": Explained(1, [[]] * 60_000),
}
"""By name, messages without facts."""

LOADS = (*FACTS, *BODIES)


def message(name: str, most: int = MAX_FRAME_BYTES) -> bytes:
    """The message with this name, of so many bytes at most."""
    codec = Codec(CONFIG.cluster)
    if name in BODIES:
        return codec.encode(_id(1), 1, 0, BODIES[name], (), most)[0]
    make, facts, room = FACTS[name], list[bytes](), most
    while room > 0:
        facts.append(encode_fact(make(len(facts))))
        room -= len(facts[-1])
    return codec.encode(_id(1), 1, 0, News(), facts, most)[0]


def handled(node: Protocol, data: bytes, *, over_stream: bool) -> int:
    """Let a node handle a message, and what it has set itself for the same moment; how many messages it then sends."""
    if over_stream:
        number = node.stream_accepted(SOURCE, NOW)
        assert number is not None
        node.receive_frame(number, data, NOW)
    else:
        node.receive_datagram(data, SOURCE, NOW)
    sent = len(node.datagrams_to_send(NOW)) + len(node.stream_actions())
    while node.next_event() is not None:
        pass
    return sent
