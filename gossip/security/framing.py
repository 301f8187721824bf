"""Frames, which separate the messages on a TCP stream: a 4-byte big-endian length, then the message.

This module decides which frames are well-formed. The core decides what a message means, and :mod:`gossip.net.link`
decides how long to wait for it.
"""

from __future__ import annotations

from collections.abc import Iterator

from gossip.core.errors import WireError
from gossip.core.support.drop_reasons import Drop
from gossip.core.wire import MAX_FRAME_BYTES

FRAME_HEADER_BYTES = 4


def pack_frame(message: bytes) -> bytes:
    """Put the length in front of a message of 1 to ``MAX_FRAME_BYTES`` bytes."""
    return len(message).to_bytes(FRAME_HEADER_BYTES, "big") + message


class FrameReader:
    """Puts frames together from the pieces in which they arrive. It keeps at most one frame and one piece."""

    def __init__(self, least: int = 1, most: int = MAX_FRAME_BYTES) -> None:
        """:param least: the fewest bytes of a frame.
        :param most: the most bytes of a frame.
        """
        self._least = least
        self._most = most
        self._buffer = bytearray()

    @property
    def in_frame(self) -> bool:
        """Whether the stream would be cut in the middle of a frame if it ended now."""
        return bool(self._buffer)

    def feed(self, piece: bytes) -> Iterator[bytes]:
        """Take in ``piece`` and yield the messages that it completes.

        :raises WireError: at a length that no frame may have; the stream is useless after that.
        """
        buffer = self._buffer
        buffer += piece
        while len(buffer) >= FRAME_HEADER_BYTES:
            length = int.from_bytes(buffer[:FRAME_HEADER_BYTES], "big")
            if not self._least <= length <= self._most:
                raise WireError(Drop.FRAME_OF_IMPOSSIBLE_LENGTH)
            end = FRAME_HEADER_BYTES + length
            if len(buffer) < end:
                return
            message = bytes(buffer[FRAME_HEADER_BYTES:end])
            del buffer[:end]
            yield message
