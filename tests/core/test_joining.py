"""Joining: from knowing an address to seeing, and being seen by, everybody."""

from __future__ import annotations

import pytest

from gossip.core.config import Config
from gossip.core.dissemination import streams
from gossip.core.presence.joining import COPY_PAUSE_S, COPY_TRIES
from gossip.core.support.address import Address
from sims.world import Observer, SimulatedNode, Simulation
from tests.core.worlds import (
    JOINED_WITHIN_S,
    SEEDS,
    STRANGER,
    cluster,
    dropped,
    everybody,
    everybody_has,
    expect,
    expect_agreement,
    expect_no_deaths,
    world,
)


@pytest.mark.parametrize("count", [2, 8, 32])
@pytest.mark.parametrize("seed", SEEDS)
def test_all_who_start_at_once_through_one_seed_see_all(count: int, seed: int) -> None:
    sim = world(seed=seed)
    sim.start_many(count)
    expect_agreement(sim, within=JOINED_WITHIN_S, why=f"{count} joining, seed {seed}")


def test_who_joins_in_a_crowd_compares_its_view_without_waiting_for_a_round() -> None:
    """What a first copy cannot show is who joins at the same time."""
    sim = world()
    sim.start_many(96)  # more than a seed gives a copy at once
    expect_agreement(sim, within=0.5, why="joining all at once")


def test_everybody_is_told_of_everybody_exactly_once() -> None:
    sim = cluster(8)
    for node in everybody(sim):
        others = sorted(name for name in sim.nodes if name != node.name)
        assert sorted(event.member.name for event in node.told("joined")) == others


def test_a_newcomer_brings_its_metadata_along() -> None:
    sim = cluster(4)
    sim.start("late", seeds=("n2",), metadata={"role": "web"})
    expect_agreement(sim, within=JOINED_WITHIN_S)
    assert all(
        dict(event.member.metadata) == {"role": "web"} for n in everybody(sim) for event in n.told("joined", "late")
    )


def test_a_seed_that_starts_later_is_found() -> None:
    sim = world()
    seed_address = Address("10.9.9.9", 7946)
    early = sim.start("early")
    early.protocol.seed([seed_address], sim.now)
    sim.run(20)
    assert early.sees() == {"early": "alive"}
    sim.start("seed", address=seed_address)
    expect_agreement(sim, within=2 * sim.config.join_backoff_max)


def test_nodes_whose_seeds_were_all_dead_at_first_keep_trying() -> None:
    sim = cluster(3)
    for name in ("n0", "n1", "n2"):
        sim.crash(name)
    late = sim.start("late", seeds=("n0", "n1", "n2"))
    sim.run(60)
    assert late.protocol.alive == 1
    sim.start("n1")
    expect_agreement(sim, within=2 * sim.config.join_backoff_max)


def test_one_living_seed_among_dead_ones_is_enough() -> None:
    sim = cluster(4)
    for name in ("n0", "n1", "n2"):
        sim.crash(name)
    sim.start("late", seeds=("n0", "n1", "n2", "n3"))
    expect(sim, lambda: sim.nodes["n3"].sees().get("late") == "alive", within=JOINED_WITHIN_S, why="joining")


def test_seeds_given_twice_count_once() -> None:
    sim = cluster(2)
    sim.start("late", seeds=("n0", "n0", "n1", "n0", "n1"))
    expect_agreement(sim, within=JOINED_WITHIN_S)
    assert len(sim.nodes["n0"].told("joined", "late")) == 1


def test_a_node_given_only_itself_as_seed_stays_alone_in_peace() -> None:
    sim = world(tapped=True)
    node = sim.start("n0")
    node.protocol.seed([node.address, node.address], sim.now)
    sim.run(60)
    assert node.protocol.alive == 1
    assert node.protocol.stats.datagrams_sent == 0
    assert dropped(node) == 0


def test_a_node_given_itself_and_another_as_seeds_joins_the_other() -> None:
    sim = world()
    sim.start("n0")
    node = sim.start("n1")
    node.protocol.seed([node.address, sim.nodes["n0"].address], sim.now)
    expect_agreement(sim, within=JOINED_WITHIN_S)


def test_addresses_that_nobody_can_be_reached_at_are_no_seeds() -> None:
    sim = world()
    node = sim.start("n0")
    node.protocol.seed([Address("0.0.0.0", 7946), Address("::", 7946), Address("10.0.0.1", 0)], sim.now)
    sim.run(10)
    assert node.protocol.stats.datagrams_sent == 0


def test_seeds_that_become_known_later_are_tried_at_once() -> None:
    sim = cluster(2)
    sim.start("late")
    sim.run(30)
    sim.reseed("late", ["n0"])
    expect_agreement(sim, within=2)


