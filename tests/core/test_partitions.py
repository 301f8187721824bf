"""Partitions: each side goes on without the other, and both find each other again without a person's help."""

from __future__ import annotations

import pytest

from gossip.core.config import Config
from sims.world import Simulation
from tests.core.worlds import (
    SEEDS,
    cluster,
    everybody_has,
    expect,
    expect_agreement,
    heal,
    heal_bound_s,
    isolate,
)


def split_view(sim: Simulation, *sides: list[str]) -> bool:
    """Whether everybody sees exactly its own side as living."""
    return all(
        {name for name, status in sim.nodes[one].sees().items() if status in ("alive", "suspect")} == set(side)
        for side in sides
        for one in side
    )


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize(("count", "smaller"), [(8, 4), (8, 1), (9, 3), (2, 1)])
def test_both_sides_declare_the_other_dead_and_agree_again_after_healing(count: int, smaller: int, seed: int) -> None:
    sim = cluster(count, seed=seed)
    left, right = [f"n{i}" for i in range(smaller)], [f"n{i}" for i in range(smaller, count)]
    isolate(sim, *left)
    expect(sim, lambda: split_view(sim, left, right), within=60, why=f"both sides on their own, seed {seed}")
    sim.run(60)
    heal(sim)
    expect_agreement(sim, within=heal_bound_s(sim.config), why=f"healing, seed {seed}")


@pytest.mark.parametrize("seed", SEEDS)
def test_what_the_other_side_believed_kills_nobody_on_this_side_after_healing(seed: int) -> None:
    sim = cluster(32, seed=seed)
    left = [f"n{i}" for i in range(16)]
    isolate(sim, *left)
    sim.run(60)
    heal(sim)
    expect_agreement(sim, within=heal_bound_s(sim.config), why=f"seed {seed}")
    for node in sim.running:
        assert {event.member.name for event in node.told("died")} <= {
            other.name for other in sim.running if (other.name in left) != (node.name in left)
        }, f"seed {seed}"


@pytest.mark.parametrize("seed", SEEDS)
def test_a_partition_into_three_heals(seed: int) -> None:
    sim = cluster(9, seed=seed)
    sides = [[f"n{i}" for i in range(start, start + 3)] for start in (0, 3, 6)]
    for side in sides:
        isolate(sim, *side)
    expect(sim, lambda: split_view(sim, *sides), within=60, why="three parts")
    heal(sim)
    expect_agreement(sim, within=heal_bound_s(sim.config), why=f"seed {seed}")


@pytest.mark.parametrize("seed", SEEDS)
def test_what_both_sides_changed_meanwhile_is_known_to_all_after_healing(seed: int) -> None:
    sim = cluster(8, seed=seed)
    left = ["n0", "n1", "n2", "n3"]
    isolate(sim, *left)
    sim.run(30)
    sim.update("n1", {"changed": "left"})
    sim.update("n6", {"changed": "right"})
    sim.crash("n2")
    sim.leave("n7")
    sim.run(30)
    sim.crash("n7")
    sim.start("n8", seeds=("n0",))
    sim.network.lift()
    left.append("n8")
    isolate(sim, *left)
    sim.run(30)
    heal(sim)
    expect_agreement(sim, within=heal_bound_s(sim.config), why=f"seed {seed}")
    assert everybody_has(sim, "n1", {"changed": "left"})
    assert everybody_has(sim, "n6", {"changed": "right"})
    assert all(node.sees().get("n7", "left") in ("left", "dead") for node in sim.running)


@pytest.mark.parametrize("seed", SEEDS)
def test_a_partition_that_outlasts_the_memory_of_the_dead_heals_through_a_seed(seed: int) -> None:
    config = Config.lan(forget_after=30.0)
    sim = cluster(6, seed=seed, config=config)
    left = ["n0", "n1", "n2"]
    isolate(sim, *left)
    sim.run(10 * config.forget_after)
    assert all(set(sim.nodes[name].sees()) == set(left) for name in left), "the dead are forgotten by now"
    heal(sim)
    expect_agreement(sim, within=2 * heal_bound_s(config), why=f"healing by seed, seed {seed}")


def test_a_partition_that_outlasts_the_dead_but_not_their_tombstones_heals_through_a_seed() -> None:
    config = Config.lan(forget_after=60.0)
    sim = cluster(6, config=config)
    isolate(sim, "n0", "n1", "n2")
    sim.run(1.7 * config.forget_after)
    heal(sim)
    expect_agreement(sim, within=2 * heal_bound_s(config))


@pytest.mark.parametrize("seed", SEEDS)
def test_a_partition_that_comes_and_goes_leaves_no_scar(seed: int) -> None:
    sim = cluster(8, seed=seed)
    for _ in range(6):
        isolate(sim, "n0", "n1", "n2")
        sim.run(4)
        heal(sim)
        sim.run(3)
    expect_agreement(sim, within=heal_bound_s(sim.config), why=f"seed {seed}")
