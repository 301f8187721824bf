"""Failure detection: the dead are found out by all, the living are not accused to death."""

from __future__ import annotations

from itertools import product

import pytest

from gossip.core.config import Config
from gossip.core.detection.detector import DEAF_SUSPICIONS
from gossip.core.detection.evidence import Explanation
from gossip.core.state.hearing import CONVICTION_STEPS
from gossip.core.support.address import Address
from gossip.core.wire.messages import DeadFact, Ping, SuspectFact
from sims.world import Link, LinkChange, Lognormal
from tests.core.worlds import (
    SEEDS,
    World,
    cluster,
    crash_bound_s,
    cut_one_way,
    cut_pair,
    deafen,
    entry_of,
    everybody,
    expect,
    expect_agreement,
    expect_no_deaths,
    expect_seen,
    heal,
    heal_bound_s,
    inject,
    isolate,
    mute,
    tap,
    understood,
)

PROFILES = {"lan": Config.lan(), "wan": Config.wan(), "local": Config.local()}


@pytest.mark.parametrize("profile", PROFILES)
@pytest.mark.parametrize("count", [2, 3, 8, 32])
def test_a_crash_is_known_to_all_in_time(profile: str, count: int) -> None:
    config = PROFILES[profile]
    sim = cluster(count, config=config)
    sim.crash("n1")
    expect_seen(sim, "n1", "dead", within=crash_bound_s(config))
    expect_agreement(sim, within=1)
    expect_no_deaths(sim, but=["n1"])


@pytest.mark.parametrize("seed", SEEDS)
def test_a_death_is_told_with_who_accused_it_at_which_floor_and_for_how_long_it_was_silent(seed: int) -> None:
    sim = cluster(8, seed=seed)
    crashed_at = sim.now
    sim.crash("n3")
    expect_seen(sim, "n3", "dead", within=crash_bound_s(sim.config))
    for node in sim.running:
        (death,) = node.told("died", "n3")
        assert death.member.status.value == "dead"
        assert death.accusers
        assert set(death.accusers) <= set(sim.nodes) - {"n3"}, f"seed {seed}: {death.accusers}"
        assert death.floor > entry_of(node, "n3").registers.heartbeat
        assert death.silent_for is not None
        assert 0 < death.silent_for <= death.time - crashed_at + 10 * sim.config.probe_interval, f"seed {seed}"
        assert death.alive == 7
        suspicions = [event for event in node.events if event.member.name == "n3" and event.kind.value == "suspected"]
        assert suspicions
        assert suspicions[-1].time <= death.time
        assert suspicions[-1].accusers


@pytest.mark.parametrize("seed", SEEDS)
def test_a_crash_is_known_sooner_where_the_system_of_the_dead_refuses_datagrams(seed: int) -> None:
    silent, refused = cluster(16, seed=seed), cluster(16, seed=seed)
    silent.crash("n3")
    refused.crash("n3", refuses=True)
    without = expect_seen(silent, "n3", "dead", within=crash_bound_s(silent.config))
    told = expect_seen(refused, "n3", "dead", within=crash_bound_s(refused.config))
    assert told < without, f"seed {seed}"
    assert sum(node.protocol.stats.datagrams_refused for node in refused.running) >= 1
    expect_no_deaths(refused, but=["n3"])


@pytest.mark.parametrize("count", [1, 2])
def test_the_last_ones_find_out_by_refusals_that_they_are_left(count: int) -> None:
    sim = cluster(3)
    for name in ("n1", "n2")[:count]:
        sim.crash(name, refuses=True)
    for name in ("n1", "n2")[:count]:
        expect_seen(sim, name, "dead", within=2 * crash_bound_s(sim.config))


@pytest.mark.parametrize("seed", SEEDS)
def test_forged_refusals_convict_nobody(seed: int) -> None:
    """An attacker forges ICMP messages all the time that say that no process listens at any member's address."""
    sim = cluster(5, seed=seed)

    def forge() -> None:
        for node in sim.running:
            for other in sim.running:
                node.protocol.datagram_refused(other.address, node.local_time(sim.now))
        sim.at(sim.now + 0.0005, forge)

    forge()
    sim.run(10)
    expect_no_deaths(sim)
    expect_agreement(sim, within=1)


