"""The command line of the simulator, to be run within the tests."""

from __future__ import annotations

from pathlib import Path

import pytest

from sims.cli.main import run as run_command
from tests.sims.commands import Done, Sims


@pytest.fixture
def sims(capsys: pytest.CaptureFixture[str]) -> Sims:
    """Run a command in this process."""

    def run(*arguments: str | Path) -> Done:
        code = run_command([str(each) for each in arguments])
        captured = capsys.readouterr()
        return Done(code, captured.out, captured.err)

    return run
