"""The programs that are compared: which library they embed, and what runs them."""

from __future__ import annotations

import importlib.metadata
import platform
import sys
from collections.abc import Sequence

import attrs

from benchmarks.analysis.samples import Skipped
from benchmarks.environment.builds import our_version

KINSHIP = "kinship"
MISSING_KINSHIP = "kinship is not installed: pip install 'gossip-membership[bench]', with Python 3.11 or later"

_OURS = {
    "ours-trio": "in the program's own trio loop",
    "ours-aio": "gossip.aio, in a thread",
    "ours-aio-process": 'gossip.aio, isolation="process"',
    "ours-blocking": "gossip.blocking, in a thread",
    "ours-blocking-process": 'gossip.blocking, isolation="process"',
}
_KINSHIP = {"kinship": "kinship.Cluster, on asyncio", "kinship-blocking": "kinship.blocking.Cluster"}

SYSTEMS = (*_OURS, *_KINSHIP)


@attrs.frozen
class System:
    """A library in a program."""

    name: str
    what: str
    """The system in words, with its version."""

    @property
    def library(self) -> str:
        """``ours`` or ``kinship``."""
        return self.name.partition("-")[0]


def ready(names: Sequence[str]) -> tuple[list[System], list[Skipped]]:
    """The systems of these names that can run, and which cannot, and why."""
    version = _kinship_version()
    systems = [System(name, _what(name, version)) for name in names if version or name in _OURS]
    skipped = [Skipped(experiment="", system=name, reason=MISSING_KINSHIP) for name in names
               if not version and name in _KINSHIP]  # fmt: skip
    return systems, skipped


def _what(name: str, kinship_version: str | None) -> str:
    if name in _OURS:
        return f"{our_version()}, profile lan; the node {_OURS[name]}"
    return f"kinship {kinship_version} (PyPI), Python {platform.python_version()}, profile lan; {_KINSHIP[name]}"


def _kinship_version() -> str | None:
    """None if it cannot be used here."""
    try:
        return importlib.metadata.version("kinship") if sys.version_info >= (3, 11) else None
    except importlib.metadata.PackageNotFoundError:
        return None
