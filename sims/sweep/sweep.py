"""A sweep: the same request with many seeds, each a run of its own.

Which runs are still to be made follows from the seeds that were asked for and the outcomes that are there. Where
runs are made is an engine's business, where outcomes are kept that of a file.
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
"""The outcomes of all seeds are in memory for the summary, at some ten kilobytes each."""


def _check_seeds(_: object, __: object, seeds: range) -> None:
    if not 1 <= len(seeds) <= MAX_SEEDS:
        raise ConfigurationError(f"a sweep has from 1 to {MAX_SEEDS} seeds, not {len(seeds)}")


class Engine(Protocol):
    """Something that runs plans, several at once."""

    lost_workers: int
    """Workers that died in the middle of a run."""

    def run(self, plans: Iterable[Plan]) -> Generator[Ended, None, None]:
        """Run all plans, and tell what came of each as soon as it ends, in any order.

        Whoever stops to listen closes the generator, which stops what still runs.

        :raises EngineLost: if it cannot go on.
        """
        ...


@attrs.define(kw_only=True)
class Sweep:
    """A sweep as far as it has come."""

    request: Request
    seeds: range = attrs.field(validator=_check_seeds)
    results: ResultsFile | None = None
    """Where outcomes are kept, and taken from if they are there already."""
    outcomes: dict[int, Outcome] = attrs.field(init=False)
    """By seed; of seeds that were asked for only."""
    failures: dict[int, Failure] = attrs.field(init=False, factory=dict)
    was_interrupted: bool = attrs.field(init=False, default=False)
    """Whether somebody pressed Ctrl-C; what was done until then is there."""

    def __attrs_post_init__(self) -> None:
        kept = {} if self.results is None else self.results.outcomes
        self.outcomes = {seed: kept[seed] for seed in self.seeds if seed in kept}

    @property
    def missing(self) -> list[int]:
        """Seeds that have not been run."""
        return [seed for seed in self.seeds if seed not in self.outcomes and seed not in self.failures]

    def run(self, engine: Engine, told: Callable[[Ended], None] = lambda _ended: None) -> None:
        """Run what is missing.

        :param told: what came of each run, when it has been kept.
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
