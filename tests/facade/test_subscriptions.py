"""Following a node from another thread: nothing is missing, nothing is told twice, and no reader holds the node up."""

from __future__ import annotations

import asyncio
import gc
import threading
import weakref
from collections.abc import Callable, Iterator
from contextlib import AsyncExitStack, contextmanager
from typing import Any

import pytest

import gossip.aio
import gossip.blocking
from gossip import EventKind, MembershipEvent, Snapshot
from gossip.facade import trio_thread
from tests.facade.flavours import (
    AIO,
    BLOCKING,
    FLAVOURS,
    LOCAL,
    LOOPS,
    Flavour,
    next_item,
    outcome,
    run_on,
    until,
    wait_until,
)

FACADES = [AIO, BLOCKING]

UPDATES = 400


class Recorder:
    """All that a node publishes, noted in its own thread."""

    def __init__(self) -> None:
        self.events: list[MembershipEvent] = []

    def publish(self, event: MembershipEvent) -> None:
        self.events.append(event)

    def end(self) -> None:
        pass

    @classmethod
    def of(cls, node: Any) -> Recorder:
        """One that hears each event of a node from now on."""
        recorder, is_added = cls(), threading.Event()
        broadcast = node._held.inside.broadcast
        node._held.soon(broadcast.add, recorder)
        node._held.soon(is_added.set)
        assert is_added.wait(20)
        return recorder


def assert_without_a_gap(items: list[Any], events: list[MembershipEvent]) -> None:
    """Check that the items are a snapshot and the events right after it, in order and once each."""
    snapshot, told = items[0], items[1:]
    assert isinstance(snapshot, Snapshot)
    assert snapshot.missed == 0
    first = next(number for number, event in enumerate(events) if event is told[0])
    assert all(event is expected for event, expected in zip(told, events[first : first + len(told)], strict=True))
    before = {event.member.name: event.member for event in events[:first]}
    now = {member.name: member for member in snapshot.members}
    assert {name: now[name] for name in before} == before


def update_often(node: Any, times: int = UPDATES) -> None:
    for number in range(times):
        node.update({"number": str(number)})


@contextmanager
def busy(node: gossip.blocking.Node) -> Iterator[None]:
    """Have a node update its metadata as often as it can, some 1,000 times a second or more."""
    is_over = threading.Event()

    def update() -> None:
        while not is_over.is_set():
            update_often(node, 10)

    updating = threading.Thread(target=update)
    updating.start()
    try:
        yield
    finally:
        is_over.set()
        updating.join()


@pytest.mark.parametrize("new_loop", LOOPS)
def test_under_many_updates_asyncio_readers_miss_nothing_after_their_snapshots(
    new_loop: Callable[[], asyncio.AbstractEventLoop],
) -> None:
    async def read(node: gossip.aio.Node, count: int) -> list[Any]:
        with node.subscribe(buffer=10_000) as changes:
            return [await changes.__anext__() for _ in range(count)]

    async def main() -> None:
        async with gossip.aio.open_node("a", **LOCAL) as a:
            recorder = Recorder.of(a)
            with gossip.blocking.open_node("b", seeds=[a.address], **LOCAL) as b, busy(b):
                read_by_each = list(await asyncio.gather(*(read(a, 2 + each) for each in range(20))))
                read_by_each += [await read(a, 2 + each % 4) for each in range(20)]
        for items in read_by_each:
            assert_without_a_gap(items, recorder.events)

    run_on(new_loop, main())


def test_under_many_updates_blocking_readers_miss_nothing_after_their_snapshots() -> None:
    with gossip.blocking.open_node("a", **LOCAL) as a:
        recorder = Recorder.of(a)
        read_by_each = []
        with busy(a):
            for each in range(80):
                with a.subscribe(buffer=10_000) as changes:
                    read_by_each.append([next(changes) for _ in range(2 + each % 20)])
    for items in read_by_each:
        assert_without_a_gap(items, recorder.events)


