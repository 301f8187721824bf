"""What all commands have in common: the console, the progress bar, the exit code, and the private network."""

from __future__ import annotations

import sys
from collections.abc import Callable

import click
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, ProgressColumn, TextColumn, TimeElapsedColumn

from benchmarks.environment import namespace

EXIT_INTERRUPTED = 130
"""Exit code after Ctrl-C, as shells have it."""

WIDTH_ELSEWHERE = 160
"""Columns of tables where standard output is no terminal."""


MOST_NODES = 1000
"""In one cluster on one machine."""


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


def sizes(least: int) -> Callable[[click.Context, click.Parameter, str | None], tuple[int, ...]]:
    """A reader of an option: sizes of clusters, separated by commas."""

    def read(_: click.Context, __: click.Parameter, given: str | None) -> tuple[int, ...]:
        try:
            found = tuple(dict.fromkeys(int(each) for each in given.split(","))) if given else ()
        except ValueError:
            raise click.BadParameter("give numbers separated by commas, such as 8,32") from None
        if any(not least <= size <= MOST_NODES for size in found):
            raise click.BadParameter(f"a cluster has {least} to {MOST_NODES} nodes")
        return found

    return read


def enter_namespace() -> None:
    """Go on in a private network.

    :raises click.ClickException: if there can be none.
    """
    try:
        namespace.enter()
    except namespace.NamespaceUnavailable as error:
        raise click.ClickException(str(error)) from None
