"""Two running processes with one name: everybody is told, one of them bears the name, the other is not lost."""

from __future__ import annotations

import pytest

from gossip.core.support.address import Address
from gossip.core.wire.messages import LeftFact
from sims.world import SimulatedNode
from tests.core.worlds import SEEDS, World, cluster, crash_bound_s, everybody, expect, expect_no_deaths, inject

OTHER_MACHINE = Address("10.88.0.1", 7946)


def with_a_second(sim: World, name: str, *, seeds: tuple[str, ...] = ("n0",)) -> tuple[SimulatedNode, SimulatedNode]:
    """Start another process under a name that is taken. The one that was there, and the later one, which wins."""
    first = sim.nodes[name]
    second = sim.start(name, seeds=seeds, address=OTHER_MACHINE)
    sim.nodes["first"] = first
    return first, second


def conflicts(node: SimulatedNode) -> list[int]:
    """Generations of the processes that the node reported as bearing another's name."""
    return [event.member.generation for event in node.told("conflict")]


@pytest.mark.parametrize("seed", SEEDS)
def test_both_and_everybody_else_hear_of_the_conflict_once(seed: int) -> None:
    sim = cluster(6, seed=seed)
    first, second = with_a_second(sim, "n2")
    sim.run(120)
    assert first.told("conflict", "n2"), f"seed {seed}: the loser was not told"
    silent = [node.name for node in sim.running if not node.told("conflict", "n2")]
    assert not silent, f"seed {seed}: {silent} were not told"
    loser = first.protocol.local.generation
    assert all(conflicts(node) == [loser] for node in sim.running), f"seed {seed}: {[*map(conflicts, sim.running)]}"
    assert second.protocol.local.generation > loser
    assert all(node.protocol.get("n2") == second.protocol.local for node in sim.running)


def test_an_ordinary_restart_is_no_conflict() -> None:
    sim = cluster(6)
    sim.crash("n2")
    sim.run(0.5)
    sim.start("n2", seeds=("n0",))
    sim.run(60)
    assert not any(node.told("conflict") for node in everybody(sim))


def test_a_restart_at_another_address_is_no_conflict() -> None:
    sim = cluster(6)
    sim.crash("n2")
    sim.run(0.5)
    sim.start("n2", seeds=("n0",), address=OTHER_MACHINE)
    sim.run(60)
    assert not any(node.told("conflict") for node in everybody(sim))


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("how", ["crash", "leave"])
def test_the_loser_takes_the_name_back_when_the_winner_goes(how: str, seed: int) -> None:
    sim = cluster(6, seed=seed)
    first, second = with_a_second(sim, "n2")
    sim.run(10)
    sim.crash("n2") if how == "crash" else sim.leave("n2")
    sim.run(2)
    second.running = False
    winner = second.protocol.local.generation
    bound = crash_bound_s(sim.config) + 10
    expect(
        sim,
        lambda: all(
            (member := node.protocol.get("n2")) is not None
            and member.status.value == "alive"
            and member.address == first.address
            for node in sim.running
        ),
        within=bound,
        why=f"{how}: the loser takes the name back, seed {seed}",
    )
    assert first.protocol.local.generation > winner
    assert len({node.protocol.fingerprint for node in sim.running}) == 1


def test_the_loser_still_sees_the_cluster_and_harms_nobody() -> None:
    sim = cluster(6)
    first, _ = with_a_second(sim, "n2")
    sim.run(60)
    assert first.protocol.alive == 6
    sim.update("n4", {"k": "v"})
    sim.run(30)
    member = first.protocol.get("n4")
    assert member is not None
    assert dict(member.metadata) == {"k": "v"}
    expect_no_deaths(sim)


def test_the_loser_can_leave_without_taking_the_winner_along() -> None:
    sim = cluster(6)
    first, second = with_a_second(sim, "n2")
    sim.run(20)
    sim.leave("first")
    sim.run(5)
    first.running = False
    sim.run(60)
    assert all(node.protocol.get("n2") == second.protocol.local for node in sim.running)
    expect_no_deaths(sim)


def test_a_loser_that_crashes_takes_nothing_with_it() -> None:
    sim = cluster(6)
    first, second = with_a_second(sim, "n2")
    sim.run(20)
    first.running = False
    sim.run(60)
    assert all(node.protocol.get("n2") == second.protocol.local for node in sim.running)
    expect_no_deaths(sim)


def test_a_loser_whose_farewell_is_forged_does_not_take_the_name_from_the_winner() -> None:
    sim = cluster(6)
    first, second = with_a_second(sim, "n2")
    sim.run(30)
    loser = first.protocol.local
    inject(sim, ["first"], LeftFact(loser.id, first.protocol.heartbeat(first.local_time(sim.now))))
    sim.run(30)
    assert first.protocol.local.generation == loser.generation
    assert all(node.protocol.get("n2") == second.protocol.local for node in sim.running)
