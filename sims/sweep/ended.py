"""How a run of a sweep ends: with an outcome, or without one."""

from __future__ import annotations

import attrs

from ..running import Outcome


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
