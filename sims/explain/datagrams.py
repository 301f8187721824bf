"""Datagrams to and from one member: what the network did with each. Their contents are not looked at."""

from __future__ import annotations

from collections import Counter, defaultdict, deque
from collections.abc import Callable, Iterable

import attrs

from gossip.core.support.address import Address

from ..world import SimulatedNode, Simulation

PROMPT_S = 0.05
"""A process that handles a datagram within this time of its arrival handles it at once."""

_LOST = {
    "loss": "lost",
    "burst": "lost in a burst",
    "cut": "lost to a cut",
    "mtu": "lost to the MTU",
    "queue": "lost to a full queue",
    "no datagrams": "lost as all datagrams are",
}


@attrs.define(eq=False)
class Datagram:
    """One datagram on its way."""

    at: float
    """Virtual time at which it was sent."""
    source: str
    """Key of the sender."""
    destination: str
    """Key of the node at its destination, or the address if there is none."""
    lost_to: str = ""
    """Why it did not arrive; empty if it did."""
    arrives: float = 0.0
    """Virtual time at which its first whole copy arrives."""
    is_damaged: bool = False
    handled: float | None = None
    """When the process at the other end read it; None if it never did."""

    def fate(self, has_ended: HasEnded) -> str:
        """What became of it, in words."""
        if self.lost_to:
            return _LOST.get(self.lost_to, f"lost ({self.lost_to})")
        if self.is_damaged:
            return "damaged on the way"
        if self.handled is None:
            return "arrived after the process had ended" if has_ended(self, self.arrives) else "never read"
        return "read too late" if self.handled - self.arrives > PROMPT_S else "arrived"


HasEnded = Callable[[Datagram, float], bool]
"""Whether the process at the destination of a datagram had ended by a virtual time, as far as that is of interest."""


class Datagrams:
    """Every datagram to and from the addresses of one member, in the order of sending."""

    def __init__(self) -> None:
        self.all: list[Datagram] = []
        self._under_way: dict[tuple[Address, Address, bytes], deque[Datagram]] = defaultdict(deque)

    def sent(self, sim: Simulation, source: SimulatedNode, data: bytes, destination: Address,
             arrivals: list[tuple[float, bytes]], lost_to: str) -> None:  # fmt: skip
        """Take down a datagram that was handed to the network, as an observer learns of it."""
        whole = [delay for delay, copy in arrivals if copy == data]
        datagram = Datagram(
            sim.now, source.key, sim.key_at(destination), "" if arrivals else lost_to,
            sim.now + min(whole, default=0.0), bool(arrivals) and not whole,
        )  # fmt: skip
        self.all.append(datagram)
        if arrivals:
            self._under_way[source.address, destination, data].append(datagram)

    def received(self, node: SimulatedNode, data: bytes, source: Address, now: float) -> None:
        """Take note that a process reads a datagram."""
        way = (source, node.address, data)
        if way in self._under_way:
            self._under_way[way].popleft().handled = now
            if not self._under_way[way]:
                del self._under_way[way]

    def between(self, since: float, until: float, *, source: str | None = None,
                destination: str | None = None) -> list[Datagram]:  # fmt: skip
        """Those sent from ``since`` to ``until``, both inclusive.

        :param source: only those of the node with this key.
        :param destination: only those to the node with this key.
        """
        return [
            each for each in self.all
            if since <= each.at <= until and source in (None, each.source)
            and destination in (None, each.destination)
        ]  # fmt: skip


def fates(datagrams: Iterable[Datagram], has_ended: HasEnded) -> str:
    """What became of some datagrams, in words, with their numbers; the most frequent fate first."""
    found = Counter(each.fate(has_ended) for each in datagrams)
    return ", ".join(f"{count} {what}" for what, count in found.most_common()) or "none"
