"""TCP streams: accepting, connecting, carrying messages, and cutting off peers that are slow or send too much.

The core says whom to connect to, what to send and when it has nothing more to say. This module decides how many
streams there may be and how they are served; :mod:`gossip.net.link` decides how long each may take and how many bytes
it may cost. The core is told once of the end of a stream, however it ends.
"""

from __future__ import annotations

import contextlib
import errno
import socket
from collections.abc import Callable, Iterable, Iterator

import trio

from gossip import forking
from gossip.backoff import Backoff
from gossip.core.dissemination.outbox import OpenStream, SendFrame, StreamAction
from gossip.core.dissemination.streams import INCOMING_SHARE
from gossip.core.errors import WireError
from gossip.core.protocol import Protocol
from gossip.core.support.address import Address
from gossip.core.support.drop_reasons import Drop
from gossip.net.addresses import plain_address
from gossip.net.conversation import Conversation
from gossip.net.link import BROKEN, Link
from gossip.net.sockets import SocketPair
from gossip.security import Security
from gossip.telemetry import NodeLog, ShellCounters

CONNECT_TIMEOUT_S = 3.0
"""Seconds: enough for one lost SYN, which is sent again after a second."""

MAX_QUEUED_BYTES_IN_ALL = 32 << 20
"""While more than this waits on all streams together, a stream that would add to it is cut. Many peers that ask and do
not read must not fill the memory."""

SILENT_FOR_S = 1.0
"""Where no place is left, a peer that has brought no message for so many seconds after it connected gives way to the
next. A greeting takes a round trip. Without this limit, a stranger without a key would hold a place for
``stream_idle_timeout``."""

ACCEPT_PAUSE_MIN_S = 0.05
ACCEPT_PAUSE_MAX_S = 1.0
"""Pauses after a failure to accept, for example because the process has no file descriptor left."""

