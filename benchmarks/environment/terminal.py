"""What all commands have in common: the console, the progress bar, the exit code, and the private network."""

from __future__ import annotations

import sys

import click
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, ProgressColumn, TextColumn, TimeElapsedColumn

from benchmarks.environment import namespace

EXIT_INTERRUPTED = 130
"""Exit code after Ctrl-C, as shells have it."""

WIDTH_ELSEWHERE = 160
"""Columns of tables where standard output is no terminal."""


def console() -> Console:
    """The console for tables and texts on standard output."""
    return Console(width=None if sys.stdout.isatty() else WIDTH_ELSEWHERE, highlight=False)


def progress_bar(*columns: ProgressColumn, auto_refresh: bool = True) -> Progress:
    """A progress bar on standard error that disappears when the work is done.

    :param columns: what it shows; by default how many of how many, the time, and what happens now.
    :param auto_refresh: whether it draws itself, which takes a little of the time that is measured.
    """
    columns = columns or (
        MofNCompleteColumn(), BarColumn(), TimeElapsedColumn(), TextColumn("{task.description}")
    )  # fmt: skip
    return Progress(*columns, console=Console(stderr=True), auto_refresh=auto_refresh, transient=True)


def enter_namespace() -> None:
    """Go on in a private network.

    :raises click.ClickException: if there can be none.
    """
    try:
        namespace.enter()
    except namespace.NamespaceUnavailable as error:
        raise click.ClickException(str(error)) from None
