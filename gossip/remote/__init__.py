"""A node in a process of its own, held by a trio program: nothing that the program does can hold the node up.

This room decides how that process begins and ends, what crosses between the two, and how fresh the program's picture of
its node is. It decides nothing about membership: the process runs the node of ``gossip.node``.

``opening``
    :func:`open_remote_node`: the process started, its node opened, its end noticed.
``node``
    :class:`RemoteNode`.
``state``
    What the program knows of its node.
``calls``
    What the program asks of its node.
``process``
    The process, seen from the program.
``child``
    The same process, seen from within: this is what it runs.
``feed``
    What it tells the program.
``parent``
    How it notices that the program has ended.
``lines``
    Lines of its log, written by the program.
``channel``, ``messages``
    The socket between the two, and what is said over it.

Import the names below from here.
"""

from __future__ import annotations

from gossip.remote.node import RemoteNode
from gossip.remote.opening import open_remote_node

__all__ = ["RemoteNode", "open_remote_node"]
