"""What each node believes of each member: all beliefs at one moment, and every change since.

When there are too many changes, that moment moves forward, so that the end of a run is always complete.
"""

from __future__ import annotations

from array import array

from gossip.core.state.member import Status

MAX_CHANGES = 200_000
"""The most changes kept: a start of 400 members at once, or hours of churn among 100, in 3 MB of memory and of page."""

STATUSES = ("unknown", "alive", "suspect", "dead", "left")
"""What a node may believe of a member. Changes give the place in this list."""

UNKNOWN = 0
CODES = {status: STATUSES.index(status.value) for status in Status if status.value in STATUSES}
"""The place in :data:`STATUSES` of each status that a member can have."""

EVERYBODY = 2**16 - 1
"""Stands for a subject where a new process begins, which knows no member."""


class BeliefLog:
    """The changes of what observers believe of subjects. Both have numbers."""

    def __init__(self) -> None:
        self.since = 0.0
        """Virtual time from which everything is known."""
        self.times = array("d")
        self.observers = array("H")
        self.subjects = array("H")
        self.statuses = bytearray()
        self._base: list[bytearray] = []
        self._present: list[bytearray] = []

    def __len__(self) -> int:
        return len(self.times)

    @property
    def base(self) -> list[bytes]:
        """For each observer, its beliefs about each subject at :attr:`since`. Missing subjects are unknown."""
        return [bytes(row) for row in self._base]

    def present(self, observer: int) -> bytes:
        """An observer's beliefs about each subject now. Missing subjects are unknown."""
        return bytes(self._row(self._present, observer))

    def set(self, now: float, observer: int, subject: int, status: int) -> None:
        """An observer believes this of a subject from now on."""
        row = self._row(self._present, observer)
        if (row[subject] if subject < len(row) else UNKNOWN) != status:
            self._put(row, subject, status)
            self._append(now, observer, subject, status)

    def begin(self, now: float, observer: int) -> None:
        """An observer's process begins, and knows no member."""
        row = self._row(self._present, observer)
        if row:
            row.clear()
            self._append(now, observer, EVERYBODY, UNKNOWN)

    def _append(self, now: float, observer: int, subject: int, status: int) -> None:
        if now <= self.since and not self.times:
            self._to_base(observer, subject, status)
            return
        self.times.append(now)
        self.observers.append(observer)
        self.subjects.append(subject)
        self.statuses.append(status)
        if len(self.times) > MAX_CHANGES:
            self._drop_half()

    def _drop_half(self) -> None:
        half = len(self.times) // 2
        for observer, subject, status in zip(self.observers[:half], self.subjects[:half], self.statuses, strict=False):
            self._to_base(observer, subject, status)
        self.since = self.times[half - 1]
        for kept in (self.times, self.observers, self.subjects, self.statuses):
            del kept[:half]

    def _to_base(self, observer: int, subject: int, status: int) -> None:
        row = self._row(self._base, observer)
        if subject == EVERYBODY:
            row.clear()
        else:
            self._put(row, subject, status)

    @staticmethod
    def _row(rows: list[bytearray], observer: int) -> bytearray:
        while len(rows) <= observer:
            rows.append(bytearray())
        return rows[observer]

    @staticmethod
    def _put(row: bytearray, subject: int, status: int) -> None:
        if subject >= len(row):
            row.extend(bytes(subject + 1 - len(row)))
        row[subject] = status
