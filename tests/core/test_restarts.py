"""Restarts: a new generation of a name takes the place of the old at once and for good."""

from __future__ import annotations

import pytest

from gossip.core.config import Config
from gossip.core.support.address import Address
from gossip.core.wire.messages import AliveFact, DeadFact, RecordFact, SuspectFact
from sims.world import SimulatedNode
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
    generations_seen,
    inject,
    mute,
    tap,
)

ELSEWHERE = Address("10.77.0.1", 7946)


def everybody_holds(sim: World, name: str, generation: int) -> bool:
    """Whether all running nodes see exactly this generation of the name."""
    return generations_seen(sim, name) == {generation}


def expect_takeover(sim: World, node: SimulatedNode, old: int, why: str) -> None:
    """A node whose generation is too low comes to bear its name with one above ``old``, for everybody."""

    def has_taken_over() -> bool:
        generation = node.protocol.local.generation
        return generation > old and everybody_holds(sim, node.name, generation) and sim.all_agree()

    expect(sim, has_taken_over, within=60, why=why)


@pytest.mark.parametrize("address", [None, ELSEWHERE], ids=["same address", "other address"])
@pytest.mark.parametrize("pause", [0.1, 3.0, 60.0], ids=["at once", "while suspected", "when long dead"])
@pytest.mark.parametrize("seed", SEEDS)
def test_a_restart_is_a_new_generation_everywhere(address: Address | None, pause: float, seed: int) -> None:
    sim = cluster(8, seed=seed)
    old = sim.nodes["n3"].protocol.local
    sim.crash("n3")
    sim.run(pause)
    new = sim.start("n3", seeds=("n0",), address=address).protocol.local
    assert new.generation > old.generation
    expect(sim, lambda: everybody_holds(sim, "n3", new.generation), within=10, why=f"new generation, seed {seed}")
    expect_agreement(sim, within=10, why=f"seed {seed}")
    sim.run(60)
    assert everybody_holds(sim, "n3", new.generation), f"seed {seed}: the old generation returned"
    for node in everybody(sim):
        late = [event for event in node.events if event.member.id == old.id]
        joined = [event.time for event in node.told("joined", "n3") if event.member.id == new.id]
        assert not joined or all(event.time <= joined[0] for event in late), (
            f"seed {seed}: {node.name} told of the old generation after the new one had joined: "
            f"{[(event.kind.value, event.time) for event in late if event.time > joined[0]]}"
        )
    expect_no_deaths(sim, but=["n3"])


@pytest.mark.parametrize("seed", SEEDS)
def test_a_restarted_seed_is_found_by_those_who_joined_through_it(seed: int) -> None:
    sim = cluster(5, seed=seed)
    sim.crash("n0")
    expect_seen(sim, "n0", "dead", within=crash_bound_s(sim.config))
    sim.start("n0")
    expect_agreement(sim, within=60, why=f"seed {seed}")


def test_a_whole_cluster_that_is_restarted_one_by_one_stays_one_cluster() -> None:
    sim = cluster(5)
    for number in range(5):
        sim.crash(f"n{number}")
        sim.run(0.5)
        sim.start(f"n{number}", seeds=tuple(f"n{other}" for other in range(5) if other != number))
        sim.run(3)
    expect_agreement(sim, within=20)


def test_all_restarted_at_once_find_each_other() -> None:
    sim = cluster(5)
    for name in list(sim.nodes):
        sim.crash(name)
    sim.run(1)
    for name in list(sim.nodes):
        sim.start(name, seeds=("n0", "n1"))
    expect_agreement(sim, within=20)


@pytest.mark.parametrize("seed", SEEDS)
def test_a_restart_with_the_clock_set_back_takes_over_once_its_predecessor_is_dead(seed: int) -> None:
    sim = cluster(5, seed=seed)
    old = sim.nodes["n3"].protocol.local.generation
    sim.crash("n3")
    sim.run(0.2)
    node = sim.start("n3", seeds=("n0",), clock_ms=-3_600_000)
    assert node.protocol.local.generation < old
    expect_takeover(sim, node, old, f"clock set back, seed {seed}")


@pytest.mark.parametrize("seed", SEEDS)
def test_a_restart_with_the_clock_set_back_after_its_predecessor_died_takes_over_too(seed: int) -> None:
    sim = cluster(5, seed=seed)
    old = sim.nodes["n3"].protocol.local.generation
    sim.crash("n3")
    expect_seen(sim, "n3", "dead", within=crash_bound_s(sim.config))
    sim.run(10)
    node = sim.start("n3", seeds=("n0",), clock_ms=-3_600_000)
    expect_takeover(sim, node, old, f"clock set back after death, seed {seed}")


def test_a_restart_with_the_clock_set_back_after_its_predecessor_left_takes_over_too() -> None:
    sim = cluster(5)
    old = sim.nodes["n3"].protocol.local.generation
    sim.leave("n3")
    sim.run(3)
    sim.crash("n3")
    sim.run(10)
    node = sim.start("n3", seeds=("n0",), clock_ms=-3_600_000)
    expect_takeover(sim, node, old, "clock set back after a farewell")


