"""Datagrams that the system of a peer refused because no process listens there.

The answer to a datagram to a closed port is an ICMP or ICMPv6 message, "port unreachable". Linux puts these messages
into an error queue of the socket, each with the destination of its datagram. Other systems do not; there, only silence
shows a crash.

Source: ip(7) and ipv6(7) of the Linux manual, IP_RECVERR; RFC 792 and RFC 4443.
"""

from __future__ import annotations

import contextlib
import socket
import struct
import sys
from collections.abc import Iterator
from typing import Any

# Of <linux/in.h>, <linux/in6.h>, <linux/errqueue.h>; Python's socket module does not have all of them.
_IP_RECVERR = 11
_IPV6_RECVERR = 25
_MSG_ERRQUEUE = 0x2000
_EXTENDED_ERROR = struct.Struct("=IBBBBII")
_ANCILLARY_BYTES = 512

_PORT_UNREACHABLE = frozenset({(2, 3, 3), (3, 1, 4)})
"""Origin, type and code: ICMP and ICMPv6."""

MAX_AT_ONCE = 64
"""Refusals read before other tasks get a turn."""


def ask_for_refusals(opened: socket.socket) -> None:
    """Make the system keep refusals for :func:`refusals`, if it can."""
    if sys.platform != "linux":
        return
    with contextlib.suppress(OSError):  # this kernel cannot: only silence shows a crash
        opened.setsockopt(socket.IPPROTO_IP, _IP_RECVERR, 1)  # on an IPv6 socket it is for the IPv4 addresses
        if opened.family == socket.AF_INET6:
            opened.setsockopt(socket.IPPROTO_IPV6, _IPV6_RECVERR, 1)


def refusals(opened: socket.socket) -> Iterator[Any]:
    """The destinations of the datagrams refused since the last call, in the socket's own form; at most
    :data:`MAX_AT_ONCE`."""
    if sys.platform != "linux":
        return
    for _ in range(MAX_AT_ONCE):
        try:
            _, ancillary, _, sent_to = opened.recvmsg(0, _ANCILLARY_BYTES, _MSG_ERRQUEUE)
        except OSError:  # there are no more
            return
        if sent_to and any(_is_refusal(*each) for each in ancillary):
            yield sent_to


def _is_refusal(level: int, kind: int, data: bytes) -> bool:
    if (level, kind) not in ((socket.IPPROTO_IP, _IP_RECVERR), (socket.IPPROTO_IPV6, _IPV6_RECVERR)):
        return False
    if len(data) < _EXTENDED_ERROR.size:
        return False
    _, origin, what, code, *_ = _EXTENDED_ERROR.unpack_from(data)
    return (origin, what, code) in _PORT_UNREACHABLE
