"""TCP streams: accepting, connecting, carrying frames, and cutting off whoever is slow or too much.

The core says whom to connect to, what to send and when it has nothing more to say; this module decides
how long that may take and how many bytes it may cost. However a stream ends, the core is told once.
"""

from __future__ import annotations

import contextlib
import errno
import logging
import math
import socket
from collections.abc import Callable, Iterable, Iterator

import trio

from gossip.conversation import Conversation
from gossip.core.address import Address
from gossip.core.config import Config
from gossip.core.errors import WireError
from gossip.core.outbox import OpenStream, SendFrame, StreamAction
from gossip.core.protocol import Protocol
from gossip.core.streams import INCOMING_SHARE
from gossip.framing import HEADER_BYTES
from gossip.security import Security
from gossip.sockets import SocketPair, plain_address
from gossip.stats import ShellCounters

CONNECT_TIMEOUT_S = 3.0
"""Long enough for one lost SYN (sent again after a second)."""

MAX_QUEUED_BYTES = 1 << 20
"""While more than this waits to be written to a stream, nothing is read from it: whoever does not take
the answers cannot make us keep more of them."""

MAX_QUEUED_BYTES_IN_ALL = 32 << 20
"""While more than this waits on all streams together, a stream that would add to it is cut: many who ask
and do not read must not fill the memory."""

SILENT_FOR_S = 1.0
"""Where no place is left, whoever has connected and brought no message for so long gives way to the next. A greeting
takes a round trip; without this, a stranger who has no key holds a place for ``stream_idle_timeout``."""

ACCEPT_PAUSE_MIN_S = 0.05
ACCEPT_PAUSE_MAX_S = 1.0
"""Pauses after failing to accept, for example when the process has no file descriptor left."""

_DEAD_SOCKET = frozenset({errno.EBADF, errno.ENOTSOCK, errno.EINVAL})

_BROKEN = (trio.BrokenResourceError, trio.ClosedResourceError, trio.BusyResourceError, OSError, ValueError)
"""What the use of a stream's socket raises if the stream has failed, or if its descriptor was closed behind our back:
OSError and ValueError if it is none any more, Busy if it is another socket's now, for which somebody else waits."""

_log = logging.getLogger(__name__)


