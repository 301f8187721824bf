"""Nodes for programs without an event loop: scripts, threads, Flask, Django, Celery.

::

    import gossip.blocking

    with gossip.blocking.open_node("web-1", seeds=["gossip.example.org:7946"], keyring=keyring) as node:
        for item in node.subscribe():
            print(item)

The node runs on trio, in a thread of its own that all nodes of the process share, so a program that is busy does not
look dead. Names, values and items are those of :mod:`gossip`; what waits there blocks the calling thread here, and all
of it can be called from any thread. All times are those of :func:`time.monotonic`.

A process that forks, such as a server with several workers, opens its node in each child, after the fork.

``opening``
    :func:`open_node`, and the block or the two calls between which the node is open.
``questions``
    :func:`query_members` and :func:`explain_member`.
``node``
    :class:`Node`.
``subscription``
    :class:`Subscription`.
``waiting``
    How a thread waits for the trio thread.

Import the names below from here.
"""

from __future__ import annotations

from gossip.blocking.node import Node
from gossip.blocking.opening import Opening, open_node
from gossip.blocking.questions import explain_member, query_members
from gossip.blocking.subscription import Subscription

__all__ = ["Node", "Opening", "Subscription", "explain_member", "open_node", "query_members"]
