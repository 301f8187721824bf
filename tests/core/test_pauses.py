"""Processes that stop and go on: blocked loops, SIGSTOP, suspended machines."""

from __future__ import annotations

import pytest

from tests.core.worlds import (
    SEEDS,
    Script,
    cluster,
    crash_bound_s,
    everybody,
    expect_agreement,
    expect_no_deaths,
    expect_seen,
    heal_bound_s,
)


@pytest.mark.parametrize("seed", SEEDS)
def test_a_pause_shorter_than_the_shortest_suspicion_kills_nobody(seed: int) -> None:
    sim = cluster(8, seed=seed)
    for _ in range(5):
        sim.pause("n3", 0.9 * sim.config.suspicion_min)
        sim.run(10)
    expect_no_deaths(sim)
    expect_agreement(sim, within=5, why=f"seed {seed}")


@pytest.mark.parametrize("seed", SEEDS)
def test_a_long_pause_is_taken_for_death_and_taken_back_on_waking(seed: int) -> None:
    sim = cluster(8, seed=seed)
    generation = sim.nodes["n3"].protocol.local.generation
    sim.pause("n3", 30)
    expect_seen(sim, "n3", "dead", within=crash_bound_s(sim.config))
    sim.run(30 - (sim.now % 30) if sim.now % 30 else 0)
    sim.run(crash_bound_s(sim.config))
    woke = expect_agreement(sim, within=5, why=f"waking, seed {seed}")
    assert woke <= 5
    assert all(node.told("restored", "n3") for node in everybody(sim) if node.name != "n3")
    assert sim.nodes["n3"].protocol.local.generation == generation, "waking up is no restart"


@pytest.mark.parametrize("pause", [2.0, 10.0, 60.0])
@pytest.mark.parametrize("seed", SEEDS)
def test_who_wakes_up_accuses_nobody(pause: float, seed: int) -> None:
    sim = cluster(8, seed=seed)
    sim.pause("n3", pause)
    sim.run(pause)
    before = sim.nodes["n3"].protocol.stats.suspicions
    sim.run(10)
    node = sim.nodes["n3"]
    assert node.protocol.stats.suspicions == before == 0, f"seed {seed}"
    assert not node.told("died"), f"seed {seed}"
    expect_agreement(sim, within=10, why=f"seed {seed}")
    expect_no_deaths(sim, but=["n3"])


@pytest.mark.parametrize("seed", SEEDS)
def test_the_sleeper_is_back_for_all_within_two_seconds_of_waking(seed: int) -> None:
    sim = cluster(16, seed=seed)
    sim.pause("n3", 10)
    sim.run(10)
    expect_agreement(sim, within=2, why=f"seed {seed}")


@pytest.mark.parametrize("seed", SEEDS)
def test_several_paused_at_once_come_back_and_blame_nobody(seed: int) -> None:
    sim = cluster(12, seed=seed)
    sleepers = [f"n{number}" for number in range(4)]
    for offset, name in enumerate(sleepers):
        sim.pause(name, 8 + offset)
    sim.run(12)
    expect_agreement(sim, within=10, why=f"seed {seed}")
    expect_no_deaths(sim, but=sleepers)
    for name in sleepers:  # who wakes first may find that the others still sleep
        blamed = {event.member.name for event in sim.nodes[name].told("suspected")}
        assert blamed <= set(sleepers), f"seed {seed}"


@pytest.mark.parametrize("seed", SEEDS)
def test_all_paused_at_once_blame_nobody(seed: int) -> None:
    sim = cluster(6, seed=seed)
    for name in sim.nodes:
        sim.pause(name, 20)
    sim.run(40)
    expect_no_deaths(sim)
    expect_agreement(sim, within=heal_bound_s(sim.config), why=f"seed {seed}")


@pytest.mark.parametrize("seed", SEEDS)
def test_a_node_that_is_blocked_again_and_again_accuses_nobody(seed: int) -> None:
    sim = cluster(8, seed=seed)
    for _ in range(20):
        sim.pause("n3", 2.0)
        sim.run(2.25)
    assert sim.nodes["n3"].protocol.stats.suspicions == 0, f"seed {seed}"
    expect_no_deaths(sim, but=["n3"])
    expect_agreement(sim, within=10, why=f"seed {seed}")


def test_a_crash_among_pauses_is_still_found() -> None:
    sim = cluster(8)
    sim.crash("n5")
    for _ in range(20):
        sim.pause("n3", 2.0)
        sim.run(2.25)
    expect_agreement(sim, within=crash_bound_s(sim.config))


def test_a_timer_that_fires_late_worsens_health_and_time_repairs_it() -> None:
    sim = cluster(8)
    assert sim.nodes["n3"].protocol.health == 0
    sim.pause("n3", 3.0)
    sim.run(3.05)
    assert sim.nodes["n3"].protocol.health > 0
    assert sim.nodes["n3"].protocol.stats.stalls > 0
    sim.run(20)
    assert sim.nodes["n3"].protocol.health == 0


def test_a_timer_that_fires_in_time_is_no_stall() -> None:
    script = Script()
    script.sim.run(60)
    assert script.protocol.stats.stalls == 0
    assert script.protocol.health == 0


def test_a_timer_called_too_early_does_nothing() -> None:
    script = Script()
    due = script.protocol.next_timer()
    script.protocol.handle_timer(due - 0.001)
    assert script.protocol.next_timer() == due
    assert script.protocol.stats.stalls == 0
