"""The commands ``report`` and ``compare``: the documentation from kept results, and what moved between two results."""

from __future__ import annotations

import math
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import click

from benchmarks import documents
from benchmarks.analysis.comparison import LEAST_CHANGE, RULE, Change, Comparison, compared
from benchmarks.analysis.samples import Sample, Skipped, UnusableResults, load
from benchmarks.analysis.sources import read, samples_of, skipped_of
from benchmarks.analysis.summary import Summary, summary_of
from benchmarks.environment.terminal import console
from benchmarks.report.findings import pictures_of
from benchmarks.report.layout import number_label, tables_of
from benchmarks.report.numbers import cell, times
from benchmarks.report.pages import OVERVIEW, pages
from benchmarks.report.table import Table
from benchmarks.report.targets import verdicts_of
from benchmarks.report.text import as_text, rich_table
from benchmarks.report.verdicts import verdicts_table

NO_MATPLOTLIB = "plots need matplotlib: pip install 'gossip-membership[bench]', or ask for --text"

FILE = click.Path(path_type=Path, dir_okay=False)


class Unusable(click.ClickException):
    """Nothing can be made of what was given."""

    exit_code = 2


@click.command()
@click.argument("files", type=FILE, nargs=-1, metavar="[FILE]...")
@click.option(
    "--into",
    type=click.Path(path_type=Path, file_okay=False),
    default=documents.DOCS,
    show_default="docs of this checkout",
    metavar="DIR",
    help="Folder for what is generated.",
)
@click.option("--text", is_flag=True, help="Print the tables of real clusters only, and write nothing.")
@click.option("--check", is_flag=True, help="Write nothing; say which documents are outdated, and exit with 1 if any.")
def report(files: tuple[Path, ...], into: Path, text: bool, check: bool) -> None:
    """Generate the documentation of measurements.

    Without FILES, everything that is generated is made from the kept results: the pages about real clusters with
    their plots, and the tables of evaluation/ and security.rst. With FILES, which "benchmarks run --json" wrote,
    only the pages are made, from these. If several files hold the same measurement, that of the last one counts.
    """
    if check:
        _check(into)
        return
    with _errors():
        sources = [read(file) for file in files] or documents.kept_sources()
    summary, skipped = summary_of(samples_of(sources)), skipped_of(sources)
    if text:
        show(samples_of(sources), skipped)
        return
    _draw(summary, into / OVERVIEW)
    with _errors():
        made = pages(sources) if files else documents.generated()
        documents.write(made, into)
    for name in (*made, *(f"{OVERVIEW}/{picture.name}.svg" for picture in pictures_of(summary))):
        click.echo(f"written: {into / name}", err=True)


def _check(folder: Path) -> None:
    with _errors():
        outdated = list(documents.outdated(folder))
    for name in outdated:
        click.echo(f"outdated: {folder / name}", err=True)
    if outdated:
        click.echo("run: python -m benchmarks report", err=True)
    sys.exit(1 if outdated else 0)


@click.command(epilog=RULE, short_help="Print what moved between two files of results.")
@click.argument("old", type=FILE)
@click.argument("new", type=FILE)
def compare(old: Path, new: Path) -> None:
    """Print what moved between two files of results by more than its spread, the largest movement first."""
    with _errors():
        found = compared(load(old), load(new))
    _show(found)


def show(samples: Sequence[Sample], skipped: Sequence[Skipped]) -> None:
    """Print results as tables."""
    summary = summary_of(samples)
    tables = (*tables_of(summary, skipped), verdicts_table(verdicts_of(summary), "Target", "Targets"))
    console().print(as_text(tables, skipped))


def _draw(summary: Summary, folder: Path) -> None:
    """Draw the plots, before anything else is done: without them there are no pages."""
    try:
        from benchmarks.report import plots  # noqa: PLC0415 - tables need no matplotlib
    except ImportError:
        raise Unusable(NO_MATPLOTLIB) from None
    with _errors():
        plots.write(summary, folder)


def _show(found: Comparison) -> None:
    for line in found.machines:
        click.echo(f"not the same machine: {line}")
    of_all = f"{found.compared} numbers that are in both"
    if found.changes:
        console().print(rich_table(_table(found.changes)))
        click.echo(f"moved by more than their spread and {LEAST_CHANGE:.0%}: {len(found.changes)} of {of_all}")
    else:
        click.echo(f"nothing moved by more than its spread ({of_all})")
    for which, kinds in (("old", found.only_old), ("new", found.only_new)):
        for line in kinds:
            click.echo(f"only in the {which} file: {line}")


def _table(changes: Sequence[Change]) -> Table:
    heads = ("Experiment", "System", "Nodes", "Setting", "Number", "Old", "New", "Factor")
    return Table(heads=heads, rows=tuple(map(_row, changes)))


def _row(change: Change) -> tuple[str, ...]:
    kind, label = change.kind, number_label(change.kind.experiment, change.number)
    about = (kind.experiment, kind.system, str(kind.nodes), kind.setting, label)
    return (*about, cell(change.old), cell(change.new), _factor_text(change))


def _factor_text(change: Change) -> str:
    if change.new.median is None:
        return "no more"
    if change.old.median is None:
        return "now it does"
    return "from 0" if math.isinf(change.factor) else _fine(change.factor)


def _fine(factor: float) -> str:
    return times(factor) if factor >= 10 else f"{factor:.2f}"


@contextmanager
def _errors() -> Iterator[None]:
    """Tell what cannot be read or written, without a traceback."""
    try:
        yield
    except (UnusableResults, documents.NoMarkers, OSError) as error:
        raise Unusable(str(error)) from None
