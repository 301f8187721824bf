"""For tests of programs that use this library: a cluster in memory, and a node without any protocol.

:func:`cluster`
    Real nodes on a network in memory, which crash, leave, split and heal by a call.
:func:`run`
    Runs a test in virtual time, so that seconds pass in milliseconds.
:class:`FakeNode`
    A node whose members a unit test sets by hand.

With pytest, the fixtures ``gossip_cluster`` and ``fake_node`` make both; they are in the module ``gossip_pytest``.

Modules, from the wire up:

``wire``
    How long things take on their way, what is lost, and which nodes are cut off from each other.
``datagrams``, ``streams``, ``transport``
    What a node needs of the world outside, in memory.
``network``
    Addresses, names, the clock, and which nodes run.
``virtual_time``
    Time that passes only where nothing happens.
``agreement``
    Whether all nodes see the same.
``cluster``
    What a test does with all that.
``fake_members``, ``faked``, ``fake``
    The node without any protocol.
``pace``, ``held_cluster``, ``fake_held``
    Both for programs that trio does not run.
``aio``, ``blocking``
    The same names as here, for programs on asyncio and for those without an event loop.

This room decides nothing of the protocol: its nodes run the code of all other rooms.
"""

from __future__ import annotations

from gossip.testing.cluster import Cluster, cluster
from gossip.testing.fake import FakeNode
from gossip.testing.virtual_time import run

__all__ = ["Cluster", "FakeNode", "cluster", "run"]
