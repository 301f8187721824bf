"""``python -m sims run``: one run of a scenario."""

from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path

import click

from ..plan import Plan
from ..running import Outcome, Run
from ..sweep import Request
from ..world import Observer
from .files import STANDARD_OUTPUT, write
from .options import SEED, file_option, json_option, request_options
from .progress import Progress
from .rendering import print_outcome
from .terminal import EXIT_FAILURE


@click.command()
@request_options
@click.option("--seed", type=SEED, default=0, show_default=True, metavar="S",
              help="The seed. The same seed gives the same run.")  # fmt: skip
@json_option("the outcome")
@file_option("--html", "Write a report for a browser.")
@file_option("--trace", "Write a trace of everything that happens, which replay can repeat.")
def run(request: Request, seed: int, json_to: Path | None, html: Path | None, trace: Path | None) -> int:
    """Run a scenario once, and show the outcome.

    You can give a plan of your own in place of a scenario: a Python file that defines a plan. docs/simulator.rst has
    an example.

    \b
    Examples:
      python -m sims run steady
      python -m sims run crash --nodes 64 --seed 7 --loss 0.1 --set victims=tenth
      python -m sims run bootstrap --profile wan --set seeds=3 --json -
      python -m sims run churn --html churn.html --trace churn.trace
      python -m sims run my_plan.py --seed 7

    \b
    Exit codes:
      0  the run violated nothing
      1  the run violated something; the output says what after VIOLATED
      2  the command line is wrong
    """
    plan = request.plan(seed)
    outcome = _run(plan, html, trace)
    if json_to is not None:
        write(json_to, outcome.to_json(indent=2))
    if json_to != STANDARD_OUTPUT:
        print_outcome(outcome, plan.groups)
    return 0 if outcome.is_good else EXIT_FAILURE


def _run(plan: Plan, html: Path | None, trace: Path | None) -> Outcome:
    """Run the plan, with an observer for each file that is wanted."""
    observers: list[Observer] = []
    with ExitStack() as stack:
        if html is not None:
            from ..report import Recording, render  # noqa: PLC0415  (most runs need none)

            recording = Recording()
            observers.append(recording)
        if trace is not None:
            from ..reproduce import TraceWriter  # noqa: PLC0415  (most runs need none)

            writer = TraceWriter(plan, stack.enter_context(trace.open("w", encoding="utf-8")))
            observers.append(writer)
        progress = stack.enter_context(Progress(f"{plan.scenario}, seed {plan.seed}", plan.ends, "virtual s"))
        outcome = Run(plan, observers=observers).run(progress.update)
        if trace is not None:
            writer.finish(outcome)
    if html is not None:
        write(html, render(recording, plan, outcome))
    return outcome
