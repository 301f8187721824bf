"""Exit codes, consoles that write plainly where the output is no terminal, and the form of all tables."""

from __future__ import annotations

import errno
import os
import sys

from rich.console import Console
from rich.table import Table

EXIT_FAILURE = 1
EXIT_USAGE = 2
EXIT_INTERRUPTED = 130

WIDTH_ELSEWHERE = 120
"""Width of tables where the output is no terminal."""


class PlainConsole(Console):
    """A console of standard output or standard error that does not hide errors of writing."""

    def __init__(self, *, stderr: bool = False) -> None:
        stream = sys.stderr if stderr else sys.stdout
        super().__init__(width=None if stream.isatty() else WIDTH_ELSEWHERE, highlight=False, stderr=stderr)

    def on_broken_pipe(self) -> None:
        """Raise the error. Rich would end the program in the middle of printing."""
        raise BrokenPipeError(errno.EPIPE, os.strerror(errno.EPIPE))


def table_of(*titles: str, text_columns: int = 1) -> Table:
    """A table without lines. Its first columns hold text, the other ones figures."""
    table = Table(box=None, pad_edge=False, header_style="bold", show_header=any(titles))
    for number, title in enumerate(titles):
        table.add_column(title, justify="left" if number < text_columns else "right", overflow="fold")
    return table
