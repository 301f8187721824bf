"""Steps: what is done to a simulated world from outside, as data that can be stored, dropped and replayed.

A step names nodes by their keys, or, until its plan is resolved, by words that stand for several
(:mod:`selection`). One that lasts undoes itself at its end, so that leaving out any step of a
plan leaves a plan. Which nodes a step impairs is part of it: what others believe of those meanwhile, and what
those believe, is not held against the protocol.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from typing import Any

import attrs

from gossip.core.address import Address
from gossip.core.heartbeat import MAX_STEPS_AHEAD
from gossip.core.wire import Codec, encode_fact
from gossip.core.wire.messages import ANONYMOUS, AliveFact, DeadFact, Fact, LeftFact, News, SuspectFact

from .engine import Simulation
from .latency import as_float, at_least
from .links import Held, LinkChange

FAREWELL_POLL_S = 0.05
"""How often a leaving process looks whether its farewell has been acknowledged."""

MIN_RATE = 0.001
"""A clock that stands still never shows the time of a timer."""

ROUNDING_S = 1e-9
"""What may be left of several delays that were added and taken away again."""

FORGER = Address("192.0.2.66", 7946)
"""Where forged datagrams come from; nobody runs there."""


def _keys(names: Collection[str]) -> tuple[str, ...]:
    return (names,) if isinstance(names, str) else tuple(names)


def _metadata(given: Mapping[str, str]) -> dict[str, str]:
    return dict(given)


@attrs.frozen(kw_only=True)
class Step:
    """Something done at one moment."""

    at: float = attrs.field(converter=as_float, validator=at_least(0))
    """Virtual seconds since the beginning."""

    @property
    def until(self) -> float:
        """When it is over."""
        return self.at

    @property
    def nodes(self) -> tuple[str, ...]:
        """Keys of the nodes that it needs."""
        return ()

    @property
    def impairs(self) -> tuple[str, ...]:
        """Keys of the nodes that are not quite themselves while it lasts."""
        return ()

    def without(self, keys: Collection[str]) -> Step | None:
        """The step in a world that lacks these nodes; None if nothing is left of it."""
        return None if set(self.nodes) & set(keys) else self

    def begin(self, sim: Simulation) -> None:
        """Do it."""
        raise NotImplementedError

    def end(self, sim: Simulation) -> None:
        """Undo it, if it lasts."""


@attrs.frozen(kw_only=True)
class Start(Step):
    """A process starts for the first time and joins the cluster of these seeds."""

    node: str
    seeds: tuple[str, ...] = attrs.field(default=("n0",), converter=_keys)
    name: str | None = None
    """Name under which it joins, if that is not its key: for two processes with one name."""

    @property
    def nodes(self) -> tuple[str, ...]:
        """Its seeds must be there; the node itself is made by the step."""
        return self.seeds

    @property
    def impairs(self) -> tuple[str, ...]:
        """Where two processes bear one name, neither is quite itself."""
        return () if self.name is None else (self.node, self.name)

    def begin(self, sim: Simulation) -> None:
        """Start it, unless it runs."""
        if self.node not in sim.nodes or not sim.nodes[self.node].running:
            seeds = [seed for seed in self.seeds if seed in sim.nodes]
            config = sim.nodes[seeds[0]].config if seeds else None
            sim.start(self.node, seeds=seeds, name=self.name, config=config)


@attrs.frozen(kw_only=True)
class _OnOneNode(Step):
    node: str

    @property
    def nodes(self) -> tuple[str, ...]:
        """The node it happens to."""
        return (self.node,)


@attrs.frozen(kw_only=True)
class Crash(_OnOneNode):
    """A process ends without a word, and its machine with it or not."""

    refused: bool = False
    """Whether its machine goes on, and refuses what is sent to it."""

    def begin(self, sim: Simulation) -> None:
        """End it, if it runs."""
        if self.node in sim.nodes:
            sim.crash(self.node, refuses=self.refused)


@attrs.frozen(kw_only=True)
class Restart(_OnOneNode):
    """A process ends without a word, if it still runs, and is started again at once."""

    seeds: tuple[str, ...] = attrs.field(default=("n0", "n1"), converter=_keys)
    moves: bool = False
    """Whether it comes back at another address."""

    def begin(self, sim: Simulation) -> None:
        """End it and start it."""
        if self.node in sim.nodes:
            sim.crash(self.node)
            seeds = [seed for seed in self.seeds if seed in sim.nodes]
            sim.start(self.node, seeds=seeds, address=sim.new_address(self.node) if self.moves else None)


@attrs.frozen(kw_only=True)
class Leave(_OnOneNode):
    """A process says farewell, and ends when that is acknowledged or its patience is over."""

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


@attrs.frozen(kw_only=True)
class Update(_OnOneNode):
    """A member replaces its metadata."""

    metadata: Mapping[str, str] = attrs.field(converter=_metadata)

    def begin(self, sim: Simulation) -> None:
        """Replace it, if it is a member that runs and bears its name: one that does not is refused."""
        node = sim.nodes.get(self.node)
        if node is not None and node.is_member and not node.protocol.view.is_displaced:
            sim.update(self.node, self.metadata)


@attrs.frozen(kw_only=True)
class Reseed(_OnOneNode):
    """A running node is told other seeds."""

    seeds: tuple[str, ...] = attrs.field(converter=_keys)

    @property
    def nodes(self) -> tuple[str, ...]:
        """The node and its seeds."""
        return (self.node, *self.seeds)

    def begin(self, sim: Simulation) -> None:
        """Tell it."""
        if self.node in sim.nodes and sim.nodes[self.node].running:
            sim.reseed(self.node, self.seeds)


# --- what lasts


@attrs.frozen(kw_only=True)
class _Lasting(Step):
    for_s: float = attrs.field(converter=as_float, validator=at_least(0))
    """Virtual seconds that it lasts."""

    @property
    def until(self) -> float:
        """When it is over."""
        return self.at + self.for_s


@attrs.frozen(kw_only=True)
class _OnOneProcess(_Lasting):
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
class Pause(_OnOneProcess):
    """Nothing runs on a node for a while: a collection of garbage, SIGSTOP, a suspended machine."""

    def begin(self, sim: Simulation) -> None:
        """Pause it; the end is part of the pause."""
        if self.node in sim.nodes:
            sim.pause(self.node, self.for_s)


@attrs.frozen(kw_only=True)
class Block(_OnOneProcess):
    """A node can neither receive nor send for a while, and its timers go on: what arrives and what it sends waits.

    Source: the anomaly of Lifeguard, Dadgar, Phillips and Currey (2017), section V.
    """

    def begin(self, sim: Simulation) -> None:
        """Block it; the end is part of it."""
        if self.node in sim.nodes:
            sim.block(self.node, self.for_s)


@attrs.frozen(kw_only=True)
class Slow(_OnOneProcess):
    """Every datagram and timer takes a node a long time."""

    handling_s: float = attrs.field(converter=as_float, validator=at_least(0))

    def begin(self, sim: Simulation) -> None:
        """Slow it down."""
        if self.node in sim.nodes:
            sim.slow_down(self.node, sim.nodes[self.node].slowness + self.handling_s)

    def end(self, sim: Simulation) -> None:
        """Let it be as fast as before."""
        if self.node in sim.nodes:
            left = sim.nodes[self.node].slowness - self.handling_s
            sim.slow_down(self.node, left if left > ROUNDING_S else 0.0)


@attrs.frozen(kw_only=True)
class Drift(_OnOneProcess):
    """A node's clock runs at another rate."""

    rate: float = attrs.field(converter=as_float, validator=at_least(MIN_RATE))
    """Seconds that it shows in one second."""

    def begin(self, sim: Simulation) -> None:
        """Change the rate."""
        if self.node in sim.nodes:
            sim.set_clock_rate(self.node, sim.nodes[self.node].clock.rate * self.rate)

    def end(self, sim: Simulation) -> None:
        """Let it run as before."""
        if self.node in sim.nodes:
            sim.set_clock_rate(self.node, sim.nodes[self.node].clock.rate / self.rate)


