"""Work on all cores, each task in a process."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from concurrent.futures import ProcessPoolExecutor, as_completed
from multiprocessing import get_context
from typing import TypeVar

Task = TypeVar("Task")
Answer = TypeVar("Answer")


def spread(work: Callable[[Task], Answer], tasks: Iterable[Task], step: Callable[[], None],
           processes: int | None = None) -> list[Answer]:  # fmt: skip
    """Do many tasks, each in a process; the answers come in the order of the tasks.

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
