"""What whole clusters bear: idling, lost packets, a partition, stopped processes."""

from __future__ import annotations

import time

import trio

from benchmarks.environment import namespace
from benchmarks.environment.namespace import OtherHalf
from benchmarks.sockets.cluster import Cluster, open_cluster
from benchmarks.sockets.experiments.bench import Bench, Experiment, false_deaths

CALM_S = 10.0
"""How long a cluster is left alone before idling is measured."""

FULL_SYNC_S = 30.0
"""Interval at which memberlist compares its whole view with one peer, with its LAN profile."""

HEALED_WITHIN_S = 4 * FULL_SYNC_S
"""A cluster that has not healed by then does not heal: several full comparisons have been made."""

STOPS_S = (2.0, 8.0, 16.0)
STOPPED_SHARE = 8
"""One node of so many is stopped."""

LOSS = 0.25


async def idle(bench: Bench) -> None:
    """Nothing happens."""
    async with open_cluster(bench.system, bench.nodes) as cluster:
        empty_kib = cluster.memory_kib()
        await cluster.joined()
        await trio.sleep(bench.full(CALM_S, 1))
        for repeat in range(1 if bench.quick else 3):
            bench.step(f"idle {repeat + 1}")
            before, cpu_before, began = namespace.sent(), cluster.cpu_s(), time.monotonic()
            await trio.sleep(bench.full(20, 3))
            node_s = bench.nodes * (time.monotonic() - began)
            sent = namespace.sent() - before
            numbers = {
                "datagrams_per_node_s": sent.datagrams / node_s,
                "bytes_per_node_s": sent.datagram_bytes / node_s,
                "stream_bytes_per_node_s": sent.stream_bytes / node_s,
                "cpu_ms_per_node_s": 1000 * (cluster.cpu_s() - cpu_before) / node_s,
                "memory_kib_per_node": (cluster.memory_kib() - empty_kib) / bench.nodes,
                "memory_kib_with_process": cluster.memory_kib() / bench.nodes,
            }
            bench.keep(repeat, numbers)


async def lossy(bench: Bench) -> None:
    """A quarter of all packets is lost for minutes, while nothing else happens."""
    minutes = bench.full(10, 0.05)
    async with open_cluster(bench.system, bench.nodes) as cluster:
        await cluster.joined()
        await cluster.reset()
        bench.step(f"{LOSS:.0%} loss for {minutes:g} minutes")
        with namespace.loss(LOSS):
            before, began = namespace.sent(), time.monotonic()
            await trio.sleep(60 * minutes)
            node_s, sent = bench.nodes * (time.monotonic() - began), namespace.sent() - before
            report = await cluster.report()
    bench.keep(
        0,
        {
            "minutes": minutes,
            "false_deaths": false_deaths(report, set()),
            "suspicions": report.suspicions,
            "datagrams_per_node_s": sent.datagrams / node_s,
            "bytes_per_node_s": sent.datagram_bytes / node_s,
            "stream_bytes_per_node_s": sent.stream_bytes / node_s,
        },
        setting=f"{100 * LOSS:g} % loss",
    )


async def heal(bench: Bench) -> None:
    """The cluster is cut into two halves for a while."""
    cut_s, given_s = bench.full(60, 5), bench.full(HEALED_WITHIN_S, 5)
    for repeat in range(min(3, bench.repeats)):
        half = OtherHalf()
        try:
            async with open_cluster(bench.system, bench.nodes, other_half=half) as cluster:
                await cluster.joined()
                bench.step(f"cut in two for {cut_s:g} s {repeat + 1}")
                with half.cut_off():
                    await trio.sleep(cut_s)
                healed_at = time.monotonic()
                bench.step(f"healing {repeat + 1}")
                seen = await cluster.see_all(given_s, since=healed_at)
        finally:
            half.close()
        bench.keep_seen(repeat, seen, {"given_s": given_s, "cut_s": cut_s})


async def slow(bench: Bench) -> None:
    """Some processes are stopped together for a while, and continue: how often a healthy node is declared dead."""
    stopped = max(1, bench.nodes // STOPPED_SHARE)
    async with open_cluster(bench.system, bench.nodes, apart=stopped) as cluster:
        await cluster.joined()
        victims = set(cluster.running[-stopped:])
        for stop_s in STOPS_S[:1] if bench.quick else STOPS_S:
            for repeat in range(min(3, bench.repeats)):
                bench.step(f"{stopped} stopped for {stop_s:g} s {repeat + 1}")
                await cluster.reset()
                await _stop(cluster, victims, stop_s)
                await trio.sleep(bench.full(8, 2))
                report = await cluster.report()
                healthy = false_deaths(report, victims)
                bench.keep(
                    repeat,
                    {
                        "false_deaths": healthy,
                        "deaths_of_stopped": len(report.deaths) - healthy,
                        "suspicions": report.suspicions,
                        "views": bench.nodes * (bench.nodes - stopped - 1),
                    },
                    setting=f"{stop_s:g} s",
                )
                await cluster.calm(HEALED_WITHIN_S)


async def _stop(cluster: Cluster, names: set[str], seconds: float) -> None:
    hosts = {cluster.host_of(name) for name in names}
    try:
        for host in hosts:
            host.stop()
        await trio.sleep(seconds)
    finally:
        for host in hosts:
            host.go_on()


EXPERIMENTS = (
    Experiment(
        name="heal", about="a cluster is cut in two for 60 s: until all see all again", run=heal, nodes=(32,), repeats=3
    ),
    Experiment(
        name="slow",
        about="one process in eight is stopped for 2, 8 and 16 s: how often healthy members are declared dead",
        run=slow,
        nodes=(64,),
        repeats=3,
    ),
    Experiment(
        name="lossy",
        about="a quarter of all packets is lost for 10 minutes: how often healthy members are declared dead",
        run=lossy, nodes=(64,), repeats=1,
    ),
    Experiment(
        name="idle", about="datagrams, bytes, CPU time and memory of each node when nothing happens", run=idle,
        nodes=(8, 32, 64, 128, 256),
    ),
)  # fmt: skip
