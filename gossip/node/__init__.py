"""What a program uses: a node, its subscriptions, and questions to a node of another process.

This room decides how a node opens and closes, which arguments it accepts, what a slow reader gets, and what an error
tells a program. It forwards to ``gossip.core`` through the driver of ``gossip.net``, and contains no rule of the
protocol.

``arguments``
    What a program asks for, checked.
``opening``
    :func:`open_node`, which joins the parts.
``network``
    Which network nodes are opened in: that of the machine, or that of a test.
``node``
    :class:`Node`.
``inside``
    The same node, as :mod:`gossip.facade` holds it.
``subscription``
    Snapshots and changes, for any number of readers.
``waiting``
    How a program waits for its node.
``query``
    :func:`query_members` and :func:`explain_member`: ask a node without becoming a member.
``block``
    How a program enters the block of a node, and the tasks that run beside it.

Programs import the node, its subscriptions and the questions from ``gossip``. The other names below are for
``gossip.facade``, which holds nodes for programs that trio does not run, for ``gossip.remote``, which holds nodes in
other processes, and for ``gossip.contrib`` and ``gossip.testing``.
"""

from __future__ import annotations

from gossip.node.arguments import Arguments, plain_metadata
from gossip.node.block import AsyncBlock, background_tasks, block_in_trio, in_trio, require_trio, without_cancelled
from gossip.node.inside import Inside, awaited
from gossip.node.network import current_network, opened_in
from gossip.node.node import Node
from gossip.node.opening import DEFAULT_BIND, open_node
from gossip.node.query import explain_member, near_names, query_members
from gossip.node.subscription import Backlog, Broadcast, Snapshot, Subscription
from gossip.node.waiting import has_joined_or_left, holds, joined, require_joined, require_patience

__all__ = [
    "DEFAULT_BIND",
    "Arguments",
    "AsyncBlock",
    "Backlog",
    "Broadcast",
    "Inside",
    "Node",
    "Snapshot",
    "Subscription",
    "awaited",
    "background_tasks",
    "block_in_trio",
    "current_network",
    "explain_member",
    "has_joined_or_left",
    "holds",
    "in_trio",
    "joined",
    "near_names",
    "open_node",
    "opened_in",
    "plain_metadata",
    "query_members",
    "require_joined",
    "require_patience",
    "require_trio",
    "without_cancelled",
]
