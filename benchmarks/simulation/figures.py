"""What the simulator and the protocol in it are held to, figure by figure.

Every run follows from its seed; seeds are counted from ``--seed``. The exit code is 0 whether or not the targets are
met, and 1 if a run violated an invariant.
"""

from __future__ import annotations

import logging
import sys
from collections.abc import Sequence
from typing import IO

import click

from benchmarks.analysis.figures import Figure, as_json
from benchmarks.environment.measuring import machine
from benchmarks.environment.terminal import console, progress_bar
from benchmarks.report.simulated import figures_table
from benchmarks.report.text import rich_table
from benchmarks.simulation.jobs import Job, do_all
from benchmarks.simulation.studies import FIGURES, Study


def _measure(wanted: Sequence[str], first_seed: int, quick: bool, processes: int | None) -> Study:
    """Make all runs that are wanted, with a progress bar on standard error."""
    figures: list[Figure] = []
    with progress_bar() as progress:

        def runs(title: str, jobs: Sequence[Job], alone: bool = False) -> list:  # type: ignore[type-arg]
            task = progress.add_task(title, total=len(jobs))
            outcomes = do_all(jobs, lambda: progress.advance(task), 1 if alone else processes)
            progress.remove_task(task)
            return outcomes

        study = Study(first_seed=first_seed, quick=quick, runs=runs, figures=figures)
        for name in wanted:
            FIGURES[name](study)
    return study


@click.command(short_help="Measure figures that have targets.")
@click.option("--only", type=click.Choice(list(FIGURES)), multiple=True, help="Measure only this; may be repeated.")
@click.option("--quick", is_flag=True, help="Few and small runs: a minute or two. The targets are for full runs.")
@click.option("--seed", default=0, show_default=True, help="The first seed.")
@click.option("--jobs", type=click.IntRange(1), help="Runs at once. Default: one for each core.")
@click.option(
    "--json", "json_file", type=click.File("w", lazy=False), metavar="FILE", help="Write all samples to this file."
)
def main(only: tuple[str, ...], quick: bool, seed: int, jobs: int | None, json_file: IO[str] | None) -> None:
    """Measure simulated clusters and print each figure beside its target."""
    logging.disable(logging.CRITICAL)
    before = machine()
    study = _measure(only or list(FIGURES), seed, quick, jobs)
    console().print(rich_table(figures_table(study.figures)))
    for violation in study.violations:
        click.echo(violation)
    click.echo(f"seeds from {seed}; commit {before['commit']}; {before['cores']} cores, Python {before['python']}")
    if json_file is not None:
        json_file.write(as_json(study.figures, study.violations, {"before": before, "after": machine()}))
    sys.exit(1 if study.violations else 0)
