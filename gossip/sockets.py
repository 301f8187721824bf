"""Which sockets a node has: UDP and TCP on one port, and how addresses look on them.

This module decides families, socket options and the two forms of an IPv4 address on a dual-stack
socket. It neither sends nor receives; see :mod:`gossip.datagrams` and :mod:`gossip.streams`.
"""

from __future__ import annotations

import contextlib
import errno
import ipaddress
import os
import socket
from collections.abc import Iterable
from types import TracebackType
from typing import Any

import trio

from gossip.core.address import Address
from gossip.core.arguments import require
from gossip.core.errors import ConfigurationError
from gossip.errors import BindError
from gossip.refusals import ask_for_refusals

RECEIVE_BUFFER_BYTES = 1 << 20
"""Asked of the kernel for the UDP socket: room for a second or so of news while the process is stalled.
The kernel may grant less (``net.core.rmem_max``)."""

LISTEN_BACKLOG = 128
"""Connections that may wait to be accepted; a burst of joining nodes is the case it is for."""

PORT_ATTEMPTS = 64
"""Tries to find a port that is free for UDP and TCP both, when any port will do."""

_MAPPED_PREFIX = "::ffff:"

_LINK_LOCAL = (
    "{}: {} is a link-local address, which means something only on one interface of one machine, so that members "
    "cannot tell it each other; give a global, unique local or IPv4 address"
)

_EXPLANATIONS = {
    errno.EADDRINUSE: "another program uses that port",
    errno.EADDRNOTAVAIL: "it is not an address of this machine",
    errno.EACCES: "this user may not use that port",
    errno.EPERM: "this user may not use that port",
    errno.EAFNOSUPPORT: "this machine does not support that kind of address",
}


def parse_address(given: str | Address, what: str) -> Address:
    """The address that a person gave as ``what``, a text or already an :class:`Address`.

    :raises ConfigurationError: if it is malformed; the text begins with ``what``.
    """
    require(what, given, (str, Address), "a text like HOST:PORT")
    if isinstance(given, Address):
        require(f"{what}: its host", given.host, str, "a text")
        require(f"{what}: its port", given.port, int, "a number")
    try:
        address = Address.parse(str(given))
    except ValueError as error:
        raise ConfigurationError(f"{what}: {error}") from None
    if address.is_link_local:
        raise ConfigurationError(_LINK_LOCAL.format(what, address))
    if "%" in address.host:
        raise ConfigurationError(
            f"{what}: {address}: a scope (what follows %) belongs to link-local addresses, which cannot be used; leave "
            "it out"
        )
    return address


def reason(error: BaseException) -> str:
    """What went wrong, in the operating system's words if it has any."""
    code = getattr(error, "errno", None) or 0
    return os.strerror(code) if code > 0 else getattr(error, "strerror", None) or str(error)


def plain_address(sockaddr: Any) -> Address:
    """The address in a socket's own form, without scope id; IPv4 in IPv6 becomes IPv4.

    What has a scope is link-local, and nothing can be sent there without it: see :attr:`Address.is_link_local`.
    """
    host: str = sockaddr[0]
    if ":" in host:
        if host.startswith(_MAPPED_PREFIX) and "." in host:
            host = host[len(_MAPPED_PREFIX) :]
        elif "%" in host:
            host = host.partition("%")[0]
    return Address(host, sockaddr[1])


def mapped_sockaddr(address: Address) -> tuple[str, int]:
    """The form of an address that a dual-stack IPv6 socket sends to."""
    host, port = address
    return (host, port) if ":" in host else (_MAPPED_PREFIX + host, port)


def ip_text(host: str) -> str | None:
    """``host``, which has no scope, as the shortest text of an IP address, or None if it is a name."""
    try:
        parsed = ipaddress.ip_address(host)
    except ValueError:
        return None
    mapped = parsed.ipv4_mapped if isinstance(parsed, ipaddress.IPv6Address) else None
    return str(mapped or parsed)


