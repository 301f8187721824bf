"""A node as those need it who hold it for programs that trio does not run.

This module decides nothing: it gives every call of a node one form, in which it is awaited.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import ParamSpec, TypeVar

import attrs

from gossip.core.detection.evidence import Explanation
from gossip.node.node import Node
from gossip.node.subscription import Broadcast
from gossip.security import Keyring

P = ParamSpec("P")
T = TypeVar("T")


@attrs.frozen
class Inside:
    """An open node. What is awaited belongs to the trio thread; the rest can be used in any thread."""

    node: Node
    """For the questions whose answer is there already."""
    broadcast: Broadcast
    """For the trio thread only."""
    steps: Callable[[], int]
    """How many steps the protocol has made."""
    step_after: Callable[[int], Awaitable[None]]
    """Waits until it has made more steps than so many, or the node is closed."""
    update: Callable[[Mapping[str, str]], Awaitable[None]]
    use_keyring: Callable[[Keyring], Awaitable[None]]
    explain: Callable[[str], Awaitable[Explanation | None]]
    joined: Callable[[float | None], Awaitable[None]]
    leave: Callable[[], Awaitable[tuple[str, ...]]]

    @classmethod
    def of(cls, node: Node) -> Inside:
        """The inside of a node that trio runs in this process."""
        return cls(
            node,
            node._broadcast,
            lambda: node._steps,
            node._step_after,
            _awaited(node.update),
            _awaited(node.use_keyring),
            _awaited(node.explain),
            node.joined,
            node.leave,
        )


def _awaited(function: Callable[P, T]) -> Callable[P, Awaitable[T]]:
    async def call(*args: P.args, **kwargs: P.kwargs) -> T:
        return function(*args, **kwargs)

    return call
