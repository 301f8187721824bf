"""Where a node is, if nobody has told it: learnt from peers, changed when it changes, and moved by no liar."""

from __future__ import annotations

import pytest

from gossip.core.presence.own_address import LATELY_ROUNDS
from gossip.core.state.node_standing import Standing
from gossip.core.support.address import Address
from tests.core.places import PlacesWorld, address_seen, all_at_home, lan, let_lie, notices, places
from tests.core.worlds import (
    SEEDS,
    STRANGER,
    cluster,
    dropped,
    everybody,
    expect,
    expect_no_deaths,
    forged,
    heal,
    isolate,
    presented,
    world,
)


def settle(sim: PlacesWorld, *, within: float = 15, why: str) -> None:
    expect(sim, lambda: sim.all_agree() and all_at_home(sim), within=within, why=why)


# --- loopback


@pytest.mark.parametrize("seed", SEEDS)
def test_two_nodes_of_one_host_that_meet_by_loopback_are_known_elsewhere_at_an_address_that_works(seed: int) -> None:
    sim = places(seed=seed)
    sim.begin("a", "10.0.0.1:7946")
    sim.begin("b", "10.0.0.1:7947", seeds=("127.0.0.1:7946",))
    sim.begin("c", "10.0.0.2:7946", seeds=("10.0.0.1:7946",))
    sim.begin("d", "10.0.0.3:7946", seeds=("10.0.0.2:7946",))
    settle(sim, why=f"seed {seed}")
    sim.run(30)
    settle(sim, within=0, why="staying")
    for node in (sim.nodes["c"], sim.nodes["d"]):
        assert [each.member.name for each in node.events if each.kind.value in ("suspected", "died")] == []
        assert not any(each.member.address.is_loopback for each in node.events)


@pytest.mark.parametrize("seed", SEEDS)
def test_a_node_that_joins_by_loopback_is_never_announced_there_in_a_cluster_of_other_machines(seed: int) -> None:
    sim = lan(4, seed=seed)
    sim.begin("late", "10.0.0.11:7947", seeds=("127.0.0.1:7946",))
    settle(sim, within=5, why=f"seed {seed}")
    assert not any(each.member.address.is_loopback for node in everybody(sim) for each in node.events)
    assert all(dropped(node) == 0 for node in everybody(sim))


def test_nodes_that_are_all_on_one_machine_may_be_at_loopback_addresses() -> None:
    sim = places()
    sim.begin("a", "10.0.0.1:7946")
    for number in range(1, 5):
        sim.begin(f"n{number}", f"10.0.0.1:{7946 + number}", seeds=("127.0.0.1:7946",))
    expect(sim, sim.all_agree, within=10, why="joining by loopback")
    sim.run(30)
    assert {address_seen(sim, "a", f"n{number}") for number in range(1, 5)} == {
        f"127.0.0.1:{7946 + number}" for number in range(1, 5)
    }
    assert sum(dropped(node) for node in everybody(sim)) == 0
    expect_no_deaths(sim)


def test_a_loopback_address_is_not_believed_from_another_machine() -> None:
    sim = lan(3)
    sim.begin("wrong", "10.0.0.99:7946", seeds=("10.0.0.10:7946",), advertise="127.0.0.1:7946")
    sim.run(30)
    assert all("wrong" not in node.sees() for node in everybody(sim) if node.key != "wrong")
    told = notices(sim.nodes["wrong"])
    assert len(told) == 1
    assert "127.0.0.1:7946, which only this machine can reach" in told[0]
    expect_no_deaths(sim, but=["wrong"])


def test_a_forged_record_with_a_loopback_address_is_refused_and_counted() -> None:
    sim = lan(3)
    ghost = presented(4711, "ghost", 1_700_000_000_000, 1, Address("127.0.0.1", 7946), {}, 5)
    for source in (STRANGER, sim.nodes["n1"].address, Address("127.0.0.1", 9)):
        sim.inject("n0", forged(sim, ghost), source)
    assert dropped(sim.nodes["n0"], "loopback address of another machine") == 3
    assert "ghost" not in sim.nodes["n0"].sees()


