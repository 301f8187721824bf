"""Exceptions of the block, and failures of the node: each passes out as itself, together as a group, as on trio."""

from __future__ import annotations

import asyncio
import sys
import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import trio

import gossip.aio
import gossip.blocking
from gossip.core.protocol import Protocol
from gossip.facade import trio_thread
from tests.facade.flavours import AIO, BLOCKING, FLAVOURS, LOCAL, LOOPS, TRIO, Flavour, run_on, timeout, until

if sys.version_info < (3, 11):
    from exceptiongroup import BaseExceptionGroup

FACADES = [AIO, BLOCKING]

MODERN = pytest.mark.skipif(sys.version_info < (3, 11), reason="Python 3.10 has neither timeouts nor task groups")


class BodyError(Exception):
    pass


class Bug(Exception):
    pass


@pytest.fixture
def fail(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[], None]]:
    """Make the nodes of this process fail, as soon as they have something to do."""

    def raise_bug(self: Protocol, *_: object) -> None:
        raise Bug("a bug in the node")

    def have_nodes_fail() -> None:
        monkeypatch.setattr(Protocol, "handle_timer", raise_bug)

    yield have_nodes_fail
    assert not trio_thread._shared.threads


@pytest.mark.parametrize("flavour", FLAVOURS, ids=str)
@pytest.mark.parametrize("kind", [BodyError, KeyboardInterrupt, SystemExit])
def test_an_exception_of_the_block_passes_out_as_itself(kind: type[BaseException], flavour: Flavour) -> None:
    error = kind("mine")

    async def main() -> None:
        async with flavour.open_node("a"):
            raise error

    with pytest.raises(kind) as raised:
        flavour.run(main)
    assert raised.value is error
    assert error.__cause__ is None
    if flavour is not AIO or kind is BodyError:  # asyncio.run has its own context for the others
        assert error.__context__ is None


@pytest.mark.parametrize("flavour", FACADES, ids=str)
def test_a_group_of_the_block_stays_as_it_is(flavour: Flavour) -> None:
    group = BaseExceptionGroup("mine", [BodyError("mine")])

    async def main() -> None:
        async with flavour.open_node("a"):
            raise group

    with pytest.raises(BaseExceptionGroup) as raised:
        flavour.run(main)
    assert raised.value is group


def test_a_failure_cancels_an_asyncio_block_and_passes_out(fail: Callable[[], None]) -> None:
    was_cancelled = False

    async def main() -> None:
        nonlocal was_cancelled
        async with gossip.aio.open_node("a", **LOCAL):
            fail()
            try:
                await asyncio.sleep(20)
            except asyncio.CancelledError:
                was_cancelled = True
                raise

    with pytest.raises(Bug, match="a bug in the node"):
        asyncio.run(main())
    assert was_cancelled


@pytest.mark.parametrize("new_loop", LOOPS)
def test_a_caught_failure_leaves_a_task_that_goes_on(
    fail: Callable[[], None], new_loop: Callable[[], asyncio.AbstractEventLoop]
) -> None:
    async def main() -> None:
        with pytest.raises(Bug):  # noqa: PT012
            async with gossip.aio.open_node("a", **LOCAL):
                fail()
                await asyncio.sleep(20)
        for _ in range(10):
            await asyncio.sleep(0)
        task = asyncio.current_task()
        assert task is not None
        assert sys.version_info < (3, 11) or task.cancelling() == 0

    run_on(new_loop, main())


@pytest.mark.parametrize("flavour", [TRIO, AIO], ids=str)
def test_a_failure_and_an_error_of_the_block_come_as_a_group(fail: Callable[[], None], flavour: Flavour) -> None:
    async def main() -> None:
        async with flavour.open_node("a"):
            fail()
            try:
                if flavour is TRIO:
                    await trio.sleep(20)
                await asyncio.sleep(20)
            finally:
                raise BodyError

    with pytest.raises(BaseExceptionGroup) as raised:
        flavour.run(main)
    assert [type(error) for error in raised.value.exceptions] == [Bug, BodyError]


