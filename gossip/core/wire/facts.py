"""Facts and their bytes: each assertion about a member is a positional array that begins with a code."""

from __future__ import annotations

import cbor2

from gossip.core.errors import WireError
from gossip.core.state.heartbeat import MAX_COUNTER
from gossip.core.state.member import RECORD, SIGNATURE_BYTES, Record
from gossip.core.support.address import Address
from gossip.core.support.drop_reasons import Drop
from gossip.core.wire.messages import (
    MAX_ACCUSERS,
    MAX_ID,
    AliveFact,
    DeadFact,
    Fact,
    LeftFact,
    RecordFact,
    SuspectFact,
)  # fmt: skip
from gossip.core.wire.records import Records
from gossip.core.wire.values import bytes_of, items_of, number_of

MAX_BAD_FACTS = 64
"""Facts of one message that may be refused one by one: more than the records that fit into a datagram. A message with
more bad facts is refused as a whole, so that it costs no more than one message."""

ALIVE, SUSPECT, DEAD, LEFT = range(RECORD + 1, RECORD + 5)
RECORD_ITEMS, SIGNED_RECORD_ITEMS = 8, 10
LEFT_ITEMS = 3
"""Items of a farewell; a signed farewell has one more."""


def encode_fact(fact: Fact) -> bytes:
    """The bytes of one fact, which :meth:`Codec.encode` places into a message."""
    match fact:
        case RecordFact():
            return encode_record(fact.record, fact.heartbeat)
        case AliveFact():
            return cbor2.dumps([ALIVE, *fact])
        case SuspectFact():
            return cbor2.dumps([SUSPECT, fact.id, fact.floor, list(fact.accusers), fact.heartbeat])
        case DeadFact():
            return cbor2.dumps([DEAD, fact.id, fact.floor, list(fact.accusers), fact.heartbeat])
        case LeftFact():
            return cbor2.dumps([LEFT, *fact] if fact.signature else [LEFT, fact.id, fact.counter])


def encode_record(record: Record, heartbeat: int) -> bytes:
    """The bytes of a record fact."""
    return record.encoded + cbor2.dumps(heartbeat)


def _accusers(value: object) -> tuple[int, ...]:
    accusers = items_of(value)
    if len(accusers) > MAX_ACCUSERS:
        raise WireError(Drop.TOO_MANY_ACCUSERS)
    return tuple(number_of(accuser, MAX_ID, 1) for accuser in accusers)


def _fact(value: object, records: Records) -> Fact:
    items = items_of(value)
    code = items[0] if items else None
    if type(code) is not int:
        raise WireError(Drop.UNKNOWN_FACT)
    if code == ALIVE:
        items_of(items, 3)
        return AliveFact(number_of(items[1], MAX_ID, 1), number_of(items[2], MAX_COUNTER))
    if code == RECORD:
        if len(items) not in (RECORD_ITEMS, SIGNED_RECORD_ITEMS):
            raise WireError(Drop.WRONG_SHAPE)
        return RecordFact(records.checked(*items[1:7], *items[7:-1]), number_of(items[-1], MAX_COUNTER))
    if code in (SUSPECT, DEAD):
        items_of(items, 5)
        kind = SuspectFact if code == SUSPECT else DeadFact
        return kind(
            number_of(items[1], MAX_ID, 1),
            number_of(items[2], MAX_COUNTER, 1),
            _accusers(items[3]),
            number_of(items[4], MAX_COUNTER),
        )
    if code == LEFT:
        if len(items) not in (LEFT_ITEMS, LEFT_ITEMS + 1):
            raise WireError(Drop.WRONG_SHAPE)
        signature = bytes_of(items[3], SIGNATURE_BYTES) if len(items) > LEFT_ITEMS else b""
        return LeftFact(number_of(items[1], MAX_ID, 1), number_of(items[2], MAX_COUNTER, 1), signature)
    raise WireError(Drop.UNKNOWN_FACT)


NO_FACTS: tuple[tuple[Fact, ...], tuple[Drop, ...]] = ((), ())


def decode_facts(values: list[object], records: Records) -> tuple[tuple[Fact, ...], tuple[Drop, ...]]:
    """The facts that are valid, and why the others are not.

    :raises WireError: if too many are not valid.
    """
    try:
        return tuple([_fact(each, records) for each in values]), ()
    except WireError:
        return _valid_facts(values, records)


def _valid_facts(values: list[object], records: Records) -> tuple[tuple[Fact, ...], tuple[Drop, ...]]:
    facts: list[Fact] = []
    refused: list[Drop] = []
    for each in values:
        try:
            facts.append(_fact(each, records))
        except WireError as error:
            if len(refused) >= MAX_BAD_FACTS:
                raise WireError(Drop.TOO_MANY_BAD_FACTS) from None
            refused.append(error.reason)
    return tuple(facts), tuple(refused)


def is_at_loopback(fact: bytes) -> bool:
    """Whether an encoded fact of this node is the record of a member at a loopback address."""
    items = cbor2.loads(fact)
    return bool(items[0] == RECORD) and Address.from_wire(items[5]).is_loopback
