"""What measurements have to build or install first: programs and environments, made once and kept in a cache."""

from __future__ import annotations

import fcntl
import importlib.metadata
import os
import platform
import shlex
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).parents[2]
"""The folder of the checkout."""

BUILD_LIMIT_S = 600.0
"""No build and no installation takes longer."""


class Unavailable(Exception):
    """A system cannot run on this machine. The text says what is missing and what to do about it."""


def our_version() -> str:
    """This library, with its version and that of Python."""
    try:
        version = importlib.metadata.version("gossip-membership")
    except importlib.metadata.PackageNotFoundError:
        version = "(not installed)"
    return f"gossip-membership {version}, Python {platform.python_version()}"


def cache() -> Path:
    """The folder for what was built or installed."""
    home = os.environ.get("XDG_CACHE_HOME")
    directory = (Path(home) if home else Path.home() / ".cache") / "gossip-membership-benchmarks"
    directory.mkdir(parents=True, exist_ok=True)
    return directory


@contextmanager
def alone(name: str) -> Iterator[None]:
    """Keep other processes from preparing the same thing while the block lasts."""
    with (cache() / f"{name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def output(system: str, *command: str, environment: Mapping[str, str] | None = None) -> str:
    """The standard output of a command.

    :raises Unavailable: if it fails; its last lines are the reason.
    """
    try:
        done = subprocess.run(
            command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False, timeout=BUILD_LIMIT_S
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise Unavailable(f"{system}: {error}") from None
    if done.returncode != 0:
        raise Unavailable(f"{system}: {shlex.join(command)} failed: {_last_words(done.stderr)}")
    return done.stdout.strip()


def _last_words(text: str) -> str:
    return "; ".join(text.strip().splitlines()[-3:]) or "it does not say why"