def test_a_failure_and_an_error_of_a_blocking_block_come_as_a_group(fail: Callable[[], None]) -> None:
    with pytest.raises(BaseExceptionGroup) as raised, gossip.blocking.open_node("a", **LOCAL) as node:  # noqa: PT012
        fail()
        node._held.over.exception(20)
        raise BodyError
    assert [type(error) for error in raised.value.exceptions] == [Bug, BodyError]


def test_each_blocking_call_gets_the_failure_and_the_block_too(fail: Callable[[], None]) -> None:
    with pytest.raises(Bug), gossip.blocking.open_node("a", seeds=["127.0.0.1:1"], **LOCAL) as node:  # noqa: PT012
        fail()
        for call in (lambda: node.until(lambda node: False), lambda: node.update({}), node.joined, node.leave):
            with pytest.raises(Bug):
                call()
        with pytest.raises(Bug):
            list(node.subscribe())


def test_other_tasks_get_the_failure_of_their_wait(fail: Callable[[], None]) -> None:
    async def main() -> None:
        waiting = []
        with pytest.raises(Bug):  # noqa: PT012
            async with gossip.aio.open_node("a", seeds=["127.0.0.1:1"], **LOCAL) as node:
                calls = (node.until(lambda node: False), node.joined(), node.joined(timeout=20))
                waiting = [asyncio.ensure_future(call) for call in calls]
                await asyncio.sleep(0)
                fail()
                await asyncio.sleep(20)
        assert [type(each) for each in await asyncio.gather(*waiting, return_exceptions=True)] == [Bug] * 3

    asyncio.run(main())


def test_a_blocking_reader_gets_the_failure_of_its_node(fail: Callable[[], None]) -> None:
    errors: list[BaseException] = []

    def read(node: gossip.blocking.Node) -> None:
        try:
            for _ in node.subscribe():
                fail()
        except Bug as error:
            errors.append(error)

    with pytest.raises(Bug), gossip.blocking.open_node("a", **LOCAL) as node:  # noqa: PT012
        reading = threading.Thread(target=read, args=(node,))
        reading.start()
        reading.join(20)
    assert [type(error) for error in errors] == [Bug]


def test_a_failure_is_told_once_by_what_is_called_next_and_by_the_block(fail: Callable[[], None]) -> None:
    opening = gossip.blocking.open_node("a", **LOCAL)
    node = opening.start()
    fail()
    node._held.over.exception(20)
    with pytest.raises(Bug):
        opening.close()
    opening.close()
    node.close()
    with pytest.raises(Bug):
        node.update({})


def test_a_failure_passes_out_though_the_block_is_being_cancelled(fail: Callable[[], None]) -> None:
    async def block(entered: asyncio.Event) -> None:
        async with gossip.aio.open_node("a", **LOCAL) as node:
            fail()
            entered.set()
            try:
                await asyncio.sleep(20)
            finally:
                await asyncio.shield(asyncio.wait([asyncio.wrap_future(node._held.over)]))

    async def main() -> None:
        entered = asyncio.Event()
        task = asyncio.ensure_future(block(entered))
        await entered.wait()
        task.cancel()
        with pytest.raises(Bug):
            await task

    asyncio.run(main())


@MODERN
def test_a_failure_inside_and_outside_of_timeouts_is_no_timeout(fail: Callable[[], None]) -> None:
    async def main() -> None:
        async with asyncio.timeout(20):  # type: ignore[attr-defined,unused-ignore]
            async with gossip.aio.open_node("a", **LOCAL):
                async with asyncio.timeout(20):  # type: ignore[attr-defined,unused-ignore]
                    fail()
                    await asyncio.sleep(20)

    with pytest.raises(Bug):
        asyncio.run(main())


@MODERN
def test_a_timeout_around_a_block_ends_it(fail: Callable[[], None]) -> None:
    async def main() -> None:
        async with asyncio.timeout(0.05):  # type: ignore[attr-defined,unused-ignore]
            async with gossip.aio.open_node("a", **LOCAL):
                await asyncio.sleep(20)

    with pytest.raises(TimeoutError):
        asyncio.run(main())