class Streams:
    """All TCP streams of one node, and the listener."""

    def __init__(
        self,
        protocol: Protocol,
        sockets: SocketPair,
        nursery: trio.Nursery,
        *,
        pump: Callable[[], None],
        node_name: str,
        counters: ShellCounters,
        security: Security,
    ) -> None:
        self._protocol = protocol
        self._config = protocol.config
        self._sockets = sockets
        self._nursery = nursery
        self._pump = pump
        self._node_name = node_name
        self._counters = counters
        self._security = security
        self._links: dict[int, _Link] = {}
        self._active = 0
        self._turn = trio.Lock()
        """Held while a message is handled. Whoever takes it lets all other tasks run first, so that of however many
        streams bring messages, one is handled between two looks at the datagrams."""

    @property
    def active(self) -> int:
        """Streams that occupy a place now."""
        return self._active

    def execute(self, actions: Iterable[StreamAction]) -> None:
        """Do what the core asks; starts tasks where it takes time. Actions on ended streams are void."""
        for action in actions:
            if isinstance(action, OpenStream):
                link = self._links[action.stream] = _Link(action.address, self._config)
                self._nursery.start_soon(self._run_outgoing, action.stream, action.address, link)
            elif (known := self._links.get(action.stream)) is None:
                continue
            elif not isinstance(action, SendFrame):  # CloseStream
                known.finish()
            elif self._bytes_queued() > MAX_QUEUED_BYTES_IN_ALL:
                known.fail("too much unread on streams")
            else:
                known.enqueue(action.data)

    def _bytes_queued(self) -> int:
        return sum(link.bytes_queued for link in self._links.values())

    async def accept_forever(self) -> None:
        """Serve whoever connects. A failure to accept pauses this, and stops nothing else."""
        pause = ACCEPT_PAUSE_MIN_S
        logged = False
        while True:
            try:
                connection, sockaddr = await trio.socket.from_stdlib_socket(self._sockets.tcp).accept()
            except (OSError, ValueError, trio.ClosedResourceError) as error:
                if isinstance(error, OSError) and error.errno in (errno.ECONNABORTED, errno.EPROTO):
                    continue  # the one who connected has changed its mind
                self._counters.accept_errors += 1
                if not logged:
                    logged = True
                    _log.warning("%r: cannot accept TCP streams, will go on trying: %s", self._node_name, error)
                await trio.sleep(pause)
                pause = min(2 * pause, ACCEPT_PAUSE_MAX_S)
                if self._sockets.tcp.fileno() < 0 or getattr(error, "errno", None) in _DEAD_SOCKET:
                    self._reopen_listener()
                continue
            pause = ACCEPT_PAUSE_MIN_S
            logged = False
            self._accepted(connection, plain_address(sockaddr))

    def _reopen_listener(self) -> None:
        try:
            self._sockets.reopen_tcp()
        except OSError:
            return  # the next accept fails as well, and leads back here
        self._counters.sockets_reopened += 1
        _log.warning("%r: opened TCP %s again", self._node_name, self._sockets.address)

    def _accepted(self, connection: trio.socket.SocketType, source: Address) -> None:
        stream = None
        if self._active >= self._config.max_streams:
            self._protocol.drops.note("too many streams", source)
        elif source.is_link_local:
            self._protocol.drops.note("from a link-local address", source)
        else:
            stream = self._protocol.stream_accepted(source, trio.current_time())
        if stream is None:
            _close(connection)
            self._counters.streams_refused += 1
            self._cut_a_silent_one()
        else:
            self._counters.streams_accepted += 1
            link = self._links[stream] = _Link(source, self._config, incoming=True)
            self._active += 1
            self._nursery.start_soon(self._run_incoming, stream, connection, link)
        self._pump()

    def _cut_a_silent_one(self) -> None:
        """If others hold all places that they may, have one of those who say nothing leave his to whoever comes next.
        Not where only one host holds too many: that must not cost others theirs."""
        incoming = [link for link in self._links.values() if link.is_incoming]
        if len(incoming) < int(INCOMING_SHARE * self._config.max_streams):
            return
        since = trio.current_time() - SILENT_FOR_S
        for link in incoming:
            if not link.has_spoken and not link.has_failed and link.began_at < since:
                link.fail("too many streams")
                return

    async def _run_incoming(self, stream: int, connection: trio.socket.SocketType, link: _Link) -> None:
        try:
            with _closing(connection), link.scope:
                await self._converse(stream, link, trio.SocketStream(connection), None)
        finally:
            self._active -= 1
            self._ended(stream, link)
        self._pump()

    async def _run_outgoing(self, stream: int, address: Address, link: _Link) -> None:
        try:
            if self._active >= self._config.max_streams:
                self._counters.streams_refused += 1
            else:
                self._active += 1
                try:
                    await self._connect_and_converse(stream, address, link)
                finally:
                    self._active -= 1
        finally:
            self._ended(stream, link)
        self._pump()

    async def _connect_and_converse(self, stream: int, address: Address, link: _Link) -> None:
        try:
            connection = trio.socket.socket(socket.AF_INET6 if ":" in address.host else socket.AF_INET)
        except OSError:
            link.has_failed = True
            return
        with _closing(connection), link.scope:
            try:
                with trio.fail_after(CONNECT_TIMEOUT_S):
                    await connection.connect(tuple(address))
            except (*_BROKEN, trio.TooSlowError):
                link.has_failed = True
                return
            self._counters.streams_opened += 1
            link.progress()
            await self._converse(stream, link, trio.SocketStream(connection), address.host)

    async def _converse(self, stream: int, link: _Link, connection: trio.SocketStream, host: str | None) -> None:
        """:param host: whom we connected to; None if they connected to us."""
        conversation = self._security.begin(connection, host, link.received)
        async with trio.open_nursery() as nursery:
            try:
                await conversation.greet()
                nursery.start_soon(link.write, conversation)
                await self._read(stream, link, conversation)
            except (WireError, *_BROKEN) as error:
                if isinstance(error, WireError):
                    await self._refuse(conversation)
                if not link.is_finished:
                    link.fail(str(error) if isinstance(error, WireError) else None)
            link.finish()  # the other side says no more; what is still to be sent, and only that, is sent

    async def _refuse(self, conversation: Conversation) -> None:
        """Tell the other side that it is not understood."""
        with contextlib.suppress(*_BROKEN):
            await conversation.refuse()

    async def _read(self, stream: int, link: _Link, conversation: Conversation) -> None:
        while (messages := await conversation.receive()) is not None:
            for message in messages:
                link.spoke()
                async with self._turn:
                    if link.is_finished:
                        continue
                    self._protocol.receive_frame(stream, message, trio.current_time())
                    self._pump()
                await link.wait_for_room()
        if conversation.was_cut and not link.is_finished:
            link.has_failed = True

    def _ended(self, stream: int, link: _Link) -> None:
        link.close()
        del self._links[stream]
        if link.scope.cancelled_caught and not (link.has_failed or link.has_said_all):
            link.fail("stream out of time")
        self._counters.streams_failed += link.has_failed
        if link.reason is not None:
            self._protocol.drops.note(link.reason, link.peer)
        self._protocol.stream_closed(stream, trio.current_time())


