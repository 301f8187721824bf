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
        self._seen: dict[int, tuple[str, int]] = {}
        self._views: Counter[tuple[str, int]] = Counter()

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
        self.since = None
        self._look()

    def handled(self, node: SimulatedNode) -> None:
        """Its view may have changed."""
        view = (node.cluster, node.protocol.fingerprint)
        if self._seen.get(id(node)) == view and (self.since is not None or self._differ()):
            return
        self._forget(node)
        if not node.is_member:
            self.since = None
        else:
            self._seen[id(node)] = view
            self._views[view] += 1
            if self.first is None:
                self.sizes_seen.add(node.protocol.alive)
        self._look()

    def _forget(self, node: SimulatedNode) -> None:
        before = self._seen.pop(id(node), None)
        if before is not None:
            self._views[before] -= 1
            if not self._views[before]:
                del self._views[before]

    def _differ(self) -> bool:
        """Whether there are two views of one cluster."""
        return len(self._views) > 1 and len(self._views) > len({cluster for cluster, _ in self._views})

    def _look(self) -> None:
        if self._differ():
            self.since = None
        elif self.since is None and self.sim.all_agree():
            self.since = self.sim.now
            if self.first is None:
                self.first = self.sim.now
