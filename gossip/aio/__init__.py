"""Nodes for asyncio programs; works under uvloop as well.

::

    import asyncio
    import gossip.aio

    async def main() -> None:
        async with gossip.aio.open_node("web-1", seeds=["gossip.example.org:7946"], keyring=keyring) as node:
            with node.subscribe() as changes:
                async for item in changes:
                    print(item)

    asyncio.run(main())

The node runs on trio, in a thread of its own that all nodes of the process share, so a loop that is blocked does not
look dead. Names, values and items are those of :mod:`gossip`. What is known already is read at once, in any thread;
what changes something, or waits, is awaited in the loop that opened the node. All times are those of
:func:`time.monotonic`, as in :meth:`loop.time() <asyncio.loop.time>` of asyncio's own loops.

``opening``
    :func:`open_node`, and how a failure of the node reaches its block.
``questions``
    :func:`query_members` and :func:`explain_member`.
``node``
    :class:`Node`.
``subscription``
    :class:`Subscription`.
``waiting``
    How a loop waits for the trio thread.

Import the names below from here.
"""

from __future__ import annotations

from gossip.aio.node import Node
from gossip.aio.opening import open_node
from gossip.aio.questions import explain_member, query_members
from gossip.aio.subscription import Subscription

__all__ = ["Node", "Subscription", "explain_member", "open_node", "query_members"]
