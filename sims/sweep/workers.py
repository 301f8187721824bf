"""An engine on the cores of this machine: worker processes, any of which may be killed.

Each worker has a session of its own. So Ctrl-C in a terminal reaches only the sweep, which then ends the workers. Plans
and results are lines of JSON.
"""

from __future__ import annotations

import os
import selectors
import signal
import subprocess
import sys
from collections import Counter, deque
from collections.abc import Generator, Iterable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import IO

import attrs

from ..names import PACKAGE
from ..plan import Plan
from .answers import Ended, Failure, read_answer

MAX_RERUNS = 3
"""The most times that a seed is run again after its worker died. A machine short of memory kills innocent workers, but
four deaths in a row are the fault of the seed."""

WORKER_COMMAND = (sys.executable, "-m", f"{PACKAGE}.sweep.worker")
"""The command that starts a worker. The id of this process is appended."""

_ROOT = Path(__file__).resolve().parents[2]
"""The folder where Python finds the simulator, wherever it was started."""


def available_cores() -> int:
    """The cores that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


@attrs.define(eq=False)
class _Worker:
    """A worker process and its plan."""

    process: subprocess.Popen[str]
    orders: IO[str]
    answers: IO[str]
    plan: Plan | None = None

    @classmethod
    def start(cls) -> _Worker:
        pipe = subprocess.PIPE
        process = subprocess.Popen(
            [*WORKER_COMMAND, str(os.getpid())],
            stdin=pipe, stdout=pipe, text=True, cwd=_ROOT, start_new_session=True,
        )  # fmt: skip
        assert process.stdin is not None
        assert process.stdout is not None
        return cls(process, process.stdin, process.stdout)

    def give(self, plan: Plan) -> None:
        """Give it a plan. If it has died, its output ends instead of an answer."""
        self.plan = plan
        with suppress(BrokenPipeError):
            self.orders.write(plan.to_json() + "\n")
            self.orders.flush()

    def take(self) -> str | None:
        """Its answer; None if it died instead."""
        line = self.answers.readline()
        return line if line.endswith("\n") else None

    def end(self) -> str:
        """Kill it, if it still runs, and return how it ended."""
        self.process.kill()
        code = self.process.wait()
        self.answers.close()
        with suppress(BrokenPipeError):  # input that it has not read cannot be flushed
            self.orders.close()
        return f"was killed by {signal.Signals(-code).name}" if code < 0 else f"ended with exit code {code}"


class LocalEngine:
    """Runs plans in worker processes."""

    def __init__(self, jobs: int) -> None:
        """Prepare the engine. No process starts before there is a plan.

        :param jobs: the number of runs at once.
        """
        self.lost_workers = 0
        """Workers that died in the middle of a run."""
        self._jobs = jobs
        self._workers: list[_Worker] = []
        self._idle: list[_Worker] = []
        self._again: deque[Plan] = deque()
        self._deaths: Counter[int] = Counter()

    @property
    def busy_workers(self) -> list[int]:
        """Process ids of the workers that have a plan, in the order in which they started."""
        return [worker.process.pid for worker in self._workers if worker.plan is not None]

    def run(self, plans: Iterable[Plan]) -> Generator[Ended, None, None]:
        """Run all plans; see :class:`sims.sweep.Engine`."""
        waiting = iter(plans)
        try:
            with selectors.DefaultSelector() as busy:
                self._hand_out(waiting, busy)
                while busy.get_map():
                    for key, _ in busy.select():
                        busy.unregister(key.fileobj)
                        ended = self._collect(key.data)
                        self._hand_out(waiting, busy)
                        if ended is not None:
                            yield ended
        finally:
            for worker in self._workers:
                worker.end()
            self._workers.clear()
            self._idle.clear()

    def _hand_out(self, waiting: Iterator[Plan], busy: selectors.BaseSelector) -> None:
        """Give plans to idle and new workers."""
        while self._idle or len(self._workers) < self._jobs:
            plan = self._again.popleft() if self._again else next(waiting, None)
            if plan is None:
                return
            if self._idle:
                worker = self._idle.pop()
            else:
                worker = _Worker.start()
                self._workers.append(worker)
            worker.give(plan)
            busy.register(worker.answers, selectors.EVENT_READ, worker)

    def _collect(self, worker: _Worker) -> Ended | None:
        """The result of a run; None if it has to run again."""
        plan, worker.plan = worker.plan, None
        assert plan is not None
        text = worker.take()
        if text is not None:
            self._idle.append(worker)
            return read_answer(plan.seed, text)
        self._workers.remove(worker)
        self.lost_workers += 1
        self._deaths[plan.seed] += 1
        how = worker.end()
        if self._deaths[plan.seed] <= MAX_RERUNS:
            self._again.append(plan)
            return None
        return Failure(seed=plan.seed, text=f"{self._deaths[plan.seed]} workers died of it; the last {how}")
