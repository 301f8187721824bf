"""Farewells: a member that counts as having acknowledged a farewell knows of it."""

from __future__ import annotations

from ..world import SimulatedNode
from .base import Invariant


class FarewellsAreAcknowledged(Invariant):
    """A farewell that counts as acknowledged was acknowledged by as many members as are required, or exist, and each of
    them that knew the member knows that it has left."""

    def __init__(self) -> None:
        self._leaving: dict[SimulatedNode, dict[str, SimulatedNode]] = {}

    def changed(self, node: SimulatedNode) -> None:
        """The node may have left."""
        if node.entry.registers.left and node not in self._leaving:
            self._leaving[node] = {each.name: each for each in self.sim.running if each is not node}
            self._look(node)

    def handled(self, node: SimulatedNode) -> None:
        """Its farewell may have been acknowledged."""
        if self._leaving and node in self._leaving:
            self._look(node)

    def _look(self, node: SimulatedNode) -> None:
        protocol = node.protocol
        if not protocol.farewell_done:
            return
        there, heard_by = self._leaving.pop(node), protocol.farewell_acknowledged_by
        self._leaving[node] = {}
        wanted = min(node.config.leave_acknowledgements, node.view.others)
        if len(heard_by) < wanted and there:
            raise self.violated(
                f"{node.key} counts its farewell as acknowledged by {wanted}, but {len(heard_by)} did so"
            )
        for name in heard_by:
            entry = there[name].view.get(node.id) if name in there and there[name].running else None
            if entry is not None and not entry.registers.left and node.id not in self.sim.tainted:
                raise self.violated(f"{name} acknowledged the farewell of {node.key}, but does not know that it left")
