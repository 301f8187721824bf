"""Nodes in one thread, programs in others: who may call what from where, and what they are told who may not."""

from __future__ import annotations

import asyncio
import logging
import re
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
import trio

import gossip
import gossip.aio
import gossip.blocking
from gossip import Address
from tests.facade.flavours import LOCAL, LOOPS, Left, run_on, trio_threads, wait_until

NODES = 8


def test_all_nodes_of_a_process_share_one_thread_that_ends_with_the_last() -> None:
    async def main() -> None:
        async with gossip.aio.open_node("a", **LOCAL) as a:
            (thread,) = trio_threads()
            with gossip.blocking.open_node("b", seeds=[a.address], **LOCAL) as b:
                assert trio_threads() == [thread]
                await a.until(lambda node: node.alive == 2)
                b.joined(timeout=20)
        assert not trio_threads()

    assert not trio_threads()
    asyncio.run(main())


@pytest.mark.parametrize("new_loop", LOOPS)
def test_each_thread_has_its_own_loop_and_node(new_loop: Callable[[], asyncio.AbstractEventLoop]) -> None:
    gate = threading.Barrier(NODES)
    with gossip.blocking.open_node("first", **LOCAL) as first:

        async def main(name: str, seed: Address) -> int:
            async with gossip.aio.open_node(name, seeds=[seed], **LOCAL) as node:
                await node.until(lambda node: node.alive == NODES + 1)
                with node.subscribe() as changes:
                    snapshot = await changes.__anext__()
                    assert isinstance(snapshot, gossip.Snapshot)
                await asyncio.get_running_loop().run_in_executor(None, gate.wait)
                return len(snapshot.members)

        with ThreadPoolExecutor(NODES) as pool:
            running = [pool.submit(run_on, new_loop, main(f"n{each}", first.address)) for each in range(NODES)]
            assert [each.result() for each in running] == [NODES + 1] * NODES
    assert not trio_threads()


def test_nodes_that_open_and_close_in_many_threads_leave_nothing() -> None:
    def use(name: str) -> None:
        for _ in range(20):
            with gossip.blocking.open_node(name, **LOCAL) as node:
                node.update({"x": "1"})

    use("first")
    before = Left.now()
    with ThreadPoolExecutor(NODES) as pool:
        for each in [pool.submit(use, f"n{each}") for each in range(NODES)]:
            each.result()
    assert Left.now() == before


def test_any_thread_may_use_a_blocking_node() -> None:
    with gossip.blocking.open_node("a", **LOCAL) as node, ThreadPoolExecutor(NODES) as pool:

        def use(number: int) -> gossip.Snapshot | gossip.MembershipEvent:
            for step in range(20):
                node.update({"by": f"{number}/{step}"})
                node.until(lambda node: True)
            with node.subscribe() as changes:
                return next(changes)

        for each in [pool.submit(use, number) for number in range(NODES)]:
            assert isinstance(each.result(), gossip.Snapshot)


def test_members_are_read_in_any_thread_without_a_hop() -> None:
    async def main() -> None:
        async with gossip.aio.open_node("a", **LOCAL) as node:
            with ThreadPoolExecutor(1) as pool:
                assert pool.submit(node.members).result() is node.members()

    asyncio.run(main())


def in_another_loop(work: Callable[[], Any]) -> BaseException:
    """What an async function raises in another loop, in a thread of its own."""

    async def main() -> None:
        await work()

    with ThreadPoolExecutor(1) as pool:
        error = pool.submit(asyncio.run, main()).exception()
    assert error is not None
    return error


AWAITED: dict[str, Callable[[gossip.aio.Node], Any]] = {
    "update": lambda node: node.update({}),
    "explain": lambda node: node.explain("a"),
    "joined": lambda node: node.joined(),
    "until": lambda node: node.until(lambda node: True),
    "leave": lambda node: node.leave(),
    "subscription": lambda node: node.subscribe().__anext__(),
}


@pytest.mark.parametrize("use", AWAITED.values(), ids=AWAITED)
def test_another_loop_is_named_as_such(use: Callable[[gossip.aio.Node], Any]) -> None:
    async def main() -> None:
        async with gossip.aio.open_node("a", **LOCAL) as node:
            error = in_another_loop(lambda: use(node))
            assert isinstance(error, RuntimeError)
            assert "node 'a' belongs to the loop that opened the node, but another loop runs this code: open" in str(
                error
            )
            assert "asyncio.run_coroutine_threadsafe" in str(error)
            await use(node)

    asyncio.run(main())


def of_nothing(work: Callable[[], Any]) -> Any:
    """Run an async function without any loop."""
    return work().send(None)


async def _enter(node: Any) -> None:
    async with node:
        raise AssertionError("it was opened")


OPENED: dict[str, Callable[[Any], Any]] = {
    "open_node": lambda flavour: _enter(flavour.open_node("a", **LOCAL)),
    "query_members": lambda flavour: flavour.query_members("127.0.0.1:1"),
    "explain_member": lambda flavour: flavour.explain_member("127.0.0.1:1", "a"),
}


@pytest.mark.parametrize("what", OPENED)
def test_the_flavour_of_the_program_is_named(what: str) -> None:
    use = OPENED[what]

    async def of_asyncio() -> None:
        await use(gossip.aio)

    async def of_trio() -> None:
        await use(gossip)

    with pytest.raises(
        RuntimeError, match=rf"{what} of gossip\.aio needs asyncio, but trio runs this code: use gossip$"
    ):
        trio.run(of_asyncio)
    with pytest.raises(RuntimeError, match=rf"{what} of gossip\.aio needs asyncio, but .* gossip\.blocking$"):
        of_nothing(of_asyncio)
    with pytest.raises(RuntimeError, match=rf"{what} needs trio, but asyncio runs this code: .* gossip\.aio"):
        asyncio.run(of_trio())
    with pytest.raises(RuntimeError, match=rf"{what} needs trio, but .* gossip\.blocking"):
        of_nothing(of_trio)


