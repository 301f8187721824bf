"""What is measured of many nodes in one process.

The order matters: idling is measured before anybody has died, because nodes keep looking for their
dead. Every join is of a cluster of its own; the last of them serves for all the rest.
"""

from __future__ import annotations

import gc
import time
from collections.abc import Callable

import attrs
import trio

from benchmarks.cluster import Cluster, Tally, open_cluster
from benchmarks.memory import memory_per_node
from benchmarks.plan import Effort, Targets
from benchmarks.report import Figure, median, percentile, worst

UPDATE_PAUSE_S = (0.3, 0.7)
"""Pause between two updates. Each makes every node push six datagrams; more than three updates a second
would use up the budget for that (``push_rate``) and measure the budget instead."""

CRASH_PAUSE_S = (0.0, 1.0)
"""Pause before a crash: one round, so that crashes meet it at any phase."""


@attrs.frozen(kw_only=True)
class ClusterMeasures:
    """The measurements of clusters of one size."""

    size: int
    effort: Effort
    targets: Targets
    wanted: frozenset[str]
    tell: Callable[[Figure], None]
    """Given each figure as soon as it is known."""
    step: Callable[[str], None]
    """Told what is done next."""
    tally: Tally = attrs.field(factory=Tally)
    _join_cpu_s: list[float] = attrs.field(factory=list)

    async def run(self) -> None:
        """Measure what is wanted.

        :raises MeasurementFailed: if something did not happen at all.
        """
        if "memory" in self.wanted:
            await self._memory()
        if not self.wanted - {"memory"}:
            return
        joins: list[float] = []
        for _ in range(self.effort.joins - 1 if "join" in self.wanted else 0):
            async with open_cluster(self.tally) as cluster:
                await self._join(cluster, joins)
        async with open_cluster(self.tally) as cluster:
            await self._join(cluster, joins)
            if "join" in self.wanted:
                self._tell_times("join, all see all", joins, self.targets.join, self.targets.join)
                self.tell(median(self._title("join, CPU time of all nodes"), self._join_cpu_s))
            for name, measure in (("idle", self._idle), ("update", self._update), ("crash", self._crash)):
                if name in self.wanted:
                    await measure(cluster)
        self._tell_faults()

    async def _memory(self) -> None:
        self._say("memory")
        self._tell("memory per node", await memory_per_node(self.size) / 1024, "KiB")

    async def _join(self, cluster: Cluster, joins: list[float]) -> None:
        self._say("join")
        gc.collect()  # what the previous cluster left behind is not this one's work
        before = time.process_time()
        joins.append(await cluster.join(self.size))
        self._join_cpu_s.append(time.process_time() - before)
        await cluster.calm(self.effort.settle_s)

    async def _idle(self, cluster: Cluster) -> None:
        self._say(f"idling {self.effort.idle_s:g} s, once calm for {self.effort.calm_s:g} s")
        await cluster.calm(self.effort.calm_s)
        before, cpu_before, began = cluster.traffic(), time.process_time(), trio.current_time()
        await trio.sleep(self.effort.idle_s)
        after, cpu_after, ended = cluster.traffic(), time.process_time(), trio.current_time()
        node_seconds = (ended - began) * self.size
        datagrams = (after.datagrams - before.datagrams) / node_seconds
        sent_bytes = (after.sent_bytes - before.sent_bytes) / node_seconds
        cpu_ms = 1000 * (cpu_after - cpu_before) / node_seconds
        self._tell("idle, datagrams sent per node and second", datagrams, "datagrams", self.targets.idle_datagrams)
        self._tell("idle, bytes sent per node and second", sent_bytes, "B", self.targets.idle_bytes)
        self._tell("idle, CPU per node and second", cpu_ms, "ms", self.targets.idle_cpu_ms)

    async def _update(self, cluster: Cluster) -> None:
        await cluster.calm(self.effort.settle_s)
        times = []
        for _ in range(self.effort.updates):
            self._say("update")
            await cluster.pause(*UPDATE_PAUSE_S)
            times.append(await cluster.update())
        self._tell_times("update, last node knows", times, self.targets.update_median, self.targets.update_worst)
        self.tell(percentile(self._title("update, last node knows"), times))

    async def _crash(self, cluster: Cluster) -> None:
        times = []
        for _ in range(self.effort.crashes):
            self._say("crash")
            await cluster.calm(self.effort.settle_s)
            await cluster.pause(*CRASH_PAUSE_S)
            times.append(await cluster.crash())
            await cluster.replace()
        self._tell_times("crash, dead for all others", times, self.targets.crash_median, self.targets.crash_worst)
        await cluster.calm(self.effort.settle_s)

    def _tell_faults(self) -> None:
        self._tell("times a healthy node was held dead", self.tally.deaths, target=0)
        self._tell("times a healthy node was suspected", self.tally.suspicions)
        self._tell("times nodes found their process stalled", self.tally.stalls)

    def _tell_times(
        self, name: str, times: list[float], median_target: float | None, worst_target: float | None
    ) -> None:
        self.tell(median(self._title(name), times, median_target))
        self.tell(worst(self._title(name), times, worst_target))

    def _tell(self, name: str, value: float, unit: str = "", target: float | None = None) -> None:
        self.tell(Figure(name=self._title(name), value=value, unit=unit, target=target))

    def _say(self, what: str) -> None:
        self.step(self._title(what))

    def _title(self, name: str) -> str:
        return f"N={self.size}: {name}"
