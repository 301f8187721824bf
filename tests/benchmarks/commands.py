"""Runs of ``python -m benchmarks`` for tests."""

import signal
import subprocess
import sys
import time
from functools import cache
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from benchmarks.analysis.samples import Results, load, save
from benchmarks.commands import report
from tests.benchmarks.made_up import results
from tests.rst import ROOT

LIMIT_S = 600
"""No command takes a third of it."""


def run(*arguments: str) -> "subprocess.CompletedProcess[str]":
    """Run the command to its end."""
    return subprocess.run(
        [sys.executable, "-m", "benchmarks", *arguments],
        capture_output=True, text=True, cwd=ROOT, timeout=LIMIT_S, check=False,
    )  # fmt: skip


def interruptible(command: list[str]) -> "subprocess.Popen[str]":
    """Start a command that takes SIGINT: a shell starts what it puts in the background with SIGINT ignored, and
    children inherit that."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        return subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    finally:
        signal.signal(signal.SIGINT, before)


def interrupted(folder: Path, *arguments: str) -> tuple[int, str, Results]:
    """Interrupt a measurement as soon as something has been measured: exit code, what it says, and what it kept."""
    if (reason := why_no_network()) is not None:
        pytest.skip(reason)
    file = folder / "results.json"
    command = [sys.executable, "-m", "benchmarks", "run", *arguments, "--json", str(file)]
    with interruptible(command) as process:
        deadline = time.monotonic() + LIMIT_S
        while not file.exists() and process.poll() is None and time.monotonic() < deadline:
            time.sleep(0.05)
        process.send_signal(signal.SIGINT)
        _, complaints = process.communicate(timeout=LIMIT_S)
    return process.returncode, complaints, load(file)


def measure(folder: Path, *arguments: str) -> Results:
    """Have something measured; skips the test where there can be no private network."""
    if (reason := why_no_network()) is not None:
        pytest.skip(reason)
    file = folder / "results.json"
    done = run("run", *arguments, "--json", str(file))
    assert done.returncode == 0, done.stderr
    return load(file)


def report_of(folder: Path, *options: str) -> Result:
    """``report`` of made-up results, into ``docs`` of this folder."""
    save(results([sample for sample in results().samples if sample.nodes <= 32]), folder / "results.json")
    return CliRunner().invoke(report, [str(folder / "results.json"), "--into", str(folder / "docs"), *options])


@cache
def why_no_network() -> str | None:
    """Why there can be no private network here; None if there can."""
    script = "from benchmarks.environment import namespace; namespace.enter()"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, cwd=ROOT, check=False)
    return None if done.returncode == 0 else done.stderr.strip().splitlines()[-1]
