"""The ``gossip`` command: run a member, look at a cluster, manage its keys, see a demonstration.

It decides how users write arguments, what it prints, and what an exit code means. The library decides what a member
does.

``main``
    The group of commands. It turns an error into a line and an exit code.
``agent``, ``demo``, ``identity``, ``keys``, ``members``, ``simulator``
    The commands. The first two are packages.
``options``, ``output``, ``rendering``, ``terminal``, ``children``
    What several commands share: options, standard output, how events look, the console of rich, child processes.

The library imports nothing from here. This module imports click and rich only when it runs a command, so that it can
say which packages are missing. Others import the names below.
"""

from __future__ import annotations

import io
import os
import sys

__all__ = ["escape_missing_letters", "main"]

MISSING_EXTRA = "gossip: the command line needs two more packages: pip install 'gossip-membership[cli]'"

EXTRA_PACKAGES = frozenset({"click", "rich"})


def main() -> None:
    """Run the command line and exit with its code."""
    _open_standard_streams()
    escape_missing_letters()
    try:
        from gossip.cli.main import run  # noqa: PLC0415  (click and rich are optional)

        code = run(sys.argv[1:])
    except ModuleNotFoundError as error:
        if error.name is None or error.name.partition(".")[0] not in EXTRA_PACKAGES:
            raise
        print(MISSING_EXTRA, file=sys.stderr)
        sys.exit(1)
    except KeyboardInterrupt:
        sys.exit(130)
    sys.exit(code)


def escape_missing_letters() -> None:
    """Escape letters that the encoding of standard output lacks, because names come from all over the world."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")


def _open_standard_streams() -> None:
    """Open the null device for each standard stream that was closed when this process started.

    Otherwise the first sockets would get their numbers, and the process would send its output to a peer.
    """
    for descriptor in (0, 1, 2):
        try:
            os.fstat(descriptor)
        except OSError:
            os.open(os.devnull, os.O_RDWR)  # takes the lowest free number, which is this one
    if sys.stdout is None:
        sys.stdout = open(1, "w", encoding="utf-8", closefd=False)  # noqa: SIM115
    if sys.stderr is None:
        sys.stderr = open(2, "w", encoding="utf-8", closefd=False)  # noqa: SIM115
