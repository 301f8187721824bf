"""One run of atheris, in a process of its own: ``python -m tests.fuzzing.child TARGET SLOWEST ARGUMENT...``.

libFuzzer ends the process when it is done or has found something, and says on standard error what it does. The
slowest inputs are kept in the file SLOWEST meanwhile, as JSON: pairs of CPU milliseconds and input in hexadecimal.
The arguments are libFuzzer's own. :mod:`tests.fuzzing.running` starts this and reads both.
"""

from __future__ import annotations

import heapq
import json
import shlex
import sys
import time
from collections.abc import Callable
from pathlib import Path
from random import Random

import atheris

with atheris.instrument_imports(include=["gossip"]):
    from tests.fuzzing.targets import TARGETS

MOST_SLOW = 8
"""Slow inputs kept. Some were slow only by chance, such as a pause to collect garbage."""


class Slowest:
    """The inputs that took the most CPU time so far."""

    def __init__(self, file: Path, fuzz_one: Callable[[bytes], None]) -> None:
        self._file = file
        self._fuzz_one = fuzz_one
        self._found: list[tuple[float, bytes]] = []

    def __call__(self, data: bytes) -> None:
        """Do one input, and note it if it was slow."""
        began = time.thread_time()
        self._fuzz_one(data)
        took = time.thread_time() - began
        if len(self._found) < MOST_SLOW or took > self._found[0][0]:
            self._note(took, data)

    def _note(self, took: float, data: bytes) -> None:
        heapq.heappush(self._found, (took, data))
        if len(self._found) > MOST_SLOW:
            heapq.heappop(self._found)
        ranked = sorted(self._found, reverse=True)
        self._file.write_text(json.dumps([(1000 * took, data.hex()) for took, data in ranked]), encoding="ascii")


def main() -> None:
    """Fuzz until libFuzzer ends the process."""
    name, slowest, *arguments = sys.argv[1:]
    target = TARGETS[name]
    random = Random(0)  # one for all, because a new one for each seed takes longer than a message to be decoded

    def mutate(data: bytes, most: int, _seed: int) -> bytes:
        return target.mutate(data, most, random, lambda given, room: bytes(atheris.Mutate(given, room)))

    # libFuzzer calls itself again to merge inputs: by a shell, and by what it believes to be its own name.
    again = shlex.join([sys.executable, "-m", "tests.fuzzing.child", name, slowest])
    atheris.Setup([again, *arguments], Slowest(Path(slowest), target.fuzz_one), custom_mutator=mutate)
    atheris.Fuzz()


if __name__ == "__main__":
    main()