@pytest.mark.parametrize("seed", SEEDS)
def test_one_who_is_refused_alone_convicts_nobody(seed: int) -> None:
    """A firewall before one node rejects what goes to another; everybody else reaches that one."""
    sim = cluster(8, seed=seed)
    rejected = sim.nodes["n5"].address

    def reject() -> None:
        node = sim.nodes["n2"]
        node.protocol.datagram_refused(rejected, node.local_time(sim.now))
        sim.at(sim.now + 0.01, reject)

    cut_pair(sim, "n2", "n5")
    reject()
    sim.run(60)
    expect_no_deaths(sim)


@pytest.mark.parametrize("seed", SEEDS)
def test_a_conviction_is_believed_as_fast_as_news_travels_by_all_who_knew_of_the_suspicion(seed: int) -> None:
    sim = cluster(32, seed=seed)
    sim.crash("n3")
    expect_seen(sim, "n3", "dead", within=crash_bound_s(sim.config))
    times = sorted(death.time for node in sim.running for death in node.told("died", "n3"))
    assert times[-1] - times[0] < 0.1, f"seed {seed}: {times}"


def test_half_of_the_cluster_crashing_at_once_is_found_out() -> None:
    sim = cluster(16)
    dead = [f"n{number}" for number in range(8)]
    for name in dead:
        sim.crash(name)
    expect_agreement(sim, within=2 * crash_bound_s(sim.config))
    expect_no_deaths(sim, but=dead)


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("loss", [0.1, 0.25])
def test_a_crash_is_found_out_at_heavy_loss_and_nobody_else_is_blamed(loss: float, seed: int) -> None:
    sim = cluster(16, seed=seed, link=Link(loss=loss))
    sim.crash("n7")
    expect_seen(sim, "n7", "dead", within=2 * crash_bound_s(sim.config))
    sim.run(30)
    expect_no_deaths(sim, but=["n7"])


@pytest.mark.parametrize("seed", SEEDS)
def test_a_pair_that_cannot_reach_each_other_stays_alive(seed: int) -> None:
    sim = cluster(5, seed=seed)
    cut_pair(sim, "n1", "n2")
    sim.run(180)
    expect_no_deaths(sim)
    expect_agreement(sim, within=5, why=f"seed {seed}")


@pytest.mark.parametrize("seed", SEEDS)
def test_a_link_that_works_one_way_only_kills_nobody(seed: int) -> None:
    sim = cluster(5, seed=seed)
    cut_one_way(sim, "n1", "n2")
    cut_one_way(sim, "n3", "n1")
    sim.run(180)
    expect_no_deaths(sim)


@pytest.mark.parametrize("seed", SEEDS)
def test_halves_joined_by_a_single_bridge_node_stay_one_cluster(seed: int) -> None:
    sim = cluster(7, seed=seed)
    for left, right in product(("n0", "n1", "n2"), ("n4", "n5", "n6")):
        cut_pair(sim, left, right)
    sim.run(180)
    expect_no_deaths(sim)
    expect_agreement(sim, within=30, why=f"seed {seed}")


def test_an_update_crosses_a_bridge() -> None:
    sim = cluster(7)
    for left, right in product(("n0", "n1", "n2"), ("n4", "n5", "n6")):
        cut_pair(sim, left, right)
    sim.update("n0", {"from": "the left"})
    expect(sim, lambda: dict(sim.nodes["n6"].protocol.members()[0].metadata) == {"from": "the left"}, within=20,
           why="crossing the bridge")  # fmt: skip


@pytest.mark.parametrize("damage", [deafen, mute], ids=["deaf", "mute"])
def test_a_node_that_only_hears_or_only_speaks_kills_none_of_the_healthy(damage: object) -> None:
    sim = cluster(8)
    damage(sim, "n4")  # type: ignore[operator]
    sim.run(60)
    healthy = [node for node in sim.running if node.name != "n4"]
    for node in healthy:
        assert not [event for event in node.told("died") if event.member.name != "n4"]
        assert {name for name, status in node.sees().items() if status != "alive"} <= {"n4"}
    heal(sim)
    expect_agreement(sim, within=heal_bound_s(sim.config))


