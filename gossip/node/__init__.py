"""What a program uses: a node, its subscriptions, and questions to a node of another process.

This room decides how a node opens and closes, which arguments it accepts, what a slow reader gets, and what an error
tells a program. It forwards to ``gossip.core`` through the driver of ``gossip.net``, and contains no rule of the
protocol.

``opening``
    :func:`open_node`, which checks the arguments and joins the parts.
``network``
    Which network nodes are opened in: that of the machine, or that of a test.
``node``
    :class:`Node`.
``inside``
    The same node, as :mod:`gossip.facade` holds it.
``subscription``
    Snapshots and changes, for any number of readers.
``query``
    :func:`query_members` and :func:`explain_member`: ask a node without becoming a member.
``block``
    How a program enters the block of a node, and the tasks that run beside it.

Programs import the node, its subscriptions and the questions from ``gossip``. The other names below are for
``gossip.facade``, which holds nodes for programs that trio does not run, and for ``gossip.contrib`` and
``gossip.testing``.
"""

from __future__ import annotations

from gossip.node.block import AsyncBlock, background_tasks, block_in_trio, in_trio, without_cancelled
from gossip.node.inside import Inside
from gossip.node.network import opened_in
from gossip.node.node import Node, holds
from gossip.node.opening import DEFAULT_BIND, open_node
from gossip.node.query import explain_member, near_names, query_members
from gossip.node.subscription import Backlog, Broadcast, Snapshot, Subscription

__all__ = [
    "DEFAULT_BIND",
    "AsyncBlock",
    "Backlog",
    "Broadcast",
    "Inside",
    "Node",
    "Snapshot",
    "Subscription",
    "background_tasks",
    "block_in_trio",
    "explain_member",
    "holds",
    "in_trio",
    "near_names",
    "open_node",
    "opened_in",
    "query_members",
    "without_cancelled",
]