@pytest.mark.parametrize("flavour", FLAVOURS, ids=str)
def test_a_reader_that_falls_behind_continues_from_a_fresh_snapshot(flavour: Flavour) -> None:
    async def main() -> list[Any]:
        async with flavour.open_node("a") as a:
            with a.subscribe(buffer=3) as slow:
                for number in range(5):
                    await outcome(a.update({"number": str(number)}))
                items = [await next_item(slow), await next_item(slow)]
                await outcome(a.update({"number": "5"}))
                return [*items, await next_item(slow), a.stats.events_missed]

    first, fresh, update, missed = flavour.run(main)
    assert first.missed == 0
    assert isinstance(fresh, Snapshot)
    assert (fresh.missed, missed) == (5, 5)
    assert fresh.members[0].metadata == {"number": "4"}
    assert (update.kind, update.member.metadata) == (EventKind.UPDATED, {"number": "5"})


@pytest.mark.parametrize("flavour", FLAVOURS, ids=str)
@pytest.mark.parametrize("ends", ["node", "reader"])
@pytest.mark.parametrize("buffer", [3, 2], ids=["kept", "missed"])
def test_what_is_kept_at_the_end_is_still_delivered(buffer: int, ends: str, flavour: Flavour) -> None:
    async def main() -> list[Any]:
        async with AsyncExitStack() as stack:
            a = await stack.enter_async_context(flavour.open_node("a"))
            changes = a.subscribe(buffer)
            changes.__enter__()
            for number in range(3):
                await outcome(a.update({"number": str(number)}))
            if ends == "node":
                await stack.aclose()
            else:
                changes.__exit__(None, None, None)
            return await rest(changes)

    items = flavour.run(main)
    assert isinstance(items[0], Snapshot)
    if buffer == 3:
        assert [item.member.metadata["number"] for item in items[1:]] == ["0", "1", "2"]
    else:
        assert [(item.missed, item.members[0].metadata) for item in items[1:]] == [(3, {"number": "2"})]


async def rest(changes: Any) -> list[Any]:
    """What a subscription that has ended still gives."""
    items = []
    while True:
        try:
            items.append(await next_item(changes))
        except StopAsyncIteration:
            return items


@pytest.mark.parametrize("flavour", FLAVOURS, ids=str)
def test_of_a_closed_node_there_is_no_more_than_a_snapshot(flavour: Flavour) -> None:
    async def main() -> list[Any]:
        async with flavour.open_node("a") as a:
            pass
        with a.subscribe() as changes:
            return await rest(changes)

    (snapshot,) = flavour.run(main)
    assert [member.name for member in snapshot.members] == ["a"]


def test_closing_the_node_ends_each_reader() -> None:
    async def main() -> None:
        async with gossip.aio.open_node("a", **LOCAL) as a:
            reading = [asyncio.ensure_future(read(a)) for _ in range(3)]
            await asyncio.sleep(0)
        assert [len(await each) for each in reading] == [1, 1, 1]

    async def read(node: gossip.aio.Node) -> list[Any]:
        return [item async for item in node.subscribe()]

    asyncio.run(main())


def test_closing_the_node_ends_blocking_readers_in_other_threads() -> None:
    items: list[Any] = []
    with gossip.blocking.open_node("a", **LOCAL) as a:
        reading = threading.Thread(target=lambda: items.extend(a.subscribe()))
        reading.start()
        wait_until(lambda: len(items) == 1)
    reading.join(20)
    assert not reading.is_alive()
    assert [type(item) for item in items] == [Snapshot]


def test_a_blocking_reader_can_be_stopped_by_another_thread() -> None:
    with gossip.blocking.open_node("a", **LOCAL) as a:
        changes = a.subscribe()
        next(changes)
        reading = threading.Thread(target=list, args=(changes,))
        reading.start()
        changes.close()
        reading.join(20)
        assert not reading.is_alive()


def test_a_blocking_reader_with_a_timeout_gets_none_when_nothing_comes() -> None:
    with gossip.blocking.open_node("a", **LOCAL) as a:
        changes = a.subscribe(timeout=0.01)
        assert isinstance(next(changes), Snapshot)
        assert [next(changes), next(changes)] == [None, None]
        a.update({"x": "1"})
        event = next(item for item in changes if item is not None)
        assert isinstance(event, MembershipEvent)
        assert event.member.metadata == {"x": "1"}


