"""Answers: how a run of a sweep ends, with an outcome or without one, and that as a line of JSON."""

from __future__ import annotations

import json
import traceback
from collections.abc import Callable

import attrs

from ..plan import Plan
from ..running import Outcome, Run
from .results import outcome_from_data


@attrs.frozen(kw_only=True)
class Failure:
    """A run without an outcome: an error in the code that was run, or workers that died of it."""

    seed: int
    text: str

    @property
    def reason(self) -> str:
        """The last line of the text, which says what it came to."""
        return self.text.strip().rpartition("\n")[2]


Ended = Outcome | Failure
"""What came of a run."""


class EngineLost(Exception):
    """Whatever makes the runs of a sweep cannot go on; what was done until then is kept."""


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
