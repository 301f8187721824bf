"""What a program uses: a node, its subscriptions, and questions to a node of another process.

This room decides how a node opens and closes, which arguments it accepts, what a slow reader gets, and what an error
tells a program. It forwards to ``gossip.core`` through the driver of ``gossip.net``, and contains no rule of the
protocol.

``opening``
    :func:`open_node`, which checks the arguments and joins the parts.
``node``
    :class:`Node`.
``subscription``
    Snapshots and changes, for any number of readers.
``query``
    :func:`query_members` and :func:`explain_member`: ask a node without becoming a member.
``block``
    How a program enters the block of a node, and the tasks that run beside it.

Import the names below from ``gossip``, which exports all of them.
"""

from __future__ import annotations

from gossip.node.node import Node
from gossip.node.opening import open_node
from gossip.node.query import explain_member, query_members
from gossip.node.subscription import Snapshot, Subscription

__all__ = ["Node", "Snapshot", "Subscription", "explain_member", "open_node", "query_members"]
