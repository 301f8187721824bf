"""What a node tells people about itself: counts, and lines of the log.

This room decides what is worth a line, at which level, in which words, and how often a thing that goes on is told. It
decides nothing about members: it only looks at what ``gossip.core`` and ``gossip.net`` have counted and concluded.

``node_log``
    The one way into the log: each line begins with the name of its node.
``events``
    A line for each change of the membership, and for each notice of the core.
``drops``
    Lines about what was dropped, ever more seldom while it goes on.
``clocks``
    Lines about a wall clock that is wrong.
``stats``
    The counts.

Import the names below from here. ``gossip`` passes ``NodeStats`` on to programs; the rest is for ``gossip.net`` and
``gossip.node``.
"""

from __future__ import annotations

from gossip.telemetry.clocks import ClockLog
from gossip.telemetry.drops import DropLog
from gossip.telemetry.events import EventLog
from gossip.telemetry.node_log import NodeLog
from gossip.telemetry.stats import NodeStats, ShellCounters

__all__ = ["ClockLog", "DropLog", "EventLog", "NodeLog", "NodeStats", "ShellCounters"]
