"""Hearing: a heartbeat says that its member runs and that it hears, and one that hears nobody is found dead once."""

from __future__ import annotations

from typing import Any

import pytest

from gossip.core.config import Config
from gossip.core.detection.probing import Probe, Reason
from gossip.core.state.hearing import CONVICTION_STEPS, HEARING_S
from gossip.core.state.heartbeat import HEARTBEAT_STEP_S
from gossip.core.state.member import Status
from gossip.core.support.address import Address
from gossip.core.wire.messages import AliveFact, DeadFact, Ping
from sims.world import Link, LinkChange, SimulatedNode, Simulation, Uniform
from sims.world.driver import Driver
from sims.world.observer import Watchers
from tests.core.worlds import (
    SEEDS,
    STRANGER,
    World,
    cluster,
    crash_bound_s,
    cut_one_way,
    deafen,
    entry_of,
    expect,
    expect_agreement,
    expect_seen,
    forged,
    heal,
    inject,
    isolate,
    mute,
)

VERDICT_S = 12.0
"""Within so many seconds all hold a member dead that hears nobody."""

BACK_S = 2.0
"""Within so many seconds of hearing again it is back for all."""

SIZES = pytest.mark.parametrize("count", [2, 3, 5, 16])


def told_of(node: SimulatedNode, name: str, kind: str, since: float) -> list[float]:
    """When a node was told something of a member."""
    return [event.time for event in node.told(kind, name) if event.time >= since]


def others(sim: Simulation, name: str) -> list[SimulatedNode]:
    return [node for node in sim.running if node.name != name]


# --- one verdict


@pytest.mark.parametrize("seed", SEEDS)
@SIZES
def test_a_member_that_is_heard_and_hears_nobody_is_found_dead_by_all_and_stays_so(count: int, seed: int) -> None:
    sim = cluster(count, seed=seed)
    deafened = sim.now
    deafen(sim, "n1")
    expect_seen(sim, "n1", "dead", within=VERDICT_S)
    sim.run(60)
    for node in others(sim, "n1"):
        (died,) = told_of(node, "n1", "died", deafened)
        assert not told_of(node, "n1", "restored", died), f"seed {seed}"
        assert not [event for event in node.told("died") if event.member.name != "n1"], f"seed {seed}"


@pytest.mark.parametrize("profile", ["wan", "local"])
def test_other_profiles_find_it_once_too(profile: str) -> None:
    config = Config.wan() if profile == "wan" else Config.local()
    sim = cluster(5, config=config)
    deafen(sim, "n1")
    expect_seen(sim, "n1", "dead", within=HEARING_S + crash_bound_s(config))
    sim.run(60)
    assert {len(node.told("died", "n1")) for node in others(sim, "n1")} == {1}


def test_a_newcomer_to_whom_nothing_gets_through_is_told_to_be_there_and_to_be_dead_once() -> None:
    sim = cluster(4)
    address = Address("10.9.9.9", 7946)
    sim.network.cut("unreachable", lambda _source, destination: destination == address)
    sim.start("deaf", seeds=("n0",), address=address)
    expect_seen(sim, "deaf", "dead", within=VERDICT_S + HEARING_S)
    sim.run(60)
    assert {(len(node.told("joined", "deaf")), len(node.told("died", "deaf"))) for node in others(sim, "deaf")} == {
        (1, 1)
    }


@pytest.mark.parametrize("seed", SEEDS)
def test_of_two_with_one_way_cut_each_is_told_once_that_the_other_died(seed: int) -> None:
    sim = cluster(2, seed=seed)
    cut_one_way(sim, "n0", "n1")
    sim.run(120)
    assert [len(sim.nodes[one].told("died", other)) for one, other in (("n0", "n1"), ("n1", "n0"))] == [1, 1]


def test_a_mute_member_of_two_is_told_once_that_the_other_died_which_hears_nobody() -> None:
    sim = cluster(2)
    mute(sim, "n1")
    sim.run(120)
    assert len(sim.nodes["n0"].told("died", "n1")) == 1
    assert len(sim.nodes["n1"].told("died", "n0")) == 1


# --- and back


@pytest.mark.parametrize("deaf_s", [12.0, 60.0])
@pytest.mark.parametrize("seed", SEEDS)
@SIZES
def test_it_is_back_for_all_soon_after_it_hears_again(count: int, seed: int, deaf_s: float) -> None:
    sim = cluster(count, seed=seed)
    deafen(sim, "n1")
    sim.run(deaf_s + 0.27 * seed)
    heal(sim)
    expect(sim, lambda: sim.all_see("n1", "alive"), within=BACK_S, why=f"seed {seed}")
    expect_agreement(sim, within=10, why=f"seed {seed}")
    assert {len(node.told("died", "n1")) for node in others(sim, "n1")} == {1}


