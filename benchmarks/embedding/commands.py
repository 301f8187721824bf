"""The commands that measure programs with nodes beside kinship: what each runs, and how it is shown and kept."""

from __future__ import annotations

import logging
import sys
from collections.abc import Awaitable, Callable, Sequence
from functools import partial
from pathlib import Path

import attrs
import click

from benchmarks.analysis.samples import Results, Sample, Skipped, save
from benchmarks.analysis.summary import summary_of
from benchmarks.embedding import blocked, embedded, latency, storm
from benchmarks.embedding.bench import Bench
from benchmarks.embedding.systems import SYSTEMS, System, ready
from benchmarks.environment.measuring import attempt, machine
from benchmarks.environment.terminal import EXIT_INTERRUPTED, console, enter_namespace, progress_bar
from benchmarks.report.layout import tables_of
from benchmarks.report.targets import verdicts_of
from benchmarks.report.text import as_text
from benchmarks.report.verdicts import verdicts_table


@attrs.frozen(kw_only=True)
class Measurement:
    """Something that is measured of several systems."""

    name: str
    about: str
    run: Callable[[Bench], Awaitable[None]]
    pieces: Callable[[Bench], int]
    """How many pieces of work there are."""
    repeats: int
    quick_repeats: int = 1
    systems: Sequence[str] = SYSTEMS


MEASUREMENTS = (
    Measurement(
        name="blocked", about="Block programs for five seconds, and count how often the others take them for dead.",
        run=blocked.run, pieces=blocked.pieces, repeats=20, quick_repeats=2,
        systems=("ours-trio", "ours-aio", "ours-aio-process", "kinship"),
    ),
    Measurement(
        name="latency", about="How long after its node a program knows of a change, and how long members() takes.",
        run=latency.run, pieces=latency.pieces, repeats=5,
    ),
    Measurement(
        name="embedded", about="What a node costs a program: time to open it, CPU time when nothing happens, memory.",
        run=embedded.run, pieces=embedded.pieces, repeats=5,
    ),
    Measurement(
        name="storm", about="Open, use and cancel 10,000 nodes at random points, and count what is left of them.",
        run=storm.run, pieces=storm.pieces, repeats=1,
        systems=("ours-aio", "ours-aio-process", "ours-blocking", "kinship"),
    ),
)  # fmt: skip


class Work:
    """One measurement, and what came of it."""

    def __init__(self, measurement: Measurement, systems: Sequence[System], skipped: Sequence[Skipped], *,
                 repeats: int | None, quick: bool, seed: int) -> None:  # fmt: skip
        self._measurement = measurement
        self._systems = systems
        self._machine = machine()
        self._skipped = [attrs.evolve(each, experiment=measurement.name) for each in skipped]
        self._samples: list[Sample] = []
        self._bench = Bench(
            experiment=measurement.name, systems=systems, quick=quick, seed=seed,
            repeats=repeats or (measurement.quick_repeats if quick else measurement.repeats),
            tell=self._samples.append, skip=self._skipped.append, step=lambda what: None, done=lambda count: None,
        )  # fmt: skip

    def carry_out(self) -> bool:
        """Measure; returns whether it was interrupted."""
        with progress_bar(auto_refresh=False) as progress:
            task = progress.add_task("", total=self._measurement.pieces(self._bench))

            def step(what: str) -> None:
                progress.update(task, description=what)
                progress.refresh()

            bench = attrs.evolve(self._bench, step=step, done=lambda count: progress.advance(task, count))
            return attempt(partial(self._measurement.run, bench)).interrupted

    def show(self) -> None:
        """Print what came of it."""
        summary = summary_of(self._samples)
        skipped = self.results.skipped
        verdicts = [each for each in verdicts_of(summary) if each.measured]
        tables = (*tables_of(summary, skipped), verdicts_table(verdicts, "Target", "Targets"))
        console().print(as_text(tables, skipped))

    @property
    def results(self) -> Results:
        """What came of it, to be kept."""
        return Results(
            machine={**self._machine, "load_after": machine()["load"]},
            systems={system.name: system.what for system in self._systems},
            samples=tuple(self._samples),
            skipped=tuple(dict.fromkeys(self._skipped)),
        )


def _command(measurement: Measurement) -> click.Command:
    def command(systems: str | None, repeats: int | None, quick: bool, seed: int, json_file: Path | None) -> None:
        logging.disable(logging.CRITICAL)
        usable, skipped = ready(_named(systems) or measurement.systems)
        enter_namespace()
        work = Work(measurement, usable, skipped, repeats=repeats, quick=quick, seed=seed)
        interrupted = work.carry_out()
        work.show()
        if json_file is not None:
            save(work.results, json_file)
        if interrupted:
            click.echo("interrupted; the tables show what was measured until then", err=True)
            sys.exit(EXIT_INTERRUPTED)
        sys.exit(0 if work.results.samples else 1)

    options = (
        click.option("--systems", metavar="NAME,...", help=f"Default: {', '.join(measurement.systems)}."),
        click.option("--repeats", type=click.IntRange(1), help=f"Repetitions; default: {measurement.repeats}."),
        click.option("--quick", is_flag=True, help="Rough figures within a minute or two."),
        click.option("--seed", default=0, show_default=True, help="Determines what is random."),
        click.option(
            "--json", "json_file", type=click.Path(dir_okay=False, writable=True, path_type=Path), metavar="FILE",
            help="Write all samples to this file.",
        ),
    )  # fmt: skip
    for option in options:
        command = option(command)
    return click.command(measurement.name, help=measurement.about)(command)


def _named(systems: str | None) -> tuple[str, ...]:
    names = tuple(dict.fromkeys(systems.split(","))) if systems else ()
    for name in names:
        if name not in SYSTEMS:
            raise click.BadParameter(f"{name!r} is not one of {', '.join(SYSTEMS)}", param_hint="--systems")
    return names


COMMANDS = tuple(map(_command, MEASUREMENTS))
