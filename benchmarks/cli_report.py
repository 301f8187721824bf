"""The commands ``report`` and ``compare``: kept results for people, and what moved between two of them."""

from __future__ import annotations

import math
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import click
from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from benchmarks.comparison import LEAST_CHANGE, RULE, Change, Comparison, compared
from benchmarks.render.layout import number_label, tables_of, targets_table
from benchmarks.render.numbers import cell, times
from benchmarks.render.rst import Picture, page
from benchmarks.render.text import as_text
from benchmarks.samples import Sample, Skipped, UnusableResults, load
from benchmarks.sources import Source, read, samples_of, skipped_of
from benchmarks.summary import Summary, summary_of
from benchmarks.targets import verdicts_of

WIDTH_ELSEWHERE = 160
"""Columns of tables where standard output is no terminal."""

PAGE = "benchmarks.rst"
PICTURES = "benchmarks"

NO_MATPLOTLIB = "plots need matplotlib: pip install 'gossip-membership[bench]', or ask for --text"

FILE = click.Path(path_type=Path, dir_okay=False)


class Unusable(click.ClickException):
    """Nothing can be made of what was given."""

    exit_code = 2


@click.command()
@click.argument("files", type=FILE, nargs=-1, required=True, metavar="FILE...")
@click.option(
    "--into",
    type=click.Path(path_type=Path, file_okay=False),
    default=Path("docs"),
    show_default=True,
    metavar="DIR",
    help=f"Folder for the page {PAGE} and the folder {PICTURES} of its plots.",
)
@click.option("--text", is_flag=True, help="Print the tables only, and write nothing.")
def report(files: tuple[Path, ...], into: Path, text: bool) -> None:
    """Print results as tables, and write a page with them and with plots.

    If several files hold the same measurement, that of the last one counts.
    """
    with _errors():
        sources = [read(file) for file in files]
    samples = samples_of(sources)
    pictures = () if text else _drawn(summary_of(samples), into / PICTURES)
    show(samples, skipped_of(sources))
    if not text:
        _write(sources, pictures, into)


@click.command(epilog=RULE)
@click.argument("old", type=FILE)
@click.argument("new", type=FILE)
def compare(old: Path, new: Path) -> None:
    """Print what moved between two files of results by more than its spread, the largest movement first."""
    with _errors():
        found = compared(load(old), load(new))
    _show(found, _console())


def show(samples: Sequence[Sample], skipped: Sequence[Skipped]) -> None:
    """Print results as tables."""
    summary = summary_of(samples)
    tables = (*tables_of(summary, skipped), targets_table(verdicts_of(summary)))
    _console().print(as_text(tables, skipped))


def _drawn(summary: Summary, folder: Path) -> tuple[Picture, ...]:
    """Draw the plots, before anything else is done: without them there is no page."""
    try:
        from benchmarks.render import plots  # noqa: PLC0415 - tables need no matplotlib
    except ImportError:
        raise Unusable(NO_MATPLOTLIB) from None
    with _errors():
        return plots.write(summary, folder)


def _write(sources: Sequence[Source], pictures: Sequence[Picture], folder: Path) -> None:
    with _errors():
        folder.mkdir(parents=True, exist_ok=True)
        (folder / PAGE).write_text(page(sources, pictures), encoding="utf-8")
    for name in (PAGE, *(picture.file for picture in pictures)):
        click.echo(f"written: {folder / name}", err=True)


def _show(found: Comparison, console: Console) -> None:
    for line in found.machines:
        console.print(f"not the same machine: {line}", markup=False)
    if found.changes:
        console.print(_table(found.changes))
    of_all = f"{found.compared} numbers that are in both"
    if found.changes:
        console.print(f"moved by more than their spread and {LEAST_CHANGE:.0%}: {len(found.changes)} of {of_all}")
    else:
        console.print(f"nothing moved by more than its spread ({of_all})")
    for which, kinds in (("old", found.only_old), ("new", found.only_new)):
        for line in kinds:
            console.print(f"only in the {which} file: {line}", markup=False)


def _table(changes: Sequence[Change]) -> Table:
    shown = Table(box=box.SIMPLE_HEAD)
    for head in ("Experiment", "System", "Nodes", "Setting", "Number", "Old", "New", "Factor"):
        shown.add_column(head, justify="right" if head in ("Nodes", "Factor") else "left")
    for change in changes:
        kind = change.kind
        about = (
            kind.experiment,
            kind.system,
            str(kind.nodes),
            kind.setting,
            number_label(kind.experiment, change.number),
        )
        shown.add_row(*map(Text, (*about, cell(change.old), cell(change.new), _factor_text(change))))
    return shown


def _factor_text(change: Change) -> str:
    if change.new.median is None:
        return "no more"
    if change.old.median is None:
        return "now it does"
    return "from 0" if math.isinf(change.factor) else _fine(change.factor)


def _fine(factor: float) -> str:
    return times(factor) if factor >= 10 else f"{factor:.2f}"


def _console() -> Console:
    return Console(width=None if sys.stdout.isatty() else WIDTH_ELSEWHERE, highlight=False)


@contextmanager
def _errors() -> Iterator[None]:
    """Tell what cannot be read or written, without a traceback."""
    try:
        yield
    except (UnusableResults, OSError) as error:
        raise Unusable(str(error)) from None
