"""One stream while it lasts: the messages that wait to be written, and the time and bytes that are left.

This module decides when to cut one stream. :mod:`gossip.net.streams` decides how many streams there may be.
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
"""While more bytes than this wait to be written to a stream, the node reads nothing from it. So a peer that does not
read the answers cannot make the node keep more of them."""

BROKEN = (trio.BrokenResourceError, trio.ClosedResourceError, trio.BusyResourceError, OSError, ValueError)
"""The errors from a stream's socket if the stream has failed, or if other code has closed its descriptor: OSError and
ValueError if it is no longer a socket, Busy if it now belongs to another socket on which a task waits."""


class Link:
    """One stream: the messages that wait to be written, and the time and bytes that are left."""

    def __init__(self, peer: Address, config: Config, *, incoming: bool = False) -> None:
        self.peer = peer
        """The address at the other end."""
        self.is_incoming = incoming
        self.began_at = trio.current_time()
        """Local time in seconds."""
        self.has_spoken = False
        """Whether a whole message has come. In a cluster with keys, only a holder of a key can send one."""
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
        """Whether nothing more will be enqueued. What arrives from then on does not matter."""
        self.has_said_all = False
        """Whether everything has been written after that, including the end. From then on, a peer that closes late has
        not failed."""
        self.has_failed = False
        self.reason: Drop | None = None
        """Why this node cut the stream; None if it did not, or if the peer did not cause it."""

    def enqueue(self, message: bytes) -> None:
        """Write ``message`` after those that wait already. Too many bytes cut the stream."""
        if self.is_finished:
            return
        self._bytes_out += FRAME_HEADER_BYTES + len(message)
        self.bytes_queued += len(message)
        if self._bytes_out > self._max_bytes:
            self.fail(Drop.STREAM_TOO_LONG)
        else:
            self._outgoing.send_nowait(message)

    def finish(self) -> None:
        """Enqueue nothing more; once everything is written, tell the other side."""
        self.is_finished = True
        self._outgoing.close()

    def fail(self, reason: Drop | None = None) -> None:
        """Cut the stream; ``reason`` says why if the peer caused it."""
        self.has_failed = True
        self.reason = self.reason or reason
        self.scope.cancel()

    def close(self) -> None:
        """Drop the messages that wait."""
        self._outgoing.close()
        self._frames.close()

    def progress(self) -> None:
        """Take note that something was read or written: the stream may be idle for its full time again."""
        self.scope.deadline = min(self._ends_at, trio.current_time() + self._idle_timeout)

    def spoke(self) -> None:
        """Take note that a whole message came."""
        if not self.has_spoken:
            self.has_spoken = True
            self.progress()

    def received(self, count: int) -> None:
        """Count bytes that arrived; too many cut the stream. An incoming stream gets no more time before its first
        whole message, so a greeting that trickles in gains nothing."""
        if self.has_spoken or not self.is_incoming:
            self.progress()
        self._bytes_in += count
        if self._bytes_in > self._max_bytes:
            self.fail(Drop.STREAM_TOO_LONG)

    async def wait_for_room(self) -> None:
        """Return once few enough bytes wait to be written."""
        while self.bytes_queued > MAX_QUEUED_BYTES:
            self._room = trio.Event()
            await self._room.wait()

    async def write(self, conversation: Conversation) -> None:
        """Write what is enqueued until :meth:`finish`, and then tell the other side that this was all.

        The stream stays open until the other side closes it, too, or until it has been idle for too long. Closing it
        with unread bytes would make the system reset the connection, and the other side might lose the last messages.
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
