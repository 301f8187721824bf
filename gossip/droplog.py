"""What the log says about what a node drops: a line for each kind, with the reason and the source, ever more seldom as
long as it goes on; of another cluster's messages one line per host that sends them.

The core and the streams count what they drop in :class:`gossip.core.drops.Drops`; this looks at the counts. A line
holds a reason, which is a text of this project, an address as the operating system tells it, and how many drops of
the kind there were since its last line. Nothing in it was written by a peer.
"""

from __future__ import annotations

import logging
import math

import attrs

from gossip.core.drops import Drops

PERIOD_S = 1.0
"""Between the first two lines of one kind. It doubles with each line up to:"""

LONGEST_PERIOD_S = 3600.0
"""Where there was nothing of that kind to tell for so long, its lines come as quickly as at first."""

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

MEANINGS = {
    "not sealed": "somebody without the cluster's keyring",
    "sealed with an unknown key": "somebody whose key is not ours",
    "of another cluster with this key, or forged": "somebody with another cluster name, or without our key",
    "stream out of time": "a peer opened a stream and did not say or take all in the time it has",
}
"""What is behind a reason that says little to those who did not write this."""

_log = logging.getLogger(__name__)


@attrs.define
class _Kind:
    """What is kept of one kind of drops."""

    told: int = 0
    silent_until: float = -math.inf
    period: float = PERIOD_S


class DropLog:
    """Writes the drops of one node into the log."""

    def __init__(self, node_name: str, drops: Drops) -> None:
        self._node_name = node_name
        self._drops = drops
        self._kinds: dict[str, _Kind] = {}
        self._told_in_all = 0
        self._hosts_told: set[str] = set()

    def look(self, now: float) -> None:
        """Write what is new, if its time has come. Costs next to nothing where there is nothing."""
        if self._drops.total == self._told_in_all:
            return
        for reason, count in self._drops.counts.items():
            kind = self._kinds.setdefault(reason, _Kind())
            new = count - kind.told
            if new and now >= kind.silent_until:
                quiet = now - kind.silent_until >= LONGEST_PERIOD_S
                longest = PERIOD_S if reason == OTHER_CLUSTER else LONGEST_PERIOD_S
                kind.period = PERIOD_S if quiet else min(2 * kind.period, longest)
                kind.told, kind.silent_until = count, now + kind.period
                self._told_in_all += new
                self._write(reason, new)

    def _write(self, reason: str, count: int) -> None:
        if reason == OTHER_CLUSTER:
            self._write_of_other_cluster()
            return
        level = logging.INFO if reason in ROUTINE else logging.WARNING
        source = self._drops.last_source[reason]
        where = "" if source is None else f", last from {source}"
        meaning = f" ({MEANINGS[reason]})" if reason in MEANINGS else ""
        _log.log(level, "%r: dropped %d: %s%s%s", self._node_name, count, reason, meaning, where)

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