@attrs.frozen(kw_only=True)
class Disturb(_Lasting):
    """Some ways are cut, or worse than usual, for a while."""

    sources: tuple[str, ...] = attrs.field(default=(), converter=_keys)
    """Keys of the nodes at whose end the ways begin; empty means all that are not destinations, or all."""
    destinations: tuple[str, ...] = attrs.field(default=(), converter=_keys)
    """Where they end; empty means all that are not sources, or all."""
    both_ways: bool = True
    change: LinkChange | None = None
    """What is different; None cuts the ways."""

    @property
    def impairs(self) -> tuple[str, ...]:
        """Those at the smaller named side of a cut, or at both where both are named."""
        return (*self.sources, *self.destinations) if self.change is None or self.change.streams_only else ()

    def without(self, keys: Collection[str]) -> Step | None:
        """The same between those that are left."""
        sources = tuple(each for each in self.sources if each not in keys)
        destinations = tuple(each for each in self.destinations if each not in keys)
        if (self.sources and not sources) or (self.destinations and not destinations):
            return None
        return attrs.evolve(self, sources=sources, destinations=destinations)

    def begin(self, sim: Simulation) -> None:
        """Let it begin."""
        sim.network.rule(self._rule_name, self._applies(sim), self.change)

    def end(self, sim: Simulation) -> None:
        """Mend it."""
        sim.network.lift(self._rule_name)

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
    """Datagrams on some ways are held back, and let go one by one when it ends."""

    spacing_s: float = attrs.field(default=0.1, converter=as_float, validator=at_least(0))

    @property
    def impairs(self) -> tuple[str, ...]:
        """Those whose datagrams are held back."""
        return self.sources

    def begin(self, sim: Simulation) -> None:
        """Hold back what is sent from now on."""
        change = LinkChange(held=Held(until=self.until, spacing=self.spacing_s))
        sim.network.rule(self._rule_name, self._applies(sim), change)


