"""What a type checker tells somebody who uses the library: nothing about right programs, and each mistake."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.rst import ROOT

PROGRAMS = ROOT / "tests" / "typing"
LIMIT_S = 300.0
MARK = re.compile(r"  # type: ignore\[([a-z-]+)\]$")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where a user's programs are: not in this checkout, whose types would be looked at as the user's own."""
    return tmp_path_factory.mktemp("user")


def errors_in(folder: Path, **programs: str) -> set[tuple[str, int, str]]:
    """What mypy refuses in programs, with all its checks: the program, the line and the name of the check."""
    for name, text in programs.items():
        (folder / f"{name}.py").write_text(text, encoding="utf-8")
    done = subprocess.run(
        [sys.executable, "-m", "mypy", "--strict", "--no-error-summary", "--hide-error-context", "--config-file=",
         f"--cache-dir={folder / 'cache'}", *(f"{name}.py" for name in programs)],
        capture_output=True, text=True, timeout=LIMIT_S, check=False, cwd=folder,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
    )  # fmt: skip
    assert done.returncode in (0, 1), done.stderr
    found = re.findall(r"^(\w+)\.py:(\d+): error: .*\[([a-z-]+)\]$", done.stdout, re.MULTILINE)
    assert len(found) == done.stdout.count(": error:"), done.stdout
    return {(name, int(line), check) for name, line, check in found}


def test_right_programs_of_every_flavour_have_no_error(folder: Path) -> None:
    programs = {file.stem: file.read_text("utf-8") for file in PROGRAMS.glob("*_program.py")}
    assert "trio_program" in programs
    assert errors_in(folder, **programs) == set()


def test_each_mistake_is_refused(folder: Path) -> None:
    lines = (PROGRAMS / "mistakes.py").read_text("utf-8").splitlines()
    marked = {("mistakes", number, mark[1]) for number, line in enumerate(lines, 1) if (mark := MARK.search(line))}
    assert len(marked) > 10
    assert errors_in(folder, mistakes="\n".join(MARK.sub("", line) for line in lines)) == marked
