"""The summary of a sweep: figures over all its runs, and the seeds to look at. It follows from the outcomes alone."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Sequence

import attrs

from ..running import Outcome, Violation, headline_of_many
from ..watching import POINTS, FalseDeaths, percentile
from .answers import Failure
from .request import Request


@attrs.frozen(kw_only=True)
class Distribution:
    """How one figure is distributed over all runs in which it occurs."""

    count: int
    """The number of values."""
    median: float | None
    p99: float | None
    """99 of 100 values do not exceed it."""
    worst: float | None
    never: int = 0
    """The number of further values that never came to an end; each is worse than the worst."""

    @classmethod
    def of(cls, values: Iterable[float | None]) -> Distribution:
        """The distribution of these values. None stands for a value that never came to an end."""
        given = list(values)
        known = [value for value in given if value is not None]
        return cls(
            count=len(known),
            median=percentile(known, 0.5),
            p99=percentile(known, 0.99),
            worst=max(known, default=None),
            never=len(given) - len(known),
        )


@attrs.frozen(kw_only=True)
class Violating:
    """A seed whose run has a violation."""

    seed: int
    invariant: str
    at: float
    text: str
    command: str
    """The command line that repeats the run."""


@attrs.frozen(kw_only=True)
class Failed:
    """A seed whose run has no outcome."""

    seed: int
    text: str
    command: str


@attrs.frozen(kw_only=True)
class Summary:
    """The summary of a sweep. Times are virtual seconds. Times of news are counted from the event in question."""

    in_words: str
    """What happened in all runs, in one line."""
    scenario: str
    seeds: str
    """First and last, as the command line spells them."""
    runs: int
    """The number of runs with an outcome."""
    missing: int
    """The number of runs that have not been made."""
    virtual_s: float
    wall_s: float
    """Seconds of all runs together, one after the other."""
    crash_last_dead_s: Distribution
    update_last_s: Distribution
    join_all_see_all_s: Distribution
    heal_s: Distribution
    """Of the runs that healed. Runs that had to heal and did not are among the violating ones."""
    datagrams_per_node_s: Distribution
    bytes_per_node_s: Distribution
    false_deaths: FalseDeaths
    """Of all runs together."""
    suspicions: int
    """Of all runs together."""
    suspicions_healthy_by_healthy: int
    """Of all runs together."""
    sometimes: dict[str, int]
    """The number of runs that reached each point."""
    violating: tuple[Violating, ...]
    failed: tuple[Failed, ...]

    @property
    def is_good(self) -> bool:
        """Whether no run violated anything, and all runs that were made have an outcome."""
        return not self.violating and not self.failed

    def to_json(self, indent: int | None = None) -> str:
        """The summary as JSON."""
        return json.dumps(attrs.asdict(self), indent=indent)


def summarise(
    request: Request, seeds: range, outcomes: Sequence[Outcome], failures: Sequence[Failure] = ()
) -> Summary:  # fmt: skip
    """Summarise outcomes, given in any order.

    :param seeds: the seeds that were asked for.
    :param failures: runs without an outcome.
    """
    runs = sorted(outcomes, key=lambda outcome: outcome.seed)
    reached = Counter(point for run in runs for point, count in run.sometimes.items() if count)
    return Summary(
        in_words=headline_of_many(runs, len(failures)),
        scenario=request.scenario,
        seeds=f"{seeds.start}..{seeds.stop - 1}",
        runs=len(runs),
        missing=len(seeds) - len(runs) - len(failures),
        virtual_s=sum(run.virtual_s for run in runs),
        wall_s=sum(run.wall_s for run in runs),
        crash_last_dead_s=Distribution.of(crash.last_dead_s for run in runs for crash in run.crashes),
        update_last_s=Distribution.of(update.last_s for run in runs for update in run.updates),
        join_all_see_all_s=Distribution.of(run.joins.all_see_all_s for run in runs if run.joins is not None),
        heal_s=Distribution.of(run.heal_s for run in runs if run.heal_s is not None),
        datagrams_per_node_s=Distribution.of(run.per_node_s.datagrams_sent for run in runs),
        bytes_per_node_s=Distribution.of(run.per_node_s.bytes_sent for run in runs),
        false_deaths=FalseDeaths(
            healthy_by_healthy=sum(run.false_deaths.healthy_by_healthy for run in runs),
            healthy_by_impaired=sum(run.false_deaths.healthy_by_impaired for run in runs),
            impaired=sum(run.false_deaths.impaired for run in runs),
        ),
        suspicions=sum(run.suspicions for run in runs),
        suspicions_healthy_by_healthy=sum(run.suspicions_healthy_by_healthy for run in runs),
        sometimes={point: reached[point] for point in POINTS},
        violating=tuple(_violating(request, violation) for run in runs for violation in run.violations),
        failed=tuple(
            Failed(seed=failure.seed, text=failure.text, command=request.command(failure.seed))
            for failure in sorted(failures, key=lambda failure: failure.seed)
        ),
    )


def _violating(request: Request, violation: Violation) -> Violating:
    return Violating(
        seed=violation.seed,
        invariant=violation.invariant,
        at=violation.at,
        text=violation.text,
        command=request.command(violation.seed),
    )
