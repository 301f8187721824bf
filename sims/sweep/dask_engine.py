"""An engine on a Dask cluster: one that is running, or one of processes on this machine.

If a worker dies, Dask's scheduler gives its plans to others. Using this module needs the extra ``dask``; importing it
does not.
"""

from __future__ import annotations

import itertools
import logging
from collections.abc import Generator, Iterable, Iterator
from contextlib import contextmanager
from typing import Any

from gossip.core.errors import ConfigurationError

from ..plan import Plan
from .answers import Ended, EngineLost, Failure, answer, read_answer

MISSING_EXTRA = "runs on a Dask cluster need a package that is not installed: pip install 'gossip-membership[dask]'"

LOGGERS = ("distributed", "distributed.client")
"""Loggers of Dask that have a level of their own."""

CONNECT_TIMEOUT_S = 10.0
"""The timeout of a connection, for which somebody waits at a terminal."""

PLANS_PER_THREAD = 2
"""Plans that each thread has: one that runs and one that waits. So no worker is idle, and the scheduler does not hold
all plans at once."""


class DaskEngine:
    """Runs plans on a Dask cluster, whose workers must find this package."""

    def __init__(self, jobs: int, scheduler: str | None = None) -> None:
        """Prepare the engine. No process starts before there is a plan.

        :param jobs: the number of processes of a cluster on this machine.
        :param scheduler: address of the scheduler of a running cluster, to be used instead.
        :raises ConfigurationError: if the extra ``dask`` is not installed.
        """
        try:
            import distributed  # noqa: PLC0415  (optional)
        except ModuleNotFoundError as error:
            raise ConfigurationError(MISSING_EXTRA) from error
        self._dask = distributed
        for logger in LOGGERS:  # the sweep reports errors itself
            logging.getLogger(logger).setLevel(logging.CRITICAL)
        self._jobs = jobs
        self._scheduler = scheduler
        self.lost_workers = 0
        """Always 0: the scheduler replaces workers by itself."""

    def run(self, plans: Iterable[Plan]) -> Generator[Ended, None, None]:
        """Run all plans; see :class:`sims.sweep.Engine`.

        :raises ConfigurationError: if no scheduler answers.
        :raises EngineLost: if the scheduler stops answering.
        """
        waiting = iter(plans)
        with self._client() as client:
            threads = max(1, sum(client.nthreads().values()))
            seeds: dict[Any, int] = {}

            def submit(plan: Plan) -> Any:
                future = client.submit(answer, plan.to_json(), pure=False)
                seeds[future] = plan.seed
                return future

            first = [submit(plan) for plan in itertools.islice(waiting, PLANS_PER_THREAD * threads)]
            running = self._dask.as_completed(first)
            del first
            for future in running:
                ended = _ended(seeds.pop(future), future)
                for plan in itertools.islice(waiting, 1):
                    running.add(submit(plan))
                yield ended

    @contextmanager
    def _client(self) -> Iterator[Any]:
        if self._scheduler is None:
            cluster = self._dask.LocalCluster(
                n_workers=self._jobs, threads_per_worker=1, processes=True, dashboard_address="127.0.0.1:0",
                silence_logs=logging.CRITICAL,
            )  # fmt: skip
            with cluster, self._dask.Client(cluster) as client:
                yield client
            return
        try:
            client = self._dask.Client(self._scheduler, timeout=CONNECT_TIMEOUT_S)
        except (OSError, ValueError) as error:
            raise ConfigurationError(f"no Dask scheduler answers at {self._scheduler}: {error}") from error
        with client:
            yield client


def _ended(seed: int, future: Any) -> Ended:
    if future.cancelled():  # we cancel none
        raise EngineLost("the Dask scheduler is gone")
    error = future.exception()
    if error is not None:  # an error of the worker; an error of the run is in its answer
        return Failure(seed=seed, text=f"{type(error).__name__}: {error}")
    return read_answer(seed, future.result())
