"""A program that follows the events has, at every moment, the members that the node has: nobody goes in silence."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable

import attrs
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gossip.core.config import Config
from gossip.core.errors import DisplacedError
from gossip.core.events import EventKind
from gossip.core.state.member import Status
from gossip.core.state.node_standing import Standing
from gossip.core.support.address import Address
from gossip.core.wire.messages import ANONYMOUS, AliveFact, DeadFact, Fact, LeftFact, SuspectFact
from sims.world import Observer, SimulatedNode
from sims.world.simulation import WALL_START_MS
from tests.core.mirrors import Mirror, in_order
from tests.core.test_conflicts import OTHER_MACHINE
from tests.core.worlds import STRANGER, World, cluster, crash_bound_s, forged, heal, isolate, presented, world

SMALL = Config.lan(max_members=5, forget_after=20.0)
"""A view that is full with four others, and forgets soon."""

IDS = st.integers(1, 7)

LATER = WALL_START_MS + 60_000
"""A generation that displaces one of a process that started with the world."""


@attrs.define
class Told:
    """One node of a world, and the mirror that its events make."""

    sim: World
    node: SimulatedNode
    mirror: Mirror

    @classmethod
    def alone(cls) -> Told:
        """A node that knows nobody."""
        sim = world(config=SMALL)
        node = sim.start("n0")
        return cls(sim, node, Mirror(node.protocol.members()))

    def check(self) -> None:
        """Compare, after whatever was done."""
        for event in self.node.events:
            self.mirror.take(event)
        self.node.events.clear()
        protocol = self.node.protocol
        assert self.mirror.members == in_order(protocol.told_members())
        if protocol.standing.standing not in (Standing.ISOLATED, Standing.DISPLACED):  # a displaced one may be cut off
            assert self.mirror.members == in_order(protocol.members())

    def hear(self, fact: Fact, sender: int) -> None:
        """Hand the node a fact, told by some member or by nobody."""
        self.sim.driver.deliver(forged(self.sim, fact, sender=sender), STRANGER, self.node.address)


def record(member_id: int, name: str, generation: int, version: int, heartbeat: int) -> Fact:
    return presented(member_id, name, generation, version, Address(f"192.0.2.{member_id}", 7946), {}, heartbeat)


FACTS: st.SearchStrategy[Fact] = st.one_of(
    st.builds(record, IDS, st.sampled_from(["a", "b", "c", "d", "e", "f"]), st.integers(1, 4), st.integers(1, 3),
              st.integers(0, 90)),
    st.builds(record, IDS, st.just("n0"), st.sampled_from([1, LATER, LATER + 1]), st.just(1), st.integers(0, 90)),
    st.builds(SuspectFact, IDS, st.integers(1, 90), st.just((1,)), st.just(0)),
    st.builds(DeadFact, IDS, st.integers(1, 90), st.just((1,)), st.just(0)),
    st.builds(AliveFact, IDS, st.integers(1, 200)),
    st.builds(LeftFact, IDS, st.integers(1, 200)),
)  # fmt: skip


def update(told: Told) -> None:
    """Change the node's own metadata, where it may."""
    try:
        told.sim.update("n0", {"at": str(told.sim.now)})
    except DisplacedError:
        assert told.node.protocol.standing.standing is Standing.DISPLACED


STEPS: st.SearchStrategy[Callable[[Told], None]] = st.one_of(
    st.builds(lambda fact, sender: lambda told: told.hear(fact, sender), FACTS, st.sampled_from([ANONYMOUS, 1, 2, 3])),
    st.builds(lambda seconds: lambda told: told.sim.run(seconds), st.sampled_from([0.05, 1.0, 7.0, 30.0])),
    st.just(update),
)


@settings(max_examples=150, deadline=None)
@given(st.lists(STEPS, max_size=25))
def test_a_mirror_that_events_make_equals_the_members_at_every_moment(steps: list[Callable[[Told], None]]) -> None:
    told = Told.alone()
    for step in steps:
        step(told)
        told.check()


class Mirrors(Observer):
    """Keeps a mirror for each process, and compares whenever it has told something."""

    def __init__(self) -> None:
        self._mirrors: dict[int, Mirror] = {}
        self.compared = 0
        self.told: defaultdict[tuple[int, str], list[tuple[str, Status]]] = defaultdict(list)
        """By id of the node and name of the member: the kinds of events, and what the member was said to be."""

    def started(self, node: SimulatedNode) -> None:
        """Begin with the node alone."""
        self._mirrors[id(node)] = Mirror(node.protocol.members())

    def handled(self, node: SimulatedNode) -> None:
        """Compare, if there is anything new."""
        if not node.events:
            return
        mirror = self._mirrors[id(node)]
        for event in node.events:
            mirror.take(event)
            self.told[node.id, event.member.name].append((event.kind.value, event.member.status))
        node.events.clear()
        self.compared += 1
        assert mirror.members == in_order(node.protocol.told_members()), f"{node.key} at {self.sim.now}"


