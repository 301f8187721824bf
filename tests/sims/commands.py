"""What tests of the command line have in common: a command that was run in this process, and what it did."""

from __future__ import annotations

from collections.abc import Callable

import attrs


@attrs.frozen
class Done:
    """What a command did."""

    code: int
    stdout: str
    stderr: str

    @property
    def complaint(self) -> str:
        """The one line on standard error."""
        lines = self.stderr.splitlines()
        assert len(lines) == 1, self.stderr
        return lines[0]


Sims = Callable[..., Done]