_DEAD_SOCKET = frozenset({errno.EBADF, errno.ENOTSOCK, errno.EINVAL})


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
        self._log = NodeLog(__name__, node_name)
        self._counters = counters
        self._security = security
        self._links: dict[int, Link] = {}
        self._active = 0
        self._turn = trio.Lock()
        """Held while a message is handled. A task that takes it lets all other tasks run first. So only one message is
        handled between two looks at the datagrams, however many streams bring messages."""

    @property
    def active(self) -> int:
        """Streams that occupy a place now."""
        return self._active

    def execute(self, actions: Iterable[StreamAction]) -> None:
        """Do what the core asks; starts tasks where it takes time. Actions on ended streams are void."""
        for action in actions:
            if isinstance(action, OpenStream):
                link = self._links[action.stream] = Link(action.address, self._config)
                self._nursery.start_soon(self._run_outgoing, action.stream, action.address, link)
            elif (known := self._links.get(action.stream)) is None:
                continue
            elif not isinstance(action, SendFrame):  # CloseStream
                known.finish()
            elif self._bytes_queued() > MAX_QUEUED_BYTES_IN_ALL:
                known.fail(Drop.TOO_MUCH_UNREAD_ON_STREAMS)
            else:
                known.enqueue(action.data)

    def _bytes_queued(self) -> int:
        return sum(link.bytes_queued for link in self._links.values())

    async def accept_forever(self) -> None:
        """Serve the peers that connect. A failure to accept pauses this, and stops nothing else."""
        pause = Backoff(ACCEPT_PAUSE_MIN_S, ACCEPT_PAUSE_MAX_S)
        while True:
            try:
                connection, sockaddr = await trio.socket.from_stdlib_socket(self._sockets.tcp).accept()
            except (OSError, ValueError, trio.ClosedResourceError) as error:
                if isinstance(error, OSError) and error.errno in (errno.ECONNABORTED, errno.EPROTO):
                    continue  # the peer has closed the connection already
                self._counters.accept_errors += 1
                pause_s = pause.failed(trio.current_time())
                if pause.failures == 1:
                    self._log.warning("cannot accept TCP streams, will go on trying: %s", error)
                await trio.sleep(pause_s)
                if self._sockets.tcp.fileno() < 0 or getattr(error, "errno", None) in _DEAD_SOCKET:
                    self._reopen_listener()
                continue
            pause.reset()
            self._accepted(connection, plain_address(sockaddr))

    def _reopen_listener(self) -> None:
        try:
            self._sockets.reopen_tcp()
        except OSError:
            return  # the next accept fails as well, and leads back here
        self._counters.sockets_reopened += 1
        self._log.warning("opened TCP %s again", self._sockets.address)

    def _accepted(self, connection: trio.socket.SocketType, source: Address) -> None:
        forking.close_copy_of(connection)
        stream = None
        if self._active >= self._config.max_streams:
            self._protocol.drops.note(Drop.TOO_MANY_STREAMS, source)
        elif source.is_link_local:
            self._protocol.drops.note(Drop.FROM_A_LINK_LOCAL_ADDRESS, source)
        else:
            stream = self._protocol.stream_accepted(source, trio.current_time())
        if stream is None:
            _close(connection)
            self._counters.streams_refused += 1
            self._cut_a_silent_one()
        else:
            self._counters.streams_accepted += 1
            link = self._links[stream] = Link(source, self._config, incoming=True)
            self._active += 1
            self._nursery.start_soon(self._run_incoming, stream, connection, link)
        self._pump()

    def _cut_a_silent_one(self) -> None:
        """If others hold all places that they may hold, cut one that says nothing, so that the next peer finds a place.

        Where only one host holds too many, nothing is cut: that must not cost other hosts their places."""
        incoming = [link for link in self._links.values() if link.is_incoming]
        if len(incoming) < int(INCOMING_SHARE * self._config.max_streams):
            return
        since = trio.current_time() - SILENT_FOR_S
        for link in incoming:
            if not link.has_spoken and not link.has_failed and link.began_at < since:
                link.fail(Drop.TOO_MANY_STREAMS)
                return

    async def _run_incoming(self, stream: int, connection: trio.socket.SocketType, link: Link) -> None:
        try:
            with _closing(connection), link.scope:
                await self._converse(stream, link, trio.SocketStream(connection), None)
        finally:
            self._active -= 1
            self._ended(stream, link)
        self._pump()

    async def _run_outgoing(self, stream: int, address: Address, link: Link) -> None:
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

    async def _connect_and_converse(self, stream: int, address: Address, link: Link) -> None:
        try:
            connection = trio.socket.socket(socket.AF_INET6 if ":" in address.host else socket.AF_INET)
        except OSError:
            link.has_failed = True
            return
        forking.close_copy_of(connection)
        with _closing(connection), link.scope:
            try:
                with trio.fail_after(CONNECT_TIMEOUT_S):
                    await connection.connect(tuple(address))
            except (*BROKEN, trio.TooSlowError):
                link.has_failed = True
                return
            self._counters.streams_opened += 1
            link.progress()
            await self._converse(stream, link, trio.SocketStream(connection), address.host)

    async def _converse(self, stream: int, link: Link, connection: trio.SocketStream, host: str | None) -> None:
        """:param host: the host that we connected to; None if the peer connected to us."""
        conversation = Conversation.begin(self._security, connection, host, link.received)
        async with trio.open_nursery() as nursery:
            try:
                await conversation.greet()
                nursery.start_soon(link.write, conversation)
                await self._read(stream, link, conversation)
            except (WireError, *BROKEN) as error:
                if isinstance(error, WireError):
                    await self._refuse(conversation)
                if not link.is_finished:
                    link.fail(error.reason if isinstance(error, WireError) else None)
            link.finish()  # the other side says no more; what is still to be sent, and only that, is sent

    async def _refuse(self, conversation: Conversation) -> None:
        """Tell the other side that it is not understood."""
        with contextlib.suppress(*BROKEN):
            await conversation.refuse()

    async def _read(self, stream: int, link: Link, conversation: Conversation) -> None:
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

    def _ended(self, stream: int, link: Link) -> None:
        link.close()
        del self._links[stream]
        if link.scope.cancelled_caught and not (link.has_failed or link.has_said_all):
            link.fail(Drop.STREAM_OUT_OF_TIME)
        self._counters.streams_failed += link.has_failed
        if link.reason is not None:
            self._protocol.drops.note(link.reason, link.peer)
        self._protocol.stream_closed(stream, trio.current_time())


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
