"""A node, as an asyncio program holds it: what is known is read at once, and the rest is awaited."""

from __future__ import annotations

import asyncio
import functools
from collections.abc import Awaitable, Callable, Mapping
from typing import TypeVar

from gossip.aio.subscription import Subscription
from gossip.aio.waiting import outcome_of, require_loop
from gossip.core.detection.evidence import Explanation
from gossip.facade import Held, Reading
from gossip.node import Inside, holds
from gossip.security import Keyring

T = TypeVar("T")


class Node(Reading):
    """A running member. Made by :func:`open_node`.

    Its properties, ``members()`` and ``get()`` can be read in any thread. All else belongs to the loop that opened the
    node. After the block has ended, the properties still give the last state, and each method that is awaited raises
    :class:`gossip.ClosedError`.

    >>> import asyncio, gossip.aio
    >>> async def main():
    ...     async with gossip.aio.open_node("ada", bind="127.0.0.1:0") as node:
    ...         await node.update({"role": "db"})
    ...         await node.until(lambda node: node.local.metadata == {"role": "db"})
    ...         print([member.name for member in node.members()], node.standing.standing.name)
    >>> asyncio.run(main())
    ['ada'] CONNECTED
    """

    def __init__(self, held: Held[Inside], loop: asyncio.AbstractEventLoop) -> None:
        super().__init__(held)
        self._loop = loop

    def subscribe(self, buffer: int = 256) -> Subscription:
        """Follow the changes of the members and of this node's own standing, from now on; see :class:`Subscription`.

        :param buffer: events kept for a reader that is behind.
        :raises ConfigurationError: if ``buffer`` is no whole number from 1 on.
        """
        return Subscription(self._held, self._loop, buffer)

    async def update(self, metadata: Mapping[str, str]) -> None:
        """Replace this node's metadata and tell the others; see :meth:`gossip.Node.update`."""
        await self._ask(lambda: self._inside.update(metadata))

    async def use_keyring(self, keyring: Keyring) -> None:
        """Replace the keys; see :meth:`gossip.Node.use_keyring`."""
        await self._ask(lambda: self._inside.use_keyring(keyring))

    async def explain(self, name: str) -> Explanation | None:
        """Where the newest holder of ``name`` stands, and why; see :meth:`gossip.Node.explain`."""
        return await self._ask(lambda: self._inside.explain(name))

    async def joined(self, timeout: float | None = None) -> None:
        """Wait until this node is connected; see :meth:`gossip.Node.joined`."""
        await self._ask(lambda: self._inside.joined(timeout))

    async def leave(self) -> tuple[str, ...]:
        """Say farewell, and return the names of those who acknowledged it; see :meth:`gossip.Node.leave`.

        Cancelling this does not take the farewell back.
        """
        return await self._ask(self._inside.leave)

    async def until(self, condition: Callable[[Node], bool]) -> None:
        """Wait until ``condition(node)`` is true. It is called at once, and after steps of the protocol, in this loop.

        ::

            async with asyncio.timeout(10):
                await node.until(lambda node: node.get("db-1") is not None)

        :raises ConfigurationError: if ``condition`` cannot be called, or is an async function.
        :raises ClosedError: if the node is closed before, or was.
        """
        while True:
            self._require_here()
            seen = self._inside.steps()
            if holds(condition, self):
                return
            await self._ask(functools.partial(self._inside.step_after, seen))

    async def _ask(self, work: Callable[[], Awaitable[T]]) -> T:
        self._require_here()
        return await outcome_of(self._held, work)

    def _require_here(self) -> None:
        self._held.require_open()
        require_loop(self._loop, self._held.what)
