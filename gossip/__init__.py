"""Who is in the cluster, told by gossip: a membership library for trio.

::

    keyring = gossip.Keyring.load("cluster.keys")
    async with gossip.open_node("web-1", seeds=["gossip.example.org:7946"], keyring=keyring) as node:
        with node.subscribe() as changes:
            async for item in changes:
                print(item)

General layout, a room for each question, in an order to read them in:

``gossip.core``
    The protocol, without sockets, clock or trio. Bytes, time and random numbers go in; what to send and what happened
    comes out. The simulator runs the same code.
``gossip.security``
    The keys, what they seal, and the files they are kept in.
``gossip.net``
    The core on trio: sockets, streams, name servers, the clock, and the loop that drives them.
``gossip.telemetry``
    What a node tells people: counts and lines of the log.
``gossip.node``
    What a program holds: a node, its subscriptions, questions to somebody else's node.
``gossip.cli``
    The ``gossip`` command.

``gossip.errors`` has the errors of the shell, ``gossip.backoff`` the pauses after failures. Each room says in its
docstring what it decides and what may be imported from it. Programs import from ``gossip`` alone.

The library logs to loggers below ``gossip``, each named after its module. A program that configures no logging sees
nothing of it; ``logging.basicConfig()`` shows the warnings.
"""

from __future__ import annotations

import logging

from gossip.core.config import Config
from gossip.core.detection.evidence import Asked, Explanation, Told
from gossip.core.detection.stages import Stage
from gossip.core.errors import ConfigurationError, DisplacedError, GossipError, LeftError
from gossip.core.events import EventKind, MembershipEvent
from gossip.core.state.member import Member, Status
from gossip.core.state.node_standing import NodeStanding, Standing
from gossip.core.state.wall import ClockDispute
from gossip.core.support.address import Address
from gossip.errors import BindError, ClosedError, ForkedError, JoinError, QueryError
from gossip.node import Node, Snapshot, Subscription, explain_member, open_node, query_members
from gossip.security import PLAIN, Key, Keyring, MutualTLS, SigningKey
from gossip.telemetry import NodeStats

__all__ = [
    "PLAIN",
    "Address",
    "Asked",
    "BindError",
    "ClockDispute",
    "ClosedError",
    "Config",
    "ConfigurationError",
    "DisplacedError",
    "EventKind",
    "Explanation",
    "ForkedError",
    "GossipError",
    "JoinError",
    "Key",
    "Keyring",
    "LeftError",
    "Member",
    "MembershipEvent",
    "MutualTLS",
    "Node",
    "NodeStanding",
    "NodeStats",
    "QueryError",
    "SigningKey",
    "Snapshot",
    "Stage",
    "Standing",
    "Status",
    "Subscription",
    "Told",
    "explain_member",
    "open_node",
    "query_members",
]

# Otherwise Python itself would write the warnings to the standard error of the program, between its own lines.
logging.getLogger(__name__).addHandler(logging.NullHandler())
