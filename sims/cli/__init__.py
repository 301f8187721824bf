"""The command line of the simulator: run scenarios, run many seeds of them, and find out why something happened.

This room decides what people give and see. ``main`` has the group of commands and turns errors into exit codes.
``single``, ``many``, ``investigate`` and ``scenarios`` have the commands, ``options`` and ``files`` what people give,
``rendering``, ``progress`` and ``terminal`` what they see.

This module imports no package of the extra ``sims`` before it knows that all of them are there.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence

from ..names import PROGRAM

MISSING_EXTRA = f"{PROGRAM}: simulations need packages that are not installed: pip install 'gossip-membership[sims]'"

EXTRA_PACKAGES = frozenset({"cattrs", "click", "rich"})

EXIT_MISSING_EXTRA = 2
"""Not 1, which means a violation."""


def main() -> None:
    """Run the command line and exit with its code."""
    sys.exit(start(sys.argv[1:]))


def start(arguments: Sequence[str]) -> int:
    """Run the command line with these arguments; returns the exit code."""
    try:
        from .main import run  # noqa: PLC0415  (click, rich and cattrs are optional)
    except ModuleNotFoundError as error:
        if error.name is None or error.name.partition(".")[0] not in EXTRA_PACKAGES:
            raise
        print(MISSING_EXTRA, file=sys.stderr)
        return EXIT_MISSING_EXTRA
    return run(arguments)