@pytest.mark.parametrize("seed", SEEDS)
def test_a_deaf_node_persuades_nobody_that_others_are_suspect(seed: int) -> None:
    sim = cluster(16, seed=seed)
    deafen(sim, "n4")
    sim.run(60)
    assert "dead" in sim.nodes["n4"].sees().values()
    assert not sim.nodes["n4"].told("died"), "it is isolated, and what it believes is a guess"
    for node in sim.running:
        if node.name != "n4":
            assert {event.member.name for event in node.told("suspected")} <= {"n4"}, f"seed {seed}"


def test_losing_all_datagrams_while_streams_work_kills_nobody() -> None:
    sim = cluster(8)
    sim.network.rule("no datagrams", lambda _source, _destination: True, LinkChange(streams_only=True))
    sim.run(120)
    expect_no_deaths(sim)
    assert sum(node.protocol.stats.answered_by_stream for node in everybody(sim)) > 0
    sim.network.lift()
    expect_agreement(sim, within=30)


def test_streams_are_not_needed_while_datagrams_work() -> None:
    sim = cluster(8)
    sim.run(60)
    assert sum(node.protocol.stats.answered_by_stream for node in everybody(sim)) == 0


@pytest.mark.parametrize("seed", SEEDS)
def test_a_node_of_five_that_is_cut_off_briefly_accuses_nobody(seed: int) -> None:
    sim = cluster(5, seed=seed)
    isolate(sim, "n4")
    sim.run(sim.config.suspicion_max / 2)
    assert not sim.nodes["n4"].told("suspected"), f"seed {seed}"
    assert not sim.nodes["n4"].told("died"), f"seed {seed}"
    assert sim.nodes["n4"].protocol.stats.suspicions == 0
    heal(sim)
    expect_agreement(sim, within=heal_bound_s(sim.config), why=f"seed {seed}")


@pytest.mark.parametrize("seed", SEEDS)
def test_the_last_survivor_of_three_notices_in_the_end(seed: int) -> None:
    sim = cluster(3, seed=seed)
    sim.crash("n0")
    sim.crash("n1")
    expect(sim, lambda: sim.nodes["n2"].protocol.alive == 1, within=4 * crash_bound_s(sim.config), why=f"seed {seed}")


@pytest.mark.parametrize("seed", SEEDS)
def test_a_node_cut_off_for_seconds_takes_the_fault_for_its_own(seed: int) -> None:
    sim = cluster(8, seed=seed)
    isolate(sim, "n3")
    sim.run(DEAF_SUSPICIONS * sim.config.suspicion_max)
    assert not sim.nodes["n3"].told("died")
    assert sim.all_see("n3", "dead"), "the others may well take it for dead"
    heal(sim)
    expect_agreement(sim, within=10)


def asked(sim: World, since: int) -> list[Address]:
    """Where the pings went that were sent after so many datagrams."""
    sent = tap(sim)[since:]
    return [
        to for message, (_, _, to) in zip(understood(sim, sent), sent, strict=True) if isinstance(message.body, Ping)
    ]


def test_everybody_is_asked_every_other_round_by_its_neighbour_on_the_ring() -> None:
    """However unlucky it is with those that choose at random."""
    sim = cluster(24, tapped=True)
    for _ in range(4):
        before = len(tap(sim))
        sim.run(2 * sim.config.probe_interval)
        assert {node.address for node in sim.running} <= set(asked(sim, before))


def test_some_who_hear_of_a_suspicion_look_for_themselves_at_once() -> None:
    sim = cluster(24, tapped=True)
    subject, before = entry_of(sim.nodes["n0"], "n3"), len(tap(sim))
    sim.crash("n3")
    others = [node.name for node in sim.running]
    inject(sim, others, SuspectFact(subject.id, subject.registers.heartbeat + 20, (1,)))
    sim.run(0.02)
    assert asked(sim, before).count(subject.registers.record.address) >= 2


def accused(sim: World, *accusers: int) -> Explanation:
    """What n0 says of n1 when others accuse it at a floor that it has not reached."""
    entry = entry_of(sim.nodes["n0"], "n1")
    floor = entry.registers.accused if entry.registers.is_below_floor else entry.registers.heartbeat + 50
    inject(sim, ["n0"], SuspectFact(entry.id, floor, accusers))
    return explained(sim, "n0", "n1")


def explained(sim: World, by: str, name: str) -> Explanation:
    """What a node says of a member."""
    explanation = sim.nodes[by].protocol.explain(name, sim.nodes[by].local_time(sim.now))
    assert explanation is not None
    return explanation


