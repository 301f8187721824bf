"""Agreement as it comes and goes: when all members see exactly the members, and how big they saw the cluster.

Kept up to date with each change of a fingerprint, so that it costs next to nothing in a large run.
"""

from __future__ import annotations

from collections import Counter

from sims.node import SimulatedNode
from sims.observer import Observer


class Agreement(Observer):
    """Whether all agree, and since when."""

    def __init__(self) -> None:
        self.since: float | None = None
        """Virtual time since which all agree; None while they do not."""
        self.first: float | None = None
        """When all agreed for the first time."""
        self.sizes_seen: set[int] = set()
        """Cluster sizes that anybody saw before that."""
        self._seen: dict[int, int] = {}
        self._views: dict[str, Counter[int]] = {}
        self._differ = False

    def start_over(self) -> None:
        """Forget what was seen while the first nodes were started one after the other."""
        self.since = self.first = None
        self.sizes_seen.clear()
        self._look()

    def started(self, node: SimulatedNode) -> None:
        """One more who has to be seen."""
        self.since = None

    def stopped(self, node: SimulatedNode) -> None:
        """One less who has to be seen."""
        self._forget(node)
        if not node.entry.registers.left:
            self.since = None
        self._look()

    def handled(self, node: SimulatedNode) -> None:
        """Its view may have changed."""
        fingerprint = node.protocol.fingerprint
        if self._seen.get(id(node)) == fingerprint and (self._differ or self.since is not None):
            return
        self._forget(node)
        if not node.is_member:
            self.since = None
        else:
            self._seen[id(node)] = fingerprint
            self._views.setdefault(node.cluster, Counter())[fingerprint] += 1
            if self.first is None:
                self.sizes_seen.add(node.protocol.alive)
        self._look()

    def _forget(self, node: SimulatedNode) -> None:
        before = self._seen.pop(id(node), None)
        if before is not None:
            views = self._views[node.cluster]
            views[before] -= 1
            if not views[before]:
                del views[before]

    def _look(self) -> None:
        self._differ = any(len(views) > 1 for views in self._views.values())
        if self._differ:
            self.since = None
        elif self.since is None and self.sim.all_agree():
            self.since = self.sim.now
            if self.first is None:
                self.first = self.sim.now