def test_a_loopback_address_is_not_told_to_another_machine() -> None:
    sim = lan(3)
    sim.begin("wrong", "10.0.0.99:7946", seeds=("10.0.0.10:7946",), advertise="127.0.0.1:7946")
    sim.run(30)
    assert [dropped(node, "loopback address of another machine") for node in everybody(sim)] == [0] * 4


def test_a_node_that_was_given_a_loopback_address_says_so_when_it_hears_of_a_member_elsewhere() -> None:
    sim = lan(2)
    wrong = sim.begin("wrong", "10.0.0.10:7999", seeds=("127.0.0.1:7946",), advertise="127.0.0.1:7999")
    sim.run(10)
    assert all("wrong" not in sim.nodes[name].sees() for name in ("n0", "n1"))
    (told,) = notices(wrong)
    assert "127.0.0.1:7999, which only this machine can reach" in told


def test_a_node_that_is_left_alone_does_not_go_back_to_a_loopback_address() -> None:
    sim = lan(2)
    sim.crash("n1")
    expect(sim, lambda: sim.nodes["n0"].protocol.alive == 1, within=30, why="n1 dead")
    sim.run(LATELY_ROUNDS + 1)
    for port in range(3):
        here = Address("127.0.0.1", 9000 + port)
        sim.nodes["n0"].protocol.parts.own_address.note_answer(here, Address("127.0.0.1", 7946), sim.now)
    assert str(sim.nodes["n0"].protocol.local.address) == "10.0.0.10:7946"


def test_a_node_that_is_its_own_only_seed_and_cannot_tell_where_it_is_begins_a_cluster_of_its_own() -> None:
    sim = places()
    node = sim.begin("solo", "10.0.0.1:7946")
    node.protocol.seek(node.local_time(sim.now))
    node.protocol.seed([Address("127.0.0.1", 7946)], node.local_time(sim.now))
    assert node.protocol.standing.standing is Standing.JOINING
    sim.driver.pump(node)
    expect(sim, lambda: node.protocol.standing.standing is Standing.CONNECTED, within=5, why="its ping came back")


def test_a_message_of_ones_own_that_comes_from_elsewhere_is_no_sign_of_a_seed() -> None:
    sim = world()
    node = sim.start("solo", learns_address=True)
    now, seed = node.local_time(sim.now), Address("10.0.0.9", 7946)
    node.protocol.seed([seed], now)
    (ping, _), *_ = [each for each in node.protocol.datagrams_to_send(now) if each[1] == seed]
    for source in (STRANGER, Address("10.0.0.9", 7947)):
        node.protocol.receive_datagram(ping, source, now)
        assert node.protocol.standing.standing is Standing.JOINING


def test_facts_cost_a_look_at_all_members_no_more_than_a_round_does_while_an_address_is_in_doubt() -> None:
    sim = world()
    node = sim.start("n0", learns_address=True)
    own, now = node.protocol.parts.own_address, node.local_time(sim.now)
    node.protocol.seed([Address("10.0.0.1", 7946)], now)
    for number in range(2):
        own.note_answer(Address(f"10.0.0.{number}", 7946), Address(f"203.0.113.{number}", 1), now)
    assert own.is_waiting
    looks = []

    def look(now: float) -> bool:
        looks.append(now)
        return False

    own._settle_address = look  # type: ignore[method-assign]
    for number in range(100):
        fact = presented(10 + number, f"m{number}", 1, 1, Address("10.0.0.1", 1 + number), {}, 5)
        node.protocol.receive_datagram(forged(sim, fact), STRANGER, now + 5)
        node.protocol.receive_datagram(forged(sim, sender=10), STRANGER, now + 5)
    assert looks == []


# --- an address that changes


