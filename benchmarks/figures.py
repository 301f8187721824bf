"""``python -m benchmarks.figures``: measure what the library promises, and print each figure beside its target.

Everything runs on real loopback sockets with the profile ``lan``. The exit code is 0 whether or not the
targets are met, and 1 if something could not be measured at all. Run it on an otherwise idle machine:
all nodes of a cluster share one core.
"""

from __future__ import annotations

import logging
import sys
from collections.abc import Callable, Sequence
from typing import IO

import attrs
import click
import trio
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from benchmarks.frozen import measure_freezes
from benchmarks.measures import ClusterMeasures
from benchmarks.plan import DEFAULT_SIZES, MEASURES, QUICK_SIZES, effort_for, freeze_effort, targets_for
from benchmarks.report import Figure, MeasurementFailed, as_json, machine, table_of
from gossip import GossipError

WIDTH_ELSEWHERE = 120
"""Columns of the table where standard output is no terminal."""


@attrs.frozen(kw_only=True)
class Plan:
    """What to measure."""

    sizes: tuple[int, ...]
    wanted: frozenset[str]
    quick: bool

    @property
    def steps(self) -> int:
        """How many steps of progress there will be."""
        freezes = freeze_effort(self.quick)
        steps = 1 + freezes.short + freezes.long if "freeze" in self.wanted else 0
        live = self.wanted & {"idle", "update", "crash"}
        for size in self.sizes:
            each = effort_for(size, self.quick).steps
            steps += sum(each[name] for name in self.wanted if name in each)
            steps += 1 if live and "join" not in self.wanted else 0
        return steps


@attrs.define
class Results:
    """What was measured so far."""

    figures: list[Figure] = attrs.Factory(list)
    failures: list[str] = attrs.Factory(list)


async def measure(plan: Plan, results: Results, step: Callable[[str], None]) -> None:
    """Measure everything planned. What cannot be measured is noted, and does not stop the rest."""
    for size in plan.sizes:
        measures = ClusterMeasures(
            size=size,
            effort=effort_for(size, plan.quick),
            targets=targets_for(size),
            wanted=plan.wanted - {"freeze"},
            tell=results.figures.append,
            step=step,
        )
        try:
            await measures.run()
        except (MeasurementFailed, GossipError) as failure:
            results.failures.append(f"N={size}: {failure}")
    if "freeze" in plan.wanted:
        try:
            await measure_freezes(freeze_effort(plan.quick), results.figures.append, step)
        except MeasurementFailed as failure:
            results.failures.append(f"agents: {failure}")


def run(plan: Plan) -> Results:
    """Measure with a progress bar on standard error, which is drawn between measurements only."""
    columns = (MofNCompleteColumn(), BarColumn(), TimeElapsedColumn(), TextColumn("{task.description}"))
    results = Results()
    with Progress(*columns, console=Console(stderr=True), auto_refresh=False, transient=True) as progress:
        task = progress.add_task("", total=plan.steps, completed=-1)

        def step(what: str) -> None:
            progress.update(task, description=what, advance=1)
            progress.refresh()

        try:
            trio.run(measure, plan, results, step)
        except BaseException as error:
            if not _is_interrupt(error):
                raise
            raise click.Abort from None
    return results


def show(results: Results, before: dict[str, object], after: dict[str, object]) -> None:
    """Print the table, what could not be measured, and the machine."""
    console = Console(width=None if sys.stdout.isatty() else WIDTH_ELSEWHERE, highlight=False)
    console.print(table_of(results.figures))
    for failure in results.failures:
        console.print(f"could not be measured: {failure}", markup=False)
    packages = before["packages"]
    assert isinstance(packages, dict)
    versions = ", ".join(f"{name} {version}" for name, version in packages.items())
    console.print(f"{before['cores']} cores, {before['platform']}, Python {before['python']}, {versions}")
    console.print(f"commit {before['commit']}; load {before['load']} before, {after['load']} after", markup=False)


def _is_interrupt(error: BaseException) -> bool:
    """Whether Ctrl-C is what ended the measurements, alone or within a group of errors."""
    inner: Sequence[BaseException] = getattr(error, "exceptions", ())
    return isinstance(error, KeyboardInterrupt) or any(map(_is_interrupt, inner))


def _sizes(_: click.Context, __: click.Parameter, given: Sequence[int]) -> tuple[int, ...]:
    return tuple(dict.fromkeys(given))


@click.command()
@click.option("--quick", is_flag=True, help="Small clusters and few repetitions: less than a minute.")
@click.option(
    "--only",
    type=click.Choice(MEASURES),
    multiple=True,
    help="Measure only this; may be given several times.",
)
@click.option(
    "--nodes",
    type=click.IntRange(3, 512),
    multiple=True,
    callback=_sizes,
    help="Nodes in one process; may be given several times. "
    f"Default: {' and '.join(map(str, DEFAULT_SIZES))}; with --quick: {' and '.join(map(str, QUICK_SIZES))}.",
)
@click.option(
    "--json",
    "json_file",
    type=click.File("w", lazy=False),
    metavar="FILE",
    help="Also write everything to this file, the single samples included.",
)
def main(quick: bool, only: tuple[str, ...], nodes: tuple[int, ...], json_file: IO[str] | None) -> None:
    """Measure clusters on this machine and print each figure beside its target.

    \b
    join    all nodes but the first start at once: until all see all
    idle    datagrams, bytes and CPU time of nodes that have nothing to tell
    memory  how much a process grows by a node
    update  a node changes its metadata: until the last one knows
    crash   a node is cut off without a word: until it is dead for the last one
    freeze  an agent (a process) is stopped for a while, and woken
    """
    logging.disable(logging.CRITICAL)
    plan = Plan(
        sizes=nodes or (QUICK_SIZES if quick else DEFAULT_SIZES), wanted=frozenset(only or MEASURES), quick=quick
    )
    before = machine()
    results = run(plan)
    after = machine()
    show(results, before, after)
    if json_file is not None:
        json_file.write(as_json(results.figures, results.failures, {"before": before, "after": after}))
    sys.exit(1 if results.failures else 0)


if __name__ == "__main__":
    main()