# --- forgeries


def _kind(_: Any, attribute: attrs.Attribute[Any], value: str) -> None:
    if value not in FORGERIES:
        raise ValueError(f"{attribute.name} must be one of {', '.join(FORGERIES)}, not {value!r}")


@attrs.frozen(kw_only=True)
class Forge(_OnOneNode):
    """A well-formed lie about a member is told to some others."""

    kind: str = attrs.field(validator=_kind)
    """What is said; one of :data:`FORGERIES`."""
    told: tuple[str, ...] = attrs.field(converter=_keys)
    """Keys of those who are told."""

    @property
    def impairs(self) -> tuple[str, ...]:
        """Of whom it is told."""
        return (self.node,)

    def without(self, keys: Collection[str]) -> Step | None:
        """The same lie to those that are left."""
        told = tuple(each for each in self.told if each not in keys)
        return attrs.evolve(self, told=told) if told and self.node not in keys else None

    def begin(self, sim: Simulation) -> None:
        """Tell it."""
        node = sim.nodes.get(self.node)
        if node is None:
            return
        sim.tainted.add(node.id)
        fact = FORGERIES[self.kind](node.id, node.protocol.heartbeat(node.local_time(sim.now)))
        codec = Codec(sim.config.cluster)
        data, _ = codec.encode(ANONYMOUS, 0, 0, News(), [encode_fact(fact)], sim.config.max_datagram)
        for key in self.told:
            if key in sim.nodes and sim.nodes[key].running:
                sim.inject(key, data, FORGER)


FORGERIES: dict[str, Callable[[int, int], Fact]] = {
    "suspicion": lambda member, counter: SuspectFact(member, counter + 5, (), counter),
    "death": lambda member, counter: DeadFact(member, counter + 5, (), counter),
    "distant death": lambda member, counter: DeadFact(member, counter + MAX_STEPS_AHEAD - 600, (), counter),
    "farewell": LeftFact,
    "counter": lambda member, counter: AliveFact(member, counter + MAX_STEPS_AHEAD - 600),
    "absurd counter": lambda member, counter: AliveFact(member, counter + 1000 * MAX_STEPS_AHEAD),
}
"""By kind, what is said of the member with this id, whose counter stands at this value."""

AnyStep = Start | Crash | Restart | Leave | Update | Reseed | Pause | Block | Slow | Drift | Disturb | Hold | Forge
"""Any of the steps."""
