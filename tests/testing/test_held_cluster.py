"""A cluster in memory for programs that trio does not run: it is the one on trio, and time passes while they wait."""

from __future__ import annotations

import asyncio
import functools
import threading
import time
from typing import Any

import pytest

import gossip
import gossip.aio
import gossip.blocking
import gossip.testing.aio
import gossip.testing.blocking
from gossip import ClosedError, Config, ConfigurationError, EventKind, MembershipEvent, Snapshot, Status
from gossip.core.protocol import Protocol
from tests.facade.flavours import next_item, outcome, trio_threads
from tests.testing.flavours import AIO, BLOCKING, Flavour, entered, in_each_flavour


class Bug(Exception):
    """A bug in a node."""


def status(node: Any, name: str) -> Status | None:
    member = node.get(name)
    return None if member is None else member.status


def spin(seconds: float) -> None:
    """Compute for so long."""
    ends_at = time.perf_counter() + seconds
    while time.perf_counter() < ends_at:
        pass


@in_each_flavour
def test_its_nodes_have_names_and_agree_when_the_block_begins(flavour: Flavour) -> None:
    async def scenario() -> None:
        async with flavour.cluster(4, metadata=lambda name: {"name": name}) as cluster:
            assert [node.local.name for node in cluster] == ["n0", "n1", "n2", "n3"]
            assert all(isinstance(node, flavour.facade.Node) and node.alive == 4 for node in cluster.nodes)
            assert cluster["n1"] is cluster["n1"] is cluster.nodes[1]
            assert cluster["n1"].get("n2").metadata == {"name": "n2"}
            assert len(cluster) == 4
            assert "n3" in cluster
            assert "n4" not in cluster
            assert repr(cluster) == f"<{flavour}.Cluster of n0, n1, n2, n3>"
            assert repr(cluster["n1"]).startswith(f"<{flavour.facade.__name__}.Node 'n1' at 127.0.0.2:7946, connected")
        assert repr(cluster) == f"<{flavour}.Cluster of no nodes>"
        assert cluster["n1"].alive == 4, "what is closed still says what was last"

    flavour.run(scenario)


@in_each_flavour
def test_who_crashes_is_found_dead(flavour: Flavour) -> None:
    async def scenario() -> None:
        async with flavour.cluster(4) as cluster:
            changes = cluster["n0"].subscribe()
            await outcome(cluster.crash("n2", "n3"))
            await outcome(cluster.until_agreed())
            first, *events = [await next_item(changes) for _ in range(5)]
            assert isinstance(first, Snapshot)
            kinds = {item.kind for item in events if isinstance(item, MembershipEvent)}
            assert kinds == {EventKind.SUSPECTED, EventKind.DIED}
            assert status(cluster["n1"], "n2") is status(cluster["n1"], "n3") is Status.DEAD
            assert [node.local.name for node in cluster] == ["n0", "n1"]
            with pytest.raises(ClosedError, match="node 'n2' is closed"):
                await outcome(cluster["n2"].update({}))

    flavour.run(scenario)


@in_each_flavour
def test_nodes_start_leave_and_restart(flavour: Flavour) -> None:
    async def scenario() -> None:
        async with flavour.cluster(["db", "web"], keyring=gossip.Keyring.of(gossip.Key.generate())) as cluster:
            before = cluster["web"]
            after = await outcome(cluster.restart("web"))
            assert after is cluster["web"] is not before
            assert after.local.generation > before.local.generation
            with pytest.raises(ClosedError):
                await outcome(before.update({}))
            node = await outcome(cluster.start("new", metadata={"zone": "b"}, config=Config.local()))
            await outcome(node.joined(timeout=10))
            await outcome(cluster.until_agreed())
            assert cluster["db"].get("new").metadata == {"zone": "b"}
            assert set(await outcome(cluster.leave("new"))) <= {"db", "web"}
            await outcome(cluster.until_agreed())
            assert status(cluster["db"], "new") is Status.LEFT
            with pytest.raises(ClosedError):
                await outcome(cluster.leave("new"))

    flavour.run(scenario)


