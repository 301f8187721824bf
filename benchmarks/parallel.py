"""Simulated runs on all cores, each with its ablation in force."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from concurrent.futures import ProcessPoolExecutor, as_completed
from multiprocessing import get_context

import attrs

from benchmarks.ablations import AS_BUILT, Ablation, named
from sims.outcome import Outcome
from sims.plan import Plan
from sims.run import Run


@attrs.frozen
class Job:
    """One run to make."""

    plan: Plan
    ablation: str = AS_BUILT.name
    checks: bool = False

    @classmethod
    def of(cls, plan: Plan, ablation: Ablation) -> Job:
        """The plan with one choice made otherwise."""
        plan = attrs.evolve(plan, settings={**plan.settings, **ablation.settings}, spares="nobody")
        return cls(plan, ablation.name)


def do(job: Job) -> Outcome:
    """Make one run."""
    with named(job.ablation).in_force():
        return Run(job.plan, checks=job.checks).run()


def do_all(jobs: Iterable[Job], step: Callable[[], None], processes: int | None = None) -> list[Outcome]:
    """Make many runs; their outcomes in the order of the jobs.

    :param step: called after each run.
    """
    jobs = list(jobs)
    outcomes: dict[int, Outcome] = {}
    with ProcessPoolExecutor(processes or os.cpu_count(), mp_context=get_context("spawn")) as pool:
        futures = {pool.submit(do, job): number for number, job in enumerate(jobs)}
        for future in as_completed(futures):
            outcomes[futures[future]] = future.result()
            step()
    return [outcomes[number] for number in range(len(jobs))]
