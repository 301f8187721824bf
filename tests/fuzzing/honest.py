"""What honest members say to each other: inputs from which the others are made."""

from __future__ import annotations

from functools import cache

from gossip.core.config import Config
from gossip.core.query import ViewQuery
from gossip.core.state.member import KEY_BYTES, SIGNATURE_BYTES, Identity, Record
from gossip.core.support.address import Address
from gossip.core.wire import MAX_FRAME_BYTES, Codec, encode_fact
from gossip.core.wire.messages import (
    DIGEST_RANGES,
    MAX_ID,
    Ack,
    AliveFact,
    Body,
    Clock,
    DeadFact,
    Digest,
    Entries,
    Explain,
    Explained,
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
from sims.world import derived_random

BODIES: tuple[Body, ...] = (
    Ping(7),
    Ping(7, bytes(3)),
    Ack(7, None),
    Ack(7, Address("10.0.0.2", 7946)),
    Ack(7, Address("2001:db8::2", 7946)),
    Ack(7, None, 8),
    Ack(7, Address("10.0.0.2", 7946), 8),
    PingRequest(7, 9),
    PingRequest(7, 9, bytes(3)),
    Nack(7, 9),
    IndirectAck(7, 9, 55),
    News(),
    Digest(0, MAX_ID, tuple(range(DIGEST_RANGES)), 8),
    Digest(0, MAX_ID, tuple(range(DIGEST_RANGES)), 8, 9),
    Entries(0, MAX_ID),
    Entries(0, MAX_ID, 9),
    Clock(1_700_000_000_000),
    Explain(7, "ada"),
    Explained(7, None),
    Explained(
        7,
        [
            "brook",
            "not probed",
            "suspected",
            900,
            50,
            900,
            51,
            ["brook"],
            600,
            [["last probe", 900, None, 3, "10.0.0.1:7946", ["bé"], ["bé"], True, False, False]],
            [[800, "brook", ["brook"], 51, False]],
        ],
    ),
)

FACTS: tuple[Fact, ...] = (
    RecordFact(Record(Identity("ada", 1_750_000_000_000, 9), 1, Address("10.0.0.1", 7946), {}), 50),
    RecordFact(Record(Identity("bé", 0, 10), 2, Address("::1", 1), {"": "", "role": "web"}), 1),
    RecordFact(
        Record(
            Identity("signed", 1, 12), 1, Address("10.0.0.3", 1), {"a": "b"}, b"k" * KEY_BYTES, b"s" * SIGNATURE_BYTES
        ),
        1,
    ),
    AliveFact(9, 50),
    SuspectFact(9, 60, (10, 11), 50),
    DeadFact(9, 60, (10, 11, 12, 13), 50),
    LeftFact(9, 60),
    LeftFact(9, 60, b"s" * SIGNATURE_BYTES),
)


@cache
def messages() -> tuple[bytes, ...]:
    """One message of every kind without facts and with all, and with each fact alone."""
    codec, facts = Codec("default"), [encode_fact(fact) for fact in FACTS]
    made = [codec.encode(9, 50, 12_345, body, told, MAX_FRAME_BYTES)[0] for body in BODIES for told in ([], facts)]
    made += [codec.encode(9, 50, 12_345, News(), [fact], MAX_FRAME_BYTES)[0] for fact in facts]
    return tuple(made + ViewQuery(Config(), derived_random(0, "query")).frames())
