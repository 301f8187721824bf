"""Lines about what a node drops: one for each reason; the longer the drops go on, the rarer the lines.

Messages of another cluster get one line for each host that sends them, because they are nobody's fault and may go on
for long. The core and the streams count what they drop in :class:`gossip.core.support.drops.Drops`; this module reads
the counts. A line contains a reason, which is a text of this project, an address from the operating system, and the
number of drops since the last line about this reason. No part of it comes from a peer.
"""

from __future__ import annotations

from gossip.backoff import Backoff
from gossip.core.support.drop_reasons import Drop
from gossip.core.support.drops import Drops
from gossip.telemetry.node_log import NodeLog

PERIOD_S = 1.0
"""Seconds between the first two lines about one reason. The pause doubles with each line, up to the next constant."""

LONGEST_PERIOD_S = 3600.0
"""The longest pause, in seconds. After so long without a drop for a reason, its lines come as quickly as at first."""

MAX_HOSTS_TOLD = 16
"""Most hosts of other clusters that the log names. There may be thousands."""


def _period(reason: Drop) -> Backoff:
    """The pauses between the lines about a reason."""
    longest_s = PERIOD_S if reason is Drop.OTHER_CLUSTER else LONGEST_PERIOD_S
    return Backoff(PERIOD_S, longest_s, calm_s=LONGEST_PERIOD_S)


class _Kind:
    """The drops for one reason."""

    def __init__(self, period: Backoff) -> None:
        self.period = period
        self.told = 0


class DropLog:
    """Writes the drops of one node to the log."""

    def __init__(self, node_name: str, drops: Drops) -> None:
        self._log = NodeLog(__name__, node_name)
        self._drops = drops
        self._kinds: dict[Drop, _Kind] = {}
        self._told_in_all = 0
        self._hosts_told: set[str] = set()

    def look(self, now: float) -> None:
        """Write what is new, if its time has come. Costs almost nothing if there is nothing."""
        if self._drops.total == self._told_in_all:
            return
        for reason, count in self._drops.counts.items():
            kind = self._kinds.get(reason) or self._kinds.setdefault(reason, _Kind(_period(reason)))
            new = count - kind.told
            if new and now >= kind.period.ends_at:
                kind.period.failed(now)
                kind.told = count
                self._told_in_all += new
                self._write(reason, new)

    def _write(self, reason: Drop, count: int) -> None:
        if reason is Drop.OTHER_CLUSTER:
            self._write_of_other_cluster()
            return
        source = self._drops.last_source[reason]
        where = "" if source is None else f", last from {source}"
        hint = f" ({reason.hint})" if reason.hint else ""
        self._log.log(reason.level, "dropped %d: %s%s%s", count, reason, hint, where)

    def _write_of_other_cluster(self) -> None:
        source = self._drops.last_source[Drop.OTHER_CLUSTER]
        if source is None or source.host in self._hosts_told or len(self._hosts_told) >= MAX_HOSTS_TOLD:
            return
        self._hosts_told.add(source.host)
        self._log.warning(
            "dropped messages of another cluster from %s; the log says so once for each host. If a member of this "
            "cluster runs there, give both the same cluster name (Config, --cluster). Otherwise, there is nothing to "
            "do: the sender has this address as a seed, or looks for a member that had the address before, for an hour "
            "at most",
            source,
        )
