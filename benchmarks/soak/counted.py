"""``python -m benchmarks.soak.counted FILE ...``: the command ``gossip ...``, which now and then counts what it holds.

Tasks can only be counted from inside of a process. Beside the command, an instrument of trio writes to ``FILE``, every
few seconds, how many tasks live, and how many blocks of memory Python has given out.

The core keeps what it meets again and again in caches: in an hour, many records of members that are gone. They are
bounded, but so large that they would hide a leak, or look like one; and so are the lists in which Python keeps objects
to be used again. So each minute these are emptied, and the blocks are counted just after that. Nothing else is
different from ``python -m gossip``.
"""

from __future__ import annotations

import functools
import gc
import os
import sys
import time

import trio

from gossip.cli import main
from gossip.core import caches

EVERY_S = 5.0

COUNTS_TO_EMPTYING = 12
"""A minute."""

LINE_BYTES = 64
"""Each count is written over the one before."""


class Counter(trio.abc.Instrument):
    """Writes the counts when the loop has nothing better to do."""

    def __init__(self, path: str, every_s: float = EVERY_S) -> None:
        """Nothing is counted in the first minute, in which an agent is still becoming what it will be."""
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
            caches.forget()
            gc.collect()
            self._blocks = sys.getallocatedblocks()
        self._counts += 1
        tasks = trio.lowlevel.current_statistics().tasks_living
        os.pwrite(self._file, f"{tasks} {self._blocks}".ljust(LINE_BYTES).encode(), 0)


if __name__ == "__main__":
    instruments = [Counter(sys.argv.pop(1))]
    trio.run = functools.partial(trio.run, instruments=instruments)  # type: ignore[assignment]
    main()
