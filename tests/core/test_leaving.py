"""Leaving: a farewell is acknowledged, known to all, no death, and for good."""

from __future__ import annotations

import pytest

from gossip.core.config import Config
from gossip.core.wire.messages import AliveFact
from sims.world import Link
from tests.core.worlds import (
    SEEDS,
    World,
    cluster,
    crash_bound_s,
    entry_of,
    everybody,
    expect,
    expect_agreement,
    expect_no_deaths,
    expect_seen,
    inject,
    isolate,
    tap,
    world,
)


def leave_and_go(sim: World, name: str) -> float:
    """Say farewell, and stop as soon as it is acknowledged, as a driver does. How long that took."""
    sim.leave(name)
    protocol = sim.nodes[name].protocol
    took = expect(sim, lambda: protocol.farewell_done, within=sim.config.leave_timeout, why=f"farewell of {name}")
    sim.crash(name)
    return took


@pytest.mark.parametrize("seed", SEEDS)
def test_a_farewell_is_acknowledged_by_several_and_known_to_all_as_such(seed: int) -> None:
    sim = cluster(8, seed=seed)
    took = leave_and_go(sim, "n3")
    assert took < 0.5
    thanks = sim.nodes["n3"].protocol.farewell_acknowledged_by
    assert len(thanks) >= sim.config.leave_acknowledgements
    assert set(thanks) <= set(sim.nodes) - {"n3"}
    expect_seen(sim, "n3", "left", within=2)
    expect_agreement(sim, within=1)
    sim.run(2 * crash_bound_s(sim.config))
    expect_no_deaths(sim)
    assert sim.all_see("n3", "left"), "the one who left returned"
    assert all(len(node.told("left", "n3")) == 1 for node in sim.running)
    assert not any(node.told("suspected", "n3") for node in sim.running), f"seed {seed}"


@pytest.mark.parametrize("seed", SEEDS)
def test_a_farewell_gets_through_heavy_loss(seed: int) -> None:
    sim = cluster(8, seed=seed, link=Link(loss=0.25))
    leave_and_go(sim, "n3")
    expect_seen(sim, "n3", "left", within=20)
    sim.run(30)
    expect_no_deaths(sim)


def test_all_leave_one_after_another() -> None:
    sim = cluster(6)
    for name in list(sim.nodes):
        leave_and_go(sim, name)
        sim.run(0.2)
    assert all(not node.told("died") for node in everybody(sim))
    assert sim.nodes["n5"].protocol.alive == 0


def test_all_leave_at_the_same_moment() -> None:
    sim = cluster(6)
    for name in sim.nodes:
        sim.leave(name)
    sim.run(sim.config.leave_timeout)
    assert all(not node.told("died") and not node.told("suspected") for node in everybody(sim))


def test_leaving_alone_is_done_at_once() -> None:
    sim = world()
    sim.start("n0")
    sim.run(5)
    sim.leave("n0")
    assert sim.nodes["n0"].protocol.farewell_done
    assert sim.nodes["n0"].protocol.farewell_acknowledged_by == ()


def test_leaving_before_anybody_was_found_waits_for_a_seed_that_is_silent_and_for_none_that_does_not_run() -> None:
    sim = cluster(1)
    sim.crash("n0", refuses=True)
    late = sim.start("late", seeds=("n0",))
    sim.run(1)
    sim.leave("late")
    expect(sim, lambda: late.protocol.farewell_done, within=0.1, why="a farewell that a system refuses")
    sim.crash("n0")
    sim.nodes["n0"].refuses = False
    later = sim.start("later", seeds=("n0",))
    sim.run(1)
    sim.leave("later")
    sim.run(2 * sim.config.leave_timeout)
    assert not later.protocol.farewell_done
    assert later.protocol.farewell_acknowledged_by == ()


def test_leaving_twice_is_leaving_once() -> None:
    sim = cluster(4)
    sim.leave("n1")
    sim.leave("n1")
    sim.run(1)
    sim.leave("n1")
    sim.run(1)
    assert all(len(node.told("left", "n1")) == 1 for node in everybody(sim) if node.name != "n1")


def test_a_farewell_nobody_hears_is_not_said_to_be_heard() -> None:
    sim = cluster(4)
    isolate(sim, "n1")
    sim.leave("n1")
    sim.run(2 * sim.config.leave_timeout)
    assert not sim.nodes["n1"].protocol.farewell_done
    assert sim.nodes["n1"].protocol.farewell_acknowledged_by == ()


def test_who_has_left_asks_nobody_any_more() -> None:
    sim = cluster(4, tapped=True)
    sim.leave("n1")
    sim.run(10)
    before = len([source for _, source, _ in tap(sim) if source == sim.nodes["n1"].address])
    sim.run(60)
    after = len([source for _, source, _ in tap(sim) if source == sim.nodes["n1"].address])
    assert after - before <= 5
    assert all(node.sees()["n1"] == "left" for node in everybody(sim))


def test_heartbeats_after_a_farewell_bring_nobody_back() -> None:
    sim = cluster(4)
    entry = entry_of(sim.nodes["n0"], "n1")
    leave_and_go(sim, "n1")
    sim.run(2)
    inject(sim, ["n0", "n2", "n3"], AliveFact(entry.id, entry.registers.heartbeat + 100))
    sim.run(10)
    assert sim.all_see("n1", "left")
    assert not any(node.told("restored") for node in everybody(sim))


def test_who_left_comes_back_as_a_new_generation() -> None:
    sim = cluster(4)
    old = sim.nodes["n1"].protocol.local.generation
    leave_and_go(sim, "n1")
    sim.run(2)
    sim.start("n1", seeds=("n0",))
    expect_agreement(sim, within=10)
    assert all(node.protocol.get("n1").generation > old for node in everybody(sim))  # type: ignore[union-attr]


def test_the_seed_may_leave() -> None:
    sim = cluster(4)
    leave_and_go(sim, "n0")
    sim.run(60)
    expect_agreement(sim, within=1)
    expect_no_deaths(sim)


def test_a_suspect_may_leave() -> None:
    sim = cluster(5, config=Config.lan(suspicion_min=10.0, suspicion_max=30.0))
    sim.pause("n1", 6)
    sim.run(6.01)
    assert any(node.told("suspected", "n1") for node in everybody(sim))
    leave_and_go(sim, "n1")
    expect_seen(sim, "n1", "left", within=5)
    sim.run(60)
    expect_no_deaths(sim)
