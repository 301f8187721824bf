"""A network in memory: where nodes are bound, what names stand for, what the clock shows, and who runs."""

from __future__ import annotations

import errno
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from random import Random

import attrs
import trio

from gossip.core.support.address import Address
from gossip.errors import BindError
from gossip.net import ip_text
from gossip.node import Node
from gossip.testing.streams import MemoryStream
from gossip.testing.transport import FIRST_PORT, Connector, Directory, MemoryTransport
from gossip.testing.wire import Wire

WALL_MS = 1_767_225_600_000
"""What the wall clock shows at first, in Unix milliseconds: the start of 2026."""

HOSTS_PER_NET = 250

OUTSIDE = "127.255.255.254"
"""The host of those who ask a node without being one."""


@attrs.define(eq=False)
class Process:
    """One run of a node, as far as a test can get at it."""

    transport: MemoryTransport
    scope: trio.CancelScope
    """Around the block of the node."""
    ended: trio.Event = attrs.field(factory=trio.Event)
    node: Node | None = None
    """None until it is open."""

    def kill(self) -> None:
        """End it at once: it sends nothing any more, and its block is cancelled."""
        self.transport.close()
        self.scope.cancel()


class MemoryNetwork:
    """The network of one test. A node of each name has a machine of its own, with an address that only it has."""

    def __init__(self, wire: Wire, random: Random) -> None:
        self._wire = wire
        self._random = random
        self._began = trio.current_time()
        self._hosts: dict[str, str] = {}
        self._opened = 0
        self._directory = Directory()
        self._outside = Connector(self._directory, wire, self.random(), OUTSIDE, "")
        self.processes: dict[str, Process] = {}
        """The latest process of each name, in the order in which the names first came up."""

    @asynccontextmanager
    async def bind(self, where: Address, name: str) -> AsyncIterator[MemoryTransport]:
        """A transport for the node ``name``, at its own address unless ``where`` is the IP address to bind to.

        :raises BindError: if another node is there.
        """
        address = self._free(where, self._host_of(name))
        self._opened += 1
        with trio.CancelScope() as scope:
            transport = MemoryTransport(self._directory, self._wire, self.random(), address, name)
            process = self.processes[name] = Process(transport, scope)
            try:
                yield transport
            finally:
                transport.close()
                process.ended.set()

    async def resolve(self, address: Address) -> tuple[Address, ...]:
        """All addresses of a host. The name of a node, with or without a domain, stands for that node. Any other name
        stands for all nodes, like the DNS name of a whole cluster.

        :raises OSError: if there is no node yet.
        """
        await trio.lowlevel.checkpoint()
        literal = "127.0.0.1" if address.host == "localhost" else ip_text(address.host)
        if literal is not None:
            return (Address(literal, address.port),)
        name = next((name for name in self._hosts if address.host == name or address.host.startswith(name + ".")), None)
        hosts = [process.transport.address.host for process in self.processes.values()]
        if name is not None:
            hosts = [self._hosts[name]]
        if not hosts:
            raise OSError(f"no node has begun, so the name {address.host} stands for none")
        return tuple(dict.fromkeys(Address(host, address.port) for host in hosts))

    async def connect(self, address: Address) -> MemoryStream:
        """Connect a stream from outside, which is on the side of the nodes that are in no group of a split.

        :raises OSError: if nobody listens there, or the name stands for nothing.
        """
        found = await self.resolve(address)
        return await self._outside.connect(found[0])

    def wall_clock_ms(self) -> int:
        """The wall clock. It goes with the clock of trio, and a millisecond further with each node that is opened, so
        that a node that restarts at the same moment has a higher generation."""
        return WALL_MS + int(1000 * (trio.current_time() - self._began)) + self._opened

    def random(self) -> Random:
        """Random numbers for one user of them, which depend on the seed and on how many users came before."""
        return Random(self._random.getrandbits(64))

    def opened(self, node: object) -> None:
        """Know a node that has opened."""
        assert isinstance(node, Node)
        self.processes[node.local.name].node = node

    def name_at(self, address: Address) -> str | None:
        """The last node at an address; None if none has ever been there."""
        return self._directory.names.get(address)

    def _host_of(self, name: str) -> str:
        if name not in self._hosts:
            net, number = divmod(len(self._hosts), HOSTS_PER_NET)
            self._hosts[name] = f"127.0.{net}.{number + 1}"
        return self._hosts[name]

    def _free(self, where: Address, own_host: str) -> Address:
        host = ip_text(where.host)
        if host is None or Address(host, 1).is_unspecified:
            host = own_host
        if not where.port:
            return next(free for port in range(FIRST_PORT, 65_536) if self._is_free(free := Address(host, port)))
        address = Address(host, where.port)
        if not self._is_free(address):
            taken_by = self._directory.names[address]
            raise BindError(f"cannot bind to {where}: node {taken_by!r} of this test is there", errno.EADDRINUSE)
        return address

    def _is_free(self, address: Address) -> bool:
        return address not in self._directory.present
