"""The wire: messages and facts, and their bytes.

This room decides what is well-formed, not what to believe. ``messages`` are the values. ``codec`` turns them into bytes
and back, with the help of ``values`` (single items), ``records``, ``facts`` and ``bodies``. Other rooms import the
codec, its limits and sizes, and the encoding of facts from this package, and the values from ``messages``.
"""

from gossip.core.wire.bodies import KINDS
from gossip.core.wire.codec import (
    ACK_BYTES,
    CHECKSUM_BYTES,
    CLUSTER_TAG_BYTES,
    COOKIE_BYTES,
    INDIRECT_ACK_BYTES,
    LONG_COUNTER_BYTES,
    MAX_FRAME_BYTES,
    OBSERVED_BYTES,
    PROTOCOL_VERSION,
    Codec,
    counter_excess,
)
from gossip.core.wire.facts import encode_fact, encode_record, is_at_loopback
from gossip.core.wire.records import Records

__all__ = [
    "ACK_BYTES",
    "CHECKSUM_BYTES",
    "CLUSTER_TAG_BYTES",
    "COOKIE_BYTES",
    "INDIRECT_ACK_BYTES",
    "KINDS",
    "LONG_COUNTER_BYTES",
    "MAX_FRAME_BYTES",
    "OBSERVED_BYTES",
    "PROTOCOL_VERSION",
    "Codec",
    "Records",
    "counter_excess",
    "encode_fact",
    "encode_record",
    "is_at_loopback",
]
