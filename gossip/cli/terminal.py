"""The console of rich, which raises errors, and lines in UTF-8 on any terminal."""

from __future__ import annotations

import errno
import os
import sys

from rich.console import Console

WIDTH_ELSEWHERE = 120
"""Columns of tables if standard output is no terminal."""


def print_utf8(line: str) -> None:
    """Write a line for a file in UTF-8, whatever the encoding of standard output is."""
    sys.stdout.flush()
    sys.stdout.buffer.write(f"{line}\n".encode())
    sys.stdout.buffer.flush()


class OutputConsole(Console):
    """Writes to standard output; without styles if that is no terminal."""

    def __init__(self) -> None:
        super().__init__(width=None if sys.stdout.isatty() else WIDTH_ELSEWHERE, highlight=False)

    def on_broken_pipe(self) -> None:
        """Raise the error. Rich would end the program from within the task that prints."""
        raise BrokenPipeError(errno.EPIPE, os.strerror(errno.EPIPE))
