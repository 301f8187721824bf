"""The transport of a node in memory, and the directory in which transports find each other.

An address at which a node has been stands for a machine that still runs: it refuses datagrams and connections once no
node is there, as Linux does. An address at which no node has ever been answers nothing.
"""

from __future__ import annotations

import errno
import math
import os
from random import Random

import attrs
import trio

from gossip.core.support.address import Address
from gossip.net import Connection, Datagrams, Listener
from gossip.telemetry import ShellCounters
from gossip.testing.datagrams import MemoryDatagrams
from gossip.testing.streams import MemoryStream, stream_pair
from gossip.testing.wire import Way, Wire

CONNECTED_AGAIN_AFTER_S = 1.0
"""Seconds after which a lost attempt to connect is made again (RFC 6298)."""

FIRST_PORT = 49_152
"""The first port for those who ask for any (RFC 6335)."""


@attrs.frozen
class Directory:
    """Which node is where."""

    present: dict[Address, MemoryTransport] = attrs.field(factory=dict)
    names: dict[Address, str] = attrs.field(factory=dict)
    """The last node at each address, whether it still runs or not."""


class MemoryTransport:
    """The transport of one node in the memory of a test."""

    def __init__(self, directory: Directory, wire: Wire, random: Random, address: Address, name: str) -> None:
        self.address = address
        self.name = name
        self._directory = directory
        self._wire = wire
        self._random = random
        self._datagrams: MemoryDatagrams | None = None
        self._connector = Connector(directory, wire, random, address.host, name)
        self._to_accept, self._backlog = trio.open_memory_channel[Connection](math.inf)
        directory.present[address] = self
        directory.names[address] = name

    def close(self) -> None:
        """Be gone: nothing is sent any more, and what arrives is refused."""
        if self._is_present():
            del self._directory.present[self.address]

    # --- for the node

    def can_reach(self, address: Address) -> bool:
        """Whether datagrams to addresses of this kind can be sent at all."""
        return not address.is_link_local

    def datagrams(self, node_name: str, counters: ShellCounters) -> Datagrams:
        """The datagrams of the node."""
        self._datagrams = MemoryDatagrams(self._send, counters)
        return self._datagrams

    def listener(self, node_name: str, counters: ShellCounters) -> Listener:
        """The listener of the node: the transport itself."""
        return self

    async def accept(self) -> Connection:
        """Wait for the next peer that connects."""
        return await self._backlog.receive()

    async def connect(self, address: Address) -> Connection:
        """Connect a stream to a peer; where nothing answers, this waits for ever.

        :raises OSError: if nobody listens there.
        """
        stream = await self._connector.connect(address)
        return Connection(stream, address, stream.close)

    # --- on the way

    def connected(self, connection: Connection) -> None:
        """Take in a peer that has connected."""
        self._to_accept.send_nowait(connection)

    def _is_present(self) -> bool:
        return self._directory.present.get(self.address) is self

    def _send(self, data: bytes, destination: Address) -> None:
        name = self._directory.names.get(destination)
        if name is not None and self._is_present():
            way = Way(self._wire, self._random, self.name, name)
            way.send(lambda: self._deliver(data, destination, way))

    def _deliver(self, data: bytes, destination: Address, way: Way) -> None:
        target = self._directory.present.get(destination)
        if target is not None and target._datagrams is not None:
            target._datagrams.arrived(data, self.address)
        elif self._datagrams is not None:
            refused = self._datagrams.was_refused
            way.back().send(lambda: refused(destination))


class Connector:
    """Connects streams from one host."""

    def __init__(self, directory: Directory, wire: Wire, random: Random, host: str, name: str) -> None:
        """:param name: of the node there; that of none is on the side of the nodes that no split names."""
        self._directory = directory
        self._wire = wire
        self._random = random
        self._host = host
        self._name = name
        self._port = FIRST_PORT

    async def connect(self, address: Address) -> MemoryStream:
        """Connect a stream; where nothing answers, this waits for ever.

        :raises OSError: if nobody listens there.
        """
        attempt = _Attempt(address)
        try:
            name = self._directory.names.get(address)
            if name is not None:
                way = Way(self._wire, self._random, self._name, name)
                way.carry(lambda: self._reached(attempt, way), CONNECTED_AGAIN_AFTER_S, lambda: attempt.is_over)
            await attempt.answered.wait()
        finally:
            attempt.is_over = True
            if attempt.stream is not None and not attempt.answered.is_set():
                attempt.stream.close()
        if attempt.stream is None:
            raise ConnectionRefusedError(errno.ECONNREFUSED, os.strerror(errno.ECONNREFUSED))
        return attempt.stream

    def _reached(self, attempt: _Attempt, way: Way) -> None:
        target = self._directory.present.get(attempt.address)
        if target is not None and not attempt.is_over:
            attempt.stream, theirs = stream_pair(way)
            self._port = self._port + 1 if self._port < 65_535 else FIRST_PORT
            target.connected(Connection(theirs, Address(self._host, self._port), theirs.close))
        way.back().carry(attempt.answered.set, CONNECTED_AGAIN_AFTER_S, lambda: attempt.is_over)


@attrs.define
class _Attempt:
    """An attempt to connect."""

    address: Address
    answered: trio.Event = attrs.field(factory=trio.Event)
    stream: MemoryStream | None = None
    is_over: bool = False
