"""A stream with what secures it: nothing, the cluster's keys, or TLS.

This module decides in which order greetings, messages and the end are written and read. How they look is decided in
:mod:`gossip.security.channel`, and how long they may take in :mod:`gossip.net.streams`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

import trio
from trio.abc import HalfCloseableStream, Stream

from gossip.security import Channel, MutualTLS, Security

READ_BYTES = 65_536


class Conversation:
    """Messages written to a peer on one stream, and those read from it. :meth:`greet` comes first."""

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
        """The conversation on a stream that has just been connected.

        :param host: the host that this end connected to; None if the other end connected.
        :param received: told how many bytes were read, each time.
        """
        channel = security.channel(connects=host is not None)
        return cls(stream if security.tls is None else _in_tls(stream, security.tls, host), channel, received)

    @property
    def was_cut(self) -> bool:
        """Whether the other side had not said all, if nothing more comes."""
        return self._channel.was_cut

    async def greet(self) -> None:
        """Agree on how to secure the stream. If the other side ends it meanwhile, there is nothing to be read.

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
        """The messages that have come next, perhaps none; None if the other side is done.

        :raises WireError: from the iterator, if the other side does not keep to the format.
        :raises trio.BrokenResourceError: if the stream fails.
        """
        channel = self._channel
        if not channel.is_open or channel.has_ended:
            return None
        if self._is_first:  # it may have come together with the greeting
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
        """Say that we are done.

        :raises trio.BrokenResourceError: if the stream fails.
        """
        if ending := self._channel.ending():
            await self._stream.send_all(ending)
        if isinstance(self._stream, HalfCloseableStream):
            await self._stream.send_eof()

    async def refuse(self) -> None:
        """Tell a stranger that it could not be understood, and take in what it has sent by now: closing with bytes
        unread would have the system take back the answer.

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
