"""Seeking: whom a node looks for that has not found its cluster yet, and what is known of why it does not find it.

This module puts both into words. When they are told, and as a warning or not, is decided in
:mod:`gossip.core.presence.standing`; who is asked when, in :mod:`gossip.core.presence.joining`.
"""

from __future__ import annotations

from collections.abc import Sequence

from gossip.core.presence.joining import Joining
from gossip.core.state.local import LocalMember
from gossip.core.state.view import View
from gossip.core.support.address import Address

_SHOWN = 3
"""Addresses that a sentence names; of more it gives the number."""


class Seeking:
    """What one node knows of its own search."""

    def __init__(self, view: View, local: LocalMember, joining: Joining) -> None:
        self._view = view
        self._local = local
        self._joining = joining
        self._refused: set[Address] = set()
        self.is_anew = False
        """Whether it began when all others had been forgotten."""
        self.given: tuple[Address, ...] = ()
        """The seeds as they were given, names perhaps."""
        self.unresolved: tuple[Address, ...] = ()
        """Those of them whose names have no addresses so far."""

    @property
    def has_goal(self) -> bool:
        """Whether there is anybody else to look for."""
        return bool(self._joining.foreign_seeds or self.unresolved or self._view.others)

    def refused(self, destination: Address) -> None:
        """Take note that no process listens at an address. Of those that are no seeds, nothing is kept."""
        if destination in self._joining.seeds:
            self._refused = {each for each in self._refused if each in self._joining.seeds} | {destination}

    @property
    def goal(self) -> str:
        """Whom it looks for, as a sentence about the node."""
        return f"it {'remembers nobody else, and ' if self.is_anew else ''}looks for {self._whom()}"

    def _whom(self) -> str:
        own = self._local.entry.registers.record.address
        seeds = [each for each in self.given if each != own] or self._joining.foreign_seeds
        if seeds:
            return f"its cluster at {_listed(seeds)}"
        others = self._view.others
        return f"the {others} member{'s' * (others > 1)} it remembers" if others else "its cluster"

    def obstacles(self, is_silent: bool) -> dict[str, str]:
        """Why nobody is found, in words, by the kind of obstacle; empty as long as nothing is known.

        :param is_silent: whether answers would have come by now.
        """
        seeds = self._joining.foreign_seeds
        refused = [each for each in seeds if each in self._refused]
        silent = [each for each in seeds if each not in self._refused] if is_silent else []
        found = {}
        if self.unresolved:
            found["unresolved"] = f"no address is known of {_listed(self.unresolved)}"
        if refused:
            found["refused"] = f"no process listens {_where(refused, seeds)}"
        if silent:
            found["silent"] = f"nobody answers {_where(silent, seeds)}"
        elif is_silent and not found:
            found["silent"] = "nobody answers there" if self._view.others else "no address of a seed is known"
        return found


def _where(some: Sequence[Address], among: Sequence[Address]) -> str:
    return "there" if len(some) == len(among) else f"at {_listed(some)}"


def _listed(addresses: Sequence[Address]) -> str:
    shown = ", ".join(map(str, addresses[:_SHOWN]))
    more = len(addresses) - _SHOWN
    return f"{shown} and {more} more" if more > 0 else shown
