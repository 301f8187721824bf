"""``python -m benchmarks.soak.counted FILE ...``: the command ``gossip ...``, which now and then counts what it holds.

Tasks can only be counted from inside of a process. Beside the command, an instrument of trio writes to ``FILE``, every
few seconds: the tasks that live, the blocks of memory that Python has given out, and the results in the caches of the
core, which explain why memory grows at first. Nothing else is different from ``python -m gossip``.
"""

from __future__ import annotations

import functools
import os
import sys
import time

import trio

from gossip.cli import main
from gossip.core import caches

EVERY_S = 5.0

LINE_BYTES = 64
"""Each count is written over the one before."""


class Counter(trio.abc.Instrument):
    """Writes the counts when the loop has nothing better to do."""

    def __init__(self, path: str) -> None:
        self._file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC, 0o600)
        self._next = 0.0

    def before_io_wait(self, timeout: float) -> None:
        """Called by trio before it waits."""
        if (now := time.monotonic()) >= self._next:
            self._next = now + EVERY_S
            os.pwrite(self._file, counts().ljust(LINE_BYTES).encode(), 0)


def counts() -> str:
    """Tasks, blocks and cached results, as numbers in a line."""
    tasks = trio.lowlevel.current_statistics().tasks_living
    cached = sum(cache.cache_info().currsize for cache in caches._caches)
    return f"{tasks} {sys.getallocatedblocks()} {cached}"


if __name__ == "__main__":
    instruments = [Counter(sys.argv.pop(1))]
    trio.run = functools.partial(trio.run, instruments=instruments)  # type: ignore[assignment]
    main()
