"""What can watch a simulation: measures, invariants, traces. Watching changes nothing of a run."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

from gossip.core.address import Address
from gossip.core.events import MembershipEvent

from .node import SimulatedNode

if TYPE_CHECKING:
    from .simulation import Simulation

HOOKS = (
    "started", "reborn", "acquainted", "stopped", "sent", "received", "happened", "handled", "changed", "framed",
    "noted",
)  # fmt: skip
"""The calls of an observer that a simulation makes; those that a class does not define cost nothing."""


class Observer:
    """Told of everything that goes on; override what is of interest."""

    sim: Simulation

    def attach(self, sim: Simulation) -> None:
        """The simulation that will be watched, before anything happens in it."""
        self.sim = sim

    def started(self, node: SimulatedNode) -> None:
        """A process begins; it has not done anything yet."""

    def reborn(self, node: SimulatedNode) -> None:
        """A process has begun a new generation of itself, with a new id."""

    def acquainted(self, node: SimulatedNode) -> None:
        """A process was given members that it knows from before; of these nothing is told."""

    def stopped(self, node: SimulatedNode) -> None:
        """A process has ended, with or without a farewell."""

    def sent(self, node: SimulatedNode, data: bytes, destination: Address, arrivals: list[tuple[float, bytes]],
             lost_to: str) -> None:  # fmt: skip
        """A datagram was handed to the network.

        :param arrivals: after how many seconds which copies of it arrive.
        :param lost_to: if none does, why.
        """

    def received(self, node: SimulatedNode, data: bytes, source: Address) -> None:
        """A process is about to handle a datagram."""

    def happened(self, node: SimulatedNode, event: MembershipEvent, cause: Address | None) -> None:
        """A process tells an event.

        :param cause: whose message told it; None if it found out by itself, or its own program made it happen.
        """

    def handled(self, node: SimulatedNode) -> None:
        """A process is done with what it was given, and all that it wants sent is under way."""

    def changed(self, node: SimulatedNode) -> None:
        """The fingerprint of its view is another one, or it has said farewell."""

    def framed(self, node: SimulatedNode, peer: SimulatedNode, data: bytes, delay: float | None) -> None:
        """A frame was handed to a stream, where it arrives after ``delay`` seconds, or never."""

    def noted(self, text: str) -> None:
        """Something was done to the world from outside: a fault, an update, the end of a fault."""


class Watchers:
    """The observers of one simulation: which of them are called for what."""

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
