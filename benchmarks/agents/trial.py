"""A trial: one cluster of agents that is put through something, and what was found wrong with it.

A trial says what is done to the agents. Starting them, asking all of them for their views, and judging what they told
is the same for every trial, and stands here.
"""

from __future__ import annotations

import tempfile
import time
from abc import ABC, abstractmethod
from collections.abc import AsyncIterator, Callable, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

import attrs
from rich.console import RenderableType

from benchmarks.agents.judge import Deaths, Rules, Spread, deaths, oddities, spreads
from benchmarks.agents.keys import Keys
from benchmarks.agents.processes import Agents, open_agents
from benchmarks.agents.truth import Deed, Truth
from benchmarks.agents.views import agreement
from benchmarks.analysis.samples import Number, Sample, spread_of
from benchmarks.environment.measuring import MeasurementFailed
from benchmarks.report.table import Table
from gossip.core.config import Config
from sims.watching import percentile

SYSTEM = "ours-agents"
"""The system of all samples of trials: this library, each agent a process of its own."""

CONFIG = Config.lan()
"""The settings of all agents."""

Step = Callable[[float, str], None]
"""Takes how much of a trial is done, and what happens now."""


@attrs.frozen(kw_only=True)
class Finding:
    """What a trial found, for its report."""

    samples: Sequence[Sample]
    violations: Sequence[str]
    shown: Sequence[RenderableType]
    """Tables and texts for people."""
    what: str
    """The agents in words, with their version."""


class Trial(ABC):
    """One run. What it has found can be asked for at any time, even if it was interrupted."""

    experiment: str
    """The name under which results are kept."""

    def __init__(self, count: int, rules: Rules, agreed_within_s: float, step: Step, log: Path | None = None) -> None:
        """
        :param count: how many agents there are.
        :param agreed_within_s: how long all agents may take until they see each other as they are.
        :param log: a file that takes everything that is done and told, as JSON lines.
        """
        self.names = tuple(f"a{number:02d}" for number in range(count))
        self.rules = rules
        self.step = step
        self.disagreements: list[str] = []
        """Where the views of agents differed from the truth when all were asked, in words."""
        self.until = 0.0
        """When the trial was over and the agents were about to be killed."""
        self._agreed_within_s = agreed_within_s
        self._log = log
        self._agents: Agents | None = None

    @abstractmethod
    async def run(self) -> None:
        """Do everything.

        :raises MeasurementFailed: if it cannot go on, for instance because an agent does not start.
        """

    @abstractmethod
    def found(self, failure: str | None) -> Finding:
        """What has been found so far.

        :param failure: why the trial ended early; None if it did not, or was interrupted.
        :raises MeasurementFailed: if nothing has been found yet.
        """

    @property
    def agents(self) -> Agents:
        """The agents.

        :raises MeasurementFailed: before :meth:`open`.
        """
        if self._agents is None:
            raise MeasurementFailed("the trial ended before the first agent was started")
        return self._agents

    @property
    def truth(self) -> Truth:
        """What was done to the agents, and what they told."""
        return self.agents.truth

    @asynccontextmanager
    async def open(self) -> AsyncIterator[Agents]:
        """The agents, none of which is started yet. All are killed when the block is left."""
        with tempfile.TemporaryDirectory() as folder:
            async with open_agents(self.names, Path(folder), self._log) as self._agents:
                try:
                    yield self._agents
                finally:
                    self.until = self.until or time.time()

    async def look(self, keys: Keys | None, when: str) -> None:
        """Wait until all agents see each other as they are, and note where they still differ after the time given."""
        keyring = None if keys is None else keys.keyring
        wrong = await agreement(self.agents, CONFIG, keyring, self._agreed_within_s)
        self.disagreements += [f"{each}, {when}" for each in wrong]

    def deaths(self) -> Deaths:
        """What was told of deaths so far."""
        return deaths(self.truth, self.rules)

    def spreads(self) -> Mapping[Deed, Spread]:
        """How each kind of deed became known."""
        return spreads(self.truth, self.rules, self.until)

    def known_table(self, *deeds: Deed) -> Table:
        """How soon agents knew of deeds of these kinds."""
        rows = tuple(
            (deed.value, f"{spread.deeds:,}", f"{len(spread.times_s):,}", *_times(spread), f"{len(spread.missing):,}")
            for deed, spread in self.spreads().items()
            if spread.deeds and deed in deeds
        )
        heads = ("Deed", "Times", "Agents", "Median", "99 %", "Last", "Never")
        return Table(title="Until an agent that ran knew of it", heads=heads, rows=rows)

    def violations(self, failure: str | None, more: Iterable[str] = ()) -> tuple[str, ...]:
        """Everything that must not be and was found all the same, in words.

        :param failure: as in :meth:`found`.
        :param more: violations that only this trial knows.
        """
        missing = [each for spread in self.spreads().values() for each in spread.missing]
        return (
            *([failure] if failure else []),
            *self.agents.failures,
            *self.deaths().false,
            *oddities(self.truth),
            *missing,
            *more,
            *self.disagreements,
        )

    def sample(self, setting: str, numbers: Mapping[str, Number], seed: int = 0) -> Sample:
        """A sample of this trial."""
        return Sample(
            experiment=self.experiment, system=SYSTEM, nodes=len(self.names), setting=setting, seed=seed,
            numbers=numbers,
        )  # fmt: skip

    def spread_samples(self, seed: int = 0) -> list[Sample]:
        """A sample for each kind of deed that was done."""
        return [
            self.sample(deed.value, {"deeds": spread.deeds, **spread_of(spread.times_s, len(spread.missing))}, seed)
            for deed, spread in self.spreads().items()
            if spread.deeds
        ]


def _times(spread: Spread) -> tuple[str, ...]:
    shares = (percentile(spread.times_s, share) for share in (0.5, 0.99, 1.0))
    return tuple("" if time is None else f"{time:.3f} s" for time in shares)