@in_each_flavour
def test_it_splits_and_heals_and_its_wire_can_be_changed(flavour: Flavour) -> None:
    async def scenario() -> None:
        async with flavour.cluster(5, loss=0.1, latency=0.02) as cluster:
            assert (cluster.loss, cluster.latency) == (0.1, 0.02)
            cluster.loss, cluster.latency = 0.0, 0.001
            cluster.split({"n0", "n1"})
            await outcome(cluster.until_agreed())
            assert [node.alive for node in cluster] == [2, 2, 3, 3, 3]
            cluster.heal()
            await outcome(cluster.until_agreed())
            assert all(node.alive == 5 for node in cluster)
            await outcome(cluster.crash("n4"))
            with pytest.raises(AssertionError, match="do not agree after 0 s: n0 still sees n4 alive"):
                await outcome(cluster.until_agreed(timeout=0))

    flavour.run(scenario)


@in_each_flavour
def test_errors_are_those_on_trio(flavour: Flavour) -> None:
    async def scenario() -> None:
        with pytest.raises(ConfigurationError, match="nodes must be a number of nodes, or a list of their names"):
            async with flavour.cluster(-1):
                pass
        async with flavour.cluster(["db-1", "web-1"]) as cluster:
            for use in (cluster.crash, cluster.restart, cluster.leave):
                with pytest.raises(KeyError, match=r"no node 'web-2' \(did you mean 'web-1'\?\)"):
                    await outcome(use("web-2"))
            with pytest.raises(KeyError, match="did you mean 'db-1'"):
                cluster["db1"]
            with pytest.raises(ConfigurationError, match="loss must be a share"):
                cluster.loss = 2.0
            with pytest.raises(ConfigurationError, match="seconds must be"):
                await outcome(cluster.sleep(-1.0))
        with pytest.raises(ClosedError, match="the cluster is closed: its block has ended"):
            await outcome(cluster.crash("db-1"))
        with pytest.raises(ClosedError, match="the cluster is closed"):
            cluster["db-1"]  # nobody has looked at it before

    flavour.run(scenario)


@in_each_flavour
def test_a_program_joins_unchanged_whatever_isolation_it_asks_for(flavour: Flavour) -> None:
    async def scenario() -> None:
        async with flavour.cluster() as cluster:
            where = {"seeds": ["gossip.example.org:7946"], "insecure": True}
            async with (
                flavour.open_node("web-1", **where) as one,
                flavour.open_node("web-2", isolation="process", **where) as two,
            ):
                await outcome(one.joined())
                await outcome(two.joined())
                await outcome(one.update({"role": "web"}))
                await outcome(cluster.until_agreed())
                assert cluster["n0"].get("web-1").metadata == {"role": "web"}
                assert cluster["web-2"].local == two.local
                assert len(cluster) == 5
                seen = await outcome(flavour.facade.query_members("web-1:7946"))
                assert [member.name for member in seen] == ["n0", "n1", "n2", "web-1", "web-2"]
            await outcome(cluster.until_agreed())
            assert status(cluster["n0"], "web-1") is Status.DEAD
        async with flavour.open_node("alone", bind="127.0.0.1:0") as node:
            assert node.address.port != 7946, "outside of the block, nodes are on sockets again"

    flavour.run(scenario)


def test_a_crash_cancels_the_block_of_an_asyncio_program_which_goes_on_after_it() -> None:
    async def program(name: str, done: list[str]) -> None:
        async with gossip.aio.open_node(name, seeds=["n0:7946"]) as node:
            done.append("opened")
            await node.until(lambda _: False)
        done.append("over")

    async def scenario() -> None:
        async with AIO.cluster() as cluster:
            done: list[str] = []
            task = asyncio.create_task(program("web-1", done))
            await cluster["n0"].until(lambda node: node.get("web-1") is not None)
            await cluster.crash("web-1")
            await task
            assert done == ["opened", "over"]
            task = asyncio.create_task(program("web-2", done))
            await cluster["n0"].until(lambda node: node.get("web-2") is not None)
            task.cancel()
            with pytest.raises(asyncio.CancelledError):  # it is not taken for a crash
                await task

    AIO.run(scenario)


