"""What a node needs of the world outside: ways for datagrams and streams to reach others, names, clock, random numbers.

The classes here are interfaces. :mod:`gossip.net.system` implements them with the sockets of the system, and
:mod:`gossip.testing` in memory. The driver, the streams and the finder of seeds know no more of the world outside than
what stands here.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from random import Random
from typing import Protocol

import trio

from gossip.core.support.address import Address
from gossip.telemetry import ShellCounters


class Datagrams(Protocol):
    """Sends and receives the datagrams of one node. No method raises because of the network."""

    reopen_at: float
    """Local time in seconds at which to try :meth:`reopen`; infinite while datagrams come and go."""

    def send(self, data: bytes, destination: Address) -> None:
        """Send one datagram. If it cannot be sent, it is lost and counted."""

    async def wait_readable(self) -> None:
        """Return when :meth:`receive` has something to deliver or to tell; while it has nothing, never."""

    def receive(self, deliver: Callable[[bytes, Address, float], None],
                refused: Callable[[Address, float], None]) -> bool:  # fmt: skip
        """Deliver what has arrived, up to a bound, each with its source and the local time in seconds.

        :param refused: called for datagrams of ours that the system of a peer refused, because no process listens
            there: with the address they were sent to, and the local time in seconds.
        :returns: whether more may be waiting.
        """

    def reopen(self, now: float) -> None:
        """Begin anew after datagrams ceased to come and go, or set :attr:`reopen_at` to the time of the next try."""


class Connection:
    """One stream between two nodes, just connected."""

    def __init__(self, stream: trio.abc.HalfCloseableStream, peer: Address, close: Callable[[], None]) -> None:
        self.stream = stream
        self.peer = peer
        """The address at the other end."""
        self.close = close
        """Closes the stream at once, without waiting."""


class Listener(Protocol):
    """Where peers connect to a node."""

    async def accept(self) -> Connection:
        """Wait for the next peer that connects. Raises nothing because of the network: it waits and tries again."""


class Transport(Protocol):
    """How one node reaches others, and they reach it: datagrams and streams at one address."""

    address: Address
    """Where it is bound; the host may be ``0.0.0.0`` or ``::``, the port never is 0."""

    def can_reach(self, address: Address) -> bool:
        """Whether datagrams to addresses of this kind can be sent at all."""

    def datagrams(self, node_name: str, counters: ShellCounters) -> Datagrams:
        """The datagrams of the node, which counts what fails. Called once."""

    def listener(self, node_name: str, counters: ShellCounters) -> Listener:
        """The listener of the node, which counts what fails. Called once."""

    async def connect(self, address: Address) -> Connection:
        """Connect a stream to a peer.

        :raises OSError: if there is no way, or nobody listens there.
        """


class Network(Protocol):
    """What nodes are opened in."""

    def bind(self, where: Address, name: str) -> AbstractAsyncContextManager[Transport]:
        """A transport for the node ``name`` at an address, which lasts as long as the block.

        :raises BindError: if that is not possible.
        :raises ConfigurationError: if all addresses of the host are link-local.
        """

    async def resolve(self, address: Address) -> tuple[Address, ...]:
        """All IP addresses of a host, each with the given port, none twice.

        :raises OSError: if the name cannot be resolved.
        """

    async def connect(self, address: Address) -> trio.abc.HalfCloseableStream:
        """Connect a stream to a node without being one; the host may be a name.

        :raises OSError: if there is no way, or nobody listens there.
        """

    def wall_clock_ms(self) -> int:
        """The wall clock, in Unix milliseconds."""

    def random(self) -> Random:
        """Random numbers for one node."""

    def opened(self, node: object) -> None:
        """Be told of a node that was opened, before its block begins: a :class:`gossip.Node`."""