@pytest.mark.parametrize("seed", SEEDS)
def test_all_who_have_lost_each_other_are_together_again_soon_after_the_network_is_back(seed: int) -> None:
    sim = cluster(5, seed=seed)
    for name in sim.nodes:
        isolate(sim, name)
    expect(sim, lambda: all(node.protocol.alive == 1 for node in sim.running), within=90, why="each is alone")
    heal(sim)
    expect_agreement(sim, within=5, why=f"seed {seed}")


def test_who_hears_nobody_asks_one_a_round_and_no_more() -> None:
    sim = cluster(2)
    sim.crash("n0")
    expect_seen(sim, "n0", "dead", within=crash_bound_s(sim.config))
    sim.run(HEARING_S)
    before = sim.nodes["n1"].protocol.stats.datagrams_sent
    sim.run(100)
    assert sim.nodes["n1"].protocol.stats.datagrams_sent - before == pytest.approx(
        100 / sim.config.probe_interval, abs=1
    )


# --- what stays as it was


class FirewallDriver(Driver):
    """Lets nothing through to one node but answers, over datagrams, and no connection."""

    answers_within_s = 0.3

    def __init__(self, sim: Simulation, watchers: Watchers, **how: Any) -> None:
        super().__init__(sim, watchers, **how)
        self.behind: Address | None = None
        self._asked: dict[Address, float] = {}

    def send(self, node: SimulatedNode, data: bytes, destination: Address) -> None:
        """Remember whom the node behind the firewall has asked."""
        if node.address == self.behind:
            self._asked[destination] = self.sim.now
        super().send(node, data, destination)

    def deliver(self, data: bytes, source: Address, destination: Address) -> None:
        """Drop what is no answer."""
        if destination == self.behind and self.sim.now - self._asked.get(source, -1e9) > self.answers_within_s:
            return
        super().deliver(data, source, destination)


class Firewall(World):
    """A world in which one node hears answers only, over datagrams, and cannot be connected to."""

    driver_type = FirewallDriver
    driver: FirewallDriver


@SIZES
def test_a_member_that_hears_answers_only_behind_a_stateful_firewall_stays_a_member(count: int) -> None:
    sim = Firewall()
    sim.start_many(count)
    expect_agreement(sim, within=10)
    sim.driver.behind = sim.nodes["n1"].address
    sim.run(60)
    assert not [node.name for node in sim.running if node.told("died")]


@pytest.mark.parametrize("count", [3, 5, 16])
def test_a_member_to_which_four_of_five_datagrams_are_lost_is_not_held_dead(count: int) -> None:
    sim = cluster(count)
    here = sim.nodes["n1"].address
    sim.network.rule("lossy", lambda _source, destination: destination == here, LinkChange(loss=0.8))
    sim.run(120)
    assert not [node.name for node in others(sim, "n1") if node.told("died")]


# --- the counter


def test_a_counter_stands_still_some_seconds_after_the_last_word_and_is_where_it_should_be_after_the_next() -> None:
    sim = cluster(3)
    node = sim.nodes["n1"]
    isolate(sim, "n1")
    heard, counter = node.protocol.last_heard, node.protocol.heartbeat
    sim.run(4 * HEARING_S)
    stands = counter(node.local_time(sim.now))
    assert stands == counter(heard + HEARING_S) == counter(heard + 100)
    before = int(heard / HEARTBEAT_STEP_S)
    assert stands == pytest.approx(before + HEARING_S / HEARTBEAT_STEP_S, abs=1)
    sim.inject("n1", forged(sim, sender=sim.nodes["n0"].id, body=Ping(1)), sim.nodes["n0"].address)
    assert counter(node.local_time(sim.now)) >= int(sim.now / HEARTBEAT_STEP_S) - 1


def test_who_only_asks_and_is_no_member_is_not_heard() -> None:
    sim = cluster(2)
    node = sim.nodes["n1"]
    isolate(sim, "n1")
    heard = node.protocol.last_heard
    sim.run(1)
    sim.inject("n1", forged(sim, body=Ping(1)), STRANGER)
    assert node.protocol.last_heard == heard


# --- floors


