"""Work on all cores, and simulated runs, each with its ablation."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from concurrent.futures import ProcessPoolExecutor, as_completed
from multiprocessing import get_context
from typing import TypeVar

import attrs

from benchmarks.ablations import AS_BUILT, Ablation
from sims.plan import Plan
from sims.running import Outcome, Run

Task = TypeVar("Task")
Answer = TypeVar("Answer")


@attrs.frozen
class Job:
    """One run to make."""

    plan: Plan
    ablation: str = AS_BUILT.name
    """Name of the ablation that the plan has."""
    checks: bool = False

    @classmethod
    def of(cls, plan: Plan, ablation: Ablation) -> Job:
        """The plan with one choice made differently."""
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


def spread(work: Callable[[Task], Answer], tasks: Iterable[Task], step: Callable[[], None],
           processes: int | None = None) -> list[Answer]:  # fmt: skip
    """Do many tasks, each in a process; what came of them in the order of the tasks.

    :param work: a function of a module, so that another process finds it.
    :param step: called after each task.
    :param processes: how many at once; None is one for each core.
    """
    tasks = list(tasks)
    answers: dict[int, Answer] = {}
    with ProcessPoolExecutor(processes or os.cpu_count(), mp_context=get_context("spawn")) as pool:
        futures = {pool.submit(work, task): number for number, task in enumerate(tasks)}
        for future in as_completed(futures):
            answers[futures[future]] = future.result()
            step()
    return [answers[number] for number in range(len(tasks))]