def test_a_suspect_has_less_time_with_each_accuser_that_is_heard_of() -> None:
    sim = cluster(8)
    deadlines = [accused(sim, *accusers).deadline or 0.0 for accusers in ((7,), (7, 8), (7, 8, 9))]
    assert deadlines == sorted(set(deadlines), reverse=True)


def test_time_in_which_a_process_did_not_run_is_no_time_to_refute_to_it() -> None:
    sim = cluster(8)
    sim.crash("n1")
    accused(sim, 7)
    sim.pause("n0", 5.0)
    sim.run(4.99)
    entry = entry_of(sim.nodes["n0"], "n1")
    inject(sim, ["n0"], DeadFact(entry.id, entry.registers.accused + CONVICTION_STEPS, (7,)))
    sim.run(0.02)
    assert sim.nodes["n0"].protocol.stats.stalls == 1
    assert sim.nodes["n0"].sees()["n1"] == "suspect"
    expect_seen(sim, "n1", "dead", within=crash_bound_s(sim.config))


def test_a_witness_that_gets_no_answer_accuses_after_that_one_probe() -> None:
    sim = cluster(8, config=Config.lan(witnesses=64))
    sim.crash("n1")
    accused(sim, 7)
    expect(sim, lambda: "n0" in explained(sim, "n0", "n1").accusers, within=5, why="the witness accuses")
    assert [each.reason for each in explained(sim, "n0", "n1").asked] == ["probe as a witness"]


def test_a_witness_that_hears_nobody_else_either_takes_the_fault_for_its_own() -> None:
    sim = cluster(8, config=Config.lan(witnesses=64))
    isolate(sim, "n0")
    accused(sim, 7)
    sim.run(2)
    explanation = explained(sim, "n0", "n1")
    assert [(each.reason, each.alone) for each in explanation.asked][:1] == [("probe as a witness", True)]
    assert "n0" not in explanation.accusers


def test_a_node_whose_helpers_say_nothing_trusts_itself_less_and_one_whose_helpers_answer_does_not() -> None:
    sim = cluster(8)
    sim.crash("n7")
    expect_seen(sim, "n7", "dead", within=crash_bound_s(sim.config))
    assert [node.protocol.health for node in sim.running] == [0] * 7
    isolate(sim, "n0")
    sim.run(5)
    assert sim.nodes["n0"].protocol.health > 0


def test_a_suspect_that_can_be_reached_again_is_asked_before_it_is_convicted() -> None:
    """Nothing else tells of it in time: what accused it is lost, and no round is near."""
    sim = cluster(2, config=Config.lan(probe_interval=10.0, suspicion_max=6.0))
    cut_pair(sim, "n0", "n1")
    expect(sim, lambda: "suspect" in (sim.nodes["n0"].sees()["n1"], sim.nodes["n1"].sees()["n0"]),
           within=60, why="a suspicion")  # fmt: skip
    sim.run(0.5)
    heal(sim)
    sim.run(10)
    expect_no_deaths(sim)


def test_the_survivor_of_two_notices() -> None:
    sim = cluster(2)
    sim.crash("n0")
    expect_seen(sim, "n0", "dead", within=crash_bound_s(sim.config))


@pytest.mark.parametrize("latency", [0.05, 0.15])
def test_a_slow_network_kills_nobody(latency: float) -> None:
    sim = cluster(8, config=Config.wan(), link=Link(latency=Lognormal(latency, 0.5)))
    sim.run(200)
    expect_no_deaths(sim)


def test_a_network_that_suddenly_becomes_slow_kills_nobody() -> None:
    sim = cluster(8)
    sim.run(30)
    sim.network.link = Link(latency=Lognormal(0.1))
    sim.run(60)
    expect_no_deaths(sim)


def test_a_node_that_sends_nothing_of_its_own_but_answers_is_alive() -> None:
    """A probed member is judged by its answer, not by how often it asks others."""
    sim = cluster(4, config=Config.lan())
    slow = sim.start("slow", seeds=("n0",), config=Config.lan(probe_interval=300.0))
    expect_agreement(sim, within=20)
    sim.run(120)
    expect_no_deaths(sim)
    assert slow.protocol.alive == 5
