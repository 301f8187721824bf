"""Messages and their bytes: one message is one positional CBOR array and a checksum, checked to the last bit.

Every message has the same shape::

    [version, cluster, kind, sender, heartbeat, fingerprint, <body of the kind ...>, [fact, fact, ...]]

and after it a checksum over all of it. So an exchange of any kind carries the sender's counter, its
view's fingerprint, and news. A fact is one assertion about one member, itself a positional array that
begins with a code. This module decides what is well-formed; it does not decide what is believed.

Decoding is strict: known version and kind, exact types and lengths, bounded numbers, valid names, no
tags, no floats, no indefinite lengths, no trailing bytes, the one shortest encoding of each value (RFC
8949, section 4.2), and metadata in the code-point order of its keys. Whatever else cbor2 could decode is
refused before it is built. A message of which that cannot be said is refused as a whole; a single fact of a good
message that is not valid costs that fact only.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterable, Mapping, Sequence
from hashlib import blake2b
from itertools import chain
from typing import Any
from zlib import crc32

import cbor2

from gossip.core.address import Address
from gossip.core.caches import cached
from gossip.core.drop_reasons import Drop
from gossip.core.errors import WireError
from gossip.core.heartbeat import MAX_COUNTER
from gossip.core.member import KEY_BYTES, MAX_NAME_BYTES, MAX_VERSION, SIGNATURE_BYTES, Identity, Member, Record, shared
from gossip.core.messages import (
    DIGEST_RANGES,
    MAX_ACCUSERS,
    MAX_ID,
    MAX_TOKEN,
    Ack,
    AliveFact,
    Body,
    Clock,
    DeadFact,
    Digest,
    Entries,
    Fact,
    IndirectAck,
    LeftFact,
    Message,
    Nack,
    News,
    Ping,
    PingRequest,
    RecordFact,
    SuspectFact,
)
from gossip.core.text import is_printable

PROTOCOL_VERSION = 1
CLUSTER_TAG_BYTES = 4
"""Enough to tell clusters apart by accident (1 in 4 billion); keeping enemies out is a key's work."""

MAX_FRAME_BYTES = 65_536
"""Largest message on a stream; bounds what a peer can make us buffer at once."""

MAX_DEPTH = 5
"""Nested containers in a valid message: message, facts, fact, metadata or accusers; and one to spare."""

HASH_BYTES = 8

ACK_BYTES = 41
"""Size, at most, of an ack without facts, but for :data:`LONG_COUNTER_BYTES`."""

INDIRECT_ACK_BYTES = 55
"""Size, at most, of what a helper reports, but for :data:`LONG_COUNTER_BYTES` of its own counter and the target's."""

OBSERVED_BYTES = 19
"""What an observed address adds to an ack, at most."""

COOKIE_BYTES = 6
"""What a cookie adds to an ack, at most."""

LONG_COUNTER_BYTES = 4
"""Bytes by which a counter of 2^32 steps and more is longer. Nobody runs for 13 years, but a counter can be driven
there by forged floors."""

MAX_SHARED_METADATA = 1024
"""Characters of metadata up to which a record is kept to be met again: twice the usual limit. Whoever invents
records fills the cache with at most some 100 MB."""

MAX_BAD_FACTS = 64
"""Facts of one message that may be refused one by one: more than a datagram holds of records. What has more is no
message, and must not cost more than one."""

CHECKSUM_BYTES = 4
"""CRC-32 finds any three flipped bits in a datagram; the 16-bit sum of UDP misses some two. A flipped bit that
got through could make a member that nobody ever started, and gossip would tell it to everybody."""


# --- facts ---------------------------------------------------------------------------------------------

RECORD, ALIVE, SUSPECT, DEAD, LEFT = range(5)
RECORD_ITEMS, SIGNED_RECORD_ITEMS = 8, 10
LEFT_ITEMS = 3
"""A signed farewell has one item more."""


def encode_fact(fact: Fact) -> bytes:
    """The bytes of one fact, to be placed into a message by :meth:`Codec.encode`."""
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
    return _encoded_but_for_heartbeat(record) + cbor2.dumps(heartbeat)


@cached
def _encoded_but_for_heartbeat(record: Record) -> bytes:
    """A record fact without its last item, the only one that changes all the time."""
    who, address, metadata = record.identity, record.address.to_wire(), dict(record.metadata)
    signed = (record.key, record.signature) if record.signature else ()
    items = [RECORD, who.id, who.name, who.generation, record.version, address, metadata, *signed, 0]
    return cbor2.dumps(items)[:-1]