def convicted_by_n0(sim: Simulation) -> tuple[int, int]:
    """Both floors at which ``n0`` holds ``n1`` dead, which hears nobody."""
    deafen(sim, "n1")
    expect(sim, lambda: sim.nodes["n0"].sees()["n1"] == "dead", within=VERDICT_S, why="n1 is found dead")
    registers = entry_of(sim.nodes["n0"], "n1").registers
    return registers.accused, registers.convicted


def test_a_conviction_is_not_lifted_by_a_counter_that_merely_ran_on_but_by_one_that_cannot_have() -> None:
    sim = cluster(3)
    accused, convicted = convicted_by_n0(sim)
    assert convicted == accused + CONVICTION_STEPS
    member = sim.nodes["n1"].id
    inject(sim, ["n0"], AliveFact(member, convicted - 1))
    assert sim.nodes["n0"].sees()["n1"] == "dead"
    inject(sim, ["n0"], AliveFact(member, convicted))
    assert sim.nodes["n0"].sees()["n1"] == "alive"


def test_who_tells_of_a_dead_member_a_counter_that_merely_ran_on_is_told_of_the_conviction() -> None:
    sim = cluster(3, tapped=True)
    _, convicted = convicted_by_n0(sim)
    node = sim.nodes["n0"]
    alive = forged(sim, AliveFact(sim.nodes["n1"].id, convicted - 1), sender=sim.nodes["n2"].id)
    node.protocol.receive_datagram(alive, sim.nodes["n2"].address, sim.now)
    told = [data for data, _ in node.protocol.datagrams_to_send(sim.now)]
    assert told, "it is told better"


def test_a_conviction_that_is_heard_of_first_accuses_at_the_floor_of_its_accusation() -> None:
    sim = cluster(4)
    entry = entry_of(sim.nodes["n0"], "n1")
    floor = entry.registers.heartbeat + 3
    inject(sim, ["n0"], DeadFact(entry.id, floor + CONVICTION_STEPS, (), entry.registers.heartbeat))
    assert (entry.registers.accused, entry.status) == (floor, Status.SUSPECT)


def test_of_a_member_that_has_run_past_its_accusation_a_conviction_is_taken_at_its_own_floor() -> None:
    sim = cluster(4)
    entry = entry_of(sim.nodes["n0"], "n1")
    floor = entry.registers.heartbeat + 3
    inject(sim, ["n0"], DeadFact(entry.id, floor, (), entry.registers.heartbeat))
    assert (entry.registers.accused, entry.status) == (floor, Status.SUSPECT)
    sim.run(5)
    assert entry.status is Status.ALIVE, "it hears, and jumps over that floor"


def test_all_who_convict_a_member_do_so_at_one_floor() -> None:
    sim = cluster(16)
    sim.crash("n3")
    expect_seen(sim, "n3", "dead", within=crash_bound_s(sim.config))
    assert len({entry_of(node, "n3").registers.convicted for node in sim.running}) == 1


# --- a clock that does not move between a question and its answer

INSTANT = Link(latency=Uniform(0.0, 0.0))


@pytest.mark.parametrize("refused", [True, False])
@pytest.mark.parametrize("count", [2, 3, 5, 8])
def test_a_crash_is_found_where_answers_take_no_time_at_all(count: int, refused: bool) -> None:
    sim = cluster(count, link=INSTANT)
    sim.crash("n1", refuses=refused)
    sent = sim.datagrams
    took = expect_seen(sim, "n1", "dead", within=crash_bound_s(sim.config))
    assert sim.datagrams - sent < 30 * count * (1 + took), "nobody asks again and again"
    expect_agreement(sim, within=1)


def test_a_probe_counts_who_was_heard_while_it_asked_and_not_before() -> None:
    sim = cluster(3)
    node, ended = sim.nodes["n0"], list[Probe]()
    sim.crash("n1")
    entry = entry_of(node, "n1")
    prober = node.protocol.parts.prober
    hello = forged(sim, sender=sim.nodes["n2"].id)
    node.protocol.receive_datagram(hello, sim.nodes["n2"].address, sim.now)
    prober.probe(entry, Reason.LAST, lambda probe, _now: ended.append(probe), sim.now)
    node.protocol.receive_datagram(hello, sim.nodes["n2"].address, sim.now)
    prober.refused(entry.registers.record.address, sim.now)
    prober.refused(entry.registers.record.address, sim.now)
    assert [(probe.answered, probe.heard) for probe in ended] == [(False, 1)]
