"""``python -m benchmarks.soak``: an hour of trouble for many agents, and whether they bear it."""

from __future__ import annotations

import logging
from pathlib import Path

import click

from benchmarks.agents.command import FILE, Report, attempt, enter_namespace, finish, progress_bar
from benchmarks.measuring import MeasurementFailed, machine
from benchmarks.soak.report import SYSTEM, as_text, samples_of
from benchmarks.soak.run import Choice, Soak
from benchmarks.systems import our_version


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.option("--agents", type=click.IntRange(4, 200), default=50, show_default=True, help="How many there are.")
@click.option("--minutes", type=click.FloatRange(0.1), default=60.0, show_default=True, help="How long they suffer.")
@click.option("--loss", type=click.FloatRange(0, 0.5), default=0.05, show_default=True, help="Share of packets lost.")
@click.option("--seed", default=0, show_default=True, help="From which follows who suffers what.")
@click.option(
    "--keyring/--plain", "sealed", default=True,
    help="Whether everything is sealed, with keys that are replaced now and then. Default: it is.",
)  # fmt: skip
@click.option(
    "--signed/--unsigned", default=True,
    help="Whether each agent signs what it says of itself. Default: it does.",
)  # fmt: skip
@click.option("--json", "json_file", type=FILE, metavar="FILE", help="Write what was found to this file.")
@click.option("--log", type=FILE, metavar="FILE", help="Write all that was done and told to this file, line by line.")
def main(
    agents: int, minutes: float, loss: float, seed: int, sealed: bool, signed: bool,
    json_file: Path | None, log: Path | None,
) -> None:  # fmt: skip
    """Run many agents in a private network that loses packets, and kill, stop and start some of them all along.

    Nobody who runs may be told to be dead, all must know of everything that happens, all must agree in the end, and no
    agent may come to hold more and more. Violations are told, and the exit code is 1.
    """
    logging.disable(logging.CRITICAL)
    enter_namespace()
    choice = Choice(agents=agents, minutes=minutes, loss=loss, seed=seed, sealed=sealed, signed=signed, log=log)
    before = machine()
    with progress_bar() as progress:
        task = progress.add_task("", total=60 * minutes)
        soak = Soak(choice, lambda seconds, what: progress.update(task, completed=seconds, description=what))
        ending = attempt(soak.run)
    try:
        found = soak.found(ending.failure)
    except MeasurementFailed as error:
        raise click.ClickException(str(error)) from None
    report = Report(
        system=SYSTEM,
        what=f"{our_version()}, each agent a process (gossip agent), profile lan",
        samples=tuple(samples_of(choice, found)),
        violations=found.violations,
        shown=as_text(choice, found),
    )
    finish(report, ending, before, json_file)


if __name__ == "__main__":
    main(prog_name="python -m benchmarks.soak")