def decode_fact(data: bytes) -> Fact:
    """The reverse of :func:`encode_fact`, for what this node has encoded itself.

    :raises WireError: for anything else.
    """
    return _fact(_loads(data))


def metadata_bytes(record: Record) -> int:
    """Size of the metadata of a record inside a record fact, in bytes."""
    return encoded_metadata_bytes(record.metadata) if record.metadata else 1


def encoded_metadata_bytes(metadata: Mapping[str, str]) -> int:
    """Size of a metadata mapping inside a record fact, in bytes."""
    return len(cbor2.dumps(dict(metadata)))


def counter_excess(counter: int) -> int:
    """How much longer than 5 bytes a counter may be by the time of an answer, if it was this one lately."""
    return LONG_COUNTER_BYTES if counter >= 2**31 else 0


_NUMBERS = struct.Struct(">QQQ")


# --- checks of single values -------------------------------------------------------------------------


def _number(value: object, high: int, low: int = 0) -> int:
    if type(value) is not int or not low <= value <= high:
        raise WireError(Drop.NUMBER_OUT_OF_RANGE)
    return value


def _list(value: object, length: int | None = None) -> list[Any]:
    if type(value) is not list or (length is not None and len(value) != length):
        raise WireError(Drop.WRONG_SHAPE)
    return value


def _bytes(value: object, length: int) -> bytes:
    if type(value) is not bytes or len(value) != length:
        raise WireError(Drop.BAD_KEY_OR_SIGNATURE)
    return value


def _address(value: object) -> Address:
    if type(value) is not bytes:
        raise WireError(Drop.BAD_ADDRESS)
    try:
        return Address.from_wire(value)
    except ValueError:
        raise WireError(Drop.BAD_ADDRESS) from None


def is_valid_name(name: object) -> bool:
    """Whether ``name`` may name a member: 1 to 128 bytes of UTF-8, printable, no space at either end."""
    if not isinstance(name, str):
        return False
    if not name or name[0] == " " or name[-1] == " " or not is_printable(name):
        return False
    return len(name if name.isascii() else name.encode()) <= MAX_NAME_BYTES


def _name(value: object) -> str:
    if not isinstance(value, str) or not is_valid_name(value):
        raise WireError(Drop.BAD_NAME)
    return value


def _metadata(items: tuple[tuple[Any, Any], ...]) -> Mapping[str, str]:
    for key, text in items:
        if type(key) is not str or type(text) is not str:
            raise WireError(Drop.BAD_METADATA)
    metadata = dict(items)
    if list(metadata) != sorted(metadata):
        raise WireError(Drop.NOT_CANONICAL)
    return metadata


def checked_record(
    member_id: object, name: object, generation: object, version: object, address: object, metadata: object,
    *signed: object,
) -> Record:  # fmt: skip
    """The record with these items, as they are on the wire; the same object whenever it is met again.

    :param signed: key and signature, or nothing.
    :raises WireError: if one of them is not valid.
    """
    if type(metadata) is not dict:
        raise WireError(Drop.BAD_METADATA)
    items = tuple(metadata.items())
    if not type(member_id) is type(generation) is type(version) is int:
        return _new_record(member_id, name, generation, version, address, items, *signed)
    try:
        if items and _characters(items) > MAX_SHARED_METADATA:
            return _new_record(member_id, name, generation, version, address, items, *signed)
        return _known_record(_NUMBERS.pack(member_id, generation, version), name, address, items, *signed)
    except (TypeError, struct.error):  # one has no length, cannot be hashed, or is out of range: it is not valid
        return _new_record(member_id, name, generation, version, address, items, *signed)


@cached
def record_of(member: Member) -> Record:
    """The record that a peer would have told of this member.

    :raises WireError: if no peer could.
    """
    try:
        address = member.address.to_wire()
    except ValueError:
        raise WireError(Drop.BAD_ADDRESS) from None
    metadata = dict(sorted(member.metadata.items()))
    signed = (member.key, member.signature) if member.signature else ()
    return checked_record(member.id, member.name, member.generation, member.version, address, metadata, *signed)


def _new_record(
    member_id: object, name: object, generation: object, version: object, address: object,
    metadata: tuple[tuple[Any, Any], ...], *signed: object,
) -> Record:  # fmt: skip
    checked_id = _number(member_id, MAX_ID, 1)
    identity = Identity(_name(name), _number(generation, MAX_VERSION), checked_id)
    key, signature = _signed(*signed) if signed else (b"", b"")
    where, content = _address(address), _metadata(metadata)
    return Record(identity, _number(version, MAX_VERSION, 1), where, content, key, signature)


