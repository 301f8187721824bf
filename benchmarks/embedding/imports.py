"""How long ``import gossip`` takes, beside the packages that it needs and beside another library.

Each import happens in a process of its own, and the imports take turns, so that whatever else the machine does meets
all of them. What counts is the CPU time of the statement: an import waits for nothing once its files are cached, and
the CPU time does not grow while other processes run. Each is imported once before, so that all byte code is there.
"""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
from collections.abc import Callable, Mapping
from importlib.util import find_spec
from typing import IO

import attrs
import click

from benchmarks.analysis.figures import Figure, as_json
from benchmarks.environment.builds import ROOT
from benchmarks.environment.measuring import machine
from benchmarks.environment.terminal import console, progress_bar
from benchmarks.report.simulated import figures_table
from benchmarks.report.text import rich_table

NEEDED = "trio, attrs and cbor2"
"""What the package needs without an extra."""

MOST_TO_NEEDED = 1.5
"""The most that ``import gossip`` may take, as a multiple of the packages that it needs."""

FACADES = {"gossip.aio": 20.0, "gossip.blocking": 20.0, "gossip.testing": None}
"""Modules that programs import beside ``gossip``, and the most milliseconds that each may add."""

PROGRAM = "{before}\nimport time; began = time.process_time()\n{timed}\nprint(time.process_time() - began)"


class ImportFailed(click.ClickException):
    """A module cannot be imported; the text is the last line of what Python said."""


@attrs.frozen
class Import:
    """One import to be timed."""

    timed: str
    """The statement."""
    before: str = ""
    """What is imported already."""
    python: str = sys.executable
    """The interpreter, of the environment in which it is imported."""

    def seconds(self) -> float:
        """CPU seconds of the statement, in a new process.

        :raises ImportFailed: if it fails.
        """
        done = subprocess.run(
            [self.python, "-c", PROGRAM.format(before=self.before, timed=self.timed)],
            capture_output=True, text=True, check=False, cwd=ROOT, env=_environment(),
        )  # fmt: skip
        if done.returncode:
            raise ImportFailed(f"{self.timed}: {(done.stderr.strip().splitlines() or ['it failed'])[-1]}")
        return float(done.stdout.split()[-1])


def _environment() -> Mapping[str, str]:
    """Ours, but with byte code that is kept: without it, Python would compile each module in each process."""
    return {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}


def imports_of(rival: str | None) -> dict[str, Import]:
    """What is timed, by its name.

    :param rival: the interpreter of an environment with kinship in it.
    """
    found = {NEEDED: Import("import trio, attrs, cbor2"), "gossip": Import("import gossip")}
    for module in FACADES:
        if find_spec(module) is not None:
            found[module] = Import(f"import {module}", before="import gossip")
    if rival is not None:
        found["kinship"] = Import("import kinship", python=rival)
    return found


def measured(timed: Mapping[str, Import], repeats: int, step: Callable[[], None]) -> dict[str, list[float]]:
    """Milliseconds of each import, in the order of measuring.

    :param step: called after each.
    """
    taken: dict[str, list[float]] = {name: [] for name in timed}
    for turn in range(repeats + 1):
        for name, each in timed.items():
            seconds = each.seconds()
            if turn:  # the first one compiles
                taken[name].append(1000 * seconds)
            step()
    return taken


def figures_of(taken: Mapping[str, list[float]]) -> list[Figure]:
    """The medians, and the ratio that has a target."""
    figures = []
    for name, each in taken.items():
        title = f"import {name}" + (", after gossip" if name in FACADES else "") + f": median of {len(each)}"
        target = FACADES.get(name)
        median = statistics.median(each)
        figures.append(Figure(name=title, value=median, unit="ms", target=target, samples=tuple(each)))
    ratio = statistics.median(taken["gossip"]) / statistics.median(taken[NEEDED])
    name = f"import gossip, as a multiple of {NEEDED}"
    return [*figures[:2], Figure(name=name, value=round(ratio, 2), target=MOST_TO_NEEDED), *figures[2:]]


@click.command(short_help="Time the import of the package.")
@click.option("--repeat", default=40, show_default=True, type=click.IntRange(1), help="Processes for each import.")
@click.option("--rival", metavar="PYTHON", help="The interpreter of an environment with kinship, timed beside ours.")
@click.option(
    "--json", "json_file", type=click.File("w", lazy=False), metavar="FILE", help="Write all samples to this file."
)
def main(repeat: int, rival: str | None, json_file: IO[str] | None) -> None:
    """Time the import of the package, beside the packages that it needs."""
    before, timed = machine(), imports_of(rival)
    with progress_bar() as progress:
        task = progress.add_task("imports", total=(repeat + 1) * len(timed))
        figures = figures_of(measured(timed, repeat, lambda: progress.advance(task)))
    console().print(rich_table(figures_table(figures)))
    click.echo(f"CPU time; commit {before['commit']}; {before['cores']} cores, Python {before['python']}")
    if json_file is not None:
        json_file.write(as_json(figures, [], {"before": before, "after": machine()}))
