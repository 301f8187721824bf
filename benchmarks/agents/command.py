"""What the commands that run trials have in common: how they begin, how they end, and what they leave behind."""

from __future__ import annotations

import logging
import sys
from collections.abc import Callable
from pathlib import Path

import click
from rich.progress import BarColumn, TextColumn, TimeElapsedColumn, TimeRemainingColumn
from rich.text import Text

from benchmarks.agents.trial import SYSTEM, Finding, Step, Trial
from benchmarks.analysis.samples import Results, save
from benchmarks.environment.measuring import MeasurementFailed, attempt, machine
from benchmarks.environment.terminal import EXIT_INTERRUPTED, console, enter_namespace, progress_bar

FILE = click.Path(dir_okay=False, writable=True, path_type=Path)

MOST_SHOWN = 20
"""Violations that are printed one by one; the file has all of them."""

COLUMNS = (BarColumn(20), TimeElapsedColumn(), TimeRemainingColumn(), TextColumn("{task.description}"))
"""Of the progress bar: the duration of a trial is known, unlike that of a benchmark."""


def carry_out(make: Callable[[Step], Trial], total: float, json_file: Path | None) -> None:
    """Run a trial in a private network, print and keep what it found, and exit.

    The exit code is 0 if nothing was violated, 1 if something was, and 130 after Ctrl-C.

    :param make: makes the trial, given whom to tell how far it is.
    :param total: how much there is to do, in the unit in which the trial counts.
    :raises click.ClickException: if there can be no private network, or nothing was found at all.
    """
    logging.disable(logging.CRITICAL)
    enter_namespace()
    before = machine()
    with progress_bar(*COLUMNS) as progress:
        task = progress.add_task("", total=total)
        trial = make(lambda done, what: progress.update(task, completed=done, description=what))
        ending = attempt(trial.run)
    try:
        finding = trial.found(ending.failure)
    except MeasurementFailed as error:
        raise click.ClickException(ending.failure or str(error)) from None
    _show(finding)
    if json_file is not None:
        _keep(finding, before, json_file)
    if ending.interrupted:
        click.echo("interrupted; the tables show what was found until then", err=True)
        sys.exit(EXIT_INTERRUPTED)
    sys.exit(1 if finding.violations else 0)


def _show(finding: Finding) -> None:
    terminal = console()
    for each in finding.shown:
        terminal.print(each)
    for violation in finding.violations[:MOST_SHOWN]:
        terminal.print(Text(f"violated: {violation}"))
    if len(finding.violations) > MOST_SHOWN:
        terminal.print(f"... and {len(finding.violations) - MOST_SHOWN} more")
    if finding.violations:
        terminal.print(f"violations: {len(finding.violations)}", style="bold red")
    else:
        terminal.print("nothing was violated", style="bold green")


def _keep(finding: Finding, before: dict[str, object], file: Path) -> None:
    results = Results(
        machine={**before, "load_after": machine()["load"]},
        systems={SYSTEM: finding.what},
        samples=tuple(finding.samples),
        violations=tuple(finding.violations),
    )
    save(results, file)
