"""Rich's console, which passes errors on, and lines in UTF-8 on any terminal."""

from __future__ import annotations

import errno
import os
import sys

from rich.console import Console

WIDTH_ELSEWHERE = 120
"""Columns of tables where standard output is no terminal."""


def print_utf8(line: str) -> None:
    """Write a line for a file that is in UTF-8; the encoding of standard output does not matter."""
    sys.stdout.flush()
    sys.stdout.buffer.write(f"{line}\n".encode())
    sys.stdout.buffer.flush()


class OutputConsole(Console):
    """Writes to standard output, plainly where that is no terminal."""

    def __init__(self) -> None:
        super().__init__(width=None if sys.stdout.isatty() else WIDTH_ELSEWHERE, highlight=False)

    def on_broken_pipe(self) -> None:
        """Pass the error on. Rich would end the program from within the task that prints."""
        raise BrokenPipeError(errno.EPIPE, os.strerror(errno.EPIPE))