def test_what_a_blocking_program_asks_of_a_crashed_node_is_refused() -> None:
    async def scenario() -> None:
        async with BLOCKING.cluster() as cluster:
            with gossip.blocking.open_node("web-1", seeds=["n0:7946"]) as node:
                changes = node.subscribe()
                cluster.crash("web-1")
                with pytest.raises(ClosedError, match="node 'web-1' is closed"):
                    node.update({})
                assert [type(item) for item in changes][:1] == [Snapshot], "the iteration ends"
            assert node.alive >= 1

    BLOCKING.run(scenario)


@in_each_flavour
def test_an_error_of_the_block_and_a_bug_of_a_node_pass_out(flavour: Flavour, monkeypatch: pytest.MonkeyPatch) -> None:
    def raise_bug(*_: object) -> None:
        raise Bug

    async def fail() -> None:
        async with flavour.cluster():
            raise ZeroDivisionError

    async def meet_a_bug() -> None:
        async with flavour.cluster() as cluster:
            monkeypatch.setattr(Protocol, "handle_timer", raise_bug)
            await outcome(cluster.sleep(60))

    with pytest.raises(ZeroDivisionError):
        flavour.run(fail)
    with pytest.raises(Bug):
        flavour.run(meet_a_bug)
    assert not trio_threads()


@in_each_flavour
def test_clusters_may_be_nested_and_programs_join_the_latest(flavour: Flavour) -> None:
    async def scenario() -> None:
        async with entered(flavour.testing.cluster(2)) as outer, entered(flavour.testing.cluster(2)) as inner:
            async with flavour.open_node("web-1", seeds=["n0:7946"]) as node:
                await outcome(node.joined())
                assert "web-1" in inner
                assert "web-1" not in outer
            await outcome(outer.crash("n0"))
            await outcome(outer.until_agreed())
            assert status(outer["n1"], "n0") is Status.DEAD

    flavour.run(scenario)
    assert not trio_threads()


# --- time


@in_each_flavour
def test_time_stands_still_while_the_program_computes(flavour: Flavour) -> None:
    async def scenario() -> None:
        async with flavour.cluster() as cluster:
            before = cluster.time
            spin(0.05)
            assert cluster.time == before
            await outcome(cluster.sleep(600))
            assert cluster.time == before + 600
            spin(0.05)
            assert cluster.time == before + 600

    flavour.run(scenario)


@in_each_flavour
def test_the_same_seed_makes_the_same_happen_at_the_same_times(flavour: Flavour) -> None:
    async def happened(seed: int) -> list[tuple[float, str]]:
        async with flavour.cluster(5, seed=seed, loss=0.2) as cluster:
            changes = cluster["n0"].subscribe()
            await outcome(cluster.crash("n3"))
            await outcome(cluster["n1"].until(lambda node: status(node, "n3") is Status.DEAD))
            await outcome(cluster["n2"].update({"now": f"{cluster.time}"}))
            await outcome(cluster.until_agreed())
            await outcome(cluster.leave("n4"))
            await outcome(cluster.until_agreed())
            ends_at = cluster.time
            seen: list[tuple[float, str]] = [(ends_at, "end")]
            while True:
                item = await next_item(changes)
                if isinstance(item, MembershipEvent):
                    seen.append((item.time, str(item)))
                    if item.kind is EventKind.LEFT:
                        return seen

    first, again, other = (flavour.run(functools.partial(happened, seed)) for seed in (1, 1, 2))
    assert first == again
    assert first != other


def test_a_reader_in_the_background_lets_no_time_pass_while_another_task_computes() -> None:
    """The reader always waits for the cluster. That must not let time run away from the rest of the program."""

    async def scenario() -> list[float]:
        async with AIO.cluster() as cluster:
            seen = asyncio.Event()

            async def read() -> None:
                async for item in cluster["n0"].subscribe():
                    if isinstance(item, MembershipEvent) and item.kind is EventKind.DIED:
                        seen.set()

            reader = asyncio.create_task(read())
            await cluster["n1"].joined()
            times = [cluster.time]
            spin(0.05)
            times.append(cluster.time)
            await cluster.crash("n2")
            for _ in range(5):
                await asyncio.sleep(0)
                spin(0.01)
            assert status(cluster["n0"], "n2") is Status.ALIVE
            times.append(cluster.time)
            await seen.wait()  # another task waits for the cluster, so time passes
            times.append(cluster.time)
            reader.cancel()
            return times

    first, again = AIO.run(scenario), AIO.run(scenario)
    assert first == again
    assert first[0] == first[1] == first[2] < first[3]


