"""A sweep: the same request with many seeds, each in a run of its own.

The seeds that were asked for and the outcomes that exist decide which runs are missing. An engine decides where they
run, and a results file where their outcomes are kept.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterable
from contextlib import closing
from typing import Protocol

import attrs

from gossip.core.errors import ConfigurationError

from ..plan import Plan
from ..running import Outcome
from .answers import Ended, Failure
from .request import Request
from .results import ResultsFile

MAX_SEEDS = 100_000
"""The most seeds of a sweep. The outcomes of all seeds are in memory for the summary, some ten kilobytes each."""


def _check_seeds(_: object, __: object, seeds: range) -> None:
    if not 1 <= len(seeds) <= MAX_SEEDS:
        raise ConfigurationError(f"a sweep has from 1 to {MAX_SEEDS} seeds, not {len(seeds)}")


class Engine(Protocol):
    """An engine: it runs plans, several at once."""

    lost_workers: int
    """Workers that died in the middle of a run."""

    def run(self, plans: Iterable[Plan]) -> Generator[Ended, None, None]:
        """Run all plans, and yield the result of each as soon as it ends, in any order.

        A caller that wants no more results closes the generator, which stops the runs.

        :raises EngineLost: if the engine cannot go on.
        """
        ...


@attrs.define(kw_only=True)
class Sweep:
    """A sweep and its results so far."""

    request: Request
    seeds: range = attrs.field(validator=_check_seeds)
    results: ResultsFile | None = None
    """The file of outcomes, if there is one. Outcomes that it already holds count as done."""
    outcomes: dict[int, Outcome] = attrs.field(init=False)
    """Outcomes by seed, only of seeds that were asked for."""
    failures: dict[int, Failure] = attrs.field(init=False, factory=dict)
    was_interrupted: bool = attrs.field(init=False, default=False)
    """Whether Ctrl-C ended it. Outcomes until then are kept."""

    def __attrs_post_init__(self) -> None:
        kept = {} if self.results is None else self.results.outcomes
        self.outcomes = {seed: kept[seed] for seed in self.seeds if seed in kept}

    @property
    def missing(self) -> list[int]:
        """Seeds that have not been run."""
        return [seed for seed in self.seeds if seed not in self.outcomes and seed not in self.failures]

    def run(self, engine: Engine, told: Callable[[Ended], None] = lambda _ended: None) -> None:
        """Run the missing seeds.

        :param told: called with each result after it has been kept.
        :raises ConfigurationError: if a seed gives no plan.
        :raises EngineLost: if the engine cannot go on.
        """
        plans = map(self.request.plan, self.missing)
        try:
            with closing(engine.run(plans)) as runs:
                for ended in runs:
                    self._keep(ended)
                    told(ended)
        except KeyboardInterrupt:
            self.was_interrupted = True

    def _keep(self, ended: Ended) -> None:
        if isinstance(ended, Failure):
            self.failures[ended.seed] = ended
            return
        self.outcomes[ended.seed] = ended
        if self.results is not None:
            self.results.append(ended)
