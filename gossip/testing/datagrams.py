"""Datagrams in memory: as on UDP under Linux, they come whole, late or never, and are refused where nobody listens."""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Callable

import trio

from gossip.core.support.address import Address
from gossip.telemetry import ShellCounters

MAX_DATAGRAM_BYTES = 65_507
"""The most that UDP over IPv4 carries (RFC 768): the system takes none that is larger."""

BATCH = 64
"""Datagrams delivered before other tasks get a turn, as from a socket."""


class MemoryDatagrams:
    """The datagrams of one node in the memory of a test."""

    def __init__(self, send: Callable[[bytes, Address], None], counters: ShellCounters) -> None:
        """:param send: puts a datagram on its way."""
        self.reopen_at = math.inf
        self._send = send
        self._counters = counters
        self._arrived: deque[tuple[bytes, Address]] = deque()
        self._refused: deque[Address] = deque()
        self._wake: trio.Event | None = None

    # --- for the node

    def send(self, data: bytes, destination: Address) -> None:
        """Send one datagram. One that is too large is lost and counted."""
        if len(data) > MAX_DATAGRAM_BYTES:
            self._counters.send_errors += 1
        else:
            self._send(data, destination)

    async def wait_readable(self) -> None:
        """Return when something has arrived, or was refused."""
        if self._arrived or self._refused:
            await trio.lowlevel.checkpoint()
            return
        self._wake = trio.Event()
        await self._wake.wait()

    def receive(self, deliver: Callable[[bytes, Address, float], None],
                refused: Callable[[Address, float], None]) -> bool:  # fmt: skip
        """Deliver up to :data:`BATCH` datagrams, and tell of those of ours that were refused."""
        now = trio.current_time()
        for _ in range(min(BATCH, len(self._arrived))):
            deliver(*self._arrived.popleft(), now)
        while self._refused:
            refused(self._refused.popleft(), now)
        return bool(self._arrived)

    def reopen(self, now: float) -> None:
        """Never needed: memory does not die."""

    # --- for the network

    def arrived(self, data: bytes, source: Address) -> None:
        """Take in a datagram."""
        self._arrived.append((data, source))
        self._notify()

    def was_refused(self, sent_to: Address) -> None:
        """Take in that a datagram of ours was refused."""
        self._refused.append(sent_to)
        self._notify()

    def _notify(self) -> None:
        if self._wake is not None:
            self._wake.set()
            self._wake = None