class _Link:
    """One stream: what waits to be written, and the time and bytes it has left."""

    def __init__(self, peer: Address, config: Config, *, incoming: bool = False) -> None:
        self.peer = peer
        """Who is at the other end."""
        self.is_incoming = incoming
        self.began_at = trio.current_time()
        """Local time in seconds."""
        self.has_spoken = False
        """Whether a whole message came, which takes a key where there are keys."""
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
        self.reason: str | None = None
        """Why we cut it, if we did."""

    def enqueue(self, message: bytes) -> None:
        """Write ``message`` after what already waits; too many bytes cut the stream."""
        if self.is_finished:
            return
        self._bytes_out += HEADER_BYTES + len(message)
        self.bytes_queued += len(message)
        if self._bytes_out > self._max_bytes:
            self.fail("stream too long")
        else:
            self._outgoing.send_nowait(message)

    def finish(self) -> None:
        """Enqueue nothing more; once all is written, say so to the other side."""
        self.is_finished = True
        self._outgoing.close()

    def fail(self, reason: str | None = None) -> None:
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
        """Account for bytes that arrived; too many cut the stream. Whoever connects gets no more time for them until
        they make a message: a greeting that trickles is none."""
        if self.has_spoken or not self.is_incoming:
            self.progress()
        self._bytes_in += count
        if self._bytes_in > self._max_bytes:
            self.fail("stream too long")

    async def wait_for_room(self) -> None:
        """Return once little enough waits to be written."""
        while self.bytes_queued > MAX_QUEUED_BYTES:
            self._room = trio.Event()
            await self._room.wait()

    async def write(self, conversation: Conversation) -> None:
        """Write what is enqueued until :meth:`finish`, and then that this was all.

        The stream stays open until the other side closes it, too, or it has been idle for too long: to close it with
        bytes unread would make the system reset the connection, and the other side might lose the end of what we sent.
        """
        try:
            async for message in self._frames:
                await conversation.send(message)
                self.bytes_queued -= len(message)
                self._room.set()
                self.progress()
            await conversation.end()
        except _BROKEN:
            self.fail()
        else:
            self.has_said_all = True
            self.progress()


@contextlib.contextmanager
def _closing(connection: trio.socket.SocketType) -> Iterator[None]:
    """Close a stream's socket when the block ends."""
    try:
        yield
    finally:
        _close(connection)


def _close(connection: trio.socket.SocketType) -> None:
    with contextlib.suppress(OSError):  # its descriptor was closed behind our back
        connection.close()
