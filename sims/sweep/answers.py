"""Answers: what a worker says of the run of one plan, as a line of JSON."""

from __future__ import annotations

import json
import traceback
from collections.abc import Callable

from ..plan import Plan
from ..running import Run
from .ended import Ended, Failure
from .results import outcome_from_data


def answer(plan: str, progress: Callable[[float], None] = lambda _virtual_s: None) -> str:
    """Run a plan, and say what came of it; the reverse is :func:`read_answer`.

    An error of the code that is run is an answer too: it is part of what a sweep looks for.

    :param plan: as JSON.
    :param progress: as of :meth:`sims.running.Run.run`.
    """
    try:
        return f'{{"outcome": {Run(Plan.from_json(plan)).run(progress).to_json()}}}'
    except Exception:  # noqa: BLE001  (whatever it is, the other runs go on)
        return json.dumps({"failure": traceback.format_exc()})


def read_answer(seed: int, text: str) -> Ended:
    """What a worker said of the run with this seed."""
    said = json.loads(text)
    return Failure(seed=seed, text=said["failure"]) if "failure" in said else outcome_from_data(said["outcome"])
