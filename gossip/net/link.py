"""One stream while it lasts: what waits to be written to it, and the time and bytes it has left.

This module decides when one stream is cut. How many streams there may be is decided in :mod:`gossip.net.streams`.
"""

from __future__ import annotations

import math

import trio

from gossip.core.config import Config
from gossip.core.support.address import Address
from gossip.core.support.drop_reasons import Drop
from gossip.net.conversation import Conversation
from gossip.security import FRAME_HEADER_BYTES

MAX_QUEUED_BYTES = 1 << 20
"""While more than this waits to be written to a stream, nothing is read from it. A peer that does not read the answers
cannot make us keep more of them."""

BROKEN = (trio.BrokenResourceError, trio.ClosedResourceError, trio.BusyResourceError, OSError, ValueError)
"""What the use of a stream's socket raises if the stream has failed, or if its descriptor was closed behind our back:
OSError and ValueError if it is no socket any more, Busy if it now belongs to another socket that somebody waits for."""


class Link:
    """One stream: what waits to be written, and the time and bytes it has left."""

    def __init__(self, peer: Address, config: Config, *, incoming: bool = False) -> None:
        self.peer = peer
        """The address at the other end."""
        self.is_incoming = incoming
        self.began_at = trio.current_time()
        """Local time in seconds."""
        self.has_spoken = False
        """Whether a whole message came. Where there are keys, only a holder of one can send it."""
        self._ends_at = self.began_at + config.stream_timeout
        self._idle_timeout = config.stream_idle_timeout
        self._max_bytes = config.max_stream_bytes
        self._bytes_in = 0
        self._bytes_out = 0
        self.bytes_queued = 0
        self._room = trio.Event()
        self._outgoing, self._frames = trio.open_memory_channel[bytes](math.inf)
        self.scope = trio.CancelScope()
        self.progress()
        self.is_finished = False
        """Whether nothing more will be enqueued, and what arrives no longer matters."""
        self.has_said_all = False
        """Whether all was written after that, and the end of it; then a peer that closes late has not failed."""
        self.has_failed = False
        self.reason: Drop | None = None
        """Why we cut it; None if we did not, or if it was not the peer's doing."""

    def enqueue(self, message: bytes) -> None:
        """Write ``message`` after what already waits; too many bytes cut the stream."""
        if self.is_finished:
            return
        self._bytes_out += FRAME_HEADER_BYTES + len(message)
        self.bytes_queued += len(message)
        if self._bytes_out > self._max_bytes:
            self.fail(Drop.STREAM_TOO_LONG)
        else:
            self._outgoing.send_nowait(message)

    def finish(self) -> None:
        """Enqueue nothing more; once all is written, say so to the other side."""
        self.is_finished = True
        self._outgoing.close()

    def fail(self, reason: Drop | None = None) -> None:
        """Cut the stream; with the reason, if it is the peer's doing."""
        self.has_failed = True
        self.reason = self.reason or reason
        self.scope.cancel()

    def close(self) -> None:
        """Release what waits."""
        self._outgoing.close()
        self._frames.close()

    def progress(self) -> None:
        """Something was read or written: wait again for as long as an idle stream may."""
        self.scope.deadline = min(self._ends_at, trio.current_time() + self._idle_timeout)

    def spoke(self) -> None:
        """A whole message came."""
        if not self.has_spoken:
            self.has_spoken = True
            self.progress()

    def received(self, count: int) -> None:
        """Account for bytes that arrived; too many cut the stream. A peer that connected to us gets no more time for
        them before they make a whole message, so a greeting that trickles in wins no time."""
        if self.has_spoken or not self.is_incoming:
            self.progress()
        self._bytes_in += count
        if self._bytes_in > self._max_bytes:
            self.fail(Drop.STREAM_TOO_LONG)

    async def wait_for_room(self) -> None:
        """Return once little enough waits to be written."""
        while self.bytes_queued > MAX_QUEUED_BYTES:
            self._room = trio.Event()
            await self._room.wait()

    async def write(self, conversation: Conversation) -> None:
        """Write what is enqueued until :meth:`finish`, and then say that this was all.

        The stream stays open until the other side closes it, too, or until it has been idle for too long. To close it
        with bytes unread would make the system reset the connection, and the other side might lose what we sent last.
        """
        try:
            async for message in self._frames:
                await conversation.send(message)
                self.bytes_queued -= len(message)
                self._room.set()
                self.progress()
            await conversation.end()
        except BROKEN:
            self.fail()
        else:
            self.has_said_all = True
            self.progress()
