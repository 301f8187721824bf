"""What a program may build on what it is told of the membership: the sentences of docs/howto/ownership.rst."""

from __future__ import annotations

import pytest

from gossip.core.config import Config
from gossip.core.events import EventKind, MembershipEvent
from gossip.core.state.member import Status
from gossip.core.wire.messages import DeadFact
from sims.world import SimulatedNode
from tests.core.worlds import (
    SEEDS,
    STRANGER,
    cluster,
    expect_agreement,
    heal,
    heal_bound_s,
    inject,
    isolate,
    presented,
)

STEP_S = 0.02


def gains(event: MembershipEvent) -> bool:
    """Whether the member has a share from this event on, by the rule in docs/howto/ownership.rst."""
    back = event.kind is EventKind.RESTORED and event.previous is Status.DEAD
    return event.kind is EventKind.JOINED or back


def leads(node: SimulatedNode, of: int) -> bool:
    """The rule that the guide warns of: the first of the living by name, wherever more than half are living."""
    living = sorted(name for name, status in node.sees().items() if status in ("alive", "suspect"))
    return len(living) > of / 2 and living[0] == node.name


@pytest.mark.parametrize("seed", SEEDS)
def test_counting_the_living_lets_two_leaders_run_side_by_side(seed: int) -> None:
    sim = cluster(5, seed=seed)
    isolate(sim, "n0", "n1")  # the leader is among the fewer
    with_two = 0
    for _ in range(round(15 / STEP_S)):
        sim.run(STEP_S)
        with_two += sum(leads(node, 5) for node in sim.running) > 1
    assert with_two * STEP_S > 0.1, f"seed {seed}: neither side waits for the other to find out"
    assert [node.name for node in sim.running if leads(node, 5)] == ["n2"], f"seed {seed}"


def owners_told(node: SimulatedNode) -> set[str]:
    """The members that have a share by the events so far, by the rule in docs/howto/ownership.rst."""
    owners = {node.name}
    for event in node.events:
        if gains(event):
            owners.add(event.member.name)
        elif event.kind in (EventKind.DIED, EventKind.LEFT):
            owners.discard(event.member.name)
    return owners


def living(node: SimulatedNode) -> set[str]:
    """The living members."""
    return {name for name, status in node.sees().items() if Status(status).is_living}


@pytest.mark.parametrize("seed", SEEDS)
def test_who_is_forgotten_while_a_node_is_isolated_owns_nothing_after_it(seed: int) -> None:
    sim = cluster(5, seed=seed, config=Config.lan(max_members=5))
    node = sim.nodes["n1"]
    isolate(sim, "n1")
    sim.run(40)
    before = set(node.sees())
    inject(sim, ["n1"], presented(77, "invented", 1, 1, STRANGER, {}, 5))  # for which the view has to make room
    (lost,) = before - set(node.sees())
    assert not node.told("died")
    sim.crash(lost)
    sim.run(40)
    heal(sim)
    expect_agreement(sim, within=heal_bound_s(sim.config), why=f"seed {seed}")
    sim.run(10)
    assert owners_told(node) == living(node), f"seed {seed}"
    (died,) = node.told("died", lost)
    (forgotten,) = node.told("forgotten", lost)
    assert (died.previous, forgotten.previous) == (Status.ALIVE, Status.DEAD), f"seed {seed}"
    assert died.time == forgotten.time


@pytest.mark.parametrize("seed", SEEDS)
def test_who_has_forgotten_everybody_was_told_that_they_died(seed: int) -> None:
    sim = cluster(6, seed=seed, config=Config.lan(forget_after=30.0))
    node = sim.nodes["n1"]
    isolate(sim, "n1")
    sim.run(20)
    assert len(owners_told(node)) == 6, "nothing is told of a guess"
    sim.run(60)
    assert owners_told(node) == living(node) == {"n1"}, f"seed {seed}"
    assert len(node.told("forgotten")) == 5
    heal(sim)
    sim.reseed("n1", ["n0"])
    expect_agreement(sim, within=heal_bound_s(sim.config), why=f"seed {seed}")
    sim.run(10)
    assert owners_told(node) == living(node), f"seed {seed}"


@pytest.mark.parametrize("seed", SEEDS)
def test_who_came_and_died_while_a_node_was_isolated_owns_nothing_after_it(seed: int) -> None:
    sim = cluster(6, seed=seed)
    node = sim.nodes["n1"]
    isolate(sim, "n1")
    sim.run(20)
    stranger = sim.start("n6", seeds=("n0",)).protocol.local
    sim.run(5)
    said = presented(stranger.id, "n6", stranger.generation, 1, stranger.address, {}, 5)
    inject(sim, ["n1"], said, DeadFact(stranger.id, 90, (1,), 5))
    sim.crash("n6")
    assert not node.told("joined", "n6")
    sim.run(5)
    heal(sim)
    expect_agreement(sim, within=heal_bound_s(sim.config), why=f"seed {seed}")
    sim.run(10)
    assert [event.member.status for event in node.told("joined", "n6")] == [Status.ALIVE]
    assert owners_told(node) == living(node), f"seed {seed}"


@pytest.mark.parametrize("seed", SEEDS)
def test_joined_restored_died_and_left_are_all_that_changes_who_owns_what(seed: int) -> None:
    sim = cluster(8, seed=seed)
    isolate(sim, "n1")
    sim.run(20)
    heal(sim)
    sim.update("n2", {"role": "web"})
    sim.pause("n3", 4)
    sim.run(20)
    sim.leave("n4")
    sim.crash("n5")
    sim.run(1)
    sim.start("n5", seeds=("n0",))
    sim.crash("n6")
    sim.start("n9", name="n7", seeds=("n0",))  # a second holder of a name
    sim.run(30)
    for node in sim.members:
        assert owners_told(node) == living(node), f"seed {seed}, {node.key}"


def test_of_updates_in_quick_succession_others_may_see_only_some_but_always_the_last() -> None:
    sim = cluster(8)
    for number in range(100):
        sim.update("n0", {"number": str(number)})
        sim.run(0.001)
    sim.run(5)
    for node in sim.running[1:]:
        seen = [int(event.member.metadata["number"]) for event in node.told("updated", "n0")]
        assert len(seen) < 100
        assert seen == sorted(seen), "never an older one after a newer one"
        assert seen[-1] == 99
