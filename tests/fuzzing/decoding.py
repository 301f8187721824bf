"""Target ``decode``: one message, as it arrives in a datagram or a frame.

What is refused is refused for one of a few reasons; what is taken is what this very code would have sent, and no
flipped bit in it goes unnoticed.
"""

from __future__ import annotations

from random import Random

from gossip.core.errors import WireError
from gossip.core.wire import CHECKSUM_BYTES, Codec, encode_fact
from gossip.core.wire.messages import Message
from tests.fuzzing import honest
from tests.fuzzing.mutations import MutateBytes, changed_message

REASONS = frozenset(
    {
        "bad address",
        "bad key or signature",
        "bad metadata",
        "bad name",
        "damaged",
        "not CBOR",
        "not canonical",
        "number out of range",
        "other cluster",
        "tag",
        "too large",
        "too many accusers",
        "too many bad facts",
        "unknown fact",
        "unknown kind",
        "unknown version",
        "wrong shape",
    }
)
"""All reasons for which a message is refused. They are what is counted, so a peer must not be able to add to them."""

CODEC = Codec("default")
MAX_BYTES = 2048


def fuzz_one(data: bytes) -> None:
    """Decode one message."""
    try:
        message = CODEC.decode(data)
    except WireError as refusal:
        assert str(refusal) in REASONS, f"a reason to count by that depends on what was sent: {refusal}"
        return
    assert set(message.refused) <= REASONS
    assert message.refused or encoded_again(message) == data, f"taken, but never sent like this: {message}"
    at = int.from_bytes(data[-CHECKSUM_BYTES:], "big") % (8 * len(data))
    damaged = bytearray(data)
    damaged[at // 8] ^= 1 << at % 8
    assert reason_of_refusal(bytes(damaged)) == "damaged", f"bit {at} flipped unnoticed"


def encoded_again(message: Message) -> bytes:
    """A decoded message, encoded from its parts."""
    facts = [encode_fact(fact) for fact in message.facts]
    return CODEC.encode(message.sender, message.heartbeat, message.fingerprint, message.body, facts, 10**6)[0]


def reason_of_refusal(data: bytes) -> str | None:
    """Why a message or the first bad fact in it is refused; None if nothing is."""
    try:
        message = CODEC.decode(data)
    except WireError as refusal:
        return str(refusal)
    return message.refused[0] if message.refused else None


def mutate(data: bytes, most: int, random: Random, mutate_bytes: MutateBytes) -> bytes:
    """Another message, most often with a checksum that is right."""
    return changed_message(data, most, random, mutate_bytes)


def seeds() -> list[bytes]:
    """What honest members say."""
    return list(honest.messages())