def test_a_reader_that_never_reads_keeps_no_more_than_its_buffer() -> None:
    with gossip.blocking.open_node("a", **LOCAL) as a:
        dead, quick = a.subscribe(buffer=10), a.subscribe(buffer=UPDATES)
        update_often(a)
        assert isinstance(next(quick), Snapshot)
        told = [next(quick) for _ in range(UPDATES)]
        assert [event.member.metadata["number"] for event in told if isinstance(event, MembershipEvent)] == [
            str(number) for number in range(UPDATES)
        ]
        assert len(dead._relay._backlog._events) == 0
        assert isinstance(next(dead), Snapshot)
        fresh = next(dead)
        assert isinstance(fresh, Snapshot)
        assert fresh.missed == UPDATES


def test_two_tasks_cannot_read_one_subscription_at_a_time() -> None:
    async def main() -> None:
        async with gossip.aio.open_node("a", **LOCAL) as a:
            with a.subscribe() as changes:
                await changes.__anext__()
                waiting = asyncio.ensure_future(changes.__anext__())
                await asyncio.sleep(0)
                with pytest.raises(RuntimeError, match="another task or thread is reading this subscription"):
                    await changes.__anext__()
                await a.update({"x": "1"})
                assert isinstance(await waiting, MembershipEvent)

    asyncio.run(main())


def test_two_threads_cannot_read_one_subscription_at_a_time() -> None:
    with gossip.blocking.open_node("a", **LOCAL) as a:
        changes = a.subscribe()
        next(changes)
        items: list[Any] = []
        reading = threading.Thread(target=lambda: items.append(next(changes)))
        reading.start()
        wait_until(lambda: changes._relay._wake is not None)
        with pytest.raises(RuntimeError, match="another task or thread is reading this subscription"):
            next(changes)
        a.update({"x": "1"})
        reading.join(20)
        assert [type(item) for item in items] == [MembershipEvent]


def test_a_cancelled_reader_loses_nothing() -> None:
    async def main() -> None:
        async with gossip.aio.open_node("a", **LOCAL) as a:
            with a.subscribe(buffer=1000) as changes:
                await changes.__anext__()
                told: list[Any] = []
                for number in range(200):
                    reading = asyncio.ensure_future(changes.__anext__())
                    await asyncio.sleep(0)
                    updating = asyncio.ensure_future(a.update({"number": str(number)}))
                    for _ in range(number % 7):
                        await asyncio.sleep(0)
                    reading.cancel()
                    await updating
                    told += [] if (await asyncio.wait([reading]) and reading.cancelled()) else [reading.result()]
                while len(told) < 200:
                    told.append(await changes.__anext__())
                assert [event.member.metadata["number"] for event in told] == [str(number) for number in range(200)]

    asyncio.run(main())


@pytest.mark.parametrize("flavour", FACADES, ids=str)
def test_a_subscription_that_is_garbage_is_no_longer_served(flavour: Flavour) -> None:
    async def main() -> None:
        async with flavour.open_node("a") as a:
            subscriptions = a._inside.broadcast._subscriptions
            changes = a.subscribe()
            await next_item(changes)
            await outcome(a.update({"x": "1"}))
            assert len(subscriptions) == 1
            del changes
            gc.collect()
            await outcome(a.update({"x": "2"}))  # comes after what the collector has asked for
            assert len(subscriptions) == 0

    flavour.run(main)


def test_a_subscription_can_be_collected_where_a_lock_is_held() -> None:
    with gossip.blocking.open_node("a", **LOCAL) as a:
        changes = a.subscribe()
        relay, gone = changes._relay, weakref.ref(changes)
        with trio_thread._shared.lock, relay._lock, a._held._lock:
            del changes
            gc.collect()
            assert gone() is None
        a.update({"x": "1"})
        assert not a._inside.broadcast._subscriptions


def test_leaving_the_block_of_a_subscription_wakes_its_reader() -> None:
    async def main() -> None:
        async with gossip.aio.open_node("a", **LOCAL) as a:
            with a.subscribe() as changes:
                reading = asyncio.ensure_future(rest(changes))
                await asyncio.sleep(0)
            assert [type(item) for item in await reading] == [Snapshot]
            await until(lambda: not a._inside.broadcast._subscriptions)

    asyncio.run(main())
