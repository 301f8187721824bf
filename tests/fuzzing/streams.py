"""Bombs for streams: what somebody may write to a node that has accepted a connection, before and after greetings.

The node reads in pieces; each bomb says how large these are. What must become of each is in the table beside it.
"""

from __future__ import annotations

from collections.abc import Callable
from random import Random

import attrs

from gossip.core.errors import WireError
from gossip.core.wire import MAX_FRAME_BYTES
from gossip.net.conversation import READ_BYTES
from gossip.security.channel import GREETING_BYTES, RANDOM_BYTES, Channel
from gossip.security.framing import FRAME_HEADER_BYTES, pack_frame
from gossip.security.keyring import AES_256_GCM, PLAIN, Key, Keyring
from gossip.security.sealing import TAG_BYTES, VERSION

DOES_NOT_OPEN = "of another cluster with this key, or forged"

KEY, OTHER_KEY = Key(AES_256_GCM, bytes(range(32))), Key(AES_256_GCM, bytes(range(1, 33)))
SEALED, UNSEALED = Keyring.of(KEY), Keyring.of(PLAIN)
CLUSTER = "default"
_IMPOSSIBLE = "frame of impossible length"


def _length(count: int) -> bytes:
    return count.to_bytes(FRAME_HEADER_BYTES, "big")


def _greeting(key: Key) -> bytes:
    return bytes((VERSION,)) + key.number + bytes(RANDOM_BYTES)


def _holder(write: Callable[[Channel], bytes]) -> bytes:
    """What a holder of the key writes, its greeting in front of it."""
    end = Channel(SEALED, CLUSTER, connects=True, random_bytes=Random(2).randbytes)
    greeting = end.greeting()
    end.greeted(accepting(SEALED).greeted(greeting))
    return greeting + write(end)


def accepting(ring: Keyring) -> Channel:
    """The end that a bomb is for."""
    return Channel(ring, CLUSTER, connects=False, random_bytes=Random(1).randbytes)


@attrs.frozen
class StreamBomb:
    """A hostile stream."""

    make: Callable[[], bytes]
    ring: Keyring = UNSEALED
    """The keys of the node that reads it."""
    refusal: str = ""
    """Why it is refused; empty if it is read to its end."""
    messages: int = 0
    """Messages that come out of it."""
    is_cut: bool = False
    """Whether it counts as cut, though it is not refused."""
    piece_bytes: int = READ_BYTES


STREAM_BOMBS: dict[str, StreamBomb] = {
    "a frame of no bytes": StreamBomb(lambda: _length(0), refusal=_IMPOSSIBLE),
    "a frame of a byte too many": StreamBomb(lambda: _length(MAX_FRAME_BYTES + 1), refusal=_IMPOSSIBLE),
    "a frame of 4 GiB": StreamBomb(lambda: b"\xff" * FRAME_HEADER_BYTES + bytes(READ_BYTES), refusal=_IMPOSSIBLE),
    "a length and no frame": StreamBomb(lambda: _length(MAX_FRAME_BYTES), is_cut=True),
    "half a length": StreamBomb(lambda: bytes(2), is_cut=True),
    "the largest frame, byte by byte": StreamBomb(
        lambda: pack_frame(bytes(MAX_FRAME_BYTES)), messages=1, piece_bytes=1
    ),
    "the largest frames, one after the other": StreamBomb(
        lambda: pack_frame(bytes(MAX_FRAME_BYTES)) * 4, messages=4
    ),
    "frames of one byte": StreamBomb(lambda: pack_frame(b"\x80") * 13_107, messages=13_107),
    "a web browser": StreamBomb(lambda: b"GET / HTTP/1.1\r\nHost: a\r\n\r\n", refusal=_IMPOSSIBLE),
    "the same for a node with keys": StreamBomb(lambda: b"GET / HTTP/1.1\r\n\r\n", SEALED, "not sealed"),
    "a hello of TLS": StreamBomb(lambda: b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", SEALED, "not sealed"),
    "a frame that is not sealed": StreamBomb(lambda: pack_frame(b"\x80"), SEALED, "not sealed"),
    "half a greeting": StreamBomb(lambda: _greeting(KEY)[: GREETING_BYTES // 2], SEALED, is_cut=True),
    "a greeting, byte by byte, and no more": StreamBomb(lambda: _greeting(KEY), SEALED, is_cut=True, piece_bytes=1),
    "a greeting with a key that is not held": StreamBomb(
        lambda: _greeting(OTHER_KEY), SEALED, "sealed with an unknown key"
    ),
    "a greeting for a node without keys": StreamBomb(
        lambda: _greeting(KEY), UNSEALED, "sealed with an unknown key"
    ),
    "a greeting, and a frame shorter than its tag": StreamBomb(
        lambda: _greeting(KEY) + _length(TAG_BYTES - 1) + bytes(TAG_BYTES), SEALED, _IMPOSSIBLE
    ),
    "a greeting, and a frame of 4 GiB": StreamBomb(
        lambda: _greeting(KEY) + b"\xff" * FRAME_HEADER_BYTES + bytes(READ_BYTES), SEALED, _IMPOSSIBLE
    ),
    "a greeting, and the largest frame, forged": StreamBomb(
        lambda: _greeting(KEY) + _length(MAX_FRAME_BYTES + TAG_BYTES) + bytes(MAX_FRAME_BYTES + TAG_BYTES), SEALED,
        DOES_NOT_OPEN,
    ),
    "a holder's frames of one byte": StreamBomb(
        lambda: _holder(lambda end: b"".join(end.pack(b"\x80") for _ in range(3000)) + end.ending()), SEALED,
        messages=3000,
    ),
    "a holder's frames of one byte without an end": StreamBomb(
        lambda: _holder(lambda end: b"".join(end.pack(b"\x80") for _ in range(3000))), SEALED, messages=3000,
        is_cut=True,
    ),
    "a holder's ends, many of them": StreamBomb(
        lambda: _holder(lambda end: b"".join(end.ending() for _ in range(3000))), SEALED, "frames after the last one"
    ),
    "a holder's largest frames": StreamBomb(
        lambda: _holder(lambda end: b"".join(end.pack(bytes(MAX_FRAME_BYTES)) for _ in range(4)) + end.ending()),
        SEALED, messages=4,
    ),
    "a holder's frame twice": StreamBomb(lambda: _holder(lambda end: end.pack(b"\x80") * 2), SEALED, DOES_NOT_OPEN, 1),
}  # fmt: skip
"""By name."""


def read(bomb: StreamBomb, stream: bytes) -> tuple[str, int, bool]:
    """What a node makes of it: why it is refused, how many messages come out, and whether it counts as cut."""
    end, count = accepting(bomb.ring), 0
    try:
        for at in range(0, len(stream), bomb.piece_bytes):
            piece = stream[at : at + bomb.piece_bytes]
            if not end.is_open:
                end.greeted(piece)
                piece = b""
            if end.is_open:
                for _ in end.feed(piece):
                    count += 1
    except WireError as refusal:
        return str(refusal), count, False
    return "", count, end.was_cut
