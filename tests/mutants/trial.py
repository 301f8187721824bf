"""Trying a planted fault: a copy of the checkout, the fault in it, and the tests or a sweep of the simulator."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from tests.mutants.patch import Mutant
from tests.rst import ROOT

MOST_FAILURES = 3
"""Failed tests after which a run ends: enough to name who notices, and not to wait for all others."""

TESTS_TIMEOUT_S = 900
"""A run of tests that takes longer hangs because of the fault, which counts as noticed."""

SWEEP_TIMEOUT_S = 3600

_FAILED = re.compile(r"^(?:FAILED|ERROR) (\S+?)(?:\[| - |$)", re.MULTILINE)


@contextmanager
def copy_of_the_checkout() -> Iterator[Path]:
    """A folder with all that git tracks, as it is in the working tree."""
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=True).stdout
    with TemporaryDirectory(prefix="mutants-") as folder:
        for name in filter(None, listed.decode().split("\0")):
            source, target = ROOT / name, Path(folder) / name
            if source.exists():
                target.parent.mkdir(parents=True, exist_ok=True)
                shutil.copy2(source, target)
        yield Path(folder)


@contextmanager
def planted(mutant: Mutant, checkout: Path) -> Iterator[None]:
    """The checkout with this fault in it."""
    mutant.plant(checkout)
    try:
        yield
    finally:
        mutant.heal(checkout)


def run_tests(checkout: Path, tests: Sequence[str]) -> tuple[str, ...]:
    """Run these tests there, and return those that fail, as pytest names them; at most :data:`MOST_FAILURES`."""
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", f"--maxfail={MOST_FAILURES}"]
    status, output = _run([*command, *tests], checkout, TESTS_TIMEOUT_S)
    if status is None:
        return ("a test hangs",)
    failed = tuple(dict.fromkeys(_FAILED.findall(output)))
    return failed if failed or status == 0 else (f"pytest ends with status {status}",)


def run_swarm(checkout: Path, seeds: int) -> int:
    """How many of so many seeds of ``swarm`` come to an outcome that violates an invariant, or to none."""
    command = [sys.executable, "-m", "sims", "sweep", "swarm", "--seeds", f"0..{seeds - 1}", "--jobs", "1"]
    out = checkout / "swarm.jsonl"
    out.unlink(missing_ok=True)
    _run([*command, "--out", str(out)], checkout, SWEEP_TIMEOUT_S)
    lines = out.read_text(encoding="utf-8").splitlines() if out.exists() else []
    held = [line for line in lines if json.loads(line).get("violations") == []]
    return seeds - len(held)


def _run(command: Sequence[str], checkout: Path, timeout: float) -> tuple[int | None, str]:
    """Exit status (None if it took too long) and output. All that it has started is ended with it."""
    environment = os.environ | {"PYTHONPATH": str(checkout), "PYTHONDONTWRITEBYTECODE": "1", "PYTHONHASHSEED": "0"}
    process = subprocess.Popen(
        command, cwd=checkout, env=environment, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        start_new_session=True,
    )  # fmt: skip
    try:
        output, _ = process.communicate(timeout=timeout)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        process.communicate()
        return None, ""
    return process.returncode, output
