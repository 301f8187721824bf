"""What an invariant is, and which members are checked next."""

from __future__ import annotations

from collections.abc import Iterator

from ..world import Observer, SimulatedNode

ENTRIES_PER_CHECK = 500
"""Entries of views that a check goes through each virtual second."""


class Violated(Exception):
    """An invariant does not hold. The exception has its name; its text says what was found."""

    def __init__(self, invariant: str, text: str) -> None:
        super().__init__(text)
        self.invariant = invariant


class Invariant(Observer):
    """Something that must always hold."""

    def violated(self, text: str) -> Violated:
        """The exception to raise."""
        return Violated(type(self).__name__, text)

    def check(self, node: SimulatedNode) -> None:
        """Check what one member holds."""


class Rounds:
    """Decides which members are checked next."""

    def __init__(self, invariants: list[Invariant]) -> None:
        self._invariants = [each for each in invariants if type(each).check is not Invariant.check]
        self._turn: Iterator[SimulatedNode] = iter(())

    def check_some(self, running: list[SimulatedNode], most: int = ENTRIES_PER_CHECK) -> None:
        """Check members in turn, until so many entries have been checked.

        :raises Violated: if an invariant does not hold.
        """
        seen: set[int] = set()
        while most > 0:
            node = next(self._turn, None)
            if node is None:
                if not running:
                    return
                self._turn = iter(running)
                continue
            if id(node) in seen:
                return
            seen.add(id(node))
            if node.running:
                for invariant in self._invariants:
                    invariant.check(node)
            most -= node.protocol.load.members
