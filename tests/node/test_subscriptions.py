"""Subscriptions: a snapshot, then every change, and never a reader that holds the node up."""

from __future__ import annotations

import pytest
import trio

from gossip import ConfigurationError, EventKind, MembershipEvent, Snapshot, Subscription
from tests.node.nodes import PATIENCE_S, cluster, first_snapshot, local_node, until, until_event


async def test_the_snapshot_comes_first_and_every_change_after_it() -> None:
    async with local_node("a") as a, local_node("b", seeds=[a.address]) as b:
        await until(lambda: a.alive == b.alive == 2)
        with a.subscribe() as changes:
            for version in range(5):
                seen = b.local.version
                b.update({"version": str(version)})
                assert b.local.version > seen
                await until(lambda: any(m.version == b.local.version for m in a.members() if m.name == "b"))
            snapshot = await first_snapshot(changes)
            assert [member.name for member in snapshot.members] == ["a", "b"]
            assert snapshot.missed == 0
            told = [(await until_event(changes, EventKind.UPDATED, "b")).member.metadata["version"] for _ in range(5)]
            assert told == ["0", "1", "2", "3", "4"]


async def test_a_reader_that_falls_behind_continues_from_a_fresh_snapshot() -> None:
    async with local_node("a") as a:
        with a.subscribe(buffer=3) as slow, a.subscribe() as quick:
            for number in range(5):
                a.update({"number": str(number)})
            updates = [await until_event(quick, EventKind.UPDATED, "a") for _ in range(5)]
            assert [event.member.metadata["number"] for event in updates] == ["0", "1", "2", "3", "4"]

            assert (await first_snapshot(slow)).missed == 0
            fresh = await slow.__anext__()
            assert isinstance(fresh, Snapshot)
            assert fresh.missed == 5
            assert fresh.members[0].metadata == {"number": "4"}
            assert a.stats.events_missed == 5

            a.update({"number": "5"})
            again = await until_event(slow, EventKind.UPDATED, "a")
            assert again.member.metadata == {"number": "5"}


async def test_a_full_buffer_is_not_yet_behind() -> None:
    async with local_node("a") as a:
        with a.subscribe(buffer=3) as changes:
            for number in range(3):
                a.update({"number": str(number)})
            await first_snapshot(changes)
            told = [await changes.__anext__() for _ in range(3)]
            assert all(isinstance(item, MembershipEvent) for item in told)


async def test_closing_the_node_ends_the_iteration_after_what_is_buffered() -> None:
    async with local_node("a") as a:
        changes = a.subscribe()
        with changes:
            a.update({"x": "1"})
    with trio.fail_after(PATIENCE_S):
        items = [item async for item in changes]
    assert isinstance(items[0], Snapshot)
    assert [item.kind for item in items[1:] if isinstance(item, MembershipEvent)] == [EventKind.UPDATED]


async def test_closing_the_node_wakes_a_waiting_reader() -> None:
    items: list[object] = []

    async def read(changes: Subscription) -> None:
        with changes:
            items.extend([item async for item in changes])

    with trio.fail_after(PATIENCE_S):
        async with trio.open_nursery() as nursery, local_node("a") as a:
            nursery.start_soon(read, a.subscribe())
            await trio.testing.wait_all_tasks_blocked()
    assert len(items) == 1


async def test_a_subscription_of_a_closed_node_is_its_last_view() -> None:
    async with local_node("a") as a:
        pass
    with a.subscribe() as changes:
        items = [item async for item in changes]
    assert items == [Snapshot((a.local,), a.standing)]


async def test_leaving_the_with_block_ends_the_subscription() -> None:
    async with local_node("a") as a:
        with a.subscribe() as changes:
            await first_snapshot(changes)
        a.update({"x": "1"})
        with pytest.raises(StopAsyncIteration):
            await changes.__anext__()


async def test_two_readers_of_one_subscription_are_an_error() -> None:
    async with local_node("a") as a, trio.open_nursery() as nursery:
        with a.subscribe() as changes:
            await first_snapshot(changes)
            nursery.start_soon(changes.__anext__)
            await trio.testing.wait_all_tasks_blocked()
            with pytest.raises(trio.BusyResourceError, match="another task is reading"):
                await changes.__anext__()
            nursery.cancel_scope.cancel()


async def test_a_cancelled_reader_loses_nothing() -> None:
    async with local_node("a") as a:
        with a.subscribe() as changes:
            with trio.move_on_after(0):
                await changes.__anext__()
            assert isinstance(await changes.__anext__(), Snapshot)


async def test_a_subscription_must_be_entered_once() -> None:
    async with local_node("a") as a:
        changes = a.subscribe()
        with pytest.raises(RuntimeError, match="must be entered first"):
            await changes.__anext__()
        with changes, pytest.raises(RuntimeError, match="only once"):
            changes.__enter__()
        with pytest.raises(ConfigurationError, match="buffer"):
            a.subscribe(buffer=0)


async def test_a_subscriber_that_never_reads_does_not_hinder_the_node() -> None:
    async with cluster(3) as nodes:
        with nodes[0].subscribe(buffer=1):
            for number in range(20):
                nodes[1].update({"number": str(number)})
                await until(lambda: nodes[0].get("node-1") == nodes[1].local)