def _signed(key: object, signature: object) -> tuple[bytes, bytes]:
    return _bytes(key, KEY_BYTES), _bytes(signature, SIGNATURE_BYTES)


@cached
def _known_record(
    numbers: bytes, name: object, address: object, metadata: tuple[tuple[Any, Any], ...], *signed: object
) -> Record:
    """A record is heard several times by each node, and by every node of a process: checking and building it once
    takes most of the time out of joining.

    :param numbers: id, generation and version, packed because hashes of bytes are secret and those of numbers are not:
        see :class:`Record`.
    """
    member_id, generation, version = _NUMBERS.unpack(numbers)
    return shared(_new_record(member_id, name, generation, version, address, metadata, *signed))


def _characters(metadata: Iterable[tuple[Any, Any]]) -> int:
    return sum(map(len, chain.from_iterable(metadata)))


def _accusers(value: object) -> tuple[int, ...]:
    accusers = _list(value)
    if len(accusers) > MAX_ACCUSERS:
        raise WireError(Drop.TOO_MANY_ACCUSERS)
    return tuple(_number(accuser, MAX_ID, 1) for accuser in accusers)


def _fact(value: object) -> Fact:
    items = _list(value)
    code = items[0] if items else None
    if type(code) is not int:
        raise WireError(Drop.UNKNOWN_FACT)
    if code == ALIVE:
        _list(items, 3)
        return AliveFact(_number(items[1], MAX_ID, 1), _number(items[2], MAX_COUNTER))
    if code == RECORD:
        if len(items) not in (RECORD_ITEMS, SIGNED_RECORD_ITEMS):
            raise WireError(Drop.WRONG_SHAPE)
        return RecordFact(checked_record(*items[1:7], *items[7:-1]), _number(items[-1], MAX_COUNTER))
    if code in (SUSPECT, DEAD):
        _list(items, 5)
        kind = SuspectFact if code == SUSPECT else DeadFact
        return kind(
            _number(items[1], MAX_ID, 1),
            _number(items[2], MAX_COUNTER, 1),
            _accusers(items[3]),
            _number(items[4], MAX_COUNTER),
        )
    if code == LEFT:
        if len(items) not in (LEFT_ITEMS, LEFT_ITEMS + 1):
            raise WireError(Drop.WRONG_SHAPE)
        signature = _bytes(items[3], SIGNATURE_BYTES) if len(items) > LEFT_ITEMS else b""
        return LeftFact(_number(items[1], MAX_ID, 1), _number(items[2], MAX_COUNTER, 1), signature)
    raise WireError(Drop.UNKNOWN_FACT)


_NO_NEWS: tuple[tuple[Fact, ...], tuple[Drop, ...]] = ((), ())


def _facts(values: list[object]) -> tuple[tuple[Fact, ...], tuple[Drop, ...]]:
    """The facts that are valid, and why the others are not."""
    try:
        return tuple([_fact(each) for each in values]), ()
    except WireError:
        return _valid_facts(values)


def _valid_facts(values: list[object]) -> tuple[tuple[Fact, ...], tuple[Drop, ...]]:
    facts: list[Fact] = []
    refused: list[Drop] = []
    for each in values:
        try:
            facts.append(_fact(each))
        except WireError as error:
            if len(refused) >= MAX_BAD_FACTS:
                raise WireError(Drop.TOO_MANY_BAD_FACTS) from None
            refused.append(error.reason)
    return tuple(facts), tuple(refused)


def _padding(value: object) -> bytes:
    if type(value) is not bytes:
        raise WireError(Drop.WRONG_SHAPE)
    if value.strip(b"\0") or not value:
        raise WireError(Drop.NOT_CANONICAL)
    return value


def _range(low: object, high: object) -> tuple[int, int]:
    first = _number(low, MAX_ID)
    return first, _number(high, MAX_ID, first)


def _digest(low: object, high: object, hashes: object, cookie: object, *repeats: object) -> Digest:
    if type(hashes) is not bytes or len(hashes) != DIGEST_RANGES * HASH_BYTES:
        raise WireError(Drop.WRONG_SHAPE)
    parts = (hashes[at : at + HASH_BYTES] for at in range(0, len(hashes), HASH_BYTES))
    numbers = tuple(int.from_bytes(part, "big") for part in parts)
    return Digest(*_range(low, high), numbers, _token(cookie), *map(_token, repeats))


def _entries(low: object, high: object, *repeats: object) -> Entries:
    return Entries(*_range(low, high), *map(_token, repeats))


def _token(value: object) -> int:
    if type(value) is not int or not 0 <= value <= MAX_TOKEN:
        raise WireError(Drop.NUMBER_OUT_OF_RANGE)
    return value


