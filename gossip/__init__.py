"""Who is in the cluster, told by gossip: a membership library for trio.

::

    keyring = gossip.Keyring.load("cluster.keys")
    async with gossip.open_node("web-1", seeds=["gossip.example.org:7946"], keyring=keyring) as node:
        with node.subscribe() as changes:
            async for item in changes:
                print(item)

General layout, in an order to read it in:

``gossip.core``
    The protocol, without sockets, clock or trio. Bytes, time and random numbers go in; what to send
    and what happened comes out. The simulator runs the same code.

The shell around it:

``gossip.driver``
    The loop that connects the core with the rest: datagrams, streams, timer, events.
``gossip.sockets``
    Which sockets a node has, and how addresses look on them.
``gossip.datagrams``
    The UDP socket at work: sending, draining, coming back after it died.
``gossip.framing``, ``gossip.streams``
    Messages on TCP; accepting, connecting, and the limits of each stream.
``gossip.keyring``, ``gossip.sealing``, ``gossip.envelope``
    The keys of a cluster; subkeys and ciphers; datagrams sealed with them.
``gossip.signing_key``
    The key of one member, where what members say of themselves is signed.
``gossip.channel``, ``gossip.conversation``, ``gossip.tls``, ``gossip.security``
    Streams sealed; reading and writing them; TLS instead; all that secures one node.
``gossip.seeds``
    From ``host:port`` texts to addresses, kept up to date.

What a program uses:

``gossip.node``
    :func:`open_node` and :class:`Node`.
``gossip.subscription``
    Snapshots and changes for any number of readers.
``gossip.keyring``
    The keys of a cluster, and the file they are kept in.
``gossip.query``
    :func:`query_members`: asking a node without being one.
``gossip.stats``, ``gossip.eventlog``, ``gossip.clocklog``, ``gossip.errors``
    The counts, the log lines, and the errors of the shell.
``gossip.background``, ``gossip.opening``
    Tasks beside a block, with the block's exceptions as they were; how the block of a node is entered.

A program that configures no logging is told nothing: what the library logs below the logger ``gossip`` is the program's
to show or not. ``logging.basicConfig()`` shows the warnings.
"""

from __future__ import annotations

import logging

from gossip.core.address import Address
from gossip.core.config import Config
from gossip.core.errors import ConfigurationError, DisplacedError, GossipError, LeftError
from gossip.core.events import EventKind, MembershipEvent
from gossip.core.member import Member, Status
from gossip.core.node_standing import NodeStanding, Standing
from gossip.core.wall import ClockDispute
from gossip.errors import BindError, ClosedError, JoinError, QueryError
from gossip.keyring import PLAIN, Key, Keyring
from gossip.node import Node, open_node
from gossip.query import query_members
from gossip.signing_key import SigningKey
from gossip.stats import NodeStats
from gossip.subscription import Snapshot, Subscription
from gossip.tls import MutualTLS

__all__ = [
    "PLAIN",
    "Address",
    "BindError",
    "ClockDispute",
    "ClosedError",
    "Config",
    "ConfigurationError",
    "DisplacedError",
    "EventKind",
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
    "Standing",
    "Status",
    "Subscription",
    "open_node",
    "query_members",
]

# Otherwise Python itself would write the warnings to the standard error of whatever program this is part of, among
# what that has to say there, and with no way to tell which node or program they are of.
logging.getLogger(__name__).addHandler(logging.NullHandler())
