"""The UDP socket: sending, reading all that has arrived, and opening the socket again after it died.

An error with one datagram counts as a loss, like any loss on the network, and never stops the node. This module does
not wait; :mod:`gossip.net.driver` decides when to read and when to try again.
"""

from __future__ import annotations

import contextlib
import errno
import math
from collections.abc import Callable

import trio

from gossip.backoff import Backoff
from gossip.core.support.address import Address
from gossip.net.addresses import mapped_sockaddr, plain_address
from gossip.net.refusals import refusals
from gossip.net.sockets import SocketPair
from gossip.telemetry import NodeLog, ShellCounters

BATCH = 64
"""Datagrams read before other tasks get a turn: as a rule less than a millisecond of work."""

BATCH_S = 0.005
"""Seconds after which other tasks get a turn before that. Most datagrams take some ten microseconds, but one full of
new members takes almost a millisecond, and a peer that sends many of those must not hold up the embedding program."""

MAX_DATAGRAM_BYTES = 65_536
"""More than any UDP payload. The core refuses datagrams that are too large for this node's settings."""

ERRORS_IN_A_ROW = 16
"""Failed reads after which the socket counts as dead. Single errors come and go with an interface."""

REOPEN_PAUSE_MIN_S = 0.05
REOPEN_PAUSE_MAX_S = 5.0
"""Pauses before a dead socket is opened again. They double while it keeps dying, and begin anew once it has worked for
the longest of them."""

# Reports about datagrams sent earlier (ICMP); they say nothing about the socket. The list must have all errors that
# Linux makes of such messages. Otherwise an attacker could forge some and get the socket closed. Not every system has
# each of them.
_ABOUT_A_PEER = frozenset(
    code
    for name in (
        "ECONNREFUSED", "ECONNRESET", "EHOSTUNREACH", "ENETUNREACH", "EMSGSIZE", "EINTR",
        "ENOPROTOOPT", "EOPNOTSUPP", "EHOSTDOWN", "ENONET", "EPROTO", "EACCES",
    )
    if (code := getattr(errno, name, None)) is not None
)  # fmt: skip
_ABOUT_ANOTHER = _ABOUT_A_PEER - {errno.EMSGSIZE}
_DEAD_SOCKET = frozenset({errno.EBADF, errno.ENOTSOCK})


class DatagramEndpoint:
    """Sends and receives the datagrams of one node; no method blocks or raises because of the network."""

    def __init__(self, sockets: SocketPair, node_name: str, counters: ShellCounters) -> None:
        self._sockets = sockets
        self._log = NodeLog(__name__, node_name)
        self._counters = counters
        self._errors_in_a_row = 0
        self._pause = Backoff(REOPEN_PAUSE_MIN_S, REOPEN_PAUSE_MAX_S, calm_s=REOPEN_PAUSE_MAX_S)
        self.reopen_at = math.inf
        """Local time in seconds at which to try :meth:`reopen`; infinite while the socket works."""

    async def wait_readable(self) -> None:
        """Return when there is something to read or the socket has died. Without an open socket, it does not return."""
        if self.reopen_at != math.inf:
            await trio.sleep_forever()
        try:
            await trio.lowlevel.wait_readable(self._sockets.udp)
        except (OSError, ValueError, trio.ClosedResourceError):
            await trio.lowlevel.checkpoint()  # the next read finds out

    def send(self, data: bytes, destination: Address) -> None:
        """Send one datagram; if the system does not take it, it is lost and counted."""
        sockets = self._sockets
        try:
            if not sockets.is_ipv6 and ":" not in destination[0]:
                sockets.udp.sendto(data, destination)
            elif sockets.can_reach(destination):
                sockets.udp.sendto(data, mapped_sockaddr(destination))
            else:
                self._counters.send_errors += 1
        except OSError as error:
            self._send_again(data, destination, error)

    def receive(self, deliver: Callable[[bytes, Address, float], None],
                refused: Callable[[Address, float], None]) -> bool:  # fmt: skip
        """Read up to :data:`BATCH` datagrams, for :data:`BATCH_S` at most, and deliver each.

        :param refused: called for datagrams of this node that the system of a peer refused.
        :returns: whether more may be waiting.
        """
        if self.reopen_at != math.inf:
            return False
        read, clock = self._sockets.udp.recvfrom, trio.current_time
        until = clock() + BATCH_S
        for count in range(BATCH):
            try:
                data, source = read(MAX_DATAGRAM_BYTES)
            except BlockingIOError:
                if not count:  # woken for another reason
                    self._tell_refusals(refused)
                return False
            except OSError as error:
                self._counters.receive_errors += 1
                self._tell_refusals(refused)
                if self._has_died(error):
                    return False
                continue
            self._errors_in_a_row = 0
            now = clock()  # after reading, so that no datagram arrives before it was sent
            deliver(data, plain_address(source), now)
            if now >= until:
                return True
        return True

    def reopen(self, now: float) -> None:
        """Open a new socket on the same port in place of the dead one, or set the time of the next try."""
        try:
            self._sockets.reopen_udp()
        except OSError as error:
            self._try_again_after(now, f"cannot be opened again: {error}")
            return
        self._counters.sockets_reopened += 1
        self._errors_in_a_row = 0
        self.reopen_at = math.inf
        self._log.warning("opened UDP %s again", self._sockets.address)

    def _send_again(self, data: bytes, destination: Address, error: OSError) -> None:
        """Send a datagram again that the system did not take: the error may be about an earlier one to another peer."""
        if error.errno in _ABOUT_ANOTHER:
            with contextlib.suppress(OSError):
                self._sockets.udp.sendto(data, mapped_sockaddr(destination) if self._sockets.is_ipv6 else destination)
                return
        self._counters.send_errors += 1

    def _tell_refusals(self, refused: Callable[[Address, float], None]) -> None:
        for sent_to in refusals(self._sockets.udp):
            refused(plain_address(sent_to), trio.current_time())

    def _has_died(self, error: OSError) -> bool:
        if error.errno in _ABOUT_A_PEER:
            return False
        self._errors_in_a_row += 1
        if error.errno not in _DEAD_SOCKET and self._errors_in_a_row < ERRORS_IN_A_ROW:
            return False
        self._try_again_after(trio.current_time(), f"died: {error}")
        return True

    def _try_again_after(self, now: float, what: str) -> None:
        pause_s = self._pause.failed(now)
        self.reopen_at = self._pause.ends_at
        self._log.warning("UDP %s %s; next try in %.2f s", self._sockets.address, what, pause_s)
