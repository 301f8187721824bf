"""The truth about a run, which no member knows: who runs, under which identity, and who is impaired."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable

from ..steps import Step
from ..world import Observer, SimulatedNode


class Truth(Observer):
    """Who is who, and whose fault what they believe may be."""

    def __init__(self, steps: Iterable[Step], grace_s: float) -> None:
        """Know the plan's steps.

        :param grace_s: for how long after its end the consequences of a fault may still be felt.
        """
        self._grace_s = grace_s
        self._impaired: dict[str, list[tuple[float, float]]] = defaultdict(list)
        for step in steps:
            for key in step.impairs:
                self._impaired[key].append((step.at, step.until))
        self._bearers: dict[int, SimulatedNode] = {}

    def started(self, node: SimulatedNode) -> None:
        """Note under which id it runs."""
        self._note(node)

    def reborn(self, node: SimulatedNode) -> None:
        """Note its new id."""
        self._note(node)

    def member(self, member_id: int) -> SimulatedNode | None:
        """The node that runs under this id at present and has not said farewell."""
        node = self.bearer(member_id)
        return node if node is not None and node.is_member else None

    def bearer(self, member_id: int) -> SimulatedNode | None:
        """The node that runs, or last ran, under this id, if it has not begun another generation since."""
        node = self._bearers.get(member_id)
        return node if node is not None and node.id == member_id else None

    def is_impaired(self, key: str, now: float) -> bool:
        """Whether a fault of its own, or its network's, explains what this node does or is held to be."""
        return self.was_impaired(key, now, now)

    def was_impaired(self, key: str, since: float, until: float) -> bool:
        """Whether the same holds of any moment between the two."""
        return any(began <= until and since <= ended + self._grace_s for began, ended in self._impaired.get(key, ()))

    def _note(self, node: SimulatedNode) -> None:
        self._bearers[node.id] = node
