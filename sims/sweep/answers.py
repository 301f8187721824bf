"""Answers: how a run of a sweep ends, with an outcome or a failure, and the line of JSON that says so."""

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
    """A run without an outcome: the code raised an error, or the workers died."""

    seed: int
    text: str

    @property
    def reason(self) -> str:
        """The last line of the text, which gives the reason."""
        return self.text.strip().rpartition("\n")[2]


Ended = Outcome | Failure
"""The result of a run."""


class EngineLost(Exception):
    """The engine of a sweep cannot go on. Outcomes until then are kept."""


def answer(plan: str, progress: Callable[[float], None] = lambda _virtual_s: None) -> str:
    """Run a plan and return a line of JSON, which :func:`read_answer` reads.

    An error of the code becomes a failure, because a sweep looks for errors, too.

    :param plan: the plan as JSON.
    :param progress: as for :meth:`sims.running.Run.run`.
    """
    try:
        return f'{{"outcome": {Run(Plan.from_json(plan)).run(progress).to_json()}}}'
    except Exception:  # noqa: BLE001  (the other runs go on)
        return json.dumps({"failure": traceback.format_exc()})


def read_answer(seed: int, text: str) -> Ended:
    """Read what a worker said of the run with this seed."""
    said = json.loads(text)
    return Failure(seed=seed, text=said["failure"]) if "failure" in said else outcome_from_data(said["outcome"])
