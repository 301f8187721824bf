"""A stream and what secures it: nothing, the keys of the cluster, or TLS.

This module decides in which order greetings, messages and the end are written and read.
:mod:`gossip.security.channel` decides how they look, and :mod:`gossip.net.link` how long they may take.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

import trio
from trio.abc import HalfCloseableStream, Stream

from gossip.security import Channel, MutualTLS, Security

READ_BYTES = 65_536


class Conversation:
    """Writes messages to a peer on one stream, and reads messages from it. Call :meth:`greet` first."""

    def __init__(self, stream: Stream, channel: Channel,
                 received: Callable[[int], None]) -> None:  # fmt: skip
        self._stream = stream
        self._channel = channel
        self._received = received
        self._is_first = True

    @classmethod
    def begin(
        cls, security: Security, stream: HalfCloseableStream, host: str | None, received: Callable[[int], None]
    ) -> Conversation:
        """The conversation on a new stream.

        :param host: the host that this end connected to; None if the other end connected.
        :param received: called after each read with the number of bytes.
        """
        channel = security.channel(connects=host is not None)
        return cls(stream if security.tls is None else _in_tls(stream, security.tls, host), channel, received)

    @property
    def was_cut(self) -> bool:
        """Whether the other side has not sent everything, if nothing more comes."""
        return self._channel.was_cut

    async def greet(self) -> None:
        """Agree on how to secure the stream. If the other side ends it meanwhile, there is nothing to read.

        :raises WireError: if the other side has no key of ours.
        :raises trio.BrokenResourceError: if the stream, or its TLS, fails.
        """
        channel = self._channel
        if greeting := channel.greeting():
            await self._stream.send_all(greeting)
        while not channel.is_open and (piece := await self._read()):
            if answer := channel.greeted(piece):
                await self._stream.send_all(answer)

    async def receive(self) -> Iterator[bytes] | None:
        """The next messages that came, perhaps none; None if the other side is done.

        :raises WireError: from the iterator, if the other side does not keep to the format.
        :raises trio.BrokenResourceError: if the stream fails.
        """
        channel = self._channel
        if not channel.is_open or channel.has_ended:
            return None
        if self._is_first:  # the first message may have come together with the greeting
            self._is_first = False
            return channel.feed(b"")
        piece = await self._read()
        return channel.feed(piece) if piece else None

    async def send(self, message: bytes) -> None:
        """Write a message.

        :raises trio.BrokenResourceError: if the stream fails.
        """
        await self._stream.send_all(self._channel.pack(message))

    async def end(self) -> None:
        """Tell the other side that this was all.

        :raises trio.BrokenResourceError: if the stream fails.
        """
        if ending := self._channel.ending():
            await self._stream.send_all(ending)
        if isinstance(self._stream, HalfCloseableStream):
            await self._stream.send_eof()

    async def refuse(self) -> None:
        """Tell a peer that this node cannot read its bytes, and read what the peer has sent so far. Closing with unread
        bytes would make the system reset the connection, and the peer might lose the answer.

        :raises trio.BrokenResourceError: if the stream fails.
        """
        refusal = self._channel.refusal()
        if refusal and isinstance(self._stream, HalfCloseableStream):
            await self._stream.send_all(refusal)
            await self._stream.send_eof()
            while await self._read():
                pass

    async def _read(self) -> bytes:
        piece = bytes(await self._stream.receive_some(READ_BYTES))
        if piece:
            self._received(len(piece))
        return piece


def _in_tls(stream: HalfCloseableStream, tls: MutualTLS, host: str | None) -> Stream:
    if host is None:
        return trio.SSLStream(stream, tls.accepting, server_side=True)
    return trio.SSLStream(stream, tls.connecting, server_hostname=host)
