"""Faults of processes and their machines: pauses, blocked messages, slowness, clocks that run fast or slow."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import attrs

from ..world import Simulation, as_float, at_least
from .base import Lasting, Naming, duration, subject

MIN_RATE = 0.001
"""The slowest clock. A clock that stands still never reaches the time of a timer."""

ROUNDING_S = 1e-9
"""What adding and subtracting several delays may leave."""


@attrs.frozen(kw_only=True)
class OnOneProcess(Lasting):
    """A fault of one process that lasts for a while and impairs it meanwhile."""

    node: str

    @property
    def nodes(self) -> tuple[str, ...]:
        """The node it happens to."""
        return (self.node,)

    @property
    def impairs(self) -> tuple[str, ...]:
        """The node it happens to."""
        return (self.node,)


@attrs.frozen(kw_only=True)
class Pause(OnOneProcess):
    """Nothing runs on a node for a while: a garbage collection, SIGSTOP, a suspended machine."""

    def begin(self, sim: Simulation) -> None:
        """Pause it. The simulation ends the pause by itself."""
        if self.node in sim.nodes:
            sim.pause(self.node, self.for_s)

    def describe(self, steps: Sequence[Any], named: Naming) -> str:
        """Who was paused, and for how long."""
        who = subject(steps, named)
        return f"{who.text} {who.was} paused{duration(steps)}"


@attrs.frozen(kw_only=True)
class Block(OnOneProcess):
    """A node neither receives nor sends for a while, but its timers go on. What arrives and what it sends waits.

    Source: the anomaly of Lifeguard, Dadgar, Phillips and Currey (2017), section V.
    """

    def begin(self, sim: Simulation) -> None:
        """Block it. The simulation ends the block by itself."""
        if self.node in sim.nodes:
            sim.block(self.node, self.for_s)

    def describe(self, steps: Sequence[Any], named: Naming) -> str:
        """Who was blocked, and for how long."""
        who = subject(steps, named)
        return f"{who.text} {who.was} blocked{duration(steps)}"


@attrs.frozen(kw_only=True)
class Slow(OnOneProcess):
    """A node needs a long time to handle each datagram and timer."""

    handling_s: float = attrs.field(converter=as_float, validator=at_least(0))

    def begin(self, sim: Simulation) -> None:
        """Slow it down."""
        if self.node in sim.nodes:
            sim.slow_down(self.node, sim.nodes[self.node].slowness + self.handling_s)

    def end(self, sim: Simulation) -> None:
        """Make it as fast as before."""
        if self.node in sim.nodes:
            left = sim.nodes[self.node].slowness - self.handling_s
            sim.slow_down(self.node, left if left > ROUNDING_S else 0.0)

    def describe(self, steps: Sequence[Any], named: Naming) -> str:
        """Who was slow, and for how long."""
        who = subject(steps, named)
        return f"{who.text} {who.was} slow{duration(steps)}"


@attrs.frozen(kw_only=True)
class Drift(OnOneProcess):
    """A node's clock runs at another rate."""

    rate: float = attrs.field(converter=as_float, validator=at_least(MIN_RATE))
    """Seconds that the clock advances in one second."""

    def begin(self, sim: Simulation) -> None:
        """Change the rate."""
        if self.node in sim.nodes:
            sim.set_clock_rate(self.node, sim.nodes[self.node].clock.rate * self.rate)

    def end(self, sim: Simulation) -> None:
        """Restore the rate."""
        if self.node in sim.nodes:
            sim.set_clock_rate(self.node, sim.nodes[self.node].clock.rate / self.rate)

    def describe(self, steps: Sequence[Any], named: Naming) -> str:
        """Whose clock was wrong."""
        who = subject(steps, named)
        return f"the clock{'s' if who.is_plural else ''} of {who.text} ran wrong"
