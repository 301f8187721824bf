"""Forgeries: well-formed lies about members, told by a sender that belongs to no cluster."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from typing import Any

import attrs

from gossip.core.state.heartbeat import MAX_STEPS_AHEAD
from gossip.core.support.address import Address
from gossip.core.wire import Codec, encode_fact
from gossip.core.wire.messages import ANONYMOUS, AliveFact, DeadFact, Fact, LeftFact, News, SuspectFact

from ..world import Simulation
from .base import Naming, Step, as_keys
from .life import OnOneNode

FORGER = Address("192.0.2.66", 7946)
"""Where forged datagrams come from. No process runs there."""

FORGERIES: dict[str, Callable[[int, int], Fact]] = {
    "suspicion": lambda member, counter: SuspectFact(member, counter + 5, (), counter),
    "death": lambda member, counter: DeadFact(member, counter + 5, (), counter),
    "distant death": lambda member, counter: DeadFact(member, counter + MAX_STEPS_AHEAD - 600, (), counter),
    "farewell": LeftFact,
    "counter": lambda member, counter: AliveFact(member, counter + MAX_STEPS_AHEAD - 600),
    "absurd counter": lambda member, counter: AliveFact(member, counter + 1000 * MAX_STEPS_AHEAD),
}
"""By kind, the lie about the member with this id, whose counter has this value."""


def _known_kind(_: Any, attribute: attrs.Attribute[Any], value: str) -> None:
    if value not in FORGERIES:
        raise ValueError(f"{attribute.name} must be one of {', '.join(FORGERIES)}, not {value!r}")


@attrs.frozen(kw_only=True)
class Forge(OnOneNode):
    """Some members are told a well-formed lie about another."""

    kind: str = attrs.field(validator=_known_kind)
    """What is said; one of :data:`FORGERIES`."""
    told: tuple[str, ...] = attrs.field(converter=as_keys)
    """Keys of the nodes that get the lie."""

    @property
    def impairs(self) -> tuple[str, ...]:
        """The node that the lie is about."""
        return (self.node,)

    def without(self, keys: Collection[str]) -> Step | None:
        """The same lie to the nodes that are left."""
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

    def describe(self, steps: Sequence[Any], named: Naming) -> str:
        """How many lies were told."""
        return f"{'a lie was' if len(steps) == 1 else f'{len(steps)} lies were'} told"
