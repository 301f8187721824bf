"""Cluster membership by gossip, for trio: who is in the cluster, who left and who died.

::

    keyring = gossip.Keyring.load("cluster.keys")
    async with gossip.open_node("web-1", seeds=["10.0.0.1:7946"], keyring=keyring) as node:
        with node.subscribe() as changes:
            async for item in changes:
                print(item)

The layout has a room for each question. Read them in this order:

``gossip.core``
    The protocol, without sockets, clock or trio. Bytes, time and random numbers go in; what to send and what happened
    come out. The simulator runs the same code.
``gossip.security``
    The keys, what they seal, and the files that hold them.
``gossip.net``
    The core on trio: sockets, streams, name servers, the clock, and the loop that drives them.
``gossip.telemetry``
    What a node reports to people: counts and log lines.
``gossip.node``
    What a program uses: a node, its subscriptions, and questions to a node of another process.
``gossip.remote``
    A node in a process of its own, for trio programs.
``gossip.contrib``
    A node beside an application of Starlette or FastAPI.
``gossip.testing``
    What the tests of programs use: a cluster in memory, and a node without any protocol.
``gossip.cli``
    The ``gossip`` command.

``gossip.errors`` has the errors of the shell, and ``gossip.backoff`` the pauses after failures. The docstring of each
room says what the room decides and what others may import from it. Programs import from ``gossip`` alone.

The library logs to loggers below ``gossip``, each named after its module. A program that configures no logging sees
no lines; ``logging.basicConfig()`` shows the warnings.
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
from gossip.errors import BindError, ClosedError, ForkedError, JoinError, NodeProcessError, QueryError
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
    "NodeProcessError",
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

# Without a handler, Python would write the warnings to the program's standard error, between the program's own lines.
logging.getLogger(__name__).addHandler(logging.NullHandler())