KINDS: dict[type[Body], int] = {
    Ping: 1, Ack: 2, PingRequest: 3, Nack: 4, IndirectAck: 5, News: 6, Digest: 7, Entries: 8, Clock: 9
}  # fmt: skip
"""The number that stands for each kind of message."""


_ABSENT = object()
"""Stands for an item at the end of a body that is not there."""


def _ping(token: object, padding: object = _ABSENT) -> Ping:
    return Ping(_token(token)) if padding is _ABSENT else Ping(_token(token), _padding(padding))


def _ack(token: object, observed: object = _ABSENT, cookie: object = _ABSENT) -> Ack:
    if observed is _ABSENT:
        return Ack(_token(token))
    if cookie is _ABSENT:
        return Ack(_token(token), _address(observed))
    return Ack(_token(token), None if observed is None else _address(observed), _token(cookie))


def _ping_request(token: object, target: object, *padding: object) -> PingRequest:
    return PingRequest(_token(token), _number(target, MAX_ID, 1), *map(_padding, padding))


_BODIES: dict[int, tuple[range, Callable[..., Body]]] = {
    KINDS[Ping]: (range(1, 3), _ping),
    KINDS[Ack]: (range(1, 4), _ack),
    KINDS[PingRequest]: (range(2, 4), _ping_request),
    KINDS[Nack]: (range(2, 3), lambda token, target: Nack(_number(token, MAX_TOKEN), _number(target, MAX_ID, 1))),
    KINDS[IndirectAck]: (
        range(3, 4),
        lambda token, target, heartbeat: IndirectAck(
            _number(token, MAX_TOKEN), _number(target, MAX_ID, 1), _number(heartbeat, MAX_COUNTER)
        ),
    ),
    KINDS[News]: (range(1), News),
    KINDS[Digest]: (range(4, 6), _digest),
    KINDS[Entries]: (range(2, 4), _entries),
    KINDS[Clock]: (range(1, 2), lambda wall_ms: Clock(_number(wall_ms, MAX_VERSION))),
}
"""By kind: how many items the body may have, and what checks and builds it."""


def _body_items(body: Body) -> tuple[Any, ...]:
    if isinstance(body, Ping):
        return body if body.padding else (body.token,)
    if isinstance(body, PingRequest):
        return body if body.padding else body[:-1]
    if isinstance(body, Ack):
        if body.cookie is None and body.observed is None:
            return body[:1]
        where = None if body.observed is None else body.observed.to_wire()
        return (body.token, where) if body.cookie is None else (body.token, where, body.cookie)
    if isinstance(body, Digest):
        hashes = b"".join(each.to_bytes(HASH_BYTES, "big") for each in body.hashes)
        items = (body.low, body.high, hashes, body.cookie)
        return items if body.repeats is None else (*items, body.repeats)
    if isinstance(body, Entries):
        return body[:-1] if body.repeats is None else body
    return body


_BYTES_HEAD = 0x40
_SHORT_PADDING = (b"", b"", *(bytes((_BYTES_HEAD + length,)) + bytes(length) for length in range(1, 24)))
"""Zeros that take so many bytes with their head, up to 24."""


_NO_PADDING = (1, 25, 258)
"""Sizes that no zeros have with their head: one more zero would need a longer one, and padding is not empty."""


def _padding_of(size: int) -> bytes:
    """Zeros that take ``size`` bytes with their head; there are none for :data:`_NO_PADDING`."""
    if size < len(_SHORT_PADDING):
        return _SHORT_PADDING[size]
    if size <= 257:
        return bytes((_BYTES_HEAD + 24, size - 2)) + bytes(size - 2)
    return bytes((_BYTES_HEAD + 25,)) + (size - 3).to_bytes(2, "big") + bytes(size - 3)


# --- the codec ---------------------------------------------------------------------------------------


def _refuse_tag(_decoder: object, _immutable: bool) -> object:
    raise WireError(Drop.TAG)


class _NoTags(dict[int, Callable[..., object]]):
    """A table of semantic decoders in which every tag, known to cbor2 or not, is refused."""

    def __missing__(self, tag: int) -> Callable[..., object]:
        return _refuse_tag


_NO_TAGS = _NoTags()
_HEADER_ITEMS = 6
_ARRAY_HEAD = 0x80
_FACTS_HEAD_BYTES = 3


def _array_head(length: int) -> bytes:
    """The shortest CBOR head of an array (major type 4)."""
    if length < 24:
        return bytes((_ARRAY_HEAD + length,))
    if length < 256:
        return bytes((_ARRAY_HEAD + 24, length))
    return bytes((_ARRAY_HEAD + 25,)) + length.to_bytes(2, "big")


