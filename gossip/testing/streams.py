"""Streams in memory: as with TCP, bytes arrive late and in order, and what is lost or cut off is sent again."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable

import trio
from trio.abc import HalfCloseableStream

from gossip.testing.wire import Way

SENT_AGAIN_AFTER_S = 0.2
"""Seconds after which lost bytes are sent again: the least that Linux waits."""

_END = b""
"""Stands for the end of what is sent."""


def stream_pair(way: Way) -> tuple[MemoryStream, MemoryStream]:
    """The two ends of a new stream: that at the sender of ``way``, and that at the receiver."""
    near, far = MemoryStream(way), MemoryStream(way.back())
    near.peer, far.peer = far, near
    return near, far


class MemoryStream(HalfCloseableStream):
    """One end of a stream in the memory of a test."""

    def __init__(self, way: Way) -> None:
        """:param way: to the other end."""
        self.peer = self
        self._way = way
        self._on_the_way: deque[bytes] = deque()
        self._arrived = bytearray()
        self._has_said_all = False
        self._has_heard_all = False
        self._is_closed = False
        self._is_broken = False
        self._wake: trio.Event | None = None

    async def send_all(self, data: bytes | bytearray | memoryview) -> None:
        """Send bytes; as many as there are find room."""
        if self._is_closed or self._has_said_all:
            raise trio.ClosedResourceError("this end of the stream is closed")
        await trio.lowlevel.checkpoint()
        if self._is_broken:
            raise trio.BrokenResourceError("the other end of the stream is gone")
        if data:
            self._put(bytes(data))

    async def wait_send_all_might_not_block(self) -> None:
        """There is always room."""
        await trio.lowlevel.checkpoint()

    async def send_eof(self) -> None:
        """Say that nothing follows."""
        if self._is_closed:
            raise trio.ClosedResourceError("this end of the stream is closed")
        await trio.lowlevel.checkpoint()
        self._end()

    async def receive_some(self, max_bytes: int | None = None) -> bytes:
        """Wait for bytes; empty once the other end has said all."""
        if self._wake is not None:
            raise trio.BusyResourceError("another task reads this stream")
        await trio.lowlevel.checkpoint()
        while True:
            if self._is_closed:
                raise trio.ClosedResourceError("this end of the stream was closed")
            if self._arrived:
                taken = bytes(self._arrived[:max_bytes])
                del self._arrived[: len(taken)]
                return taken
            if self._has_heard_all:
                return b""
            if self._is_broken:
                raise trio.BrokenResourceError("the other end of the stream is gone")
            await self._wait()

    async def aclose(self) -> None:
        """Close this end."""
        self.close()
        await trio.lowlevel.checkpoint()

    def close(self) -> None:
        """Close this end, without waiting."""
        self._is_closed = True
        self._end()
        self._notify()

    async def _wait(self) -> None:
        self._wake = trio.Event()
        try:
            await self._wake.wait()
        finally:
            self._wake = None

    def _end(self) -> None:
        if not self._has_said_all:
            self._has_said_all = True
            self._put(_END)

    def _put(self, data: bytes) -> None:
        self._on_the_way.append(data)
        # Whatever arrives first is the first that was sent.
        self._carry(lambda: self.peer._take(self._on_the_way.popleft()))

    def _take(self, data: bytes) -> None:
        if data == _END:
            self._has_heard_all = True
        elif self._is_closed:
            self._carry(self.peer._reset)
        else:
            self._arrived += data
        self._notify()

    def _carry(self, arrived: Callable[[], None]) -> None:
        self._way.carry(arrived, SENT_AGAIN_AFTER_S, lambda: self._is_closed and self.peer._is_closed)

    def _reset(self) -> None:
        self._is_broken = True
        self._notify()

    def _notify(self) -> None:
        if self._wake is not None:
            self._wake.set()