def test_timeouts_of_blocking_programs_are_counted_in_the_time_of_the_cluster() -> None:
    async def scenario() -> None:
        async with BLOCKING.cluster() as cluster:
            node, before = cluster["n0"], cluster.time
            with pytest.raises(TimeoutError, match="the condition on node 'n0' has not become true in time"):
                node.until(lambda _: False, timeout=60)
            assert cluster.time == pytest.approx(before + 60)
            changes = node.subscribe(timeout=60)
            assert isinstance(next(changes), Snapshot)
            before = cluster.time
            assert next(changes) is None
            assert cluster.time == pytest.approx(before + 60)

    BLOCKING.run(scenario)


def test_while_only_another_thread_waits_time_passes_as_it_does() -> None:
    async def scenario() -> None:
        async with BLOCKING.cluster(2, config=Config.local()) as cluster:
            noticed = threading.Event()

            def work() -> None:
                with gossip.blocking.open_node("web-1", seeds=["n0:7946"], config=Config.local()) as node:
                    for item in node.subscribe(timeout=0.1):
                        if isinstance(item, MembershipEvent) and item.kind is EventKind.DIED:
                            noticed.set()
                            return

            worker = threading.Thread(target=work)
            worker.start()
            cluster["n0"].until(lambda node: node.alive == 3, timeout=60)
            cluster.crash("n1")
            crashed_at, began = cluster.time, time.monotonic()
            assert noticed.wait(60)
            assert cluster.time - crashed_at < 1 + time.monotonic() - began
            worker.join()

    BLOCKING.run(scenario)


def test_a_thread_beside_an_asyncio_program_may_use_the_cluster_too() -> None:
    async def scenario() -> None:
        async with AIO.cluster() as cluster:

            def work() -> int:
                with gossip.blocking.open_node("web-1", seeds=["n0:7946"]) as node:
                    node.joined(timeout=60)
                    return node.alive

            assert await asyncio.to_thread(work) == 4
            await cluster.until_agreed()

    AIO.run(scenario)


def test_cancelling_what_waits_for_the_cluster_leaves_it_as_it_is() -> None:
    async def scenario() -> None:
        async with AIO.cluster() as cluster:
            waits = [
                cluster["n0"].until(lambda _: False),
                cluster.sleep(10.0**9),
                anext(await _read_once(cluster["n1"])),
            ]
            tasks = [asyncio.ensure_future(each) for each in waits]
            await asyncio.sleep(0)
            for task in tasks:
                task.cancel()
            ended = await asyncio.gather(*tasks, return_exceptions=True)
            assert all(isinstance(each, asyncio.CancelledError) for each in ended)
            before = cluster.time
            await asyncio.sleep(0.02)
            assert cluster.time == before, "nobody waits for the cluster any more"
            await cluster.until_agreed()

    AIO.run(scenario)


async def _read_once(node: gossip.aio.Node) -> gossip.aio.Subscription:
    changes = node.subscribe()
    assert isinstance(await anext(changes), Snapshot)
    return changes


def test_an_asyncio_cluster_belongs_to_one_loop() -> None:
    with pytest.raises(RuntimeError, match=r"cluster of gossip\.aio needs asyncio"):
        gossip.testing.aio.cluster().__aenter__().send(None)

    async def scenario() -> None:
        async with AIO.cluster(1) as cluster:
            with pytest.raises(RuntimeError, match="the cluster belongs to the loop that opened"):
                await asyncio.to_thread(asyncio.run, cluster.crash("n0"))
            block = gossip.testing.aio.cluster(0)
            async with block:
                pass
            with pytest.raises(RuntimeError, match=r"entered only once; call cluster\(\) again"):
                await block.__aenter__()

    AIO.run(scenario)
