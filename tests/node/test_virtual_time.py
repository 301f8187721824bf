"""Nodes under a clock that stands still while they work, as in tests of programs that use them."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AsyncExitStack

import pytest
import trio
import trio.testing

from gossip import Status
from tests.node.nodes import local_node, status_of

FOUND_WITHIN_S = 10.0
"""Virtual seconds: more than any crash takes to be found on one machine."""


@pytest.mark.parametrize("count", [2, 3, 5])
def test_a_member_that_closes_is_found_dead_under_a_clock_that_does_not_move_while_answers_come(count: int) -> None:
    async def scenario() -> None:
        async with local_node("n0") as first, AsyncExitStack() as stack:
            nodes = [first]
            for number in range(1, count - 1):
                nodes.append(await stack.enter_async_context(local_node(f"n{number}", seeds=[first.address])))
            async with local_node("closed", seeds=[first.address]) as closed:
                await _until(lambda: all(node.alive == count for node in [*nodes, closed]))
            await _until(lambda: all(status_of(node, "closed") is Status.DEAD for node in nodes))

    trio.run(scenario, clock=trio.testing.MockClock(autojump_threshold=0.002))


async def _until(condition: Callable[[], bool]) -> None:
    """Let virtual time pass until something is so."""
    deadline = trio.current_time() + FOUND_WITHIN_S
    while not condition():
        assert trio.current_time() < deadline, "not in time"
        await trio.sleep(0.1)
