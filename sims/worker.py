"""A worker: a process that runs one plan after the other.

It reads plans as lines of JSON from its standard input and answers each with one line of JSON on its standard
output. It ends when there is no more to read, or, in the middle of a run, when whoever started it is gone.
"""

from __future__ import annotations

import json
import os
import sys
import traceback
from collections.abc import Callable

from .ended import Ended, Failure
from .plan import Plan
from .results import outcome_from_data
from .run import Run


def answer(plan: str, progress: Callable[[float], None] = lambda _virtual_s: None) -> str:
    """Run a plan, and say what came of it; the reverse is :func:`read_answer`.

    An error of the code that is run is an answer too: it is part of what a sweep looks for.

    :param plan: as JSON.
    :param progress: as of :meth:`sims.run.Run.run`.
    """
    try:
        return f'{{"outcome": {Run(Plan.from_json(plan)).run(progress).to_json()}}}'
    except Exception:  # noqa: BLE001  (whatever it is, the other runs go on)
        return json.dumps({"failure": traceback.format_exc()})


def read_answer(seed: int, text: str) -> Ended:
    """What a worker said of the run with this seed."""
    said = json.loads(text)
    return Failure(seed=seed, text=said["failure"]) if "failure" in said else outcome_from_data(said["outcome"])


def main(parent: int) -> None:
    """Answer until there is no more to read.

    :param parent: process id of whoever started this worker.
    """
    answers, sys.stdout = sys.stdout, sys.stderr

    def stop_without_parent(_virtual_s: float) -> None:
        if os.getppid() != parent:
            sys.exit("the sweep that this run was part of is gone")

    for plan in sys.stdin:
        print(answer(plan, stop_without_parent), file=answers, flush=True)


if __name__ == "__main__":
    main(int(sys.argv[1]))
