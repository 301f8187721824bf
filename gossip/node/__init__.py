"""What a program holds: a node, its subscriptions, and questions to somebody else's node.

This room decides how a node is opened and closed, which arguments are accepted, what a reader gets that falls behind,
and what an error tells a program. It forwards to ``gossip.core`` through the driver of ``gossip.net``, and has no rule
of the protocol.

``opening``
    :func:`open_node`: the arguments checked, the parts joined.
``node``
    :class:`Node`.
``subscription``
    Snapshots and changes, for any number of readers.
``query``
    :func:`query_members` and :func:`explain_member`: ask a node without being one.
``block``
    How the block of a node is entered, and the tasks that run beside it.

Import the names below from ``gossip``, which passes all of them on.
"""

from __future__ import annotations

from gossip.node.node import Node
from gossip.node.opening import open_node
from gossip.node.query import explain_member, query_members
from gossip.node.subscription import Snapshot, Subscription

__all__ = ["Node", "Snapshot", "Subscription", "explain_member", "open_node", "query_members"]
