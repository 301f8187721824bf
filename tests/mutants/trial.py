"""Trying a planted fault: a copy of the checkout, the fault in it, and the tests or a sweep of the simulator."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from tempfile import TemporaryDirectory

from tests.mutants.patch import Mutant
from tests.rst import ROOT

TESTS_TIMEOUT_S = 600
"""A run of tests that takes longer hangs because of the fault, which counts as noticed."""

SWEEP_TIMEOUT_S = 3600

HANGS = "a test hangs"

_CACHE = ".pytest_cache_of_mutants"


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
    _forget_compiled(checkout)
    try:
        yield
    finally:
        mutant.heal(checkout)
        _forget_compiled(checkout)


def failing_tests(checkout: Path, place: str, most: int) -> tuple[str, ...]:
    """Run the tests of a file or folder there, in one process, and return those that fail, as pytest names them.

    :param most: failed tests after which the run ends.
    """
    shutil.rmtree(checkout / _CACHE, ignore_errors=True)
    status = _pytest(checkout, place, f"--maxfail={most}")
    if status is None:
        return (HANGS,)
    return _last_failed(checkout) or (() if status == 0 else (f"pytest ends with status {status}",))


def failing_again(checkout: Path, place: str) -> tuple[str, ...]:
    """Which of the tests that :func:`failing_tests` has just found there fail again."""
    _pytest(checkout, place, "--last-failed")
    return _last_failed(checkout)


def run_swarm(checkout: Path, seeds: int) -> int:
    """How many of so many seeds of ``swarm`` come to an outcome that violates an invariant, or to none."""
    command = [sys.executable, "-m", "sims", "sweep", "swarm", "--seeds", f"0..{seeds - 1}", "--jobs", "1"]
    out = checkout / "swarm.jsonl"
    out.unlink(missing_ok=True)
    _run([*command, "--out", str(out)], checkout, SWEEP_TIMEOUT_S)
    lines = out.read_text(encoding="utf-8").splitlines() if out.exists() else []
    held = [line for line in lines if json.loads(line).get("violations") == []]
    return seeds - len(held)


def _forget_compiled(checkout: Path) -> None:
    """Python takes a file that was changed twice in a second, and is as long as before, for the same one."""
    for folder in [*(checkout / "gossip").rglob("__pycache__")]:
        shutil.rmtree(folder)


def _pytest(checkout: Path, place: str, *options: str) -> int | None:
    """Its exit status; None if it took too long."""
    command = [sys.executable, "-m", "pytest", "-q", "-n", "0", "-o", f"cache_dir={_CACHE}", *options, place]
    return _run(command, checkout, TESTS_TIMEOUT_S)


def _last_failed(checkout: Path) -> tuple[str, ...]:
    path = checkout / _CACHE / "v" / "cache" / "lastfailed"
    return tuple(json.loads(path.read_text(encoding="utf-8"))) if path.exists() else ()


def _run(command: Sequence[str], checkout: Path, timeout: float) -> int | None:
    """The exit status; None if it took too long. All that it has started is ended with it.

    The code of the copy is what is imported, by all processes that the tests start, too.
    """
    environment = os.environ | {"PYTHONPATH": str(checkout), "PYTHONHASHSEED": "0"}
    environment.pop("PYTHONDONTWRITEBYTECODE", None)
    process = subprocess.Popen(
        command, cwd=checkout, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        start_new_session=True,
    )  # fmt: skip
    try:
        return process.wait(timeout)
    except subprocess.TimeoutExpired:
        return None
    finally:
        _end_group(process)


def _end_group(process: subprocess.Popen[bytes]) -> None:
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()