def test_two_clusters_that_each_know_a_seed_of_the_other_become_one() -> None:
    sim = world()
    for name, seeds in (("a0", ()), ("a1", ("a0",)), ("b0", ()), ("b1", ("b0",))):
        sim.start(name, seeds=seeds)
    expect(sim, lambda: all(node.protocol.alive == 2 for node in sim.running), within=JOINED_WITHIN_S, why="pairs")
    sim.nodes["a1"].protocol.seed([sim.nodes["b0"].address], sim.now)
    expect_agreement(sim, within=60)


def test_clusters_of_different_names_stay_apart_and_count_each_other() -> None:
    sim = world(config=Config.lan(cluster="blue"))
    red = Config.lan(cluster="red")
    sim.start("blue0")
    sim.start("red0", seeds=("blue0",), config=red)
    sim.start("blue1", seeds=("blue0", "red0"))
    sim.start("red1", seeds=("red0", "blue0"), config=red)
    sim.run(60)
    for colour in ("blue", "red"):
        expected = {f"{colour}{number}": "alive" for number in (0, 1)}
        assert [sim.nodes[name].sees() for name in expected] == [expected, expected]
    assert dropped(sim.nodes["blue0"], "other cluster") > 0
    expect_no_deaths(sim)


def test_many_seeds_are_not_all_asked_at_once() -> None:
    sim = world(tapped=True)
    node = sim.start("n0")
    addresses = [Address(f"192.0.2.{host}", 7946) for host in range(1, 201)]
    node.protocol.seed(addresses, sim.now)
    assert len(node.protocol.datagrams_to_send(sim.now)) <= 16


def test_a_node_that_cannot_reach_its_seed_asks_ever_more_rarely() -> None:
    sim = world()
    node = sim.start("n0")
    node.protocol.seed([STRANGER], sim.now)
    sim.run(300)
    before = node.protocol.stats.datagrams_sent
    sim.run(300)
    tries = 300 / sim.config.join_backoff_max
    rounds = 300 / sim.config.probe_interval
    assert node.protocol.stats.datagrams_sent - before <= 2 * tries + rounds * sim.config.heal_probability * 2


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("count", [2, 8])
def test_nodes_that_do_not_know_their_address_learn_it_from_those_they_reach(count: int, seed: int) -> None:
    sim = world(seed=seed)
    sim.start("n0", learns_address=True)
    for number in range(1, count):
        sim.start(f"n{number}", seeds=("n0",), learns_address=True)
    expect_agreement(sim, within=JOINED_WITHIN_S, why=f"{count} joining without addresses, seed {seed}")
    for node in everybody(sim):
        assert node.protocol.address_known
        assert all(other.protocol.get(node.name) == node.protocol.local for other in everybody(sim))


def test_a_node_alone_without_an_address_announces_none() -> None:
    sim = world()
    node = sim.start("n0", learns_address=True)
    sim.run(30)
    assert not node.protocol.address_known
    assert node.told("updated") == []


def test_metadata_set_before_the_address_is_known_reaches_all() -> None:
    sim = world()
    sim.start("n0")
    early = sim.start("n1", learns_address=True, metadata={"role": "db"})
    sim.update("n1", {"role": "web"})
    early.protocol.seed([sim.nodes["n0"].address], sim.now)
    expect(sim, lambda: everybody_has(sim, "n1", {"role": "web"}), within=5, why="early metadata")


class Framed(Observer):
    """To whom each node sent frames on streams."""

    def __init__(self) -> None:
        self.peers: dict[str, list[str]] = {}

    def framed(self, node: SimulatedNode, peer: SimulatedNode, data: bytes, delay: float | None) -> None:
        """Take note of both ends."""
        peers = self.peers.setdefault(node.key, [])
        if peer.key not in peers:
            peers.append(peer.key)


def test_newcomers_whom_the_seed_refuses_copy_the_view_from_others() -> None:
    framed = Framed()
    sim = Simulation(config=Config.lan(max_streams=6), observers=[framed])
    sim.start_many(24)
    expect_agreement(sim, within=JOINED_WITHIN_S)
    sim.run(2 * COPY_TRIES * COPY_PAUSE_S)
    newcomers = [key for key in sim.nodes if key != "n0"]
    assert all(framed.peers.get(key) for key in newcomers), "somebody never got through to anybody"
    assert any("n0" not in framed.peers[key] for key in newcomers), "the seed served all: the test shows nothing"


def test_where_no_stream_gets_through_a_newcomer_stops_asking_for_a_copy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(streams, "INCOMING_SHARE", 0.0)
    sim = cluster(8)
    sim.run(60)
    refused = sum(dropped(node, "too many streams") for node in everybody(sim))
    assert 7 <= refused <= 7 * COPY_TRIES
