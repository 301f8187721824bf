"""What the log says about what a node drops: one line per kind and second at most, with the reason and the source;
of another cluster's messages one line per host that sends them.

The core and the streams count what they drop in :class:`gossip.core.drops.Drops`; this looks at the counts. A line
holds a reason, which is a text of this project, an address as the operating system tells it, and how many drops of
the kind there were since its last line. Nothing in it was written by a peer.
"""

from __future__ import annotations

import logging
import math

from gossip.core.drops import Drops

PERIOD_S = 1.0
"""Between two lines of one kind."""

ROUTINE = frozenset(
    {
        "buried member",
        "our own message",
        "superseded member",
        "too many probes",
        "too many requests to help",
        "too many rumours",
        "too many streams",
        "too much to send",
    }
)
"""Kinds that a healthy cluster knows too, where members restart, are among their own seeds, or join or die in great
numbers: told as information. All others are warnings."""

OTHER_CLUSTER = "other cluster"
"""Told once for each host, not again and again: it is nobody's fault, and lasts."""

MAX_HOSTS_TOLD = 16
"""Hosts of other clusters that are named in the log, in all; there may be thousands of them."""

_log = logging.getLogger(__name__)


class DropLog:
    """Writes the drops of one node into the log."""

    def __init__(self, node_name: str, drops: Drops) -> None:
        self._node_name = node_name
        self._drops = drops
        self._told: dict[str, int] = {}
        self._told_in_all = 0
        self._silent_until: dict[str, float] = {}
        self._hosts_told: set[str] = set()

    def look(self, now: float) -> None:
        """Write what is new, if its time has come. Costs next to nothing where there is nothing."""
        if self._drops.total == self._told_in_all:
            return
        for reason, count in self._drops.counts.items():
            new = count - self._told.get(reason, 0)
            if new and now >= self._silent_until.get(reason, -math.inf):
                self._told[reason] = count
                self._told_in_all += new
                self._silent_until[reason] = now + PERIOD_S
                self._write(reason, new)

    def _write(self, reason: str, count: int) -> None:
        if reason == OTHER_CLUSTER:
            self._write_of_other_cluster()
            return
        level = logging.INFO if reason in ROUTINE else logging.WARNING
        source = self._drops.last_source[reason]
        where = "" if source is None else f", last from {source}"
        _log.log(level, "%r: dropped %d: %s%s", self._node_name, count, reason, where)

    def _write_of_other_cluster(self) -> None:
        source = self._drops.last_source[OTHER_CLUSTER]
        if source is None or source.host in self._hosts_told or len(self._hosts_told) >= MAX_HOSTS_TOLD:
            return
        self._hosts_told.add(source.host)
        _log.warning(
            "%r: messages of another cluster come from %s, and are dropped; this is told once. If that is a member of "
            "this cluster, give both the same cluster name (Config, --cluster). Otherwise nothing has to be done: it "
            "may have been told this address as a seed, or look for a member that had it before, for an hour at most",
            self._node_name,
            source,
        )
