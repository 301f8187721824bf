"""The command ``gossip``, which now and then counts what it holds: ``python -m benchmarks.agents.counted FILE ...``.

Tasks can be counted only from inside a process. So an instrument of trio runs beside the command, and writes to
``FILE``, every few seconds, how many tasks live and how many blocks of memory Python has allocated.

The core's caches keep what the core meets again and again: in an hour, many records of members that are gone. The
caches are bounded, but large enough to hide a leak or to look like one, and so are the lists in which Python keeps
objects for reuse. So all of these are emptied each minute, and the blocks are counted just after that. Nothing else
differs from ``python -m gossip``.
"""

from __future__ import annotations

import functools
import gc
import os
import sys
import time

import trio

from gossip.cli import main

EVERY_S = 5.0

COUNTS_TO_EMPTYING = 12
"""A minute."""

LINE_BYTES = 64
"""Each count overwrites the one before."""


class Counter(trio.abc.Instrument):
    """Writes the counts when the loop has nothing else to do."""

    def __init__(self, path: str, every_s: float = EVERY_S) -> None:
        """Counting begins after the first minute, in which an agent still grows to its usual size."""
        self._file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC, 0o600)
        self._every_s = every_s
        self._next = time.monotonic() + COUNTS_TO_EMPTYING * every_s
        self._counts = 0
        self._blocks = 0

    def before_io_wait(self, timeout: float) -> None:
        """Called by trio before it waits."""
        now = time.monotonic()
        if now < self._next:
            return
        self._next = now + self._every_s
        if self._counts % COUNTS_TO_EMPTYING == 0:
            gc.collect()
            self._blocks = sys.getallocatedblocks()
        self._counts += 1
        tasks = trio.lowlevel.current_statistics().tasks_living
        os.pwrite(self._file, f"{tasks} {self._blocks}".ljust(LINE_BYTES).encode(), 0)


if __name__ == "__main__":
    instruments = [Counter(sys.argv.pop(1))]
    trio.run = functools.partial(trio.run, instruments=instruments)  # type: ignore[assignment]
    main()
