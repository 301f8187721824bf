"""The life of processes: they start, crash, restart, leave, change their metadata and are told seeds."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import attrs

from ..world import Simulation
from .base import Naming, Step, as_keys, subject

FAREWELL_POLL_S = 0.05
"""How often a leaving process looks whether others have acknowledged its farewell."""


def _metadata(given: Mapping[str, str]) -> dict[str, str]:
    return dict(given)


@attrs.frozen(kw_only=True)
class Start(Step):
    """A process starts for the first time and joins the cluster of these seeds."""

    node: str
    seeds: tuple[str, ...] = attrs.field(default=("n0",), converter=as_keys)
    name: str | None = None
    """Name under which it joins, if that is not its key. Two processes can have one name this way."""

    @property
    def nodes(self) -> tuple[str, ...]:
        """Its seeds must be there; the step itself makes the node."""
        return self.seeds

    @property
    def impairs(self) -> tuple[str, ...]:
        """Neither of two processes that have one name works normally."""
        return () if self.name is None else (self.node, self.name)

    @property
    def category(self) -> str:
        """A process that takes the name of another is a rival."""
        return "Start" if self.name is None else "rival"

    def begin(self, sim: Simulation) -> None:
        """Start it, unless it runs."""
        if self.node not in sim.nodes or not sim.nodes[self.node].running:
            seeds = [seed for seed in self.seeds if seed in sim.nodes]
            config = sim.nodes[seeds[0]].config if seeds else None
            sim.start(self.node, seeds=seeds, name=self.name, config=config)

    def describe(self, steps: Sequence[Any], named: Naming) -> str:
        """Who joined, or whose name a second process took."""
        if self.name is None:
            return f"{subject(steps, named).text} joined"
        names = {step.name for step in steps}
        whose = self.name if len(names) == 1 else f"each of {len(names)} members"
        return f"a second process took the name of {whose}"


@attrs.frozen(kw_only=True)
class OnOneNode(Step):
    """A step that happens to one node."""

    node: str

    @property
    def nodes(self) -> tuple[str, ...]:
        """The node it happens to."""
        return (self.node,)


@attrs.frozen(kw_only=True)
class Crash(OnOneNode):
    """A process ends without a word."""

    refused: bool = False
    """Whether its machine goes on and refuses what is sent to the process; otherwise the machine ends as well."""

    def begin(self, sim: Simulation) -> None:
        """End it, if it runs."""
        if self.node in sim.nodes:
            sim.crash(self.node, refuses=self.refused)

    def describe(self, steps: Sequence[Any], named: Naming) -> str:
        """Who crashed."""
        return f"{subject(steps, named).text} crashed"


@attrs.frozen(kw_only=True)
class Restart(OnOneNode):
    """A process ends without a word, if it still runs, and starts again at once."""

    seeds: tuple[str, ...] = attrs.field(default=("n0", "n1"), converter=as_keys)
    moves: bool = False
    """Whether it comes back at another address."""

    def begin(self, sim: Simulation) -> None:
        """End it and start it."""
        if self.node in sim.nodes:
            sim.crash(self.node)
            seeds = [seed for seed in self.seeds if seed in sim.nodes]
            sim.start(self.node, seeds=seeds, address=sim.new_address(self.node) if self.moves else None)

    def describe(self, steps: Sequence[Any], named: Naming) -> str:
        """Who was restarted."""
        who = subject(steps, named)
        return f"{who.text} {who.was} restarted"


@attrs.frozen(kw_only=True)
class Leave(OnOneNode):
    """A process says farewell, and ends when others have acknowledged that or its timeout is over."""

    def begin(self, sim: Simulation) -> None:
        """Say farewell, if it is a member."""
        node = sim.nodes.get(self.node)
        if node is None or not node.is_member:
            return
        deadline = sim.now + sim.config.leave_timeout

        def go_when_heard() -> None:
            if sim.nodes[self.node] is not node or not node.running:
                return
            if node.protocol.farewell_done or sim.now >= deadline:
                sim.crash(self.node)
            else:
                sim.at(sim.now + FAREWELL_POLL_S, go_when_heard)

        sim.leave(self.node)
        go_when_heard()

    def describe(self, steps: Sequence[Any], named: Naming) -> str:
        """Who left."""
        return f"{subject(steps, named).text} left"


@attrs.frozen(kw_only=True)
class Update(OnOneNode):
    """A member replaces its metadata."""

    metadata: Mapping[str, str] = attrs.field(converter=_metadata)

    def begin(self, sim: Simulation) -> None:
        """Replace it, if the node is a member, runs and owns its name; the core refuses all other updates."""
        node = sim.nodes.get(self.node)
        if node is not None and node.is_member and not node.protocol.view.is_displaced:
            sim.update(self.node, self.metadata)

    def describe(self, steps: Sequence[Any], named: Naming) -> str:
        """Who changed its metadata."""
        who = subject(steps, named)
        return f"{who.text} changed {who.its} metadata"


@attrs.frozen(kw_only=True)
class Reseed(OnOneNode):
    """A running node gets other seeds."""

    seeds: tuple[str, ...] = attrs.field(converter=as_keys)

    @property
    def nodes(self) -> tuple[str, ...]:
        """The node and its seeds."""
        return (self.node, *self.seeds)

    def begin(self, sim: Simulation) -> None:
        """Give it the seeds, if it runs."""
        if self.node in sim.nodes and sim.nodes[self.node].running:
            sim.reseed(self.node, self.seeds)

    def describe(self, steps: Sequence[Any], named: Naming) -> str:
        """Who got other seeds."""
        return f"{subject(steps, named).text} got other seeds"