@pytest.mark.parametrize(("count", "seed"), [(2, 0), (2, 1), (3, 0), (3, 1), (5, 2), (12, 3)])
def test_a_node_whose_address_changes_is_known_at_the_new_one_and_told_as_updated(count: int, seed: int) -> None:
    sim = lan(count, seed=seed)
    began = sim.now
    sim.move("n1", "10.0.7.7:7946")
    settle(sim, within=15, why=f"{count}, seed {seed}")
    for node in everybody(sim):
        told = [each for each in node.events if each.time >= began and each.member.name == "n1"]
        assert [str(each.member.address) for each in told if each.kind.value == "updated"] == ["10.0.7.7:7946"]
    sim.run(30)
    assert [each for node in everybody(sim) for each in node.events if each.time > sim.now - 15] == []
    assert len(notices(sim.nodes["n1"])) == 1


def test_an_address_that_changes_back_and_forth_is_followed() -> None:
    sim = lan(5)
    for home in ("10.0.7.7:7946", "10.0.0.11:7946"):
        sim.move("n1", home)
        settle(sim, within=15, why=home)
        sim.run(10)


def test_a_given_address_is_never_changed() -> None:
    sim = lan(4)
    sim.begin("given", "10.0.0.50:7946", seeds=("10.0.0.10:7946",), advertise="10.0.0.50:7946")
    settle(sim, within=10, why="joining")
    sim.move("given", "10.0.7.7:7946")
    sim.run(20)
    assert str(sim.nodes["given"].protocol.local.address) == "10.0.0.50:7946"


def test_while_nothing_changes_nobody_asks_around() -> None:
    sim, given = lan(4), cluster(4)
    begun = [(each, each.datagrams, each.bytes) for each in (sim, given)]
    for each, _, _ in begun:
        each.run(120)
    (learnt_sent, learnt_bytes), (given_sent, given_bytes) = (
        (each.datagrams - datagrams, each.bytes - size) for each, datagrams, size in begun
    )
    assert learnt_sent <= 1.01 * given_sent
    assert learnt_bytes <= 1.01 * given_bytes


# --- liars


@pytest.mark.parametrize("liars", [1, 2])
@pytest.mark.parametrize("seed", SEEDS)
def test_a_third_host_keeps_two_liars_from_moving_an_address(liars: int, seed: int) -> None:
    sim = lan(5, seed=seed)
    for number in range(liars):
        let_lie(sim.nodes[f"n{2 + number}"], "n1", "203.0.113.9:7946")
    for _ in range(12):
        sim.run(LATELY_ROUNDS + 1)  # so that the liars may be the first to speak
        sim.nodes["n1"].protocol.parts.own_address.reconsider(sim.now)
        sim.run(1)
        assert str(sim.nodes["n1"].protocol.local.address) == "10.0.0.11:7946"
    assert all_at_home(sim)


@pytest.mark.parametrize("seed", SEEDS)
def test_a_liar_who_is_heard_first_after_a_cut_moves_no_address(seed: int) -> None:
    """Those who are only held dead because of the cut count as hosts that have not spoken yet."""
    sim = lan(6, seed=seed)
    node, liar = sim.nodes["n2"], sim.nodes["n5"]
    let_lie(liar, "n2", "203.0.113.9:7946")
    isolate(sim, "n2")
    sim.run(60)
    heal(sim)
    cut = (node.address, liar.address)
    sim.network.cut(
        "all but the liar", lambda a, b: (a == node.address) != (b == node.address) and not {a, b} <= {*cut}
    )
    sim.run(20)
    heal(sim)
    sim.run(60)
    assert str(node.protocol.local.address) == "10.0.0.12:7946"
    assert notices(node) == []


def test_the_dead_keep_nobody_from_following_its_address_for_long() -> None:
    sim = lan(3)
    sim.crash("n2")
    expect(sim, lambda: sim.nodes["n1"].protocol.alive == 2, within=30, why="n2 dead")
    sim.move("n1", "10.0.7.7:7946")
    settle(sim, within=60, why="one living host is all there is")


@pytest.mark.parametrize("seed", SEEDS)
def test_one_liar_does_not_keep_a_node_from_following_its_address(seed: int) -> None:
    sim = lan(6, seed=seed)
    let_lie(sim.nodes["n2"], "n1", "203.0.113.9:7946")
    sim.move("n1", "10.0.7.7:7946")
    settle(sim, within=30, why=f"seed {seed}")


