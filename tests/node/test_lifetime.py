"""How a node ends: with its block, with the block's exception as it is, and with nothing left behind."""

from __future__ import annotations

import gc
from contextlib import AsyncExitStack
from pathlib import Path

import pytest
import trio

from gossip import Node
from gossip.core.protocol import Protocol
from gossip.node.block import background_tasks
from tests.node.nodes import PATIENCE_S, cluster, local_node, until


class BodyError(Exception):
    pass


class Bug(Exception):
    pass


async def test_an_exception_of_the_block_passes_out_as_itself() -> None:
    error = BodyError("mine")
    with pytest.raises(BodyError) as info:
        async with local_node("a") as a:
            raise error
    assert info.value is error
    assert error.__cause__ is None
    assert error.__context__ is None
    with pytest.raises(OSError, match=r"attempts to connect to .* failed"):
        await trio.open_tcp_stream(*a.bound_address)


@pytest.mark.parametrize("kind", [KeyboardInterrupt, SystemExit])
async def test_even_an_interrupt_passes_out_as_itself(kind: type[BaseException]) -> None:
    with pytest.raises(kind):
        async with local_node("a"):
            raise kind


async def test_an_exception_group_of_the_block_stays_as_it_is() -> None:
    async def fail() -> None:
        raise BodyError

    with pytest.raises(BaseException) as info:  # noqa: PT011 - ExceptionGroup is no builtin in Python 3.10
        async with local_node("a"), trio.open_nursery() as nursery:
            nursery.start_soon(fail)
    assert [type(error) for error in getattr(info.value, "exceptions", ())] == [BodyError]


async def test_a_bug_in_a_task_of_the_node_cancels_the_block_and_passes_out(monkeypatch: pytest.MonkeyPatch) -> None:
    was_cancelled = False

    def fail(self: Protocol, now: float) -> None:
        raise Bug

    with pytest.raises(Bug):  # noqa: PT012
        async with local_node("a"):
            monkeypatch.setattr(Protocol, "handle_timer", fail)
            try:
                with trio.fail_after(PATIENCE_S):
                    await trio.sleep_forever()
            except trio.Cancelled:
                was_cancelled = True
                raise
    assert was_cancelled


async def test_a_bug_in_a_task_of_the_node_passes_out_as_itself_through_nurseries_of_the_block(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def fail(self: Protocol, now: float) -> None:
        raise Bug

    with pytest.raises(Bug):  # noqa: PT012
        async with local_node("a"), trio.open_nursery() as nursery:
            nursery.start_soon(trio.sleep_forever)
            monkeypatch.setattr(Protocol, "handle_timer", fail)
            with trio.fail_after(PATIENCE_S):
                await trio.sleep_forever()


async def test_a_bug_in_a_stream_task_passes_out_as_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(self: Protocol, stream: int, data: bytes, now: float) -> None:
        raise Bug

    monkeypatch.setattr(Protocol, "receive_frame", fail)
    with pytest.raises(Bug):  # noqa: PT012
        async with local_node("a") as a:
            connection = await trio.open_tcp_stream(*a.bound_address)
            async with connection:
                await connection.send_all(b"\0\0\0\1x")
                with trio.fail_after(PATIENCE_S):
                    await trio.sleep_forever()


async def test_block_and_background_failing_together_come_as_a_group() -> None:
    async def fail() -> None:
        raise Bug

    with pytest.raises(BaseException) as info:  # noqa: PT011, PT012
        async with background_tasks() as nursery:
            nursery.start_soon(fail)
            try:
                await trio.sleep_forever()
            finally:
                raise BodyError
    assert {type(error) for error in getattr(info.value, "exceptions", ())} == {Bug, BodyError}


async def test_cancelling_the_block_from_outside_just_cancels() -> None:
    with trio.move_on_after(PATIENCE_S) as scope:
        async with cluster(2):
            scope.cancel()
            await trio.sleep_forever()
    assert scope.cancelled_caught


async def test_a_failing_task_beside_a_node_leaves_the_others_at_work() -> None:
    async with cluster(3) as nodes:
        with pytest.raises(BodyError):  # noqa: PT012
            async with local_node("d", seeds=[nodes[0].address]) as node:
                await until(lambda: node.alive == 4)
                raise BodyError
        nodes[0].update({"still": "here"})
        await until(lambda: all(node.get("node-0") == nodes[0].local for node in nodes))


async def test_nothing_is_left_behind_by_closed_and_cancelled_nodes() -> None:
    async def be_cancelled() -> None:
        with trio.CancelScope() as scope:
            async with cluster(3) as nodes:
                connection = await trio.open_tcp_stream(*nodes[0].bound_address)
                async with connection:
                    await until(lambda: nodes[0].stats.streams_active == 1)
                    scope.cancel()
                    await trio.sleep_forever()

    await be_cancelled()
    tasks, descriptors = trio.lowlevel.current_statistics().tasks_living, _open_descriptors()
    for _ in range(3):
        await be_cancelled()
    gc.collect()  # a socket that was not closed would warn now, and warnings are errors
    assert trio.lowlevel.current_statistics().tasks_living == tasks
    assert _open_descriptors() == descriptors


async def test_a_port_can_be_bound_again_as_soon_as_the_node_is_closed() -> None:
    async with AsyncExitStack() as stack:
        first: Node = await stack.enter_async_context(local_node("a"))
        bind = str(first.bound_address)
        connection = await trio.open_tcp_stream(*first.bound_address)
        stack.push_async_callback(connection.aclose)
        await until(lambda: first.stats.streams_active == 1)
    async with local_node("a", bind=bind) as again:
        assert str(again.bound_address) == bind


def _open_descriptors() -> int:
    return len(list(Path("/dev/fd").iterdir()))
