"""A worker: a process that runs one plan after the other, ``python -m sims.sweep.worker PARENT``.

It reads plans as lines of JSON from its standard input and answers each with one line of JSON on its standard output.
It ends when there is no more to read. In the middle of a run it ends if the process that started it is gone.
"""

from __future__ import annotations

import os
import sys

from .answers import answer


def main(parent: int) -> None:
    """Answer plans until the input ends.

    :param parent: process id of the process that started this worker.
    """
    answers, sys.stdout = sys.stdout, sys.stderr

    def stop_without_parent(_virtual_s: float) -> None:
        if os.getppid() != parent:
            sys.exit("the sweep that this run was part of is gone")

    for plan in sys.stdin:
        print(answer(plan, stop_without_parent), file=answers, flush=True)


if __name__ == "__main__":
    main(int(sys.argv[1]))
