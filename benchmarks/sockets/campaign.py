"""All experiments: every system at every size, one after the other, and what came of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path

import attrs

from benchmarks.analysis.samples import Results, Sample, Skipped, save
from benchmarks.core.limits import limits
from benchmarks.core.micro import micro
from benchmarks.core.ratios import compared
from benchmarks.environment.builds import Unavailable
from benchmarks.environment.measuring import MeasurementFailed, machine
from benchmarks.sockets.experiments import EXPERIMENTS, Bench, Experiment
from benchmarks.sockets.systems import SYSTEMS, System

SIMULATED = {
    "limits": "hops and rounds of updates, and how soon a crash is detected, beside what theory allows (simulated)",
    "micro": "the time and memory of single operations of the core",
}
"""What is measured of this library alone, without sockets."""

LIMITS = (32, 128, 1000, 5000)
LIMITS_REPEATS = {1000: 25, 5000: 10}
"""Repetitions of updates and crashes at these sizes; at others 50. 5,000 nodes take 8 GB and ten minutes."""

QUICK_LIMITS = (32,)
QUICK_LIMITS_REPEATS = 5
QUICK_NODES = (8,)
QUICK_REPEATS = 1


@attrs.frozen(kw_only=True)
class Choice:
    """What the user wants to measure."""

    experiments: Sequence[str]
    systems: Sequence[str]
    nodes: Sequence[int] = ()
    """Empty: the sizes that each experiment has."""
    repeats: int | None = None
    quick: bool = False
    seed: int = 0

    def nodes_of(self, experiment: Experiment) -> Sequence[int]:
        """The sizes at which an experiment is made."""
        return self.nodes or (QUICK_NODES if self.quick else experiment.nodes)

    def repeats_of(self, experiment: Experiment) -> int:
        """How often it is repeated."""
        return self.repeats or (QUICK_REPEATS if self.quick else experiment.repeats)

    @property
    def cells(self) -> int:
        """How many pieces of work there are."""
        real = [EXPERIMENTS[each] for each in self.experiments if each not in SIMULATED]
        return len(self.experiments) - len(real) + sum(len(self.nodes_of(each)) for each in real) * len(self.systems)


def ready(names: Sequence[str]) -> tuple[dict[str, System], list[Skipped]]:
    """Make systems ready to run, and say which cannot be, and why."""
    systems: dict[str, System] = {}
    skipped: list[Skipped] = []
    for name in names:
        try:
            systems[name] = SYSTEMS[name]()
        except Unavailable as reason:
            skipped.append(Skipped(experiment="", system=name, reason=str(reason)))
    return systems, skipped


def simulated(name: str, choice: Choice, step: Callable[[str], None]) -> list[Sample]:
    """Measure what needs neither sockets nor another system.

    :raises MeasurementFailed: if it cannot be measured.
    """
    if name == "micro":
        return micro(choice.quick, step)
    sizes = choice.nodes or (QUICK_LIMITS if choice.quick else LIMITS)
    samples: list[Sample] = []
    for nodes in sizes:
        repeats = choice.repeats or (QUICK_LIMITS_REPEATS if choice.quick else LIMITS_REPEATS.get(nodes, 50))
        samples += limits([nodes], repeats, choice.seed, None, step)
    return [*samples, *compared(samples)]


class Campaign:
    """The measurements of one command."""

    def __init__(self, choice: Choice, systems: Mapping[str, System], skipped: Sequence[Skipped], *,
                 file: Path | None, step: Callable[[str], None], done: Callable[[], None]) -> None:  # fmt: skip
        """:param file: takes everything after each piece of work, so that an interrupt loses little.
        :param step: takes what is done next.
        :param done: called after each piece of work.
        """
        self._choice = choice
        self._systems = systems
        self._file = file
        self._step = step
        self._done = done
        self._machine = machine()
        self.samples: list[Sample] = []
        self.skipped = list(skipped)

    async def run(self) -> None:
        """Measure everything that was chosen. What cannot be measured is noted, and does not stop the rest."""
        for name in self._choice.experiments:
            if name in SIMULATED:
                self._simulated(name)
                continue
            for nodes in self._choice.nodes_of(EXPERIMENTS[name]):
                for system in self._systems.values():
                    await self._cell(EXPERIMENTS[name], nodes, system)
                    self._done()
                    self.write()

    @property
    def results(self) -> Results:
        """The results so far."""
        return Results(
            machine={**self._machine, "load_after": machine()["load"]},
            systems={name: system.what for name, system in self._systems.items()},
            samples=tuple(self.samples),
            skipped=tuple(self.skipped),
        )

    def write(self) -> None:
        """Write the results so far."""
        if self._file is not None:
            save(self.results, self._file)

    def _simulated(self, name: str) -> None:
        try:
            self.samples += simulated(name, self._choice, self._step)
        except MeasurementFailed as failure:
            self.skipped.append(Skipped(experiment=name, system="ours", reason=str(failure)))
        self._done()
        self.write()

    async def _cell(self, experiment: Experiment, nodes: int, system: System) -> None:
        bench = Bench(
            experiment=experiment.name, system=system, nodes=nodes, repeats=self._choice.repeats_of(experiment),
            quick=self._choice.quick, seed=self._choice.seed, tell=self.samples.append,
            step=partial(self._say, f"{experiment.name}, {nodes} nodes, {system.name}"),
        )  # fmt: skip
        try:
            await experiment.run(bench)
        except MeasurementFailed as failure:
            self.skipped.append(
                Skipped(experiment=experiment.name, system=system.name, nodes=nodes, reason=str(failure))
            )

    def _say(self, where: str, what: str) -> None:
        self._step(f"{where}: {what}")
