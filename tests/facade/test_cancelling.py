"""Cancelling any wait of an asyncio program, at any point, leaves nothing behind and changes nothing else."""

from __future__ import annotations

import asyncio
import gc
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest

import gossip.aio
from gossip import Key, Keyring
from tests.facade.flavours import LOCAL, LOOPS, Left, run_on, until

POINTS = range(51)
"""How many steps the loop makes before a task is cancelled."""


async def cancelled_after(steps: int, work: Awaitable[Any]) -> Any:
    """Cancel some work after so many steps of the loop; returns what it returned, if it was done by then."""
    task = asyncio.ensure_future(work)
    for step in range(steps):
        await asyncio.sleep(0 if step % 4 else 0.0001)
    task.cancel()
    try:
        return await task
    except asyncio.CancelledError:
        return None


async def what_is_open() -> Left:
    """What is open once a node was open before, which loads modules. Nothing asks a name server for it."""
    async with gossip.aio.open_node("a", **LOCAL):
        pass
    return Left.now()


async def nothing_is_left(before: Left) -> None:
    """Return once no more is open than before. A name server that was being asked when its node was cancelled keeps a
    descriptor until it has answered."""
    await until(lambda: Left.now() == before)


async def open_and_leave() -> None:
    async with gossip.aio.open_node("a", seeds=["localhost:1"], **LOCAL) as node:
        await node.leave()


@pytest.mark.parametrize("new_loop", LOOPS)
def test_a_node_that_is_opened_or_closed_leaves_nothing(new_loop: Callable[[], asyncio.AbstractEventLoop]) -> None:
    async def main() -> None:
        before = await what_is_open()
        for steps in POINTS:
            await cancelled_after(steps, open_and_leave())
            assert not asyncio.all_tasks() - {asyncio.current_task()}
            await nothing_is_left(before)

    run_on(new_loop, main())


def test_many_nodes_are_cancelled_at_once() -> None:
    async def main() -> None:
        before = await what_is_open()
        for _ in range(3):
            await asyncio.gather(*(cancelled_after(steps, open_and_leave()) for steps in POINTS))
        await nothing_is_left(before)

    asyncio.run(main())


def test_a_node_that_is_opened_by_a_task_that_is_cancelled_twice_leaves_nothing() -> None:
    async def main() -> None:
        before = await what_is_open()
        for steps in POINTS:
            task = asyncio.ensure_future(open_and_leave())
            for _ in range(steps):
                await asyncio.sleep(0)
            while not task.done():
                task.cancel()
                await asyncio.sleep(0)
            await nothing_is_left(before)

    asyncio.run(main())


async def query() -> None:
    with pytest.raises(gossip.QueryError):
        await gossip.aio.query_members("127.0.0.1:1")


def test_a_query_leaves_nothing() -> None:
    async def main() -> None:
        await query()
        before = Left.now()
        for steps in POINTS:
            await cancelled_after(steps, query())
            await nothing_is_left(before)

    asyncio.run(main())


CALLS: dict[str, Callable[[gossip.aio.Node], Awaitable[Any]]] = {
    "update": lambda node: node.update({"x": "1"}),
    "use_keyring": lambda node: node.use_keyring(Keyring.of(Key.generate())),
    "explain": lambda node: node.explain("a"),
    "joined": lambda node: node.joined(),
    "joined in time": lambda node: node.joined(timeout=10),
    "until": lambda node: node.until(lambda node: False),
    "leave": lambda node: node.leave(),
}
"""All that is awaited of an open node."""


@asynccontextmanager
async def node_that_seeks() -> AsyncIterator[gossip.aio.Node]:
    """A node that is not connected, and has somebody to say farewell to."""
    keyring = Keyring.of(Key.generate())
    async with gossip.aio.open_node("a", seeds=["127.0.0.1:1"], keyring=keyring, **LOCAL) as node:
        yield node


@pytest.mark.parametrize("call", CALLS.values(), ids=CALLS)
def test_a_call_leaves_nothing(call: Callable[[gossip.aio.Node], Awaitable[Any]]) -> None:
    async def main() -> None:
        before = await what_is_open()
        async with node_that_seeks() as node:
            calls = node._held._calls
            assert calls is not None
            for steps in POINTS:
                await cancelled_after(steps, call(node))
                assert not asyncio.all_tasks() - {asyncio.current_task()}
                await until(lambda: not calls.child_tasks)
            await until(lambda: gc.collect() >= 0 and not node._held._waiting)
            await node.explain("a")
        await nothing_is_left(before)

    asyncio.run(main())


def test_a_reader_leaves_nothing() -> None:
    async def main() -> None:
        async with node_that_seeks() as node:
            for steps in POINTS:
                with node.subscribe() as changes:
                    await changes.__anext__()
                    await cancelled_after(steps, changes.__anext__())
                    assert not asyncio.all_tasks() - {asyncio.current_task()}
            await node.explain("a")
            assert not node._inside.broadcast._subscriptions

    asyncio.run(main())


def test_cancelling_a_farewell_does_not_take_it_back() -> None:
    async def main() -> None:
        async with node_that_seeks() as node:
            await cancelled_after(20, node.leave())
            await node.until(lambda node: node.standing.standing is gossip.Standing.LEFT)
            with pytest.raises(gossip.LeftError):
                await node.update({})

    asyncio.run(main())


def test_a_block_that_is_cancelled_passes_that_on() -> None:
    async def main() -> None:
        entered = asyncio.Event()

        async def block() -> None:
            async with gossip.aio.open_node("a", **LOCAL):
                entered.set()
                await asyncio.sleep(100)

        task = asyncio.ensure_future(block())
        await entered.wait()
        task.cancel("because")
        with pytest.raises(asyncio.CancelledError):
            await task
        assert task.cancelled()

    asyncio.run(main())


def test_what_is_awaited_when_its_node_is_closed_says_so() -> None:
    async def main() -> None:
        async with node_that_seeks() as node:
            calls = (node.joined(), node.until(lambda node: False), node.joined(timeout=1000))
            waiting = [asyncio.ensure_future(call) for call in calls]
            await asyncio.sleep(0)
        for each in waiting:
            with pytest.raises(gossip.ClosedError, match="node 'a' is closed: its async with block has ended"):
                await each

    asyncio.run(main())
