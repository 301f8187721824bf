"""The sockets of a node: UDP and TCP on one port.

This module decides address families and socket options. It neither sends nor receives; see
:mod:`gossip.net.datagrams` and :mod:`gossip.net.tcp`.
"""

from __future__ import annotations

import contextlib
import errno
import os
import socket
from types import TracebackType
from typing import Any

import trio

from gossip import forking
from gossip.core.errors import ConfigurationError
from gossip.core.support.address import Address
from gossip.errors import BindError
from gossip.net.addresses import LINK_LOCAL, plain_address, reason
from gossip.net.refusals import ask_for_refusals

RECEIVE_BUFFER_BYTES = 1 << 20
"""Receive buffer of the UDP socket, in bytes: room for about a second of news while the process stands still.
The kernel may grant less (``net.core.rmem_max``)."""

LISTEN_BACKLOG = 128
"""Connections that may wait to be accepted, for a burst of nodes that join."""

PORT_ATTEMPTS = 64
"""Tries to find a port that is free for both UDP and TCP, if any port will do."""

_EXPLANATIONS = {
    errno.EADDRINUSE: "another program uses that port",
    errno.EADDRNOTAVAIL: "this machine does not have that address",
    errno.EACCES: "this user may not use that port",
    errno.EPERM: "this user may not use that port",
    errno.EAFNOSUPPORT: "this machine does not support that kind of address",
}


class SocketPair:
    """The UDP socket and the TCP listener of one node, both non-blocking; owns and closes them."""

    def __init__(self, family: int, sockaddr: Any, udp: socket.socket, tcp: socket.socket) -> None:
        self._family = family
        self._sockaddr = sockaddr
        self.udp = udp
        self.tcp = tcp
        self.address = plain_address(sockaddr)
        """Where both are bound; the host may be ``0.0.0.0`` or ``::``, but the port is never 0."""
        self._dual_stack = _is_dual_stack(family, sockaddr)

    @property
    def is_ipv6(self) -> bool:
        """Whether the sockets use IPv6, with or without IPv4."""
        return self._family == socket.AF_INET6

    def can_reach(self, address: Address) -> bool:
        """Whether the UDP socket can send to addresses of this kind at all."""
        return (self._dual_stack or (":" in address.host) == self.is_ipv6) and not address.is_link_local

    def reopen_udp(self) -> None:
        """Replace the UDP socket by a new one on the same port.

        :raises OSError: if that is not possible now; the old one is closed all the same.
        """
        _close(self.udp)
        self.udp = _open_udp(self._family, self._sockaddr)

    def reopen_tcp(self) -> None:
        """Replace the TCP listener by a new one on the same port.

        :raises OSError: if that is not possible now; the old one is closed all the same.
        """
        _close(self.tcp)
        self.tcp = _open_tcp(self._family, self._sockaddr)

    def __enter__(self) -> SocketPair:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        _close(self.udp)
        _close(self.tcp)


async def open_sockets(where: Address) -> SocketPair:
    """Bind UDP and TCP to one port of ``where``. Its host may be a name, and its port may be 0.

    :raises BindError: if that is not possible.
    :raises ConfigurationError: if all its addresses are link-local.
    """
    try:
        candidates = await trio.socket.getaddrinfo(
            where.host, where.port, type=socket.SOCK_DGRAM, flags=socket.AI_PASSIVE
        )
    except (OSError, ValueError) as error:
        raise BindError(f"cannot bind to {where}: the host name cannot be resolved ({reason(error)})") from None
    failures: list[OSError] = []
    if all(plain_address(sockaddr).is_link_local for *_, sockaddr in candidates):
        raise ConfigurationError(LINK_LOCAL.format("bind", where))
    for family, _, _, _, sockaddr in candidates:
        if plain_address(sockaddr).is_link_local:
            continue
        try:
            return _open_pair(family, sockaddr)
        except OSError as error:
            failures.append(error)
    first = failures[0]
    why = _EXPLANATIONS.get(first.errno or 0) or reason(first)
    raise BindError(f"cannot bind to {where}: {why}", first.errno) from first


def _open_pair(family: int, sockaddr: Any) -> SocketPair:
    attempts = 1 if sockaddr[1] else PORT_ATTEMPTS
    while True:
        attempts -= 1
        tcp = _open_tcp(family, sockaddr)
        taken = (sockaddr[0], tcp.getsockname()[1], *sockaddr[2:])
        try:
            udp = _open_udp(family, taken)
        except OSError as error:
            tcp.close()
            if error.errno != errno.EADDRINUSE or not attempts:
                raise
        else:
            return SocketPair(family, taken, udp, tcp)


def _open_udp(family: int, sockaddr: Any) -> socket.socket:
    # No SO_REUSEADDR: on Linux it would let two programs share a UDP port without noticing.
    opened = _new_socket(family, socket.SOCK_DGRAM)
    try:
        with contextlib.suppress(OSError):
            opened.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, RECEIVE_BUFFER_BYTES)
        ask_for_refusals(opened)
        _bind(opened, family, sockaddr)
    except BaseException:
        opened.close()
        raise
    return opened


def _open_tcp(family: int, sockaddr: Any) -> socket.socket:
    opened = _new_socket(family, socket.SOCK_STREAM)
    try:
        if os.name == "posix":  # a restarted node need not wait until the connections of its last process time out
            opened.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        _bind(opened, family, sockaddr)
        opened.listen(LISTEN_BACKLOG)
    except BaseException:
        opened.close()
        raise
    return opened


def _new_socket(family: int, kind: socket.SocketKind) -> socket.socket:
    opened = socket.socket(family, kind)
    forking.close_copy_of(opened)
    opened.setblocking(False)
    return opened


def _bind(opened: socket.socket, family: int, sockaddr: Any) -> None:
    if family == socket.AF_INET6:
        # Set in both cases, because the administrator decides the default (net.ipv6.bindv6only).
        opened.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, not _is_dual_stack(family, sockaddr))
    opened.bind(sockaddr)


def _is_dual_stack(family: int, sockaddr: Any) -> bool:
    return family == socket.AF_INET6 and sockaddr[0] == "::"


def _close(opened: socket.socket) -> None:
    if opened.fileno() >= 0:
        trio.lowlevel.notify_closing(opened)
    with contextlib.suppress(OSError):  # other code has closed it
        opened.close()
