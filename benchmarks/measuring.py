"""What all measurements have in common: how they fail, how far they are, and the machine they are taken on."""

from __future__ import annotations

import os
import platform
import subprocess
from collections.abc import Awaitable, Callable, Sequence
from importlib import metadata
from pathlib import Path

import trio
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

PACKAGES = ("attrs", "cbor2", "trio")
"""Installed packages whose versions matter for the figures."""

EXIT_INTERRUPTED = 130
"""Exit code after Ctrl-C, as shells have it."""


def progress_bar(*, auto_refresh: bool = True) -> Progress:
    """A progress bar on standard error, that goes when the work is done.

    :param auto_refresh: whether it draws itself, which takes a little of the time that is measured.
    """
    columns = (MofNCompleteColumn(), BarColumn(), TimeElapsedColumn(), TextColumn("{task.description}"))
    return Progress(*columns, console=Console(stderr=True), auto_refresh=auto_refresh, transient=True)


class MeasurementFailed(Exception):
    """Something that was to be measured did not happen at all."""


def measure(work: Callable[[], Awaitable[None]]) -> None:
    """Run a measurement with trio, and let an interrupt or a failure come out alone, whatever nurseries it passed.

    :raises KeyboardInterrupt: wherever Ctrl-C struck.
    :raises MeasurementFailed: as the work does.
    """
    try:
        trio.run(work)
    except BaseException as error:
        causes = _single(error)
        for kind in (KeyboardInterrupt, MeasurementFailed):
            for cause in causes:
                if isinstance(cause, kind):
                    raise cause from None
        raise


def _single(error: BaseException) -> list[BaseException]:
    inner: Sequence[BaseException] = getattr(error, "exceptions", ())
    return [single for each in inner for single in _single(each)] or [error]


def machine() -> dict[str, object]:
    """What the figures were measured on, and of which version of the source."""
    return {
        "cores": os.cpu_count(),
        "processor": _processor(),
        "load": [round(load, 2) for load in os.getloadavg()],
        "platform": platform.platform(),
        "python": platform.python_version(),
        "packages": {name: metadata.version(name) for name in PACKAGES},
        "commit": _commit(),
    }


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.processor()
    return next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), "unknown")


def _commit() -> str:
    """The commit of the source, with a plus sign if it was changed since."""
    folder = Path(__file__).parent
    try:
        commit = _git(folder, "rev-parse", "--short", "HEAD")
        return commit + "+" * bool(_git(folder, "status", "--porcelain"))
    except (OSError, subprocess.CalledProcessError):
        return "unknown"


def _git(folder: Path, *arguments: str) -> str:
    done = subprocess.run(["git", "-C", folder, *arguments], capture_output=True, text=True, check=True)
    return done.stdout.strip()
