"""What a node needs of the world outside, as the system has it: sockets, name servers, the clock and random numbers."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from random import Random, SystemRandom

import trio

from gossip.core.support.address import Address
from gossip.net.addresses import resolve
from gossip.net.datagrams import DatagramEndpoint
from gossip.net.sockets import SocketPair, open_sockets
from gossip.net.tcp import TcpListener, connect
from gossip.net.transport import Connection, Datagrams, Listener
from gossip.telemetry import ShellCounters


class SocketTransport:
    """The transport of a node on a pair of sockets: UDP and TCP on one port."""

    def __init__(self, sockets: SocketPair) -> None:
        self.sockets = sockets
        self.address = sockets.address
        """Where both are bound; the host may be ``0.0.0.0`` or ``::``, the port never is 0."""

    def can_reach(self, address: Address) -> bool:
        """Whether the UDP socket can send to addresses of this kind at all."""
        return self.sockets.can_reach(address)

    def datagrams(self, node_name: str, counters: ShellCounters) -> Datagrams:
        """The UDP socket at work."""
        return DatagramEndpoint(self.sockets, node_name, counters)

    def listener(self, node_name: str, counters: ShellCounters) -> Listener:
        """The TCP listener at work."""
        return TcpListener(self.sockets, node_name, counters)

    async def connect(self, address: Address) -> Connection:
        """Connect a TCP stream to a peer.

        :raises OSError: if there is no way, nobody listens there, or the process has no descriptor left.
        """
        return await connect(address)


class SystemNetwork:
    """The network that this machine is in."""

    @asynccontextmanager
    async def bind(self, where: Address, name: str) -> AsyncIterator[SocketTransport]:
        """Sockets for the node ``name`` at an address, closed when the block ends.

        :raises BindError: if they cannot be opened.
        :raises ConfigurationError: if all its addresses are link-local.
        """
        with await open_sockets(where) as sockets:
            yield SocketTransport(sockets)

    async def resolve(self, address: Address) -> tuple[Address, ...]:
        """All IP addresses of a host, each with the given port, in the resolver's order, none twice.

        :raises OSError: if the name cannot be resolved.
        """
        return await resolve(address)

    async def connect(self, address: Address) -> trio.SocketStream:
        """Connect a TCP stream to a node without being one; the host may be a name.

        :raises OSError: if there is no way, or nobody listens there.
        """
        return await trio.open_tcp_stream(address.host, address.port)

    def wall_clock_ms(self) -> int:
        """The wall clock of the system, in Unix milliseconds."""
        return time.time_ns() // 1_000_000

    def random(self) -> Random:
        """Random numbers for one node. Tokens prove that a peer hears the node, so nobody may guess the next one."""
        return SystemRandom()

    def opened(self, node: object) -> None:
        """Nothing to do: others hear of a node by its datagrams."""
