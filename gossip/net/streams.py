"""Streams: accepting, connecting, carrying messages, and cutting off peers that are slow or send too much.

The core says whom to connect to, what to send and when it has nothing more to send. This module decides how many
streams there may be and how they are served. :mod:`gossip.net.link` decides how long each may last and how many bytes
it may carry. The core hears of the end of each stream once, however the stream ends.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterable

import trio

from gossip.core.dissemination.outbox import OpenStream, SendFrame, StreamAction
from gossip.core.dissemination.streams import INCOMING_SHARE
from gossip.core.errors import WireError
from gossip.core.protocol import Protocol
from gossip.core.support.address import Address
from gossip.core.support.drop_reasons import Drop
from gossip.net.conversation import Conversation
from gossip.net.link import BROKEN, Link
from gossip.net.transport import Connection, Transport
from gossip.security import Security
from gossip.telemetry import ShellCounters

CONNECT_TIMEOUT_S = 3.0
"""Seconds: enough for one lost SYN, which is sent again after a second."""

MAX_QUEUED_BYTES_IN_ALL = 32 << 20
"""While more bytes than this wait on all streams together, the node cuts a stream that would add to them. Many peers
that ask and do not read must not fill the memory."""

SILENT_FOR_S = 1.0
"""If no place is left, a peer that has sent no message for so many seconds after it connected gives way to the next
one. A greeting takes a round trip. Without this limit, a stranger without a key would hold a place for
``stream_idle_timeout``."""


class Streams:
    """All streams of one node."""

    def __init__(
        self,
        protocol: Protocol,
        transport: Transport,
        nursery: trio.Nursery,
        *,
        pump: Callable[[], None],
        node_name: str,
        counters: ShellCounters,
        security: Security,
    ) -> None:
        self._protocol = protocol
        self._config = protocol.config
        self._transport = transport
        self._listener = transport.listener(node_name, counters)
        self._nursery = nursery
        self._pump = pump
        self._counters = counters
        self._security = security
        self._links: dict[int, Link] = {}
        self._active = 0
        self._turn = trio.Lock()
        """Held while a message is handled. A task that takes it lets all other tasks run first. So the node handles
        only one message between two looks at the datagrams, however many streams have messages."""

    @property
    def active(self) -> int:
        """Streams that occupy a place now."""
        return self._active

    def execute(self, actions: Iterable[StreamAction]) -> None:
        """Do what the core wants; start tasks for what takes time. Actions on ended streams have no effect."""
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
        """Serve the peers that connect."""
        while True:
            self._accepted(await self._listener.accept())

    def _accepted(self, connection: Connection) -> None:
        stream, source = None, connection.peer
        if self._active >= self._config.max_streams:
            self._protocol.drops.note(Drop.TOO_MANY_STREAMS, source)
        elif source.is_link_local:
            self._protocol.drops.note(Drop.FROM_A_LINK_LOCAL_ADDRESS, source)
        else:
            stream = self._protocol.stream_accepted(source, trio.current_time())
        if stream is None:
            connection.close()
            self._counters.streams_refused += 1
            self._cut_a_silent_one()
        else:
            self._counters.streams_accepted += 1
            link = self._links[stream] = Link(source, self._config, incoming=True)
            self._active += 1
            self._nursery.start_soon(self._run_incoming, stream, connection, link)
        self._pump()

    def _cut_a_silent_one(self) -> None:
        """If all places for incoming streams are taken, cut a stream on which no message has come, so that the next
        peer finds a place.

        If only one host has too many, cut nothing: that must not cost other hosts their places."""
        incoming = [link for link in self._links.values() if link.is_incoming]
        if len(incoming) < int(INCOMING_SHARE * self._config.max_streams):
            return
        since = trio.current_time() - SILENT_FOR_S
        for link in incoming:
            if not link.has_spoken and not link.has_failed and link.began_at < since:
                link.fail(Drop.TOO_MANY_STREAMS)
                return

    async def _run_incoming(self, stream: int, connection: Connection, link: Link) -> None:
        try:
            with link.scope:
                await self._converse(stream, link, connection, None)
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
        with link.scope:
            try:
                with trio.fail_after(CONNECT_TIMEOUT_S):
                    connection = await self._transport.connect(address)
            except (*BROKEN, trio.TooSlowError):
                link.has_failed = True
                return
            self._counters.streams_opened += 1
            link.progress()
            await self._converse(stream, link, connection, address.host)

    async def _converse(self, stream: int, link: Link, connection: Connection, host: str | None) -> None:
        """Close the connection in the end.

        :param host: the host that this node connected to; None if the peer connected.
        """
        with contextlib.closing(connection):
            await self._carry(stream, link, Conversation.begin(self._security, connection.stream, host, link.received))

    async def _carry(self, stream: int, link: Link, conversation: Conversation) -> None:
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
            link.finish()  # the other side sends nothing more; this node only sends what still waits

    async def _refuse(self, conversation: Conversation) -> None:
        """Tell the other side that this node cannot read its bytes."""
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
