"""Seeking: what a node that has not found its cluster yet looks for, and what it knows about why it does not find it.

This module puts both into words. :mod:`gossip.core.presence.standing` decides when to report them, and whether as a
warning. :mod:`gossip.core.presence.joining` decides whom to ask, and when.
"""

from __future__ import annotations

from collections.abc import Sequence

from gossip.core.presence.joining import Joining
from gossip.core.state.local import LocalMember
from gossip.core.state.view import View
from gossip.core.support.address import Address

_SHOWN = 3
"""Addresses that a sentence names; it gives only the number of the others."""

_DAY_MS = 86_400_000
_NOT_ACCEPTED = "others answer, but do not accept it as a member"


class Seeking:
    """What one node knows about its own search."""

    def __init__(self, view: View, local: LocalMember, joining: Joining) -> None:
        self._view = view
        self._local = local
        self._joining = joining
        self._refused: set[Address] = set()
        self.is_anew = False
        """Whether the search began because this node had forgotten all others."""
        self.given: tuple[Address, ...] = ()
        """The seeds as the program gave them, perhaps names."""
        self.unresolved: tuple[Address, ...] = ()
        """The seeds whose names have no address so far."""

    @property
    def has_goal(self) -> bool:
        """Whether there is anybody else to look for."""
        return bool(self._joining.foreign_seeds or self.unresolved or self._view.others)

    def refused(self, destination: Address) -> None:
        """Take note that no process listens at an address; ignored if the address is no seed."""
        if destination in self._joining.seeds:
            self._refused = {each for each in self._refused if each in self._joining.seeds} | {destination}

    @property
    def goal(self) -> str:
        """What this node looks for, as a sentence about the node."""
        return f"it {'remembers nobody else, and ' if self.is_anew else ''}looks for {self._whom()}"

    def _whom(self) -> str:
        own = self._local.entry.registers.record.address
        seeds = [each for each in self.given if each != own] or self._joining.foreign_seeds
        if seeds:
            return f"its cluster at {_listed(seeds)}"
        others = self._view.others
        return f"the {others} member{'s' * (others > 1)} it remembers" if others else "its cluster"

    def obstacles(self, is_silent: bool) -> dict[str, str]:
        """Why the search fails, in words, by the kind of obstacle; empty while this node knows no reason.

        :param is_silent: whether answers would have come by now.
        """
        seeds = self._joining.foreign_seeds
        refused = [each for each in seeds if each in self._refused]
        silent = [each for each in seeds if each not in self._refused] if is_silent else []
        found = {}
        if self.unresolved:
            found["unresolved"] = f"no address is known for {_listed(self.unresolved)}"
        if refused:
            found["refused"] = f"no process listens {_where(refused, seeds)}"
        if silent:
            found["silent"] = f"nobody answers {_where(silent, seeds)}"
        elif is_silent and not found:
            found["silent"] = "nobody answers there" if self._view.others else "no address is known for any seed"
        return found

    def rejection(self, is_unknown: bool, now: float) -> dict[str, str]:
        """Why the nodes that answer are of no use, by the kind of reason: they do not accept this node, or it refuses
        them. Empty if this node does not know.

        :param is_unknown: whether an answer has lately shown that its sender does not know this node.
        """
        dispute = self._local.wall.dispute(self._local.entry.identity.generation, now)
        if dispute is not None and (dispute.refuses_us or dispute.address in self._joining.seeds):
            days, where = dispute.ahead_ms // _DAY_MS, dispute.address
            if dispute.refuses_us:
                clocks = f"it started {days} days ahead of the clock at {where}; correct the clock that is wrong"
                return {"clock ahead": f"{_NOT_ACCEPTED}: {clocks}"}
            clocks = f"{where} started {days} days ahead of the clock here; correct the clock that is wrong"
            return {"clock behind": f"it refuses the nodes that answer: {clocks}"}
        return {"unknown": f"{_NOT_ACCEPTED}; their logs say why"} if is_unknown else {}


def _where(some: Sequence[Address], among: Sequence[Address]) -> str:
    return "there" if len(some) == len(among) else f"at {_listed(some)}"


def _listed(addresses: Sequence[Address]) -> str:
    shown = ", ".join(map(str, addresses[:_SHOWN]))
    more = len(addresses) - _SHOWN
    return f"{shown} and {more} more" if more > 0 else shown
