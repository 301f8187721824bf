"""How a program waits for its node: until a condition holds, and until the node is connected.

A node may run in this process or in another one; the same rules hold for both.
"""

from __future__ import annotations

import inspect
import math
from collections.abc import Callable
from typing import Any, Protocol, TypeVar

import trio

from gossip.core.errors import LeftError
from gossip.core.state.node_standing import NodeStanding, Standing
from gossip.core.support.arguments import require_seconds, wrong
from gossip.errors import JoinError

N = TypeVar("N")

_CONDITION = "a function of the node that is not async and returns True or False"


class Waitable(Protocol):
    """A node that can be waited for."""

    @property
    def standing(self) -> NodeStanding:
        """What it knows of its own place in the cluster."""

    async def until(self, condition: Callable[[Any], bool]) -> None:
        """Wait until the condition is true of it."""


def holds(condition: Callable[[N], bool], node: N) -> bool:
    """Whether a condition is true.

    :raises ConfigurationError: if it cannot be called, or returns something to be awaited, which would always count as
        true.
    """
    if not callable(condition):
        raise wrong("condition", _CONDITION, condition)
    answer: object = condition(node)
    if inspect.isawaitable(answer):
        if inspect.iscoroutine(answer):
            answer.close()  # or else Python would warn that nobody has awaited it
        raise wrong("condition", _CONDITION, answer)
    return bool(answer)


async def joined(node: Waitable, name: str, timeout: float | None) -> None:
    """Wait until a node is connected; see :meth:`gossip.Node.joined`.

    :raises ConfigurationError: if ``timeout`` is no number of seconds from 0 on, or infinite.
    :raises JoinError: if that is not enough.
    :raises LeftError: if the node leaves, or has left.
    """
    require_patience(timeout)
    with trio.move_on_after(math.inf if timeout is None else timeout):
        await node.until(lambda each: has_joined_or_left(each.standing))
    require_joined(node.standing, name, timeout)


def require_patience(timeout: float | None) -> None:
    """Refuse what is no time to wait for a node to join.

    :raises ConfigurationError: if ``timeout`` is neither None nor a finite number of seconds from 0 on.
    """
    if timeout is not None:
        require_seconds("timeout", timeout)
        if math.isinf(timeout):
            raise wrong("timeout", "a finite number of seconds, or None to wait for as long as it takes", timeout)


def has_joined_or_left(own: NodeStanding) -> bool:
    """Whether there is nothing more to wait for until a node is connected."""
    return own.standing in (Standing.CONNECTED, Standing.LEFT)


def require_joined(own: NodeStanding, name: str, timeout: float | None) -> None:
    """See to it that a node is connected.

    :param own: what the node knows of its own place.
    :param timeout: seconds for which somebody has waited for that; None if nobody has counted.
    :raises JoinError: if it is not; the text says why.
    :raises LeftError: if the node has left.
    """
    if own.standing is Standing.LEFT:
        raise LeftError(f"node {name!r} has left its cluster; open a new one to join again")
    if own.standing is not Standing.CONNECTED:
        waited = "" if timeout is None else f" after {timeout:g} s"
        raise JoinError(f"node {name!r} is {own.standing.value}, not connected{waited}: {own.why}")
