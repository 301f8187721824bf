"""Messages and their bytes: one message is one positional CBOR array and a checksum, and every bit is checked.

Every message has the same shape::

    [version, cluster, kind, sender, heartbeat, fingerprint, <body of the kind ...>, [fact, fact, ...]]

A checksum over all of it follows. So an exchange of any kind carries the sender's counter, its view's fingerprint, and
news. A fact is one assertion about one member, itself a positional array that begins with a code. This module decides
what is well-formed; it does not decide what to believe.

Decoding is strict: known version and kind, exact types and lengths, bounded numbers, valid names, no tags, no floats,
no indefinite lengths, no trailing bytes, the one shortest encoding of each value (RFC 8949, section 4.2), and metadata
in the code-point order of its keys. The codec refuses everything else that cbor2 could decode before it is built. A
message that breaks these rules is refused as a whole. In a valid message, one fact that is not valid costs only that
fact.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from hashlib import blake2b
from zlib import crc32

import cbor2

from gossip.core.errors import WireError
from gossip.core.state.heartbeat import MAX_COUNTER
from gossip.core.support.drop_reasons import Drop
from gossip.core.wire.bodies import BODIES, KINDS, body_items
from gossip.core.wire.facts import NO_FACTS, decode_facts
from gossip.core.wire.messages import MAX_ID, Body, Message
from gossip.core.wire.records import Records
from gossip.core.wire.values import items_of

PROTOCOL_VERSION = 1

CLUSTER_TAG_BYTES = 4
"""Enough to tell clusters apart by accident (1 in 4 billion); only a key keeps enemies out."""

MAX_FRAME_BYTES = 65_536
"""Largest message on a stream; bounds what a peer can make this node buffer at once."""

MAX_DEPTH = 5
"""Nested containers in a valid message: of facts four (message, facts, fact, metadata or accusers), of an explanation
five (message, explanation, probes, probe, helpers)."""

ACK_BYTES = 41
"""Size, at most, of an ack without facts and without :data:`LONG_COUNTER_BYTES`."""

INDIRECT_ACK_BYTES = 55
"""Size, at most, of a helper's report, without :data:`LONG_COUNTER_BYTES` for its own counter and the target's."""

OBSERVED_BYTES = 19
"""Bytes that an observed address adds to an ack, at most."""

COOKIE_BYTES = 6
"""Bytes that a cookie adds to an ack, at most."""

LONG_COUNTER_BYTES = 4
"""Bytes by which a counter of 2^32 steps and more is longer. Nobody runs for 13 years, but forged floors can drive a
counter that far."""

CHECKSUM_BYTES = 4
"""CRC-32 finds any three flipped bits in a datagram; the 16-bit sum of UDP misses some pairs. An undetected flipped bit
could create a member that nobody ever started, and gossip would tell everybody about it."""


def counter_excess(counter: int) -> int:
    """Bytes beyond 5 that a counter may need by the time of an answer, if it had this value lately."""
    return LONG_COUNTER_BYTES if counter >= 2**31 else 0


_BYTES_HEAD = 0x40
_SHORT_PADDING = (b"", b"", *(bytes((_BYTES_HEAD + length,)) + bytes(length) for length in range(1, 24)))
"""Zeros that take this many bytes with their head, up to 24."""


_NO_PADDING = (1, 25, 258)
"""Sizes that no zeros with their head have: one more zero would need a longer head, and padding is never empty."""


def _padding_of(size: int) -> bytes:
    """Zeros that take ``size`` bytes with their head; there are none for :data:`_NO_PADDING`."""
    if size < len(_SHORT_PADDING):
        return _SHORT_PADDING[size]
    if size <= 257:
        return bytes((_BYTES_HEAD + 24, size - 2)) + bytes(size - 2)
    return bytes((_BYTES_HEAD + 25,)) + (size - 3).to_bytes(2, "big") + bytes(size - 3)


def _refuse_tag(_decoder: object, _immutable: bool) -> object:
    raise WireError(Drop.TAG)


class _NoTags(dict[int, Callable[..., object]]):
    """A table of semantic decoders that refuses every tag, whether cbor2 knows it or not."""

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
    """Encodes and decodes the messages of one cluster."""

    def __init__(self, cluster: str, records: Records | None = None) -> None:
        """A codec for one cluster.

        :param records: the records met before, perhaps shared with other nodes of the process.
        """
        self._records = Records() if records is None else records
        self._tag = blake2b(cluster.encode(), digest_size=CLUSTER_TAG_BYTES).digest()

    def encode(
        self,
        sender: int,
        heartbeat: int,
        fingerprint: int,
        body: Body,
        facts: Sequence[bytes],
        limit: int,
        min_bytes: int = 0,
    ) -> tuple[bytes, int]:
        """Encode a message with as many of the encoded ``facts``, in their order, as fit into ``limit`` bytes.

        :param min_bytes: bytes to which to pad a question (a ping or a request), plus or minus one where no such
            padding exists; 0 for no padding.
        :returns: the message, and how many of the facts it contains. It is larger than ``limit`` only if it would be so
            without any facts.
        """
        content = body if min_bytes else body_items(body)  # a question's last item is its padding, still empty
        items = [PROTOCOL_VERSION, self._tag, KINDS[type(body)], sender, heartbeat, fingerprint, *content, 0]
        # The last item, 0, stands for the facts, and the item before it for the padding: each takes one byte.
        fixed = cbor2.dumps(items)[: -2 if min_bytes else -1]
        fitting, told = 0, _NO_FACTS
        if facts:
            room = limit - len(fixed) - _FACTS_HEAD_BYTES - CHECKSUM_BYTES
            for fact in facts:
                room -= len(fact)
                if room < 0:
                    break
                fitting += 1
            told = b"".join((_array_head(fitting), *facts[:fitting]))
        if min_bytes:
            missing = min_bytes - len(fixed) - len(told) - CHECKSUM_BYTES
            if missing in _NO_PADDING:
                missing += 1 if min_bytes < limit else -1
            fixed = fixed + _padding_of(missing) if missing > 0 else bytes((fixed[0] - 1,)) + fixed[1:]
        return _with_checksum(fixed + told), fitting

    def decode(self, data: bytes) -> Message:
        """Check and build the message in ``data``, with those of its facts that are valid.

        :raises WireError: with one of a few short reasons that can be counted.
        """
        items = items_of(_loads(_checked(data)))
        if len(items) <= _HEADER_ITEMS or items[0] != PROTOCOL_VERSION or type(items[0]) is not int:
            raise WireError(Drop.UNKNOWN_VERSION)
        _, tag, kind, sender, heartbeat, fingerprint, *body, facts = items
        if tag != self._tag:
            raise WireError(Drop.OTHER_CLUSTER)
        if type(kind) is not int or kind not in BODIES:
            raise WireError(Drop.UNKNOWN_KIND)
        lengths, build = BODIES[kind]
        if len(body) not in lengths or type(facts) is not list:
            raise WireError(Drop.WRONG_SHAPE)
        if not (type(sender) is type(heartbeat) is type(fingerprint) is int) or not (
            0 <= sender <= MAX_ID and 0 <= heartbeat <= MAX_COUNTER and 0 <= fingerprint <= MAX_ID
        ):
            raise WireError(Drop.NUMBER_OUT_OF_RANGE)
        told, refused = decode_facts(facts, self._records) if facts else NO_FACTS
        return tuple.__new__(Message, (sender, heartbeat, fingerprint, build(*body), told, refused))


def _with_checksum(content: bytes) -> bytes:
    return content + crc32(content).to_bytes(CHECKSUM_BYTES, "big")


def _checked(data: bytes) -> bytes:
    """The bytes in front of the checksum, if the checksum is right."""
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
    except Exception as error:  # noqa: BLE001 - any error of the decoder means that the bytes are not valid
        raise WireError(Drop.TAG if isinstance(error.__cause__, WireError) else Drop.NOT_CBOR) from None
    return value
