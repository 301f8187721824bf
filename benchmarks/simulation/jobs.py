"""Simulated runs on all cores, each with the settings of its ablation."""

from __future__ import annotations

from collections.abc import Callable, Iterable

import attrs

from benchmarks.ablations import AS_BUILT, Ablation
from benchmarks.environment.parallel import spread
from sims.plan import Plan
from sims.running import Outcome, Run


@attrs.frozen
class Job:
    """One run to make."""

    plan: Plan
    ablation: str = AS_BUILT.name
    """Name of the ablation that the plan has."""
    checks: bool = False

    @classmethod
    def of(cls, plan: Plan, ablation: Ablation) -> Job:
        """The plan with one setting changed."""
        plan = attrs.evolve(plan, settings={**plan.settings, **ablation.settings}, spares="nobody")
        return cls(plan, ablation.name)


def do(job: Job) -> Outcome:
    """Make one run."""
    return Run(job.plan, checks=job.checks).run()


def do_all(jobs: Iterable[Job], step: Callable[[], None], processes: int | None = None) -> list[Outcome]:
    """Make many runs; their outcomes in the order of the jobs.

    :param step: called after each run.
    """
    return spread(do, jobs, step, processes)
