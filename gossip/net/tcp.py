"""TCP at work: connecting, accepting, pausing after a failure, and opening the listener again after it died.

A failure to accept stops nothing else. What is done with a peer that has connected, and how long connecting may take,
is decided in :mod:`gossip.net.streams`.
"""

from __future__ import annotations

import contextlib
import errno
import socket

import trio

from gossip import forking
from gossip.backoff import Backoff
from gossip.core.support.address import Address
from gossip.net.addresses import plain_address
from gossip.net.sockets import SocketPair
from gossip.net.transport import Connection
from gossip.telemetry import NodeLog, ShellCounters

ACCEPT_PAUSE_MIN_S = 0.05
ACCEPT_PAUSE_MAX_S = 1.0
"""Pauses after a failure to accept, for example because the process has no file descriptor left."""

_DEAD_SOCKET = frozenset({errno.EBADF, errno.ENOTSOCK, errno.EINVAL})


class TcpListener:
    """Accepts the streams of one node."""

    def __init__(self, sockets: SocketPair, node_name: str, counters: ShellCounters) -> None:
        self._sockets = sockets
        self._log = NodeLog(__name__, node_name)
        self._counters = counters
        self._pause = Backoff(ACCEPT_PAUSE_MIN_S, ACCEPT_PAUSE_MAX_S)

    async def accept(self) -> Connection:
        """Wait for the next peer that connects; a failure to accept makes it wait longer."""
        while True:
            try:
                accepted, sockaddr = await trio.socket.from_stdlib_socket(self._sockets.tcp).accept()
            except (OSError, ValueError, trio.ClosedResourceError) as error:
                if isinstance(error, OSError) and error.errno in (errno.ECONNABORTED, errno.EPROTO):
                    continue  # the peer has closed the connection already
                await self._wait_after(error)
            else:
                self._pause.reset()
                forking.close_copy_of(accepted)
                return _connection(accepted, plain_address(sockaddr))

    async def _wait_after(self, error: Exception) -> None:
        self._counters.accept_errors += 1
        pause_s = self._pause.failed(trio.current_time())
        if self._pause.failures == 1:
            self._log.warning("cannot accept TCP streams, will try again: %s", error)
        await trio.sleep(pause_s)
        if self._sockets.tcp.fileno() < 0 or getattr(error, "errno", None) in _DEAD_SOCKET:
            self._reopen()

    def _reopen(self) -> None:
        try:
            self._sockets.reopen_tcp()
        except OSError:
            return  # the next accept fails, too, and leads back here
        self._counters.sockets_reopened += 1
        self._log.warning("opened TCP %s again", self._sockets.address)


async def connect(address: Address) -> Connection:
    """Connect a stream to a peer.

    :raises OSError: if there is no way, nobody listens there, or the process has no descriptor left.
    """
    opened = trio.socket.socket(socket.AF_INET6 if ":" in address.host else socket.AF_INET)
    forking.close_copy_of(opened)
    try:
        await opened.connect(tuple(address))
    except BaseException:
        _close(opened)
        raise
    return _connection(opened, address)


def _connection(connected: trio.socket.SocketType, peer: Address) -> Connection:
    return Connection(trio.SocketStream(connected), peer, lambda: _close(connected))


def _close(connection: trio.socket.SocketType) -> None:
    with contextlib.suppress(OSError):  # its descriptor was closed behind our back
        connection.close()
