"""The socket between a program and the process of its node: one message after the other.

A message is its length, four bytes in network order, and a pickled value. Pickle serves here because both ends are one
program: the parent has started the child from the same files, nobody else can reach the socket, and either end could
do to the other what it likes without it. It carries the library's own frozen values as they are, exceptions included.
"""

from __future__ import annotations

import copyreg
import io
import pickle
import struct
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any

import trio

from gossip.security import SigningKey

MAX_MESSAGE_BYTES = 1 << 30
"""Longest message: a hundred times a snapshot of 10,000 members with ordinary metadata. A length above it is none, but
shows that the two ends no longer understand each other."""

READ_BYTES = 1 << 16
"""Bytes that are read at once."""

_LENGTH = struct.Struct(">I")


class ChannelEnded(Exception):
    """The other process has closed its end, or has ended."""


class Channel:
    """One end of the socket. One task may send while another one receives."""

    def __init__(self, stream: trio.abc.Stream) -> None:
        self._stream = stream
        self._received = bytearray()

    async def send(self, message: object) -> None:
        """Send a message. After this was cancelled, the channel can only be closed.

        :raises ChannelEnded: if nobody can receive it.
        """
        content = dumps(message)
        if len(content) > MAX_MESSAGE_BYTES:
            raise ValueError(f"a message of {len(content)} bytes is longer than {MAX_MESSAGE_BYTES}")
        try:
            await self._stream.send_all(_LENGTH.pack(len(content)) + content)
        except (trio.BrokenResourceError, trio.ClosedResourceError):
            raise ChannelEnded from None

    async def receive(self) -> Any:
        """The next message. Cancelling this loses none.

        :raises ChannelEnded: if no other message will come.
        """
        await self._fill(_LENGTH.size)
        (length,) = _LENGTH.unpack_from(self._received)
        if length > MAX_MESSAGE_BYTES:
            raise ValueError(f"a message of {length} bytes is longer than {MAX_MESSAGE_BYTES}")
        end = _LENGTH.size + length
        await self._fill(end)
        content = bytes(self._received[_LENGTH.size : end])
        del self._received[:end]
        return pickle.loads(content)

    async def _fill(self, length: int) -> None:
        while len(self._received) < length:
            try:
                data = await self._stream.receive_some(READ_BYTES)
            except (trio.BrokenResourceError, trio.ClosedResourceError):
                raise ChannelEnded from None
            if not data:
                raise ChannelEnded
            self._received += data


def dumps(message: object) -> bytes:
    """The bytes of a value."""
    file = io.BytesIO()
    pickler = pickle.Pickler(file, pickle.HIGHEST_PROTOCOL)
    pickler.dispatch_table = _REDUCED
    pickler.dump(message)
    return file.getvalue()


def _read_only(content: dict[Any, Any]) -> Mapping[Any, Any]:
    return MappingProxyType(content)  # by a function, because pickle cannot name the type


_REDUCED: Mapping[type, Callable[[Any], Any]] = {
    **copyreg.dispatch_table,
    MappingProxyType: lambda mapping: (_read_only, (dict(mapping),)),
    SigningKey: lambda key: (SigningKey, (key.secret,)),
}
"""What stands for values that pickle cannot take apart by itself."""
