"""A network in virtual time: the links between all addresses, and the rules that change or cut them.

Everything follows from one seed, so a run can be repeated to the last bit. Rules have names and apply in the order in
which they were added. The network computes the link between two addresses when it is first used, and again after a
change of the rules.
"""

from __future__ import annotations

from collections.abc import Callable

from gossip.core.support.address import Address

from .links import DirectedLink, Link, LinkChange
from .randomness import Draws, derived_seed, mixed_seed

Applies = Callable[[Address, Address], bool]
"""Whether a rule applies to the link from the first address to the second."""


class Network:
    """The links between all addresses."""

    def __init__(self, seed: int, link: Link | None = None) -> None:
        self._seed = seed
        self._link = link or Link()
        self._rules: dict[str, tuple[Applies, LinkChange | None]] = {}
        self._version = 0
        self._links: dict[Address, dict[Address, DirectedLink]] = {}
        self._seeds: dict[Address, int] = {}

    @property
    def link(self) -> Link:
        """The properties of every link that no rule applies to."""
        return self._link

    @link.setter
    def link(self, link: Link) -> None:
        self._link = link
        self._version += 1

    def rule(self, name: str, applies: Applies, change: LinkChange | None) -> None:
        """Change some links, or cut them if the change is None, until the rule is lifted."""
        self._rules[name] = (applies, change)
        self._version += 1

    def cut(self, name: str, applies: Applies) -> None:
        """Cut some links."""
        self.rule(name, applies, None)

    def lift(self, name: str | None = None) -> None:
        """Lift a rule, or all of them."""
        if name is None:
            self._rules.clear()
        else:
            self._rules.pop(name, None)
        self._version += 1

    def directed(self, source: Address, destination: Address) -> DirectedLink:
        """The link from one address to another."""
        links = self._links.get(source)
        if links is None:
            links = self._links[source] = {}
        link = links.get(destination)
        if link is None:
            draws = Draws(mixed_seed(self._seed_of(source), self._seed_of(destination)))
            link = links[destination] = DirectedLink(draws, self._resolved(source, destination), self._version)
        elif link.version != self._version:
            link.link, link.version = self._resolved(source, destination), self._version
        return link

    def connects(self, source: Address, destination: Address) -> bool:
        """Whether the link from one address to the other is open."""
        return self.directed(source, destination).link is not None

    def _seed_of(self, address: Address) -> int:
        """One of the two seeds that the random streams of an address's links follow from."""
        seed = self._seeds.get(address)
        if seed is None:
            seed = self._seeds[address] = derived_seed(self._seed, "link", address)
        return seed

    def _resolved(self, source: Address, destination: Address) -> Link | None:
        link = self._link
        for applies, change in self._rules.values():
            if applies(source, destination):
                if change is None:
                    return None
                link = change.applied_to(link)
        return link
