"""A program writes its own lines: the library prints nothing, unless the program configures logging."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from tests.rst import ROOT

LIMIT_S = 60.0

DEATH = """\
import trio
import gossip

LOCAL = gossip.Config.local()

async def main():
    with trio.fail_after(30):
        async with gossip.open_node("ada", bind="127.0.0.1:0", config=LOCAL) as ada:
            async with gossip.open_node("brook", bind="127.0.0.1:0", config=LOCAL, seeds=[ada.address]) as brook:
                await brook.joined()
            await ada.until(lambda node: node.get("brook").status is gossip.Status.DEAD)

trio.run(main)
"""


def written_by(configuration: str) -> tuple[str, str]:
    """What a program writes to its standard streams that sees a member die."""
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", configuration + DEATH],
        capture_output=True, text=True, timeout=LIMIT_S, check=True, env=os.environ | {"PYTHONPATH": str(ROOT)},
    )  # fmt: skip
    return done.stdout, done.stderr


def test_a_program_that_configures_no_logging_sees_no_line_of_a_death() -> None:
    assert written_by("") == ("", "")


@pytest.mark.parametrize("level", ["WARNING", "INFO"])
def test_a_program_that_configures_logging_sees_a_death_and_at_the_level_info_a_join(level: str) -> None:
    output, errors = written_by(f"import logging; logging.basicConfig(level={level!r})\n")
    assert output == ""
    assert "WARNING:gossip.telemetry.events:'ada': 'brook' died" in errors
    assert ("INFO:gossip.telemetry.events:'ada': 'brook' joined" in errors) == (level == "INFO")


def test_a_program_that_silences_the_library_sees_nothing() -> None:
    silent = "import logging; logging.basicConfig(); logging.getLogger('gossip').setLevel(logging.CRITICAL)\n"
    assert written_by(silent) == ("", "")
