"""The guide to tests: the tests that it shows pass."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.rst import ROOT, blocks, document

SHOWN = {block.name: block.text for block in blocks(document("docs/howto/testing.rst")) if block.name}


@pytest.mark.parametrize(("name", "count"), [("test_unit.py", 1), ("test_program.py", 2), ("test_sockets.py", 1)])
def test_the_tests_of_programs_pass_as_they_stand(name: str, count: int, tmp_path: Path) -> None:
    script = tmp_path / name
    script.write_text(SHOWN[name], encoding="utf-8")
    options = ["-q", "-p", "no:cacheprovider", "-c", os.devnull, "-p", "trio", "-p", "gossip_pytest"]
    done = subprocess.run(
        [sys.executable, "-W", "error", "-m", "pytest", *options, script],
        cwd=tmp_path,
        env=os.environ | {"PYTHONPATH": str(ROOT), "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert f"{count} passed" in done.stdout, done.stdout + done.stderr