def test_a_block_that_is_entered_in_the_wrong_way_says_how() -> None:
    how = re.escape("write 'async with open_node(...) as node:' in an async function that asyncio.run(...) runs")
    with pytest.raises(TypeError, match=how), gossip.aio.open_node("a", **LOCAL):  # type: ignore[attr-defined]
        pass

    async def main() -> None:
        with pytest.raises(TypeError, match="cannot be awaited"):
            await gossip.aio.open_node("a", **LOCAL)  # type: ignore[misc]
        with pytest.raises((TypeError, AttributeError)):
            async with gossip.blocking.open_node("a", **LOCAL):  # type: ignore[attr-defined]
                pass

    asyncio.run(main())


def test_a_block_is_entered_once() -> None:
    async def main() -> None:
        block = gossip.aio.open_node("a", **LOCAL)
        async with block:
            with pytest.raises(RuntimeError, match="entered only once; call open_node"):
                await block.__aenter__()
        with pytest.raises(RuntimeError, match="entered only once; call open_node"):
            await block.__aenter__()

    asyncio.run(main())


class Caller(logging.Handler):
    """Does something in each thread in which something is logged, and keeps what that raises."""

    def __init__(self, work: Callable[[], object]) -> None:
        super().__init__()
        self.work = work
        self.errors: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        if threading.current_thread() in trio_threads():
            try:
                self.work()
            except RuntimeError as error:
                self.errors.append(str(error))


def test_a_log_handler_that_would_have_the_node_wait_for_itself_is_refused() -> None:
    opening = gossip.blocking.open_node("a", **LOCAL)
    node = opening.start()
    changes = node.subscribe()
    uses: list[Callable[[], object]] = [
        lambda: node.update({}),
        lambda: node.explain("a"),
        node.joined,
        node.leave,
        lambda: node.until(lambda node: False),
        lambda: next(changes),
        node.close,
        opening.close,
        lambda: gossip.blocking.open_node("b", **LOCAL).start(),
        lambda: gossip.blocking.query_members("127.0.0.1:1"),
        lambda: gossip.blocking.explain_member("127.0.0.1:1", "a"),
        lambda: gossip.aio.query_members("127.0.0.1:1").send(None),
    ]
    errors = []
    for use in uses:
        handler = Caller(use)
        logger = logging.getLogger("gossip")
        logger.addHandler(handler)
        node._held.soon(logger.error, "something has happened")
        wait_until(lambda: len(handler.errors) == 1)  # noqa: B023
        logger.removeHandler(handler)
        errors += handler.errors
    opening.close()
    assert all("in the thread in which the nodes themselves run" in error for error in errors)
    assert len(errors) == len(uses)
    assert {error.split(" is used")[0] for error in errors} == {
        "node 'a'",
        "node 'b'",
        "query_members",
        "explain_member",
        "query_members of gossip.aio",
    }


def test_a_log_handler_can_read_its_node() -> None:
    with gossip.blocking.open_node("a", **LOCAL) as node:
        read: list[Any] = []
        handler = Caller(lambda: read.append((node.members(), node.local, node.standing, node.stats, repr(node))))
        logger = logging.getLogger("gossip")
        logger.addHandler(handler)
        node._held.soon(logger.error, "something has happened")
        wait_until(lambda: len(read) == 1)
        logger.removeHandler(handler)
        assert not handler.errors


def test_starting_and_closing_again_makes_no_difference() -> None:
    opening = gossip.blocking.open_node("a", **LOCAL)
    opening.close()
    node = opening.start()
    assert opening.start() is node
    with opening as same:
        assert same is node
    opening.close()
    node.close()
    assert not trio_threads()


def test_many_threads_start_one_node() -> None:
    opening = gossip.blocking.open_node("a", **LOCAL)
    with ThreadPoolExecutor(NODES) as pool:
        started = [each.result() for each in [pool.submit(opening.start) for _ in range(NODES)]]
        assert len(set(started)) == 1
        for each in [pool.submit(opening.close) for _ in range(NODES)]:
            each.result()
    assert not trio_threads()


def test_a_fixture_may_open_and_close_a_node_in_two_tasks() -> None:
    async def main() -> None:
        block = gossip.aio.open_node("a", **LOCAL)
        node = await asyncio.ensure_future(block.__aenter__())
        await node.joined()
        await asyncio.ensure_future(block.__aexit__(None, None, None))
        assert not trio_threads()

    asyncio.run(main())


def test_a_loop_that_is_closed_before_its_node_is_not_called_any_more() -> None:
    loop = asyncio.new_event_loop()
    block = gossip.aio.open_node("a", **LOCAL)
    node = loop.run_until_complete(block.__aenter__())
    changes = node.subscribe()
    loop.run_until_complete(changes.__anext__())
    waiting = loop.create_task(changes.__anext__())
    loop.run_until_complete(asyncio.sleep(0))
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        loop.run_until_complete(waiting)
    loop.close()
    with gossip.blocking.open_node("b", seeds=[node.address], **LOCAL) as b:
        b.until(lambda node: node.alive == 2)
        wait_until(lambda: node.alive == 2)
    node._held.close()
    node._held.over.result(20)
