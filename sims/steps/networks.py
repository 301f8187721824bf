"""Faults of the network: links that are cut, worse than usual, or hold datagrams back."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from typing import Any

import attrs

from gossip.core.support.address import Address

from ..words import counted
from ..world import Held, LinkChange, Simulation, as_float, at_least
from .base import Lasting, Naming, Step, as_keys, duration


@attrs.frozen(kw_only=True)
class Disturb(Lasting):
    """Some links are cut, or worse than usual, for a while."""

    sources: tuple[str, ...] = attrs.field(default=(), converter=as_keys)
    """Keys of the nodes where the links begin. Empty means all nodes that are not destinations, or all nodes."""
    destinations: tuple[str, ...] = attrs.field(default=(), converter=as_keys)
    """Keys of the nodes where the links end. Empty means all nodes that are not sources, or all nodes."""
    both_ways: bool = True
    change: LinkChange | None = None
    """What is different; None cuts the links."""

    @property
    def impairs(self) -> tuple[str, ...]:
        """The named nodes, if no datagram gets through."""
        return (*self.sources, *self.destinations) if self.change is None or self.change.streams_only else ()

    @property
    def category(self) -> str:
        """Cut links, links that pass no datagrams, and bad links are told apart."""
        if self.change is None:
            return "cut"
        return "no datagrams" if self.change.streams_only else "worse"

    def without(self, keys: Collection[str]) -> Step | None:
        """The same between the nodes that are left."""
        sources = tuple(each for each in self.sources if each not in keys)
        destinations = tuple(each for each in self.destinations if each not in keys)
        if (self.sources and not sources) or (self.destinations and not destinations):
            return None
        return attrs.evolve(self, sources=sources, destinations=destinations)

    def begin(self, sim: Simulation) -> None:
        """Disturb the links."""
        sim.network.rule(self._rule_name, self._applies(sim), self.change)

    def end(self, sim: Simulation) -> None:
        """Restore the links."""
        sim.network.lift(self._rule_name)

    def describe(self, steps: Sequence[Any], named: Naming) -> str:
        """Who was cut off from whom, or whose links were bad."""
        if self.category == "cut":
            return self._cut_in_words(steps, named) + duration(steps)
        if self.category == "no datagrams":
            return f"only streams passed in {counted(len(steps), 'place')}{duration(steps)}"
        return f"the connections of {_whose(steps, named)} were worse than usual{duration(steps)}"

    def _cut_in_words(self, steps: Sequence[Any], named: Naming) -> str:
        if len(steps) > 1:
            return f"connections were cut {len(steps)} times,"
        if self.sources and self.destinations:
            sources, destinations = named(self.sources), named(self.destinations)
            if self.both_ways:
                return f"{sources.text} and {destinations.text} could not reach each other"
            return f"{destinations.text} heard nothing of {sources.text}"
        if not self.sources and not self.destinations:
            return "all connections were cut"
        who = named(self.sources or self.destinations)
        if self.both_ways:
            return f"{who.text} {who.was} cut off from all others"
        return f"{who.text} heard nothing" if self.destinations else f"nobody heard {who.text}"

    @property
    def _rule_name(self) -> str:
        return repr(self)

    def _applies(self, sim: Simulation) -> Callable[[Address, Address], bool]:
        sources, destinations = frozenset(self.sources), frozenset(self.destinations)

        def key_at(address: Address) -> str:
            node = sim.node_at(address)
            return "" if node is None else node.key

        def leads(one: str, other: str) -> bool:
            begins = one in sources if sources else one not in destinations or not destinations
            ends = other in destinations if destinations else other not in sources or not sources
            return begins and ends

        def applies(source: Address, destination: Address) -> bool:
            one, other = key_at(source), key_at(destination)
            return leads(one, other) or (self.both_ways and leads(other, one))

        return applies


@attrs.frozen(kw_only=True)
class Hold(Disturb):
    """Some links hold datagrams back, and release them one by one when the step ends."""

    spacing_s: float = attrs.field(default=0.1, converter=as_float, validator=at_least(0))

    @property
    def impairs(self) -> tuple[str, ...]:
        """The nodes whose datagrams wait."""
        return self.sources

    @property
    def category(self) -> str:
        """All steps that hold datagrams back are one category."""
        return "Hold"

    def begin(self, sim: Simulation) -> None:
        """Hold back everything sent from now on."""
        change = LinkChange(held=Held(until=self.until, spacing=self.spacing_s))
        sim.network.rule(self._rule_name, self._applies(sim), change)

    def describe(self, steps: Sequence[Any], named: Naming) -> str:
        """Whose datagrams were held back."""
        return f"the datagrams of {_whose(steps, named)} were held back{duration(steps)}"


def _whose(steps: Sequence[Disturb], named: Naming) -> str:
    """The nodes at either end of the links; ``all`` if some step names none."""
    if not all(step.sources or step.destinations for step in steps):
        return "all"
    return named({key for step in steps for key in (*step.sources, *step.destinations)}).text
