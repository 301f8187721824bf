"""Addresses as people write them, as sockets report them and as name servers answer, each as an :class:`Address`.

This module decides which addresses a person may give, and how an IPv4 address looks on a socket for both IP versions.
It opens no socket; see :mod:`gossip.net.sockets`.
"""

from __future__ import annotations

import ipaddress
import os
import socket
from collections.abc import Iterable
from typing import Any

import trio

from gossip.core.errors import ConfigurationError
from gossip.core.support.address import Address
from gossip.core.support.arguments import require

_MAPPED_PREFIX = "::ffff:"

LINK_LOCAL = (
    "{}: {} is a link-local address. It means something only on one interface of one machine, so members cannot pass "
    "it on; give a global, unique local or IPv4 address"
)
"""The error for such an address: the name of the argument, and the address."""


def parse_address(given: str | Address, what: str) -> Address:
    """The address that a person gave as ``what``: a text or an :class:`Address`.

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
        raise ConfigurationError(LINK_LOCAL.format(what, address))
    if "%" in address.host:
        raise ConfigurationError(
            f"{what}: {address}: the scope (after the %) belongs to link-local addresses, which a member cannot use; "
            "leave it out"
        )
    return address


def reason(error: BaseException) -> str:
    """What went wrong, in the words of the operating system if it has any."""
    code = getattr(error, "errno", None) or 0
    return os.strerror(code) if code > 0 else getattr(error, "strerror", None) or str(error)


def plain_address(sockaddr: Any) -> Address:
    """The address from a socket's own form, without scope id; IPv4 in IPv6 becomes IPv4.

    An address with a scope is link-local, and a node cannot send there without the scope: see
    :attr:`Address.is_link_local`.
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
    """The shortest text of the IP address ``host``, which has no scope; None if it is a name."""
    try:
        parsed = ipaddress.ip_address(host)
    except ValueError:
        return None
    mapped = parsed.ipv4_mapped if isinstance(parsed, ipaddress.IPv6Address) else None
    return str(mapped or parsed)


async def resolve(address: Address) -> tuple[Address, ...]:
    """All IP addresses of a host, each with the given port, in the resolver's order and without repetition.

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


def require_one_machine(bound: Address, advertise: Address | None, seeds: Iterable[Address]) -> None:
    """Refuse seeds on other machines for a node that only this machine can reach. This does not look up names.

    :raises ConfigurationError: if there is such a seed.
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
