"""The truth about a run, which no member knows: which process runs under which id, and which nodes are impaired."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable

from ..steps import Step
from ..world import Observer, SimulatedNode


class Truth(Observer):
    """Knows the processes by their ids, and the faults that impair them."""

    def __init__(self, steps: Iterable[Step], grace_s: float) -> None:
        """Take the steps of a plan.

        :param grace_s: seconds after its end in which the consequences of a fault may still show.
        """
        self._grace_s = grace_s
        self._impaired: dict[str, list[tuple[float, float]]] = defaultdict(list)
        for step in steps:
            for key in step.impairs:
                self._impaired[key].append((step.at, step.until))
        self._holders: dict[int, SimulatedNode] = {}

    def started(self, node: SimulatedNode) -> None:
        """Note its id."""
        self._note(node)

    def reborn(self, node: SimulatedNode) -> None:
        """Note its new id."""
        self._note(node)

    def member(self, member_id: int) -> SimulatedNode | None:
        """The node that runs under this id now and has not left."""
        node = self.holder(member_id)
        return node if node is not None and node.is_member else None

    def holder(self, member_id: int) -> SimulatedNode | None:
        """The node that runs, or last ran, under this id, unless it has begun another generation since."""
        node = self._holders.get(member_id)
        return node if node is not None and node.id == member_id else None

    def is_impaired(self, key: str, now: float) -> bool:
        """Whether a fault of its own, or of its network, explains what this node does and what others believe of it."""
        return self.was_impaired(key, now, now)

    def was_impaired(self, key: str, since: float, until: float) -> bool:
        """Whether the same is true of any moment between the two."""
        return any(began <= until and since <= ended + self._grace_s for began, ended in self._impaired.get(key, ()))

    def _note(self, node: SimulatedNode) -> None:
        self._holders[node.id] = node
