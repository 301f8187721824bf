"""For tests of programs that use this library: a cluster in memory, and a node without any protocol.

:func:`cluster`
    Real nodes on a network in memory, which crash, leave, split and heal by a call.
:func:`run`
    Runs a test in virtual time, so that seconds pass in milliseconds.
:class:`FakeNode`
    A node whose members a unit test sets by hand.

These are for programs on trio. :mod:`gossip.testing.aio` and :mod:`gossip.testing.blocking` have the same for the
others. With pytest, fixtures of the module ``gossip_pytest`` make all of them.

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
``pace``
    Time that passes only while a program outside of trio waits.
``held_cluster``, ``fake_held``
    The cluster and the fake node, held by another thread.
``aio``, ``blocking``
    How the programs of each flavour wait for them.

This room decides nothing of the protocol: its nodes run the code of all other rooms.
"""

from __future__ import annotations

from gossip.testing.cluster import Cluster, cluster
from gossip.testing.fake import FakeNode
from gossip.testing.virtual_time import run

__all__ = ["Cluster", "FakeNode", "cluster", "run"]
