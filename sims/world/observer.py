"""Observers: measures, invariants, traces and everything else that watches a simulation. Watching changes nothing in a
run."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

from gossip.core.events import MembershipEvent
from gossip.core.support.address import Address

from .node import SimulatedNode

if TYPE_CHECKING:
    from .simulation import Simulation

HOOKS = (
    "started", "reborn", "acquainted", "stopped", "sent", "received", "happened", "handled", "changed", "framed",
    "noted",
)  # fmt: skip
"""The calls that a simulation makes to an observer. Calls that a class does not define cost nothing."""


class Observer:
    """The base class of observers. Override the calls of interest."""

    sim: Simulation

    def attach(self, sim: Simulation) -> None:
        """Take the simulation that it will watch, before anything happens in it."""
        self.sim = sim

    def started(self, node: SimulatedNode) -> None:
        """A process has started. It has not done anything yet."""

    def reborn(self, node: SimulatedNode) -> None:
        """A process has begun a new generation of itself, with a new id."""

    def acquainted(self, node: SimulatedNode) -> None:
        """A process was given members that it knows from before. It tells no events about them."""

    def stopped(self, node: SimulatedNode) -> None:
        """A process has ended, with or without a farewell."""

    def sent(self, node: SimulatedNode, data: bytes, destination: Address, arrivals: list[tuple[float, bytes]],
             lost_to: str) -> None:  # fmt: skip
        """A node handed a datagram to the network.

        :param arrivals: the copies that arrive, each with its delay in seconds.
        :param lost_to: why no copy arrives, if none does.
        """

    def received(self, node: SimulatedNode, data: bytes, source: Address) -> None:
        """A process is about to handle a datagram."""

    def happened(self, node: SimulatedNode, event: MembershipEvent, cause: Address | None) -> None:
        """The core of a node told an event.

        :param cause: the address whose message caused it; None if the node found it out by itself, or its own program
            did it.
        """

    def handled(self, node: SimulatedNode) -> None:
        """A node has handled what it was given, and everything that it wants sent is under way."""

    def changed(self, node: SimulatedNode) -> None:
        """The fingerprint of a node's view has changed, or the node has left."""

    def framed(self, node: SimulatedNode, peer: SimulatedNode, data: bytes, delay: float | None) -> None:
        """A node handed a frame to a stream. It arrives after ``delay`` seconds; None means never."""

    def noted(self, text: str) -> None:
        """Something was done to the world from outside: a fault, an update, the end of a fault."""


class Watchers:
    """The observers of one simulation, and the calls that each of them defines."""

    def __init__(self, observers: Iterable[Observer]) -> None:
        self._observers = tuple(observers)
        self._calls: dict[str, list[Callable[..., None]]] = {hook: [] for hook in HOOKS}
        for observer in self._observers:
            for hook, calls in self._calls.items():
                if getattr(type(observer), hook) is not getattr(Observer, hook):
                    calls.append(getattr(observer, hook))

    def attach(self, sim: Simulation) -> None:
        """Tell all of them which simulation they watch."""
        for observer in self._observers:
            observer.attach(sim)

    def of(self, hook: str) -> list[Callable[..., None]]:
        """The calls for one hook, in the order of the observers."""
        return self._calls[hook]

    def tell(self, hook: str, *what: object) -> None:
        """Make all calls for one hook."""
        for call in self._calls[hook]:
            call(*what)
