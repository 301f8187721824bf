"""Agreement: whether all members see exactly the members, since when, and which sizes of the cluster they saw before.

It is updated at each change of a fingerprint, so it costs almost nothing in a large run.
"""

from __future__ import annotations

from collections import Counter

from ..world import Observer, SimulatedNode


class Agreement(Observer):
    """Whether all agree, and since when."""

    def __init__(self) -> None:
        self.since: float | None = None
        """Virtual time since when all have agreed; None while they do not."""
        self.first: float | None = None
        """When all agreed for the first time."""
        self.sizes_seen: set[int] = set()
        """Cluster sizes that any member saw before that."""
        self._seen: dict[int, int] = {}
        self._views: dict[str, Counter[int]] = {}
        self._wrong: set[tuple[str, int]] | None = None
        """Views that all members of a cluster shared and that were wrong, since the members last changed."""

    def start_over(self) -> None:
        """Begin anew after the first nodes have been started one by one."""
        self.first = None
        self.sizes_seen.clear()
        self._members_changed()

    def started(self, node: SimulatedNode) -> None:
        """One more node is a member that others must see."""
        self.since = None
        self._wrong = None

    def reborn(self, node: SimulatedNode) -> None:
        """A member must be seen under another id."""
        self._members_changed()

    def stopped(self, node: SimulatedNode) -> None:
        """One node less is a member."""
        if self._forget(node):
            self._members_changed()

    def changed(self, node: SimulatedNode) -> None:
        """A node's view has changed, or the node has left."""
        fingerprint = node.protocol.fingerprint
        if self._seen.get(id(node)) == fingerprint and node.is_member:
            return
        was_member = self._forget(node)
        if not node.is_member:
            if was_member:
                self._members_changed()
            return
        self._seen[id(node)] = fingerprint
        self._views.setdefault(node.cluster, Counter())[fingerprint] += 1
        if self.first is None:
            self.sizes_seen.add(node.protocol.alive)
        self._look()

    def _forget(self, node: SimulatedNode) -> bool:
        before = self._seen.pop(id(node), None)
        if before is None:
            return False
        views = self._views[node.cluster]
        views[before] -= 1
        if not views[before]:
            del views[before]
        return True

    def _members_changed(self) -> None:
        self.since = None
        self._wrong = None
        self._look()

    def _look(self) -> None:
        """Check whether all agree. It goes through all members only if their views are new and equal."""
        if any(len(views) > 1 for views in self._views.values()):
            self.since = None
            return
        views = {(cluster, view) for cluster, views in self._views.items() for view in views}
        if self.since is not None or views == self._wrong:
            return
        if self.sim.all_agree():
            self.since = self.sim.now
            if self.first is None:
                self.first = self.sim.now
        else:
            self._wrong = views
