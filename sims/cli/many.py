"""``python -m sims sweep``: many runs of a scenario, on many cores or machines."""

from __future__ import annotations

import textwrap
from contextlib import ExitStack
from pathlib import Path

import click

from ..sweep import (
    DaskEngine,
    Ended,
    Engine,
    EngineLost,
    Failure,
    LocalEngine,
    Request,
    ResultsFile,
    Sweep,
    available_cores,
    summarise,
)
from ..words import counted
from .files import STANDARD_OUTPUT, resumable, write
from .options import json_option, parse_seeds, request_options
from .progress import Progress
from .rendering import print_summary
from .terminal import EXIT_FAILURE, EXIT_INTERRUPTED

TOLD_AT_ONCE = 10
"""Violating runs shown while the sweep goes on. The summary has all of them."""

TOLD_CHARACTERS = 160
"""Characters shown of one violation: enough to recognise it."""


@click.command()
@request_options
@click.option(
    "--seeds", callback=parse_seeds, required=True, metavar="A..B", help="The seeds to run, including both ends."
)
@click.option("--jobs", type=click.IntRange(min=1), metavar="J",
              show_default="one for each core", help="Number of runs at once.")  # fmt: skip
@click.option("--engine", type=click.Choice(["local", "dask"]), default="local", show_default=True,
              help="Where to run: processes on this machine, or a Dask cluster.")  # fmt: skip
@click.option("--scheduler", metavar="ADDRESS", show_default="a cluster of J processes on this machine",
              help="Scheduler of a running Dask cluster. Its workers must have this package.")  # fmt: skip
@click.option(
    "--out", callback=resumable, metavar="FILE",
    help="Write each outcome to FILE as a line of JSON. If you repeat the command, it runs only missing seeds.",
)  # fmt: skip
@json_option("the summary")
def sweep(request: Request, seeds: range, jobs: int | None, engine: str, scheduler: str | None,
          out: Path | None, json_to: Path | None) -> int:  # fmt: skip
    """Run many seeds of a scenario, and summarise the outcomes.

    If a worker is killed, its seed runs again. Ctrl-C ends the sweep, with a summary of the runs until then.

    \b
    Examples:
      python -m sims sweep crash --seeds 0..99
      python -m sims sweep churn --seeds 0..999 --nodes 48 --loss 0.2 --jobs 8 --out churn.jsonl
      python -m sims sweep churn --seeds 0..999 --engine dask --scheduler tcp://10.0.0.1:8786
      python -m sims sweep bootstrap --seeds 1..20 --json -

    \b
    Exit codes:
      0    no run violated anything
      1    a run violated something, or failed
      2    the command line is wrong
      130  interrupted by Ctrl-C
    """
    chosen = _engine(engine, jobs, scheduler)
    with ExitStack() as stack:
        results = None if out is None else stack.enter_context(ResultsFile(out, request, seeds.start))
        done = Sweep(request=request, seeds=seeds, results=results)
        request.plan(seeds.start)  # refuses a wrong request before anything starts
        lost = _follow(done, chosen)
    summary = summarise(request, seeds, list(done.outcomes.values()), list(done.failures.values()))
    if json_to is not None:
        write(json_to, summary.to_json(indent=2))
    if json_to != STANDARD_OUTPUT:
        print_summary(summary)
    if done.was_interrupted:
        return EXIT_INTERRUPTED
    if lost is not None:
        hint = "repeat the command to make them" if out else "with --out, a repeated command makes only these"
        raise click.ClickException(f"{lost}; {counted(summary.missing, 'run')} could not be made; {hint}")
    return 0 if summary.is_good else EXIT_FAILURE


def _engine(engine: str, jobs: int | None, scheduler: str | None) -> Engine:
    if engine == "dask":
        if scheduler is not None and jobs is not None:
            raise click.UsageError(
                "--jobs has no effect on a running cluster, which --scheduler names; omit one of them"
            )
        return DaskEngine(jobs or available_cores(), scheduler)
    if scheduler is not None:
        raise click.UsageError("--scheduler needs --engine dask")
    return LocalEngine(jobs or available_cores())


def _follow(sweep: Sweep, engine: Engine) -> EngineLost | None:
    """Run the sweep and show its progress. Returns why it could not go on, if so."""
    bad = sum(not outcome.is_good for outcome in sweep.outcomes.values())
    with Progress(sweep.request.scenario, len(sweep.seeds), "runs", done=len(sweep.outcomes)) as progress:
        if sweep.outcomes:
            progress.say(f"{counted(len(sweep.outcomes), 'outcome')} of {len(sweep.seeds)} are in the file already")

        def told(ended: Ended) -> None:
            nonlocal bad
            reason = _complaint(ended)
            bad += reason is not None
            if reason is not None and bad <= TOLD_AT_ONCE:
                progress.say(textwrap.shorten(f"seed {ended.seed}: {reason}", TOLD_CHARACTERS, placeholder=" ..."))
            progress.update(len(sweep.outcomes) + len(sweep.failures), f"{bad} with violations")

        try:
            sweep.run(engine, told)
        except EngineLost as lost:
            return lost
        if engine.lost_workers:
            progress.say(f"{counted(engine.lost_workers, 'worker')} died in the middle of a run")
    return None


def _complaint(ended: Ended) -> str | None:
    """The violation or failure of a run, in a line; None if there is none."""
    if isinstance(ended, Failure):
        return f"failed: {ended.reason}"
    if ended.is_good:
        return None
    first = ended.violations[0]
    return f"{first.invariant} at {first.at:.3f} s: {first.text}"
