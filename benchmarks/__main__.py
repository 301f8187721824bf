"""``python -m benchmarks``: measure systems side by side, document the results, compare two results."""

from __future__ import annotations

import logging
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

import click
from rich.console import Console

from benchmarks.commands import compare, report, show
from benchmarks.environment.measuring import measure
from benchmarks.environment.terminal import EXIT_INTERRUPTED, enter_namespace, progress_bar, sizes
from benchmarks.sockets.campaign import SIMULATED, Campaign, Choice, ready
from benchmarks.sockets.experiments import EXPERIMENTS
from benchmarks.sockets.systems import SYSTEMS
from gossip.cli import escape_missing_letters

ABOUT = {each.name: each.about for each in EXPERIMENTS.values()} | SIMULATED
"""What each experiment measures."""

QUICK_SYSTEMS = ("ours", "memberlist-lan")


def _listed(allowed: Sequence[str]) -> Callable[[click.Context, click.Parameter, str | None], tuple[str, ...]]:
    """Reads names separated by commas."""

    def read(_: click.Context, __: click.Parameter, given: str | None) -> tuple[str, ...]:
        names = tuple(dict.fromkeys(given.split(","))) if given else ()
        for name in names:
            if name not in allowed:
                raise click.BadParameter(f"{name!r} is not one of {', '.join(allowed)}")
        return names

    return read


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
def main() -> None:
    """Benchmarks over real sockets: this library beside its alternatives."""
    escape_missing_letters()


def _about_experiments() -> str:
    lines = [f"{name:<8} {about}" for name, about in ABOUT.items()]
    return "\b\n" + "\n".join(lines)


@main.command(
    short_help="Measure systems side by side.",
    help="Measure systems side by side, on this machine, over real sockets in a private network.\n\n"
    "Experiments (default: all):\n\n" + _about_experiments(),
)
@click.argument("experiments", nargs=-1, type=click.Choice(list(ABOUT)), metavar="[EXPERIMENT]...")
@click.option("--systems", callback=_listed(list(SYSTEMS)), help=f"Default: all. Of {', '.join(SYSTEMS)}.")
@click.option("--nodes", callback=sizes(least=3), metavar="N,...", help="Sizes of clusters, such as 8,32,128.")
@click.option("--repeat", type=click.IntRange(1), help="Repetitions of each experiment.")
@click.option("--seed", default=0, show_default=True, help="Determines which nodes are made to do what, and when.")
@click.option("--quick", is_flag=True, help="Small clusters, short experiments, two systems: less than three minutes.")
@click.option(
    "--json", "json_file", type=click.Path(dir_okay=False, writable=True, path_type=Path), metavar="FILE",
    help="Write all samples to this file, after each experiment.",
)  # fmt: skip
def run(experiments: tuple[str, ...], systems: tuple[str, ...], nodes: tuple[int, ...], repeat: int | None,
        seed: int, quick: bool, json_file: Path | None) -> None:  # fmt: skip
    logging.disable(logging.CRITICAL)
    choice = Choice(
        experiments=experiments or list(ABOUT),
        systems=systems or (QUICK_SYSTEMS if quick else list(SYSTEMS)),
        nodes=nodes,
        repeats=repeat,
        quick=quick,
        seed=seed,
    )
    with Console(stderr=True).status("making the systems ready"):
        usable, skipped = ready(choice.systems)  # while there is still a network to install from
    enter_namespace()
    interrupted = False
    with progress_bar(auto_refresh=False) as progress:
        task = progress.add_task("", total=choice.cells)

        def step(what: str) -> None:
            progress.update(task, description=what)
            progress.refresh()

        campaign = Campaign(choice, usable, skipped, file=json_file, step=step, done=lambda: progress.advance(task))
        try:
            measure(campaign.run)
        except KeyboardInterrupt:
            interrupted = True
    show(campaign.samples, campaign.skipped)
    if interrupted:
        click.echo("interrupted; the tables show what was measured until then", err=True)
        sys.exit(EXIT_INTERRUPTED)
    sys.exit(0 if campaign.samples else 1)


main.add_command(report)
main.add_command(compare)


if __name__ == "__main__":
    main(prog_name="python -m benchmarks")
