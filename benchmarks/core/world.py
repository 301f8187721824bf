"""A simulated cluster at rest, in which one update or crash at a time is followed: who learnt it when, from whom."""

from __future__ import annotations

import math
from collections.abc import Callable

import attrs

from benchmarks.analysis.samples import Number
from benchmarks.core.ratios import EXPERIMENT
from benchmarks.environment.measuring import MeasurementFailed
from gossip.core.config import Config
from gossip.core.events import EventKind, MembershipEvent
from gossip.core.support.address import Address
from gossip.core.wire import Codec
from gossip.core.wire.messages import Ping
from sims.world.latency import Constant, Latency
from sims.world.links import LAN_LATENCY, Link
from sims.world.node import SimulatedNode
from sims.world.observer import Observer
from sims.world.randomness import derived_random
from sims.world.simulation import Simulation

EQUAL_DELAYS = Constant(LAN_LATENCY.median)

PHASES = 2
"""Intervals over which nodes start and crashes happen. A node asks its neighbour and a random member in turn."""

SETTLE_S = 5.0
"""Time to measure round trips, after all nodes know each other."""

PAUSE_INTERVALS = (1.0, 2.0)
"""Between two updates: budgets for pushing fill up again, and the next update meets rounds at any phase."""

UPDATE_LIMIT_S = 30.0
CRASH_LIMIT_S = 60.0
REJOIN_LIMIT_S = 120.0
LOOK_EVERY_S = 0.25


@attrs.define
class UpdateSeen:
    """How an update spreads, by the address of each node that learns of it."""

    member_id: int
    began: float
    hops: dict[Address, int]
    last: float = 0.0
    """The last time so far at which a node heard of it for the first time."""


@attrs.define
class CrashSeen:
    """How a crash becomes known."""

    member_id: int
    address: Address
    began: float
    asked: float | None = None
    suspected: float | None = None
    died: dict[Address, float] = attrs.Factory(dict)


class Witness(Observer):
    """Follows one update or crash at a time."""

    def __init__(self, cluster: str) -> None:
        self._codec = Codec(cluster)
        self.update: UpdateSeen | None = None
        self.crash: CrashSeen | None = None

    def happened(self, node: SimulatedNode, event: MembershipEvent, cause: Address | None) -> None:
        """A node learnt something: one hop more than the node that told it."""
        update, crash = self.update, self.crash
        if update is not None and event.kind is EventKind.UPDATED and event.member.id == update.member_id:
            if cause is not None and node.address not in update.hops:
                update.hops[node.address] = update.hops[cause] + 1
                update.last = self.sim.now
        elif crash is not None and event.member.id == crash.member_id:
            if event.kind is EventKind.SUSPECTED and crash.suspected is None:
                crash.suspected = self.sim.now
            elif event.kind is EventKind.DIED:
                crash.died.setdefault(node.address, self.sim.now)

    def sent(self, node: SimulatedNode, data: bytes, destination: Address, arrivals: list[tuple[float, bytes]],
             lost_to: str) -> None:  # fmt: skip
        """A node may be the first to ask the dead one."""
        crash = self.crash
        if crash is None or crash.asked is not None or destination != crash.address:
            return
        if isinstance(self._codec.decode(data).body, Ping):
            crash.asked = self.sim.now


class World:
    """A cluster at rest, whose members know each other."""

    def __init__(self, nodes: int, seed: int, config: Config) -> None:
        self._config = config
        self._witness = Witness(config.cluster)
        self._random = derived_random(seed, EXPERIMENT, nodes)
        self._sim = Simulation(
            seed=seed, config=config, link=Link(latency=EQUAL_DELAYS), observers=[self._witness], keeps_events=False
        )
        for number in range(nodes):
            self._sim.at(self._random.random() * PHASES * config.probe_interval, self._start, f"n{number}")
        self._sim.run(PHASES * config.probe_interval)
        self._sim.acquaint()
        self._sim.run(SETTLE_S)

    def update(self, latency: Latency, round_s: float) -> dict[str, Number]:
        """Change one member, and tell how all others learnt of it."""
        sim = self._sim
        sim.network.link = attrs.evolve(sim.network.link, latency=latency)
        low, high = PAUSE_INTERVALS
        sim.run(self._config.probe_interval * (low + (high - low) * self._random.random()))
        node = self._any_node()
        seen = self._witness.update = UpdateSeen(node.id, sim.now, {node.address: 0})
        sim.update(node.key, {"changed": f"{sim.now:.6f}"})
        self._wait(lambda: len(seen.hops) == len(sim.nodes), UPDATE_LIMIT_S)
        self._witness.update = None
        hops = list(seen.hops.values())
        missing = len(sim.nodes) - len(hops)
        return {
            "last_hops": None if missing else max(hops),
            "mean_hops": sum(hops) / max(1, len(hops) - 1),
            "last_rounds": None if missing else (seen.last - seen.began) / round_s,
            "missing_nodes": missing,
        }

    def crash(self) -> dict[str, Number]:
        """End one process, and tell how all others learnt of it. Then it starts again."""
        sim, interval = self._sim, self._config.probe_interval
        sim.run(PHASES * interval * self._random.random())
        node = self._any_node()
        seen = self._witness.crash = CrashSeen(node.id, node.address, sim.now)
        sim.crash(node.key)
        self._wait(lambda: len(seen.died) == len(sim.nodes) - 1, CRASH_LIMIT_S)
        self._witness.crash = None
        missing = len(sim.nodes) - 1 - len(seen.died)
        asked = None if seen.asked is None else (seen.asked - seen.began) / interval
        last = None if missing else (max(seen.died.values()) - seen.began) / interval
        numbers: dict[str, Number] = {
            "asked_intervals": asked,
            "asked_whole_intervals": None if asked is None else max(1, math.ceil(asked)),
            "suspected_intervals": None if seen.suspected is None else (seen.suspected - seen.began) / interval,
            "first_dead_intervals": (min(seen.died.values()) - seen.began) / interval if seen.died else None,
            "last_dead_intervals": last,
            "missing_nodes": missing,
        }
        self._start_again(node.key)
        return numbers

    def _start(self, key: str) -> None:
        self._sim.start(key)

    def _start_again(self, key: str) -> None:
        """Start a node again, so that all crashes are measured among as many nodes."""
        sim = self._sim
        seed = next(each.key for each in iter(self._any_node, None) if each.running)
        sim.start(key, seeds=(seed,))
        if not self._wait(sim.all_agree, REJOIN_LIMIT_S):
            raise MeasurementFailed(f"{len(sim.nodes)} simulated nodes did not agree after one had started again")

    def _any_node(self) -> SimulatedNode:
        nodes = list(self._sim.nodes.values())
        return nodes[int(self._random.random() * len(nodes))]

    def _wait(self, condition: Callable[[], bool], within_s: float) -> bool:
        """Let time pass until a condition holds. The condition may be expensive, so it is checked only now and then."""
        end = self._sim.now + within_s
        while not (holds := condition()) and self._sim.now < end:
            self._sim.run(LOOK_EVERY_S)
        return holds
