"""What a node reports to people about itself: counts and log lines.

This room decides what is worth a line, at which level, in which words, and how often a condition that lasts is
reported. It decides nothing about members: it only reads what ``gossip.core`` and ``gossip.net`` counted and
concluded.

``node_log``
    The only way into the log: each line begins with the name of its node.
``events``
    A line for each change of the membership, and for each notice of the core.
``drops``
    Lines about dropped messages; the longer it goes on, the rarer they are.
``clocks``
    Lines about a wrong wall clock.
``stats``
    The counts.

Import the names below from here. ``gossip`` exports ``NodeStats`` to programs; the rest is for ``gossip.net`` and
``gossip.node``.
"""

from __future__ import annotations

from gossip.telemetry.clocks import ClockLog
from gossip.telemetry.drops import DropLog
from gossip.telemetry.events import EventLog
from gossip.telemetry.node_log import NodeLog
from gossip.telemetry.stats import NodeStats, ShellCounters

__all__ = ["ClockLog", "DropLog", "EventLog", "NodeLog", "NodeStats", "ShellCounters"]
