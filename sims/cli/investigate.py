"""Commands that find out why a run went as it did: ``replay``, ``shrink`` and ``explain``."""

from __future__ import annotations

from pathlib import Path

import click

from gossip.core.errors import ConfigurationError

from ..explain import explain as explain_member
from ..plan import Plan
from ..reproduce import MAX_TRIALS, Shrunk, as_pytest, run_twice
from ..reproduce import replay as replay_trace
from ..reproduce import shrink as shrink_plan
from ..scenarios import SCENARIOS, is_plan_file
from ..sweep import Request
from ..words import counted
from .files import writable, write
from .options import SEED, asks_for_runs, request_options
from .progress import Progress
from .terminal import EXIT_FAILURE


@click.command()
@asks_for_runs(click.argument("scenario", metavar="TRACE|SCENARIO|PLAN.py"))
@click.option("--seed", type=SEED, metavar="S", help="Run this seed of a scenario twice, instead of repeating a trace.")
def replay(request: Request, seed: int | None) -> int:
    """Repeat a trace, or run a seed twice, and compare line by line.

    TRACE is a file that run --trace has written. It holds the plan of its run. With --seed, the run of that seed of a
    SCENARIO is made twice, the second time in a process of its own.

    \b
    Examples:
      python -m sims replay churn.trace
      python -m sims replay churn --seed 7 --loss 0.1

    \b
    Exit codes:
      0  the runs are the same
      1  they differ; the output shows the first different line
      2  the command line is wrong
    """
    path = Path(request.scenario)
    if request.scenario in SCENARIOS or is_plan_file(request.scenario) or (seed is not None and not path.exists()):
        if seed is None:
            what = "plan" if is_plan_file(request.scenario) else "scenario"
            raise ConfigurationError(
                f"{request.scenario} is a {what}, not a trace; add --seed to say which run to make twice"
            )
        result = run_twice(request.plan(seed))
    elif seed is not None or request != Request(scenario=request.scenario):
        raise ConfigurationError(
            "a trace holds the plan of its run, and options cannot change that; leave the options out"
        )
    else:
        result = replay_trace(path)
    click.echo(str(result))
    return 0 if result.is_same else EXIT_FAILURE


@click.command()
@request_options
@click.option("--seed", type=SEED, required=True, metavar="S", help="The seed of a run that violates an invariant.")
@click.option("--out", callback=writable, required=True, metavar="FILE", help="Where to write the test.")
def shrink(request: Request, seed: int, out: Path) -> int:
    """Make a violating run small, and write a test of it.

    The command leaves out everything that the violation does not need: steps, nodes, time, faults of the network,
    settings. The test fails as long as the run violates anything.

    \b
    Example:
      python -m sims shrink swarm --seed 4711 --out tests/core/test_swarm_4711.py

    \b
    Exit codes:
      0  the test is written
      2  the command line is wrong, or the run violates nothing
    """
    shrunk = _with_progress(request.plan(seed))
    write(out, as_pytest(shrunk))
    click.echo(str(shrunk))
    for step in shrunk.plan.steps:
        click.echo(f"  {step}")
    click.echo(f"The test is in {out}.")
    return 0


def _with_progress(plan: Plan) -> Shrunk:
    with Progress("shrinking", MAX_TRIALS, "trials") as progress:

        def show(trials: int, smallest: Plan) -> None:
            progress.update(trials, f"{counted(len(smallest.steps), 'step')}, {smallest.nodes} nodes")

        return shrink_plan(plan, progress=show)


@click.command()
@click.argument("seed", type=SEED)
@click.argument("name")
@asks_for_runs(
    click.option(
        "--scenario",
        default="swarm",
        show_default=True,
        metavar="SCENARIO|PLAN.py",
        help="The scenario of the run, or the file of its plan.",
    )
)
def explain(seed: int, name: str, request: Request) -> int:
    """Explain why a member was held dead or suspected in a run.

    SEED is the seed of the run, NAME the name of the member. Members that start at the beginning are called n0, n1 and
    so on, unless the plan names them.

    \b
    Examples:
      python -m sims explain 4711 n3
      python -m sims explain 7 n3 --scenario flapping --nodes 16

    \b
    Exit codes:
      0  explained, or there is nothing to explain
      2  the command line is wrong, for example because no member has the name
    """
    click.echo(str(explain_member(request.plan(seed), name)))
    return 0
