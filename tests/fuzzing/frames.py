"""Target ``frames``: the bytes of one stream, in pieces, and an answer to a question read from them.

An input is one byte that says how many of the bytes after it are sizes of pieces, those sizes, and the stream.
However it is cut, the same messages come out of it and it fails at the same place; nothing is lost or made up, and no
more is kept than one frame and one piece. Whoever asked a node for its view (:mod:`gossip.core.query`) takes what it
is answered or refuses it, and keeps no more members than it wants.
"""

from __future__ import annotations

from random import Random

from gossip.core.config import Config
from gossip.core.errors import WireError
from gossip.core.query import ViewQuery
from gossip.core.wire import MAX_FRAME_BYTES
from gossip.security.framing import FRAME_HEADER_BYTES, FrameReader, pack_frame
from sims.world import derived_random
from tests.fuzzing import decoding, honest
from tests.fuzzing.mutations import MutateBytes, changed_message

MAX_BYTES = 4096
MAX_SIZES = 8
"""Sizes of pieces in one input; they are used in turn."""

CONFIG = Config(max_members=3)


def fuzz_one(data: bytes) -> None:
    """Read one stream, at once and in pieces."""
    sizes, stream = parted(data)
    whole = read(stream, [len(stream) or 1])
    cut = read(stream, sizes)
    assert whole == cut, f"{whole} in one piece, {cut} in pieces of {sizes}"
    messages, rest, refusal = cut
    assert b"".join([*map(pack_frame, messages), rest]) == stream, "bytes were lost or made up"
    assert all(1 <= len(message) <= MAX_FRAME_BYTES for message in messages)
    is_impossible = len(rest) >= FRAME_HEADER_BYTES and not 1 <= header(rest) <= MAX_FRAME_BYTES
    assert refusal == ("frame of impossible length" if is_impossible else "")
    ask(messages)


def parted(data: bytes) -> tuple[list[int], bytes]:
    """The sizes of pieces and the stream in an input."""
    count = data[0] % (MAX_SIZES + 1) if data else 0
    sizes = [1 + size for size in data[1 : 1 + count]]
    return sizes or [64], data[1 + count :]


def header(rest: bytes) -> int:
    """The length that a frame claims to have."""
    return int.from_bytes(rest[:FRAME_HEADER_BYTES], "big")


def read(stream: bytes, sizes: list[int]) -> tuple[list[bytes], bytes, str]:
    """The messages in a stream that arrives in pieces of these sizes, what is left of it, and why it was refused."""
    reader, messages, at, turn = FrameReader(), [], 0, 0
    try:
        while at < len(stream):
            size = sizes[turn % len(sizes)]
            turn += 1
            piece = stream[at : at + size]
            at += size
            for message in reader.feed(piece):
                messages.append(message)
            kept = bytes(reader._buffer)
            assert len(kept) < FRAME_HEADER_BYTES or len(kept) < FRAME_HEADER_BYTES + header(kept), (
                "a whole frame is kept"
            )
            assert reader.in_frame == bool(reader._buffer)
    except WireError as refusal:
        return messages, bytes(reader._buffer) + stream[at:], str(refusal)
    return messages, bytes(reader._buffer), ""


def ask(messages: list[bytes]) -> None:
    """Take the messages for the answer to a question."""
    query = ViewQuery(CONFIG, derived_random(0, "query"))
    for message in messages:
        try:
            query.receive_frame(message)
        except WireError as refusal:
            assert str(refusal) in decoding.REASONS
            return
    members = query.members
    assert len(members) <= CONFIG.max_members
    assert [member.name for member in members] == sorted(member.name for member in members)


def mutate(data: bytes, most: int, random: Random, mutate_bytes: MutateBytes) -> bytes:
    """Another stream; most often only one message in it is another one, or stands elsewhere."""
    if not random.randrange(3):
        return mutate_bytes(data, most)
    _, stream = parted(data)
    messages, rest, _ = read(stream, [len(stream) or 1])
    pieces = data[: len(data) - len(stream)] or b"\0"
    if not messages:
        return mutate_bytes(data, most)
    at = random.randrange(len(messages))
    match random.randrange(4):
        case 0:
            del messages[at]
        case 1:
            messages.insert(random.randrange(len(messages)), messages[at])
        case _:
            messages[at] = changed_message(messages[at], most, random, mutate_bytes)
    made = pieces + b"".join([*map(pack_frame, messages), rest])
    return made if len(made) <= most else mutate_bytes(data, most)


def seeds() -> list[bytes]:
    """Streams of what honest members say, whole and in pieces, and frames that are no frames."""
    said = honest.messages()
    streams = [pack_frame(message) for message in said]
    streams.append(b"".join(streams[:4]))
    streams += [each[:-3] for each in streams[:2]]
    streams += [
        length.to_bytes(FRAME_HEADER_BYTES, "big") + b"abc" for length in (0, 1, MAX_FRAME_BYTES + 1, 2**32 - 1)
    ]
    return [sizes + stream for stream in streams for sizes in (b"\0", b"\x02\x02\x40")]