@pytest.mark.parametrize("seed", range(3))
def test_mirrors_follow_restarts_conflicts_isolation_and_forgetting(seed: int) -> None:
    watcher = Mirrors()
    sim = World(seed=seed, config=Config.lan(forget_after=30.0), observers=[watcher])
    sim.start_many(6)
    sim.run(10)
    sim.crash("n1")
    sim.leave("n2")
    sim.run(1)
    sim.crash("n2")
    sim.start("n1", seeds=("n0",))
    sim.run(10)
    first = sim.nodes["n3"]
    sim.start("n3", seeds=("n0",), address=OTHER_MACHINE)
    sim.nodes["first"] = first
    isolate(sim, "n4")
    sim.run(30)
    sim.crash("n1")
    sim.crash("n3")
    sim.run(60)
    heal(sim)
    sim.run(60)
    assert first.protocol.local.status is Status.ALIVE, "it has its name again"
    assert watcher.compared > 50
    for node in sim.running:
        assert in_order(node.protocol.told_members()) == in_order(node.protocol.members())
        assert "n2" not in node.sees()


def test_a_member_that_is_forgotten_is_told_once_as_that() -> None:
    config = Config.lan(forget_after=60.0)
    sim = cluster(4, config=config)
    sim.crash("n2")
    sim.run(crash_bound_s(config) + 1.5 * config.forget_after)
    for node in sim.running:
        (forgotten,) = node.told("forgotten", "n2")
        assert forgotten.previous is Status.DEAD
        assert "n2" not in node.sees()


def test_a_newer_record_of_somebody_dead_is_told() -> None:
    told = Told.alone()
    told.hear(record(1, "a", 1, 1, 5), ANONYMOUS)
    told.hear(DeadFact(1, 9, (1,), 5), ANONYMOUS)
    told.sim.run(5)
    assert told.node.status_of("a") is Status.DEAD
    told.hear(record(1, "a", 1, 2, 5), ANONYMOUS)
    told.check()
    assert [member.version for member in told.mirror.members if member.name == "a"] == [2]


def test_who_came_and_went_while_nothing_was_told_is_told_as_both() -> None:
    watcher = Mirrors()
    sim = World(observers=[watcher])
    sim.start_many(5)
    sim.run(10)
    node = sim.nodes["n2"]
    isolate(sim, "n2")
    sim.run(10)
    sim.driver.deliver(forged(sim, record(77, "ghost", 1, 1, 5), LeftFact(77, 9)), STRANGER, node.address)
    heal(sim)
    sim.run(30)
    assert in_order(node.protocol.told_members()) == in_order(node.protocol.members())
    assert watcher.told[node.id, "ghost"] == [("joined", Status.ALIVE), ("left", Status.LEFT)]


def test_who_makes_room_for_another_is_told_as_forgotten() -> None:
    told = Told.alone()
    for number in (1, 2, 3, 4):
        told.hear(record(number, f"m{number}", 1, 1, 5), ANONYMOUS)
    told.hear(DeadFact(2, 9, (1,), 5), ANONYMOUS)
    told.sim.run(5)
    assert told.node.status_of("m2") is Status.DEAD
    told.node.events.clear()
    told.mirror = Mirror(told.node.protocol.members())
    told.hear(record(5, "m5", 1, 1, 5), ANONYMOUS)
    assert [(event.kind, event.member.name) for event in told.node.events] == [
        (EventKind.FORGOTTEN, "m2"),
        (EventKind.JOINED, "m5"),
    ]
    told.check()


def test_who_loses_its_id_to_another_member_is_told_as_forgotten() -> None:
    told = Told.alone()
    told.hear(record(1, "a", 1, 1, 5), ANONYMOUS)
    told.node.events.clear()
    told.mirror = Mirror(told.node.protocol.members())
    told.hear(record(1, "b", 2, 1, 5), ANONYMOUS)
    assert [(event.kind, event.member.name) for event in told.node.events] == [
        (EventKind.FORGOTTEN, "a"),
        (EventKind.JOINED, "b"),
    ]
    told.check()


def test_a_node_displaced_by_one_process_after_the_other_stays_among_its_own_members() -> None:
    told = Told.alone()
    for number in (1, 2):
        told.hear(record(number, "n0", LATER + number, 1, 5), ANONYMOUS)
        told.check()
        assert told.node.protocol.standing.standing is Standing.DISPLACED
        assert told.node.protocol.local in told.node.protocol.members()
        assert told.node.status_of("n0") is Status.ALIVE
