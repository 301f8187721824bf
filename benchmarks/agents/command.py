"""What the commands that run agents have in common: how they begin, how they end, and what they leave behind."""

from __future__ import annotations

import sys
from collections.abc import Awaitable, Callable, Iterable, Sequence
from pathlib import Path

import attrs
import click
from rich.console import Console, RenderableType
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn
from rich.text import Text

from benchmarks import namespace
from benchmarks.cli_report import WIDTH_ELSEWHERE
from benchmarks.measuring import EXIT_INTERRUPTED, MeasurementFailed, machine, measure
from benchmarks.samples import Results, Sample, save

FILE = click.Path(dir_okay=False, writable=True, path_type=Path)

MOST_SHOWN = 20
"""Violations that are told one by one; the file has all of them."""


def enter_namespace() -> None:
    """Go on in a private network.

    :raises click.ClickException: if there can be none.
    """
    try:
        namespace.enter()
    except namespace.NamespaceUnavailable as error:
        raise click.ClickException(str(error)) from None


def progress_bar() -> Progress:
    """A progress bar on standard error for something whose duration is known."""
    columns = (BarColumn(20), TimeElapsedColumn(), TimeRemainingColumn(), TextColumn("{task.description}"))
    return Progress(*columns, console=Console(stderr=True), transient=True, refresh_per_second=2)


@attrs.frozen
class Ending:
    """How a measurement ended."""

    failure: str | None = None
    """Why it could not go on; None if it could."""
    interrupted: bool = False


def attempt(work: Callable[[], Awaitable[None]]) -> Ending:
    """Do the work, whose results are worth something even if it does not come to its end."""
    try:
        measure(work)
    except KeyboardInterrupt:
        return Ending(interrupted=True)
    except MeasurementFailed as error:
        return Ending(failure=str(error))
    return Ending()


@attrs.frozen(kw_only=True)
class Report:
    """What is left behind."""

    system: str
    what: str
    """The system in words."""
    samples: Sequence[Sample]
    violations: Sequence[str]
    shown: Iterable[RenderableType]
    """Tables and texts for people, before the violations."""


def finish(report: Report, ending: Ending, before: dict[str, object], json_file: Path | None) -> None:
    """Print and keep everything, and exit.

    :param before: what was known of the machine when it began.
    """
    console = Console(width=None if sys.stdout.isatty() else WIDTH_ELSEWHERE, highlight=False)
    for each in report.shown:
        console.print(each)
    for violation in report.violations[:MOST_SHOWN]:
        console.print(Text(f"violated: {violation}"))
    if len(report.violations) > MOST_SHOWN:
        console.print(f"... and {len(report.violations) - MOST_SHOWN} more")
    if report.violations:
        console.print(f"violations: {len(report.violations)}", style="bold red")
    else:
        console.print("nothing was violated", style="bold green")
    if json_file is not None:
        results = Results(
            machine={**before, "load_after": machine()["load"]},
            systems={report.system: report.what},
            samples=tuple(report.samples),
            violations=tuple(report.violations),
        )
        save(results, json_file)
    if ending.interrupted:
        click.echo("interrupted; this is what was found until then", err=True)
        sys.exit(EXIT_INTERRUPTED)
    sys.exit(1 if report.violations else 0)
