"""Commands that find out why a run went as it did: ``replay``, ``shrink`` and ``explain``."""

from __future__ import annotations

from pathlib import Path

import click
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

from gossip.core.errors import ConfigurationError
from sims.cli.files import writable, write
from sims.cli.options import asks_for_runs, request_options
from sims.cli.terminal import EXIT_FAILURE
from sims.explain import explain as explain_member
from sims.plan import Plan
from sims.request import Request
from sims.shrink import MAX_TRIALS, Shrunk, as_pytest
from sims.shrink import shrink as shrink_plan
from sims.trace import replay as replay_trace
from sims.trace import run_twice


@click.command()
@asks_for_runs(click.argument("scenario", metavar="TRACE|SCENARIO"))
@click.option("--seed", type=int, help="Run this seed of a scenario twice, instead of replaying a trace.")
def replay(request: Request, seed: int | None) -> int:
    """Run the plan of a TRACE again, or a seed of a SCENARIO twice, and say where the two runs differ, if they do.

    \b
    Examples:
      python -m sims replay run.trace
      python -m sims replay churn --seed 7 --loss 0.1
    """
    if seed is not None:
        result = run_twice(request.plan(seed))
    elif request != Request(scenario=request.scenario):
        raise ConfigurationError("a trace holds the plan of its run, which options cannot change; a seed needs --seed")
    else:
        result = replay_trace(Path(request.scenario))
    click.echo(str(result))
    return 0 if result.is_same else EXIT_FAILURE


@click.command()
@request_options
@click.option("--seed", type=int, required=True, help="Of the run that violates an invariant.")
@click.option("--out", callback=writable, required=True, metavar="FILE", help="The test to write.")
def shrink(request: Request, seed: int, out: Path) -> int:
    """Make a run that violates an invariant as small as it goes, and write a test of it.

    \b
    Example:
      python -m sims shrink swarm --seed 4711 --out tests/core/test_swarm_4711.py
    """
    shrunk = _with_progress(request.plan(seed))
    write(out, as_pytest(shrunk))
    click.echo(str(shrunk))
    for step in shrunk.plan.steps:
        click.echo(f"  {step}")
    click.echo(f"The test is {out}.")
    return 0


def _with_progress(plan: Plan) -> Shrunk:
    console = Console(stderr=True)
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        TextColumn("{task.completed} trials"),
        TimeElapsedColumn(),
    )
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as bar:
        task = bar.add_task("shrinking", total=MAX_TRIALS)

        def show(trials: int, smallest: Plan) -> None:
            size = f"{len(smallest.steps)} steps, {smallest.nodes} nodes"
            bar.update(task, completed=trials, description=size)

        return shrink_plan(plan, progress=show)


@click.command()
@click.argument("seed", type=int)
@click.argument("name")
@asks_for_runs(click.option("--scenario", default="swarm", show_default=True, help="Of which the run is."))
def explain(seed: int, name: str, request: Request) -> int:
    """Say why the member NAME was declared dead in the run with this SEED, or that it was not.

    \b
    Example:
      python -m sims explain 7 n3 --scenario flapping
    """
    click.echo(str(explain_member(request.plan(seed), name)))
    return 0