async def resolve(address: Address) -> tuple[Address, ...]:
    """All IP addresses of a host, each with the given port, in the resolver's order, none twice.

    :raises OSError: if the name cannot be resolved.
    """
    literal = ip_text(address.host)
    if literal is not None:
        return (Address(literal, address.port),)
    try:
        found = await trio.socket.getaddrinfo(address.host, address.port, type=socket.SOCK_DGRAM)
    except ValueError as error:  # a label too long, a zero byte
        raise OSError(f"it is not a possible host name ({error})") from None
    return tuple(dict.fromkeys(plain_address(sockaddr) for *_, sockaddr in found))


class SocketPair:
    """The UDP socket and the TCP listener of one node, both non-blocking; owns and closes them."""

    def __init__(self, family: int, sockaddr: Any, udp: socket.socket, tcp: socket.socket) -> None:
        self._family = family
        self._sockaddr = sockaddr
        self.udp = udp
        self.tcp = tcp
        self.address = plain_address(sockaddr)
        """Where both are bound; the host may be ``0.0.0.0`` or ``::``, the port never is 0."""
        self._dual_stack = _is_dual_stack(family, sockaddr)

    @property
    def is_ipv6(self) -> bool:
        """Whether the sockets speak IPv6, be it beside IPv4 or alone."""
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
    """Bind UDP and TCP to one port of ``where``, whose host may be a name and whose port may be 0.

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
        raise ConfigurationError(_LINK_LOCAL.format("bind", where))
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


async def advertised_address(advertise: Address | None, sockets: SocketPair) -> Address | None:
    """The IP address that others are to use, or None if only they can tell.

    A port of 0 in ``advertise`` stands for the bound port.

    :raises ConfigurationError: if ``advertise`` is no address that one can send to.
    :raises BindError: if its name cannot be resolved to an address of the bound family.
    """
    if advertise is None:
        return None if sockets.address.is_unspecified else sockets.address
    wanted = Address(advertise.host, advertise.port or sockets.address.port)
    if wanted.is_unspecified:
        raise ConfigurationError(f"advertise: nobody can send to {advertise}; give an address that others can reach")
    try:
        found = await resolve(wanted)
    except OSError as error:
        raise BindError(f"cannot advertise {wanted}: the host name cannot be resolved ({reason(error)})") from None
    usable = [address for address in found if sockets.can_reach(address) and not address.is_link_local]
    if not usable and any(address.is_link_local for address in found):
        raise ConfigurationError(_LINK_LOCAL.format("advertise", wanted))
    if not usable:
        raise BindError(f"cannot advertise {wanted}: its IP version is not the one bound ({sockets.address})")
    return usable[0]


def require_one_machine(bound: Address, advertise: Address | None, seeds: Iterable[Address]) -> None:
    """See to it that a node which only this machine can reach has no seed elsewhere. Names are not looked up here.

    :raises ConfigurationError: if it has.
    """
    elsewhere = next((seed for seed in seeds if ip_text(seed.host) is not None and not seed.is_loopback), None)
    if elsewhere is None:
        return
    for what, address in (("bind", bound), ("advertise", advertise)):
        if address is not None and address.is_loopback:
            raise ConfigurationError(
                f"{what}: only this machine can reach {address.host}, but the seed {elsewhere} is no loopback address; "
                f"{what} an address that others can reach, or give a seed on this machine by its loopback address"
            )


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
        if os.name == "posix":  # a restarted node need not wait for the connections of the last one to time out
            opened.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        _bind(opened, family, sockaddr)
        opened.listen(LISTEN_BACKLOG)
    except BaseException:
        opened.close()
        raise
    return opened


def _new_socket(family: int, kind: socket.SocketKind) -> socket.socket:
    opened = socket.socket(family, kind)
    opened.setblocking(False)
    return opened


def _bind(opened: socket.socket, family: int, sockaddr: Any) -> None:
    if family == socket.AF_INET6:
        # Said in both cases, because the default is the administrator's (net.ipv6.bindv6only).
        opened.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, not _is_dual_stack(family, sockaddr))
    opened.bind(sockaddr)


def _is_dual_stack(family: int, sockaddr: Any) -> bool:
    return family == socket.AF_INET6 and sockaddr[0] == "::"


def _close(opened: socket.socket) -> None:
    if opened.fileno() >= 0:
        trio.lowlevel.notify_closing(opened)
    with contextlib.suppress(OSError):  # closed behind our back
        opened.close()
