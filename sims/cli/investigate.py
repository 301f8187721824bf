"""Commands that find out why a run went as it did: ``replay``, ``shrink`` and ``explain``."""

from __future__ import annotations

import functools
import math
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click
from click.core import ParameterSource
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

from gossip.core.config import PROFILES
from gossip.core.errors import ConfigurationError
from sims.explain import explain as explain_member
from sims.plan import MIN_NODES, Plan
from sims.scenarios import find
from sims.shrink import MAX_TRIALS, Shrunk, as_pytest
from sims.shrink import shrink as shrink_plan
from sims.trace import replay as replay_trace
from sims.trace import run_twice

EXIT_DIFFERS = 1
EXIT_USAGE = 2

Command = TypeVar("Command", bound=Callable[..., Any])


class BadUsage(click.ClickException):
    """What was asked for cannot be done; the message says why, in one line."""

    exit_code = EXIT_USAGE


def plan_options(command: Command) -> Command:
    """The options with which a scenario's plan is made."""
    for option in reversed(
        (
            click.option("--nodes", type=click.IntRange(min=MIN_NODES), help="How many, if not the scenario's own."),
            click.option("--loss", type=click.FloatRange(0, 1), default=0.0, help="Share of datagrams lost."),
            click.option("--duration", type=float, help="Virtual seconds to run, at the least."),
            click.option("--profile", type=click.Choice(sorted(PROFILES)), default="lan", help="Timing of the nodes."),
            click.option("--set", "changes", multiple=True, metavar="KEY=VALUE",
                         help="A parameter of the scenario, or a setting of the nodes."),
        )
    ):  # fmt: skip
        command = option(command)
    return command


def made_plan(scenario: str, seed: int, *, nodes: int | None, loss: float, duration: float | None, profile: str,
              changes: tuple[str, ...]) -> Plan:  # fmt: skip
    """The plan that the options describe.

    :raises ConfigurationError: if it cannot be made.
    """
    pairs = [text.partition("=") for text in changes]
    for key, equals, _ in pairs:
        if not (key and equals):
            raise ConfigurationError(f"--set takes KEY=VALUE, not {key + equals!r}")
    if duration is not None and not 0 < duration < math.inf:
        raise ConfigurationError(f"--duration must be a number of seconds above 0, not {duration:g}")
    return find(scenario).plan(
        seed=seed, nodes=nodes, loss=loss, profile=profile, duration_s=duration,
        changes={key: value for key, _, value in pairs},
    )  # fmt: skip


def one_line_errors(command: Command) -> Command:
    """Turn what cannot be into one line and the exit code of bad usage."""

    @functools.wraps(command)
    def guarded(*arguments: Any, **options: Any) -> Any:
        try:
            return command(*arguments, **options)
        except ConfigurationError as error:
            raise BadUsage(" ".join(str(error).split())) from error

    return guarded  # type: ignore[return-value]


@click.command()
@click.argument("trace", type=click.Path(path_type=Path), required=False)
@click.option("--scenario", help="Run a scenario twice instead, in two processes.")
@click.option("--seed", type=int, help="Of the scenario.")
@plan_options
@one_line_errors
def replay(trace: Path | None, scenario: str | None, seed: int | None, **options: Any) -> None:
    """Run the plan of a TRACE again, and say whether the run is the same and where it is not."""
    if (trace is None) == (scenario is None):
        raise BadUsage("replay takes either a trace or --scenario with --seed")
    if trace is not None:
        source = click.get_current_context().get_parameter_source
        if given := [name for name in ("seed", *options) if source(name) is ParameterSource.COMMANDLINE]:
            names = ", ".join("--set" if name == "changes" else f"--{name}" for name in given)
            raise BadUsage(f"a trace holds the plan of its run, which {names} cannot change")
        result = replay_trace(trace)
    else:
        if seed is None:
            raise BadUsage("--scenario needs --seed")
        result = run_twice(made_plan(scenario or "", seed, **options))
    click.echo(str(result))
    if not result.is_same:
        raise click.exceptions.Exit(EXIT_DIFFERS)


@click.command()
@click.argument("scenario")
@click.option("--seed", type=int, required=True)
@click.option("--out", type=click.Path(dir_okay=False, path_type=Path), required=True, help="The test to write.")
@plan_options
@one_line_errors
def shrink(scenario: str, seed: int, out: Path, **options: Any) -> None:
    """Make a run that violates an invariant as small as it goes, and write a test of it."""
    shrunk = _with_progress(made_plan(scenario, seed, **options))
    try:
        out.write_text(as_pytest(shrunk), encoding="utf-8")
    except OSError as error:
        raise BadUsage(f"{out} cannot be written: {error.strerror}") from error
    click.echo(str(shrunk))
    for step in shrunk.plan.steps:
        click.echo(f"  {step}")
    click.echo(f"The test is {out}.")


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
@click.option("--scenario", default="swarm", show_default=True)
@plan_options
@one_line_errors
def explain(seed: int, name: str, scenario: str, **options: Any) -> None:
    """Say why the member NAME was declared dead in the run with this SEED, or that it was not."""
    click.echo(str(explain_member(made_plan(scenario, seed, **options), name)))