_NO_FACTS = _array_head(0)


class Codec:
    """Encodes and decodes the messages of one cluster. Holds no state but the cluster's tag."""

    def __init__(self, cluster: str) -> None:
        self._tag = blake2b(cluster.encode(), digest_size=CLUSTER_TAG_BYTES).digest()

    def encode(
        self,
        sender: int,
        heartbeat: int,
        fingerprint: int,
        body: Body,
        facts: Sequence[bytes],
        limit: int,
        least: int = 0,
    ) -> tuple[bytes, int]:
        """A message with as many of the encoded ``facts``, in their order, as keep it within ``limit`` bytes.

        :param least: bytes to which a question (a ping or a request) is padded, if it is not so large already, or one
            more or less where there is no such padding; 0 if it is not to be.
        :returns: the message, and how many of the facts are in it. It is larger than ``limit`` only where it would
            be so without any.
        """
        content = body if least else _body_items(body)  # of a question the padding, still empty, is the last item
        items = [PROTOCOL_VERSION, self._tag, KINDS[type(body)], sender, heartbeat, fingerprint, *content, 0]
        fixed = cbor2.dumps(items)[: -2 if least else -1]  # the last one stands for the facts: a byte, like no padding
        fitting, told = 0, _NO_FACTS
        if facts:
            room = limit - len(fixed) - _FACTS_HEAD_BYTES - CHECKSUM_BYTES
            for fact in facts:
                room -= len(fact)
                if room < 0:
                    break
                fitting += 1
            told = b"".join((_array_head(fitting), *facts[:fitting]))
        if least:
            missing = least - len(fixed) - len(told) - CHECKSUM_BYTES
            if missing in _NO_PADDING:
                missing += 1 if least < limit else -1
            fixed = fixed + _padding_of(missing) if missing > 0 else bytes((fixed[0] - 1,)) + fixed[1:]
        return _with_checksum(fixed + told), fitting

    def decode(self, data: bytes) -> Message:
        """Check and build the message in ``data``, with those of its facts that are valid.

        :raises WireError: whose text is one of a few short reasons, fit to count by.
        """
        items = _list(_loads(_checked(data)))
        if len(items) <= _HEADER_ITEMS or items[0] != PROTOCOL_VERSION or type(items[0]) is not int:
            raise WireError(Drop.UNKNOWN_VERSION)
        _, tag, kind, sender, heartbeat, fingerprint, *body, facts = items
        if tag != self._tag:
            raise WireError(Drop.OTHER_CLUSTER)
        if type(kind) is not int or kind not in _BODIES:
            raise WireError(Drop.UNKNOWN_KIND)
        lengths, build = _BODIES[kind]
        if len(body) not in lengths or type(facts) is not list:
            raise WireError(Drop.WRONG_SHAPE)
        if not (type(sender) is type(heartbeat) is type(fingerprint) is int) or not (
            0 <= sender <= MAX_ID and 0 <= heartbeat <= MAX_COUNTER and 0 <= fingerprint <= MAX_ID
        ):
            raise WireError(Drop.NUMBER_OUT_OF_RANGE)
        told, refused = _facts(facts) if facts else _NO_NEWS
        return tuple.__new__(Message, (sender, heartbeat, fingerprint, build(*body), told, refused))


def _with_checksum(content: bytes) -> bytes:
    return content + crc32(content).to_bytes(CHECKSUM_BYTES, "big")


def _checked(data: bytes) -> bytes:
    """What is in front of the checksum, if that is right."""
    if len(data) > MAX_FRAME_BYTES:
        raise WireError(Drop.TOO_LARGE)
    content = data[:-CHECKSUM_BYTES]
    if crc32(content).to_bytes(CHECKSUM_BYTES, "big") != data[-CHECKSUM_BYTES:]:
        raise WireError(Drop.DAMAGED)
    return content


def _loads(data: bytes) -> object:
    try:
        value = cbor2.loads(
            data,
            semantic_decoders=_NO_TAGS,
            max_depth=MAX_DEPTH,
            allow_indefinite=False,
            allow_duplicate_keys=False,
            strict_hashable_types=True,
        )
        if cbor2.dumps(value) != data:  # also finds trailing bytes
            raise WireError(Drop.NOT_CANONICAL)
    except WireError:
        raise
    except Exception as error:  # noqa: BLE001 - whatever a decoder of foreign bytes may raise means one thing
        raise WireError(Drop.TAG if isinstance(error.__cause__, WireError) else "not CBOR") from None
    return value
