"""The guide to tests: the test that it shows passes."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from tests.rst import ROOT, blocks, document


def test_the_test_of_a_program_passes_as_it_stands(tmp_path: Path) -> None:
    (block,) = [block for block in blocks(document("docs/howto/testing.rst")) if block.name == "test_program.py"]
    script = tmp_path / "test_program.py"
    script.write_text(block.text, encoding="utf-8")
    done = subprocess.run(
        [sys.executable, "-W", "error", "-m", "pytest", "-q", "-p", "no:cacheprovider", "-c", os.devnull, script],
        cwd=tmp_path,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert "1 passed" in done.stdout, done.stdout + done.stderr
