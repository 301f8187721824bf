"""How long news takes to reach the last node: news of a join, an update, a crash, a farewell, a restart."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, nullcontext
from functools import partial

import trio

from benchmarks.environment import namespace
from benchmarks.environment.namespace import Sent
from benchmarks.sockets.cluster import JOINED_WITHIN_S, SETTLING_S, Cluster, open_cluster
from benchmarks.sockets.experiments.bench import Bench, Experiment, false_deaths

UPDATE_WITHIN_S = 30.0
CRASH_WITHIN_S = 60.0
"""What not all nodes know after so long counts as never; it is ten times what any system usually needs."""

COUNTED_S = 2.5
"""For so long, or until all nodes know, what is sent because of an update is counted. After that, all nodes are
silent."""

UNDER: Mapping[str, Callable[[], AbstractContextManager[None]]] = {
    "": nullcontext,
    "5 % loss": partial(namespace.loss, 0.05),
    "25 % loss": partial(namespace.loss, 0.25),
    "machine gone": namespace.silence,
}
"""What happens to the network besides a crash."""
AT_ONCE = 5
LEAST_FOR_SEVERAL = 16
"""In clusters of so many nodes or more, five nodes crash at once; a smaller one would hardly be a cluster
afterwards."""


async def join(bench: Bench) -> None:
    """All nodes but the first start at once."""
    for repeat in range(bench.repeats):
        bench.step(f"join {repeat + 1}")
        async with open_cluster(bench.system, bench.nodes) as cluster:
            before, cpu_before = namespace.sent(), cluster.cpu_s()
            seen = await cluster.join(bench.full(JOINED_WITHIN_S, 10))
            cpu_s, sent = cluster.cpu_s() - cpu_before, namespace.sent() - before
            report = await cluster.report()
            numbers = {"sizes": len(report.sizes), "cpu_ms_per_node": 1000 * cpu_s / bench.nodes}
        bench.keep_seen(repeat, seen, {**numbers, **bench.per_node(sent)})
        if seen.missing:
            return  # once is enough to know that it takes for ever


async def update(bench: Bench) -> None:
    """A node changes its value."""
    async with open_cluster(bench.system, bench.nodes) as cluster:
        await cluster.joined()
        await trio.sleep(bench.full(5, 1))
        idle_per_s = (await _sent_within(COUNTED_S)).datagrams / COUNTED_S
        for repeat in range(bench.repeats * 2):
            bench.step(f"update {repeat + 1}")
            await trio.sleep(bench.random.uniform(0.2, 1.2))
            before, began = namespace.sent(), trio.current_time()
            seen = await cluster.update(bench.any_of(cluster), UPDATE_WITHIN_S)
            await trio.sleep_until(began + COUNTED_S)
            sent = namespace.sent() - before
            more = sent.datagrams - idle_per_s * (trio.current_time() - began)
            bench.keep_seen(repeat, seen, {"datagrams_per_node": more / bench.nodes})


async def crash(bench: Bench) -> None:
    """A node ends without a farewell: without loss, with some and with much, its machine with it, and five nodes at
    once."""
    for setting in list(UNDER)[:1] if bench.quick else UNDER:
        async with open_cluster(bench.system, bench.nodes) as cluster:
            await cluster.joined()
            for repeat in range(bench.repeats):
                bench.step(f"crash {repeat + 1} {setting}")
                await cluster.reset()
                with UNDER[setting]():
                    await trio.sleep(bench.random.uniform(2.0, 3.0))
                    name = bench.any_of(cluster)
                    seen = await cluster.crash(name, CRASH_WITHIN_S)
                wrong = false_deaths(await cluster.report(), {name})
                bench.keep_seen(repeat, seen, {"false_deaths": wrong}, setting=setting)
                await cluster.start_again([name])
    if bench.nodes >= LEAST_FOR_SEVERAL:
        await _several_crashes(bench)


async def _several_crashes(bench: Bench) -> None:
    async with open_cluster(bench.system, bench.nodes) as cluster:
        await cluster.joined()
        for repeat in range(bench.repeats):
            bench.step(f"five crashes at once {repeat + 1}")
            await cluster.reset()
            await trio.sleep(bench.random.uniform(0.0, 1.0))
            names = bench.random.sample(cluster.running[1:], AT_ONCE)
            seen = await cluster.crash_all(names, CRASH_WITHIN_S)
            wrong = false_deaths(await cluster.report(), set(names))
            bench.keep_seen(repeat, seen, {"false_deaths": wrong}, setting="five at once")
            await cluster.start_again(names)


async def leave(bench: Bench) -> None:
    """A node says farewell."""
    async with open_cluster(bench.system, bench.nodes) as cluster:
        await cluster.joined()
        for repeat in range(bench.repeats):
            bench.step(f"farewell {repeat + 1}")
            await trio.sleep(bench.random.uniform(0.0, 1.0))
            name = bench.any_of(cluster)
            bench.keep_seen(repeat, await cluster.leave(name, CRASH_WITHIN_S), {})
            await _restarted(cluster, name)


async def restart(bench: Bench) -> None:
    """A node ends without a farewell and starts again at once, under the same name and address."""
    async with open_cluster(bench.system, bench.nodes) as cluster:
        await cluster.joined()
        for repeat in range(bench.repeats):
            bench.step(f"restart {repeat + 1}")
            await trio.sleep(bench.random.uniform(0.0, 1.0))
            bench.keep_seen(repeat, await cluster.restart(bench.any_of(cluster), CRASH_WITHIN_S), {})
            await cluster.calm()


async def _restarted(cluster: Cluster, name: str) -> None:
    await trio.sleep(SETTLING_S)  # the farewell is over, and its sockets closed
    await cluster.start_again([name])


async def _sent_within(seconds: float) -> Sent:
    before = namespace.sent()
    await trio.sleep(seconds)
    return namespace.sent() - before


EXPERIMENTS = (
    Experiment(
        name="join",
        about="all nodes start at once, through the first: until all see all",
        run=join,
    ),
    Experiment(name="update", about="a node changes its metadata: until the others know", run=update),
    Experiment(
        name="crash",
        about="a node ends without a farewell, at 0, 5 and 25 % loss, with its machine, and five at once: until the"
        " others declare it dead",
        run=crash,
    ),
    Experiment(name="leave", about="a node says farewell: until the others know", run=leave),
    Experiment(
        name="restart",
        about="a node ends without a farewell and starts again at once: until the others see the new one",
        run=restart,
    ),
)
