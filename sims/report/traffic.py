"""Traffic: datagrams and bytes that each node sent, in equal spans of time that widen as the run goes on."""

from __future__ import annotations

from array import array

MAX_BINS = 240
"""The most spans: four pixels each on a laptop's screen. When they are used up, each two become one."""

FIRST_WIDTH_S = 0.125
"""First width of a span, in virtual seconds: half a minute fits."""


class TrafficLog:
    """What nodes sent, by their numbers. Nodes without a number are counted together."""

    def __init__(self) -> None:
        self.width = FIRST_WIDTH_S
        """Virtual seconds of one span."""
        self.datagrams: list[array[int]] = []
        """For each node, datagrams sent in each span."""
        self.bytes: list[array[int]] = []
        """Payload bytes in them."""
        self.other_datagrams = _row()
        self.other_bytes = _row()

    def add(self, now: float, lane: int | None, size: int) -> None:
        """A node sent a datagram of this size."""
        span = int(now / self.width)
        while span >= MAX_BINS:
            self._widen()
            span = int(now / self.width)
        if lane is None:
            self.other_datagrams[span] += 1
            self.other_bytes[span] += size
            return
        while len(self.datagrams) <= lane:
            self.datagrams.append(_row())
            self.bytes.append(_row())
        self.datagrams[lane][span] += 1
        self.bytes[lane][span] += size

    def _widen(self) -> None:
        self.width *= 2
        for row in (*self.datagrams, *self.bytes, self.other_datagrams, self.other_bytes):
            row[:] = merged(row, 2) + array("Q", bytes(8 * (MAX_BINS // 2)))


def shown(row: array[int], spans: int, factor: int) -> list[int]:
    """The first spans of a row, with ``factor`` spans merged into each. The last one gets the remainder."""
    sums = merged(row, factor)
    return [*sums[: spans - 1], sum(sums[spans - 1 :])]


def merged(row: array[int], factor: int) -> array[int]:
    """The sums of each ``factor`` neighbours."""
    return array("Q", (sum(row[at : at + factor]) for at in range(0, len(row), factor)))


def _row() -> array[int]:
    return array("Q", bytes(8 * MAX_BINS))