@MODERN
def test_a_failure_in_a_task_group_cancels_the_other_tasks(fail: Callable[[], None]) -> None:
    others: list[Any] = []

    async def other() -> None:
        try:
            await asyncio.sleep(20)
        except asyncio.CancelledError as error:
            others.append(error)
            raise

    async def member() -> None:
        async with gossip.aio.open_node("a", **LOCAL):
            fail()
            await asyncio.sleep(20)

    async def main() -> None:
        async with asyncio.TaskGroup() as group:  # type: ignore[attr-defined,unused-ignore]
            group.create_task(other())
            group.create_task(member())

    with pytest.raises(BaseExceptionGroup) as raised:
        asyncio.run(main())
    assert [type(error) for error in raised.value.exceptions] == [Bug]
    assert len(others) == 1


@MODERN
def test_a_failure_around_a_task_group_cancels_its_tasks(fail: Callable[[], None]) -> None:
    async def main() -> None:
        async with (
            gossip.aio.open_node("a", **LOCAL),
            asyncio.TaskGroup() as group,  # type: ignore[attr-defined,unused-ignore]
        ):
            group.create_task(asyncio.sleep(20))
            fail()

    with pytest.raises(Bug):
        asyncio.run(main())


@pytest.mark.parametrize("flavour", FACADES, ids=str)
def test_a_failure_while_the_node_is_opened_passes_out(flavour: Flavour, monkeypatch: pytest.MonkeyPatch) -> None:
    def raise_bug(self: Protocol, *_: object, **__: object) -> None:
        raise Bug

    monkeypatch.setattr(Protocol, "__init__", raise_bug)

    async def main() -> None:
        async with flavour.open_node("a"):
            raise AssertionError("it was opened")

    with pytest.raises(Bug):
        flavour.run(main)


def raise_bug() -> None:
    raise Bug


def open_again() -> None:
    with gossip.blocking.open_node("a", **LOCAL) as node:
        node.joined()


def test_if_trio_itself_fails_each_asyncio_node_has_failed() -> None:
    async def main() -> None:
        with pytest.raises(trio.TrioInternalError):  # noqa: PT012
            async with gossip.aio.open_node("a", **LOCAL):
                with pytest.raises(trio.TrioInternalError):  # noqa: PT012
                    async with gossip.aio.open_node("b", **LOCAL) as b:
                        b._held.soon(raise_bug)
                        await asyncio.sleep(20)

    asyncio.run(main())
    open_again()


def test_if_trio_itself_fails_each_blocking_node_has_failed() -> None:
    with pytest.raises(trio.TrioInternalError), gossip.blocking.open_node("a", **LOCAL) as a:  # noqa: PT012
        with pytest.raises(trio.TrioInternalError), gossip.blocking.open_node("b", **LOCAL) as b:  # noqa: PT012
            b._held.soon(raise_bug)
            a.until(lambda node: False)
        with pytest.raises(trio.TrioInternalError):
            list(a.subscribe())
    open_again()


def test_a_node_that_fails_when_another_one_is_open_leaves_that_one_at_work(monkeypatch: pytest.MonkeyPatch) -> None:
    handle_timer = Protocol.handle_timer

    def fail_of_a(self: Protocol, now: float) -> None:
        if self.local.name == "a":
            raise Bug
        handle_timer(self, now)

    async def main() -> None:
        async with gossip.aio.open_node("b", **LOCAL) as b:
            with pytest.raises(Bug):  # noqa: PT012
                async with gossip.aio.open_node("a", seeds=[b.address], **LOCAL):
                    await until(lambda: b.alive == 2)
                    monkeypatch.setattr(Protocol, "handle_timer", fail_of_a)
                    await asyncio.sleep(20)
            async with timeout(20):
                await b.until(lambda node: node.alive == 1)

    asyncio.run(main())
