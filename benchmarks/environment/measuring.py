"""What all measurements have in common: how they fail and end, and the machine on which they are made."""

from __future__ import annotations

import os
import platform
import subprocess
from collections.abc import Awaitable, Callable, Sequence
from importlib import metadata
from pathlib import Path

import attrs
import trio

PACKAGES = ("attrs", "cbor2", "trio")
"""Installed packages whose versions matter for the figures."""


class MeasurementFailed(Exception):
    """Something that should be measured did not happen at all."""


def measure(work: Callable[[], Awaitable[None]]) -> None:
    """Run a measurement with trio. An interrupt or a failure comes out alone, whatever nurseries it passed.

    :raises KeyboardInterrupt: after Ctrl-C.
    :raises MeasurementFailed: as the work does.
    """
    try:
        trio.run(work)
    except BaseException as error:
        causes = causes_of(error)
        for kind in (KeyboardInterrupt, MeasurementFailed):
            for cause in causes:
                if isinstance(cause, kind):
                    raise cause from None
        raise


@attrs.frozen
class Ending:
    """How a measurement ended."""

    failure: str | None = None
    """Why it could not go on; None if it could."""
    interrupted: bool = False


def attempt(work: Callable[[], Awaitable[None]]) -> Ending:
    """Run a measurement whose results are worth something even if it does not come to its end."""
    try:
        measure(work)
    except KeyboardInterrupt:
        return Ending(interrupted=True)
    except MeasurementFailed as error:
        return Ending(failure=str(error))
    return Ending()


def causes_of(error: BaseException) -> list[BaseException]:
    """The errors in a group of errors, of groups in it as well; of any other error, itself."""
    inner: Sequence[BaseException] = getattr(error, "exceptions", ())
    return [single for each in inner for single in causes_of(each)] or [error]


def machine() -> dict[str, object]:
    """The machine on which the figures are measured, and the version of the source."""
    return {
        "cores": os.cpu_count(),
        "processor": _processor(),
        "load": [round(load, 2) for load in os.getloadavg()],
        "niceness": os.getpriority(os.PRIO_PROCESS, 0),
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
    """The commit of the source, with a plus sign if the source was changed since."""
    folder = Path(__file__).parent
    try:
        commit = _git(folder, "rev-parse", "--short", "HEAD")
        return commit + "+" * bool(_git(folder, "status", "--porcelain"))
    except (OSError, subprocess.CalledProcessError):
        return "unknown"


def _git(folder: Path, *arguments: str) -> str:
    done = subprocess.run(["git", "-C", folder, *arguments], capture_output=True, text=True, check=True)
    return done.stdout.strip()
