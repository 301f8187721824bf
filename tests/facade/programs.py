"""Programs of a test that run as processes of their own."""

from __future__ import annotations

import subprocess
import sys

from tests.rst import ROOT


def command(program: str, *arguments: str) -> list[str]:
    """How a program is run whose warnings are errors."""
    of_threads_and_forks = "ignore:This process:DeprecationWarning"  # of Python 3.12 and later
    return [sys.executable, "-W", "error", "-W", of_threads_and_forks, "-c", program, *arguments]


def run(program: str, *arguments: str, prints: str = "") -> None:
    """Run a program that has to succeed, and to print this and no more."""
    done = subprocess.run(command(program, *arguments), cwd=ROOT, capture_output=True, text=True, check=False)
    assert not done.stderr, done.stderr
    assert (done.returncode, done.stdout) == (0, prints)