@pytest.mark.parametrize("seed", SEEDS)
def test_a_seed_that_lies_does_not_choose_the_address_of_a_newcomer(seed: int) -> None:
    sim = lan(5, seed=seed)
    let_lie(sim.nodes["n2"], "late", "203.0.113.9:7946")
    sim.begin("late", "10.0.0.50:7946", seeds=("10.0.0.12:7946",))
    settle(sim, within=15, why=f"seed {seed}")
    assert not any(each.member.address.host == "203.0.113.9" for node in everybody(sim) for each in node.events), (
        "the liar was believed for a while"
    )


def test_members_of_a_liar_at_one_host_have_one_voice() -> None:
    sim = lan(4)
    for number in range(6):
        sim.begin(f"evil{number}", f"10.0.0.66:{8000 + number}", seeds=("10.0.0.10:7946",))
    settle(sim, why="joining")
    for number in range(6):
        let_lie(sim.nodes[f"evil{number}"], "n1", "203.0.113.9:7946")
    sim.run(LATELY_ROUNDS + 1)
    sim.nodes["n1"].protocol.parts.own_address.reconsider(sim.now)
    for number in range(6):
        sim.nodes["n1"].protocol.parts.joining.contact(sim.nodes[f"evil{number}"].address, sim.now)
    sim.run(5)
    assert str(sim.nodes["n1"].protocol.local.address) == "10.0.0.11:7946"


# --- translators of addresses


def test_a_node_that_each_peer_sees_elsewhere_is_not_announced_and_says_why() -> None:
    sim = lan(4)
    node = sim.begin("behind", "10.0.0.50:7946")
    for number in range(4):
        peer = sim.nodes[f"n{number}"]
        let_lie(peer, "behind", f"203.0.113.1:{40_000 + number}")
    node.protocol.seed([sim.nodes[f"n{number}"].address for number in range(4)], sim.now)
    sim.run(20)
    assert not node.protocol.address_known
    told = notices(node)
    assert len(told) == 1
    assert "each peer sees this node at another address" in told[0]
    assert "advertise" in told[0]


@pytest.mark.parametrize("seed", range(2))
def test_two_members_at_one_address_are_told_apart_and_reported_once(seed: int) -> None:
    sim = lan(4, seed=seed)
    sim.begin("one", "10.0.0.60:7946", seeds=("10.0.0.10:7946",))
    settle(sim, why="joining")
    sim.begin("two", "10.0.0.61:7946", seeds=("10.0.0.10:7946",), advertise="10.0.0.60:7946")
    sim.run(25)
    told = [notice for node in everybody(sim) for notice in notices(node)]
    assert told
    assert all("'two' and 'one' both run and both announce the address 10.0.0.60:7946" in notice for notice in told)
    assert len(told) <= len(everybody(sim))
    expect_no_deaths(sim, but=["two"])
    assert all(not node.told("suspected", "one") for node in everybody(sim))


def test_a_restart_under_another_name_at_the_same_address_is_not_reported() -> None:
    sim = lan(5)
    sim.crash("n1")
    sim.begin("new", "10.0.0.11:7946", seeds=("10.0.0.10:7946",))
    sim.run(30)
    assert [notice for node in sim.running for notice in notices(node)] == []
    assert all(node.sees()["new"] == "alive" and node.sees()["n1"] == "dead" for node in sim.running)


def test_a_seed_that_is_reached_through_a_translator_has_no_voice_beside_members() -> None:
    sim = places()
    sim.begin("n0", "10.0.0.10:7946", advertise="10.0.0.10:7946")
    door, outside = "203.0.113.1:7946", "203.0.113.1:4711"
    sim.doors[Address.parse(door)] = "n0", Address.parse(outside)
    sim.begin("late", "10.0.0.50:7946", seeds=(door,))
    settle(sim, within=5, why="joining through the door")
    sim.run(60)
    assert all_at_home(sim)
    assert not any(str(each.member.address) == outside for node in everybody(sim) for each in node.events)