def test_a_restart_with_the_clock_set_back_after_its_predecessor_was_forgotten_takes_over_too() -> None:
    config = Config.lan(forget_after=200.0)
    sim = cluster(5, config=config)
    old = sim.nodes["n3"].protocol.local.generation
    sim.crash("n3")
    sim.run(crash_bound_s(config) + 1.2 * config.forget_after)
    assert "n3" not in sim.nodes["n0"].sees(), "buried, and its tombstone still stands"
    node = sim.start("n3", seeds=("n0",), clock_ms=-3_600_000)
    expect_takeover(sim, node, old, "clock set back after burial")


@pytest.mark.parametrize("later", [1.0, 30.0, 300.0])
def test_stale_datagrams_of_an_earlier_generation_change_nothing(later: float) -> None:
    sim = cluster(5, tapped=True)
    sim.update("n3", {"of": "the first life"})
    sim.run(20)
    captured = list(tap(sim))
    sim.crash("n3")
    sim.run(0.5)
    new = sim.start("n3", seeds=("n0",), metadata={"of": "the second life"})
    expect_agreement(sim, within=10)
    sim.run(later)
    before = [(node.name, node.protocol.members()) for node in everybody(sim)]
    told = [len(node.events) for node in everybody(sim)]
    for data, source, destination in captured:
        for node in everybody(sim):
            if node.address == destination:
                sim.inject(node.name, data, source)
    sim.run(5)
    assert [(node.name, node.protocol.members()) for node in everybody(sim)] == before
    assert [len(node.events) for node in everybody(sim)] == told
    assert everybody_holds(sim, "n3", new.protocol.local.generation)
    expect_no_deaths(sim)


def test_everything_ever_said_replayed_to_everybody_raises_no_dead() -> None:
    sim = cluster(5, tapped=True)
    sim.crash("n4")
    expect_seen(sim, "n4", "dead", within=crash_bound_s(sim.config))
    captured = list(tap(sim))
    sim.run(30)
    for data, source, _ in captured:
        for node in sim.running:
            sim.inject(node.name, data, source)
    sim.run(30)
    assert sim.all_see("n4", "dead")
    assert not any(node.told("restored", "n4") for node in sim.running)
    expect_agreement(sim, within=1)


def test_delayed_heartbeats_that_arrive_one_by_one_keep_no_dead_node_alive() -> None:
    sim = cluster(5)
    entry = entry_of(sim.nodes["n0"], "n4")
    first = entry.registers.heartbeat
    sim.run(10)
    sim.crash("n4")
    crashed_at, last = sim.now, entry.registers.heartbeat
    for number in range(int(4 * crash_bound_s(sim.config))):
        inject(sim, ["n0", "n1", "n2", "n3"], AliveFact(entry.id, min(first + number, last)))
        sim.run(0.25)
    assert sim.all_see("n4", "dead")
    assert not [event for node in sim.running for event in node.told("restored", "n4") if event.time > crashed_at]


def test_heartbeats_held_back_for_long_and_then_delivered_do_not_delay_the_verdict() -> None:
    """Counters that n4 really had, seen by nobody before its crash, trickle in afterwards: each is higher than the
    last, and none reaches the floor."""
    sim = cluster(5)
    entry = entry_of(sim.nodes["n0"], "n4")
    crashed = sim.nodes["n4"].protocol.local.id
    assert crashed == entry.id
    mute(sim, "n4")
    last_heard = entry.registers.heartbeat
    sim.run(2)
    sim.crash("n4")
    crashed_at = sim.now
    held_back = iter(range(last_heard + 1, last_heard + 20))
    while (counter := next(held_back, None)) is not None:
        inject(sim, ["n0", "n1", "n2", "n3"], AliveFact(entry.id, counter))
        sim.run(0.5)
    expect_seen(sim, "n4", "dead", within=2 * crash_bound_s(sim.config) - (sim.now - crashed_at))
    sim.run(10)
    assert sim.all_see("n4", "dead")


def test_old_news_of_the_dead_brings_nobody_back() -> None:
    sim = cluster(4)
    entry = entry_of(sim.nodes["n0"], "n3")
    sim.crash("n3")
    expect_seen(sim, "n3", "dead", within=crash_bound_s(sim.config))
    who, registers = entry.identity, entry.registers
    stale = RecordFact(registers.record, registers.heartbeat)
    inject(sim, ["n0", "n1", "n2"], stale, AliveFact(who.id, registers.heartbeat), SuspectFact(who.id, 1, ()))
    inject(sim, ["n0"], DeadFact(who.id, 1, ()))
    sim.run(10)
    assert sim.all_see("n3", "dead")
    assert not any(node.told("restored", "n3") for node in sim.running)
