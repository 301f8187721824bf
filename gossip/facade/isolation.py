"""How a node is opened in the trio thread: in that thread, or in a process of its own."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any, Literal

from gossip.core.support.arguments import wrong
from gossip.net import SystemNetwork
from gossip.node import Inside, current_network, open_node

Isolation = Literal["thread", "process"]


def opening(
    name: str, isolation: Isolation, arguments: dict[str, Any]
) -> Callable[[], AbstractAsyncContextManager[Inside]]:
    """What opens a node. In a cluster in memory, all nodes are in this process.

    :param arguments: those of :func:`gossip.open_node` after the name.
    :raises ConfigurationError: if ``isolation`` is neither ``"thread"`` nor ``"process"``.
    """
    if isolation not in ("thread", "process"):
        raise wrong("isolation", "'thread' or 'process'", isolation)

    @asynccontextmanager
    async def in_this_process() -> AsyncIterator[Inside]:
        async with open_node(name, **arguments) as node:
            yield Inside.of(node)

    @asynccontextmanager
    async def in_another_process() -> AsyncIterator[Inside]:
        from gossip.remote import open_remote_node  # noqa: PLC0415 - most programs never need it

        async with open_remote_node(name, **arguments) as node:
            yield node.inside

    def opened() -> AbstractAsyncContextManager[Inside]:
        is_apart = isolation == "process" and isinstance(current_network(), SystemNetwork)
        return in_another_process() if is_apart else in_this_process()

    return opened
