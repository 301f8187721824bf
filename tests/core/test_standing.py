"""What a node knows of its own place in the cluster: that it is told, why, and that it is over."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from gossip.core.config import Config
from gossip.core.errors import DisplacedError
from gossip.core.presence.standing import ISOLATED_AFTER_ROUNDS, UNANSWERED_S
from gossip.core.state.member import Member, Status
from gossip.core.state.node_standing import Standing
from gossip.core.support.address import Address
from gossip.core.support.drop_reasons import Drop
from gossip.core.wire import Codec
from gossip.core.wire.messages import DeadFact, News, Ping, SuspectFact
from sims.world import Link, SimulatedNode
from sims.world.simulation import WALL_START_MS
from tests.core.places import PlacesWorld
from tests.core.test_conflicts import OTHER_MACHINE, with_a_second
from tests.core.worlds import (
    STRANGER,
    Script,
    World,
    cluster,
    crash_bound_s,
    deafen,
    dropped,
    entry_of,
    everybody,
    expect,
    expect_agreement,
    forged,
    heal,
    heal_bound_s,
    inject,
    isolate,
    mute,
    presented,
    world,
)

YEAR_MS = 365 * 24 * 3600 * 1000
SEEDS = range(2)
"""Seeds for what is decided by each node for itself, and so depends little on luck."""


def standing(node: SimulatedNode) -> Standing:
    """The standing of a node now."""
    return node.protocol.standing.standing


def why(node: SimulatedNode) -> str:
    """The reason for it."""
    return node.protocol.standing.why


def standings(node: SimulatedNode) -> list[str]:
    """Every standing that the node told of itself, in order."""
    told = [event.standing for event in node.told("standing")]
    assert all(event.member.id == node.id for event in node.told("standing"))
    return [each.standing.value for each in told if each is not None]


def is_(node: SimulatedNode, wanted: Standing) -> Callable[[], bool]:
    """A condition: the node has this standing."""
    return lambda: standing(node) is wanted


# --- joining


def test_a_node_without_seeds_is_connected_from_the_start() -> None:
    script = Script()
    script.sim.run(100)
    assert standing(script.node) is Standing.CONNECTED
    assert standings(script.node) == []


@pytest.mark.parametrize("seed", SEEDS)
def test_a_node_is_joining_until_its_view_is_that_of_another(seed: int) -> None:
    sim = cluster(8, seed=seed)
    node = sim.start("new", seeds=("n0",))
    assert standing(node) is Standing.JOINING
    expect(sim, is_(node, Standing.CONNECTED), within=5, why=f"seed {seed}")
    assert node.protocol.alive == 9, f"seed {seed}"
    sim.run(60)
    assert standings(node) == ["connected"], f"seed {seed}"
    assert not any(event.standing.is_warning for event in node.told("standing") if event.standing), f"seed {seed}"


def test_who_is_alone_with_dead_seeds_says_so_once_and_that_it_is_over() -> None:
    sim = world()
    for name in ("n0", "n1"):
        sim.start(name)
        sim.crash(name)
    node = sim.start("new", seeds=("n0", "n1"))
    sim.run(UNANSWERED_S - 2)
    assert standings(node) == ["joining"]
    assert not node.protocol.standing.is_warning
    seeds = f"{sim.nodes['n0'].address}, {sim.nodes['n1'].address}"
    assert why(node) == f"it looks for its cluster at {seeds}: nobody answers there"
    sim.run(100)
    assert standings(node) == ["joining", "joining"]
    assert why(node).startswith(f"it looks for its cluster at {seeds}, for 3")
    assert why(node).endswith(" s by now: nobody answers there")
    assert node.protocol.standing.is_warning
    sim.start("n1")
    expect(sim, is_(node, Standing.CONNECTED), within=60, why="a seed is there")
    assert node.protocol.standing.is_warning, "what was warned of is over"


def test_a_node_whose_only_seed_is_itself_is_connected() -> None:
    script = Script()
    script.protocol.seek(script.sim.now)
    assert standing(script.node) is Standing.JOINING
    script.protocol.seed([script.node.address], script.sim.now)
    assert standing(script.node) is Standing.CONNECTED


def test_a_seed_of_another_cluster_is_told_as_that() -> None:
    sim = world()
    other = sim.start("n0")
    node = sim.start("new", seeds=("n0",))
    sim.crash("n0")
    data = forged(sim)
    sim.config = Config.lan(cluster="other")
    foreign = forged(sim)
    sim.run(10)
    sim.driver.deliver(data, STRANGER, node.address)
    sim.driver.deliver(foreign, STRANGER, node.address)
    sim.run(2)
    assert "nobody answers there" in why(node), "what strangers send says nothing of the seeds"
    before = len(standings(node))
    sim.driver.deliver(foreign, other.address, node.address)
    sim.run(2)
    assert len(standings(node)) == before + 1
    assert "a cluster with another name; give both nodes the same cluster name" in why(node)
    sim.run(60)
    assert len(standings(node)) == before + 1, "once is enough"


def test_a_node_that_remembers_others_is_joining_until_it_hears_them() -> None:
    sim = cluster(3)
    known = sim.nodes["n0"].protocol.members()
    node = sim.start("new")
    node.protocol.remember(known, sim.now)
    assert standing(node) is Standing.JOINING
    expect(sim, is_(node, Standing.CONNECTED), within=10, why="they answer")


def whom_nobody_takes_in(kind: str) -> tuple[World, SimulatedNode]:
    """A newcomer that hears others well, and is in none of their views."""
    sim = cluster(5, config=Config.lan(max_members=5 if kind == "view full" else 100))
    if kind == "clock ahead":
        return sim, sim.start("new", seeds=("n0",), clock_ms=2 * YEAR_MS)
    metadata = {"k": "v" * 550} if kind == "metadata too large" else {}
    return sim, sim.start("new", seeds=("n0",), config=Config.lan(max_metadata=600), metadata=metadata)


@pytest.mark.parametrize("kind", ["clock ahead", "metadata too large", "view full"])
def test_who_hears_others_and_is_in_nobodys_view_has_not_joined_and_says_why(kind: str) -> None:
    sim, node = whom_nobody_takes_in(kind)
    sim.run(60)
    assert all(other.protocol.get("new") is None for other in sim.running if other is not node)
    assert standing(node) is Standing.JOINING
    assert standings(node) == ["joining"], "once is enough"
    assert "others answer, but do not accept it as a member" in why(node)
    assert ("it started 729 days ahead of the clock at" in why(node)) is (kind == "clock ahead")


def test_who_refuses_everybody_for_its_own_clock_says_that() -> None:
    sim = cluster(3)
    node = sim.start("late", seeds=("n0",), clock_ms=-2 * YEAR_MS)
    sim.run(10)
    assert standing(node) is Standing.JOINING
    assert "days ahead of the clock here; correct the clock that is wrong" in why(node)


def test_views_that_never_are_the_same_keep_nobody_from_joining_whom_others_know() -> None:
    sim = cluster(5)
    node = sim.start("new", seeds=("n0",))
    heard = node.protocol.parts.standing.heard

    def heard_another_view(agrees: bool, claimant: Member | None, now: float) -> None:
        heard(False, claimant, now)

    node.protocol.parts.standing.heard = heard_another_view  # type: ignore[method-assign]
    expect(sim, is_(node, Standing.CONNECTED), within=20, why="those who answer know it")


OUTSIDE = Address("203.0.113.7", 40001)


class Translated(PlacesWorld):
    """A world in which what one node sends seems to come from elsewhere than where it is reached."""

    def way(self, node: SimulatedNode, destination: Address) -> tuple[Address, Address]:
        """The way of a datagram: where it ends, and from where it seems to come."""
        there, source = super().way(node, destination)
        if node.key == "new":
            return there, OUTSIDE
        return (self.nodes["new"].address if destination == OUTSIDE else there), source


def test_who_is_seen_elsewhere_than_it_is_reached_joins_even_where_views_differ() -> None:
    """It takes in less metadata than others, so its view equals nobody's, but they know it."""
    sim = Translated(seed=0, config=Config.lan())
    sim.begin("n0", "10.0.0.10:7946")
    for number in range(1, 5):
        sim.begin(f"n{number}", f"10.0.0.{10 + number}:7946", seeds=("10.0.0.10:7946",))
    sim.run(10)
    sim.update("n2", {"labels": "x" * 300})
    sim.run(5)
    sim.config = Config.lan(max_metadata=200)
    node = sim.begin("new", "10.0.1.9:7946", seeds=("10.0.0.10:7946",), advertise="10.0.1.9:7946")
    expect(sim, is_(node, Standing.CONNECTED), within=20, why="all others know it")


def test_who_comes_back_from_isolation_and_was_replaced_meanwhile_is_not_connected() -> None:
    config = Config.lan(max_members=5, forget_after=20.0)
    sim = cluster(5, config=config)
    node = sim.nodes["n2"]
    isolate(sim, "n2")
    expect(sim, lambda: sim.nodes["n0"].status_of("n2") == Status.DEAD, within=60, why="n2 is dead to the others")
    sim.run(config.suspicion_max)
    sim.start("other", seeds=("n0",))
    sim.run(5)
    heal(sim)
    sim.run(60)
    assert all(other.protocol.get("n2") is None for other in sim.running if other is not node)
    assert standing(node) is Standing.ISOLATED
    assert why(node) == "others answer, but do not accept it as a member; their logs say why"
    assert standings(node).count("isolated") <= 3


@pytest.mark.parametrize("seed", SEEDS)
def test_what_forgers_send_makes_one_reason_of_each_kind(seed: int) -> None:
    sim = world(seed=seed)
    sim.start("n0")
    sim.crash("n0")
    node = sim.start("new", seeds=("n0",))
    sim.run(UNANSWERED_S + 5)
    for number in range(60):
        source = STRANGER if number % 2 else sim.nodes["n0"].address
        node.protocol.drops.note(Drop.UNKNOWN_KEY if number % 3 else Drop.OTHER_CLUSTER, source)
        sim.run(1)
    assert len(standings(node)) <= 4, "nobody answers, as a warning as well; another key, another cluster"


@pytest.mark.parametrize("seed", SEEDS)
def test_who_looks_in_vain_says_why_as_soon_as_it_is_known(seed: int) -> None:
    sim = world(seed=seed)
    for name in ("n0", "n1"):
        sim.start(name)
    sim.crash("n0", refuses=True)
    mute(sim, "n1")
    node = sim.start("new", seeds=("n0", "n1"))
    sim.run(2)
    gone, silent = (str(sim.nodes[name].address) for name in ("n0", "n1"))
    assert why(node) == f"it looks for its cluster at {gone}, {silent}: no process listens at {gone}"
    sim.run(4)
    assert why(node).endswith(f": no process listens at {gone}; nobody answers at {silent}")
    assert not node.protocol.standing.is_warning, "machines that start together find each other sooner than told"


def test_seeds_are_named_as_they_were_given_and_names_without_address_as_that() -> None:
    script = Script()
    given = [Address(f"db{number}.example", 7946) for number in range(5)]
    script.protocol.seek(script.sim.now, [script.node.address, *given])
    listed = "db0.example:7946, db1.example:7946, db2.example:7946 and 2 more"
    assert why(script.node) == f"it looks for its cluster at {listed}"
    script.protocol.seed([], script.sim.now, given)
    script.sim.run(2)
    assert why(script.node) == f"it looks for its cluster at {listed}: no address is known for {listed}"
    assert standings(script.node) == ["joining"]


def test_a_node_that_is_its_own_only_seed_says_that_it_begins_a_cluster() -> None:
    script = Script()
    script.protocol.seek(script.sim.now, [script.node.address])
    script.protocol.seed([script.node.address], script.sim.now)
    assert why(script.node) == "it is its own only seed, so it begins a cluster of its own"


def test_strangers_do_not_have_the_reason_of_a_search_told_again_and_again() -> None:
    sim = world(config=Config.lan(cluster="other"))
    other = sim.start("n0")
    foreign = forged(sim)
    sim.config = Config.lan()
    node = sim.start("new", seeds=("n0",))
    for _ in range(60):
        for source in (other.address, STRANGER):
            sim.driver.deliver(foreign, source, node.address)
            sim.run(1)
    assert standings(node) == ["joining", "joining"], "what it is, and that it lasts"
    assert "a cluster with another name" in why(node)


def test_to_be_among_its_own_seeds_is_no_reason_where_there_are_others() -> None:
    sim = world()
    sim.start("n0")
    sim.crash("n0")
    node = sim.start("new")
    elsewhere = Address("10.9.9.9", 7946)  # where it is reached as well, and does not know it
    node.protocol.seed([elsewhere, sim.nodes["n0"].address], node.local_time(sim.now))
    for _ in range(10):
        sim.driver.deliver(forged(sim, sender=node.id), elsewhere, node.address)
        sim.run(1)
    assert dropped(node, "our own message") == 10
    assert why(node).endswith("nobody answers there")
    node.protocol.seed([elsewhere], node.local_time(sim.now))
    sim.driver.deliver(forged(sim, sender=node.id), elsewhere, node.address)
    sim.run(2)
    assert why(node).endswith("the only seed is this node itself; give it the address of another member, or no seeds")


# --- cut off


@pytest.mark.parametrize("agrees", [True, False])
def test_a_stranger_ends_no_isolation(agrees: bool) -> None:
    sim = cluster(5)
    node = sim.nodes["n2"]
    isolate(sim, "n2")
    expect(sim, is_(node, Standing.ISOLATED), within=10, why="it is cut off")
    for _ in range(20):
        fingerprint = node.protocol.fingerprint if agrees else 0
        data, _ = Codec(sim.config.cluster).encode(999, 1, fingerprint, News(), [], 1200)
        sim.inject("n2", data, STRANGER)
        sim.run(1)
        assert standing(node) is Standing.ISOLATED


def test_a_stranger_hides_no_isolation() -> None:
    sim = cluster(6)
    node = sim.nodes["n2"]
    isolate(sim, "n2")
    for _ in range(30):
        sim.inject("n2", forged(sim, sender=999), STRANGER)
        sim.run(3)
    assert standing(node) is Standing.ISOLATED
    assert not node.told("died")


def test_who_presents_itself_is_heard_by_that_very_message() -> None:
    script = Script()
    script.sim.run(3600)
    newcomer = presented(7, "new", WALL_START_MS, 1, Address("10.0.0.7", 7946), {}, 5)
    now = script.node.local_time(script.sim.now)
    script.protocol.receive_datagram(forged(script.sim, newcomer, sender=7, body=Ping(1)), STRANGER, now)
    assert script.protocol.last_heard == now
    (answer, _), *_ = script.protocol.datagrams_to_send(now)
    assert Codec(script.sim.config.cluster).decode(answer).heartbeat == script.protocol.heartbeat(now), "none is behind"


@pytest.mark.parametrize("count", [2, 3, 5])
def test_a_lost_datagram_or_two_isolate_nobody_where_rounds_are_slow(count: int) -> None:
    sim = world(seed=3, config=Config.lan(probe_interval=30.0), link=Link(loss=0.1))
    sim.start_many(count)
    sim.run(600 * 30)
    assert not [each for node in everybody(sim) for each in standings(node) if each == "isolated"]


def test_where_rounds_are_slow_who_hears_nobody_is_not_told_that_all_others_died() -> None:
    sim = cluster(4, config=Config.lan(probe_interval=30.0))
    node = sim.nodes["n2"]
    sim.run(60)
    isolate(sim, "n2")
    sim.run(600)
    assert standing(node) is Standing.ISOLATED
    assert not node.told("died")


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("count", [3, 8])
@pytest.mark.parametrize("cut", [isolate, deafen], ids=["isolated", "deaf"])
def test_who_hears_nobody_is_told_so_and_not_that_all_others_died(
    cut: Callable[[World, str], None], count: int, seed: int
) -> None:
    sim = cluster(count, seed=seed)
    node = sim.nodes["n2"]
    cut(sim, "n2")
    rounds = ISOLATED_AFTER_ROUNDS * sim.config.probe_interval
    expect(sim, is_(node, Standing.ISOLATED), within=rounds + 2, why=f"seed {seed}")
    assert "nobody was heard for" in why(node)
    sim.run(60)
    assert standing(node) is Standing.ISOLATED
    assert not node.told("died"), f"seed {seed}"
    assert all(member.status.is_living for member in node.protocol.told_members()), "as when it last heard them"
    assert standings(node)[1:] in (["isolated"], ["isolated"] * 2), "said, and once more when all others are given up"
    heal(sim)
    expect(sim, is_(node, Standing.CONNECTED), within=heal_bound_s(sim.config), why=f"seed {seed}")
    sim.run(30)
    assert not node.told("died"), f"seed {seed}"
    assert node.protocol.told_members() == node.protocol.members()
    assert all(event.standing.is_warning for event in node.told("standing")[1:] if event.standing)


@pytest.mark.parametrize("seed", SEEDS)
def test_what_died_while_a_node_was_isolated_is_told_when_it_hears_others_again(seed: int) -> None:
    sim = cluster(6, seed=seed)
    node = sim.nodes["n2"]
    isolate(sim, "n2")
    sim.run(20)
    sim.crash("n4")
    sim.leave("n5")
    sim.run(5)
    sim.crash("n5")
    sim.run(60)
    assert not node.told("died")
    heal(sim)
    expect_agreement(sim, within=heal_bound_s(sim.config), why=f"seed {seed}")
    sim.run(10)
    gone = {event.member.name for kind in ("died", "left") for event in node.told(kind)}
    assert gone == {"n4", "n5"}, f"seed {seed}"


def test_of_two_nodes_the_one_left_alone_is_told_of_the_death_and_that_it_hears_nobody() -> None:
    sim = cluster(2)
    isolate(sim, "n1")
    sim.run(crash_bound_s(sim.config))
    for node in everybody(sim):
        assert len(node.told("died")) == 1
        assert standing(node) is Standing.ISOLATED, "it cannot tell the death of its only peer from being cut off"
    heal(sim)
    expect(sim, lambda: all(standing(node) is Standing.CONNECTED for node in everybody(sim)), within=60, why="healing")


def test_who_is_left_because_all_others_said_farewell_is_no_less_connected() -> None:
    sim = cluster(3)
    for name in ("n0", "n1"):
        sim.leave(name)
        sim.run(3)
        sim.crash(name)
    sim.run(60)
    assert standings(sim.nodes["n2"]) == ["connected"]


def test_halves_that_hear_each_other_are_not_isolated() -> None:
    sim = cluster(8)
    isolate(sim, "n0", "n1", "n2")
    sim.run(60)
    assert all(standing(node) is Standing.CONNECTED for node in sim.running)
    assert all(len(node.told("died")) for node in sim.running)


@pytest.mark.parametrize("seed", SEEDS)
def test_heavy_loss_isolates_nobody(seed: int) -> None:
    sim = cluster(4, seed=seed, link=Link(loss=0.4))
    sim.run(200)
    assert not [each for node in everybody(sim) for each in standings(node) if each == "isolated"], f"seed {seed}"


FORGETFUL = Config.lan(forget_after=30.0)


@pytest.mark.parametrize("count", [2, 3])
@pytest.mark.parametrize("has_seed", [True, False], ids=["a seed", "no seed"])
def test_the_last_of_a_cluster_that_has_forgotten_all_others_is_what_a_new_node_would_be(
    count: int, has_seed: bool
) -> None:
    sim = cluster(count, config=FORGETFUL)
    others = [node.name for node in sim.running if node.name != "n1"]
    node = sim.nodes["n1"]
    if not has_seed:
        sim.reseed("n1", ["n1"])
    for name in others:
        sim.crash(name)
    sim.run(25)
    assert standing(node) is Standing.ISOLATED, "as long as it remembers others, it may be cut off"
    sim.run(100)
    assert [event.member.name for event in node.told("died")] == others
    assert [event.member.name for event in node.told("forgotten")] == others
    assert node.protocol.members() == node.protocol.told_members() == (node.protocol.local,)
    if has_seed:
        assert standing(node) is Standing.JOINING
        assert why(node).startswith(f"it remembers nobody else, and looks for its cluster at {sim.nodes['n0'].address}")
    else:
        assert standing(node) is Standing.CONNECTED
        assert why(node) == "it remembers nobody else, so it begins its cluster anew"
    sim.start("n0", seeds=() if has_seed else ("n1",))
    expect(sim, is_(node, Standing.CONNECTED), within=60, why="somebody is there again")
    expect_agreement(sim, within=10)


# --- held dead


@pytest.mark.parametrize("seed", SEEDS)
def test_who_stood_still_for_long_says_so_until_nobody_holds_it_dead(seed: int) -> None:
    sim = cluster(8, seed=seed)
    node = sim.nodes["n3"]
    sim.pause("n3", 3.0)
    sim.run(3.05)
    assert standing(node) is Standing.HELD_DEAD, f"seed {seed}"
    assert "its loop stood still for" in why(node), f"seed {seed}"
    expect(sim, is_(node, Standing.CONNECTED), within=10, why=f"seed {seed}")
    assert standings(node)[-2:] == ["held_dead", "connected"], f"seed {seed}"
    assert all(event.standing.is_warning for event in node.told("standing")[-2:] if event.standing)


def test_who_stood_still_too_briefly_to_be_convicted_says_nothing() -> None:
    sim = cluster(8)
    sim.pause("n3", 0.9 * sim.config.suspicion_min)
    sim.run(10)
    assert standings(sim.nodes["n3"]) == ["connected"], "when it joined"


def test_who_stood_still_for_a_minute_is_not_isolated_by_that() -> None:
    sim = cluster(8)
    sim.pause("n3", 60)
    sim.run(75)
    assert standings(sim.nodes["n3"]) == ["connected", "held_dead", "connected"]
    assert not sim.nodes["n3"].told("died")


def test_who_cannot_be_heard_learns_that_it_is_held_dead_and_when_that_is_over() -> None:
    sim = cluster(5)
    node = sim.nodes["n2"]
    mute(sim, "n2")
    expect(sim, is_(node, Standing.HELD_DEAD), within=60, why="told by those who look for it")
    assert "holds it dead" in why(node)
    sim.run(60)
    assert standing(node) is Standing.HELD_DEAD, "as long as they say so"
    heal(sim)
    expect(sim, is_(node, Standing.CONNECTED), within=heal_bound_s(sim.config), why="healing")


@pytest.mark.parametrize("count", [3, 6])
def test_who_cannot_be_heard_and_has_given_up_others_is_no_less_held_dead(count: int) -> None:
    sim = cluster(count, seed=2)
    mute(sim, "n1")
    sim.run(400)
    assert standings(sim.nodes["n1"]).count("held_dead") <= 2
    assert "connected" not in standings(sim.nodes["n1"])[1:]


def test_a_single_conviction_is_taken_back_within_seconds() -> None:
    sim = cluster(5)
    node = sim.nodes["n2"]
    registers = entry_of(sim.nodes["n0"], "n2").registers
    conviction = DeadFact(node.id, registers.heartbeat + 20, (1,), registers.heartbeat)
    sim.inject("n2", forged(sim, conviction, sender=sim.nodes["n1"].id), STRANGER)
    assert standing(node) is Standing.HELD_DEAD
    assert "'n1' holds it dead" in why(node)
    expect(sim, is_(node, Standing.CONNECTED), within=5, why="nobody else says so")


@pytest.mark.parametrize("count", [3, 5])
def test_a_deaf_member_that_holds_everybody_dead_does_not_unsettle_those_who_hear_each_other(count: int) -> None:
    sim = cluster(count, seed=1)
    deafen(sim, "n1")
    sim.run(600)
    healthy = [node for node in everybody(sim) if node.name != "n1"]
    assert [each for node in healthy for each in standings(node)] == ["connected"] * (count - 2), "when they joined"


def test_what_a_stranger_says_of_a_death_is_no_reason_to_doubt_oneself() -> None:
    sim = cluster(3)
    registers = entry_of(sim.nodes["n0"], "n2").registers
    inject(sim, ["n2"], DeadFact(sim.nodes["n2"].id, registers.heartbeat + 20, (1,), registers.heartbeat))
    assert standing(sim.nodes["n2"]) is Standing.CONNECTED


# --- displaced, left


def test_who_is_displaced_and_cut_off_is_not_told_that_all_others_died_and_leaves_the_name_where_it_is() -> None:
    sim = cluster(6)
    first, second = with_a_second(sim, "n2")
    sim.run(20)
    here = first.address
    sim.network.cut("first", lambda source, destination: here in (source, destination))
    sim.run(100)
    assert not first.told("died")
    heal(sim)
    sim.run(60)
    assert standings(first)[1:] == ["displaced"]
    assert standings(second) == ["connected"]
    assert not first.told("died")
    assert first.protocol.told_members() == first.protocol.members()


def test_whose_name_is_taken_while_it_is_cut_off_is_told_of_others_again() -> None:
    sim = cluster(6)
    isolate(sim, "n2")
    sim.run(10)
    first, _ = with_a_second(sim, "n2")
    sim.run(5)
    heal(sim)
    sim.run(60)
    assert standing(first) is Standing.DISPLACED
    sim.crash("n4")
    sim.run(crash_bound_s(sim.config))
    assert first.told("died", "n4")
    assert first.protocol.told_members() == first.protocol.members()


def test_a_name_taken_back_while_nothing_is_told_stands_once_in_a_snapshot() -> None:
    sim = cluster(6)
    first, _ = with_a_second(sim, "n2")
    sim.run(20)
    here = first.address
    sim.network.cut("first", lambda source, destination: here in (source, destination))
    sim.run(100)
    first.protocol.wall_clock(WALL_START_MS - 2 * YEAR_MS, first.local_time(sim.now))
    assert first.protocol.local.status is Status.ALIVE, "by this clock, the other one could not bear it"
    assert [member for member in first.protocol.told_members() if member.name == "n2"] == [first.protocol.local]


def test_who_left_while_it_was_cut_off_is_told_of_others_when_it_hears_them() -> None:
    sim = cluster(5)
    node = sim.nodes["n2"]
    isolate(sim, "n2")
    sim.run(10)
    sim.crash("n4")
    sim.leave("n2")
    sim.run(3)
    heal(sim)
    sim.run(60)
    assert {event.member.name for event in node.told("died")} == {"n4"}
    assert node.protocol.told_members() == node.protocol.members()


def test_inventions_that_take_the_name_one_after_the_other_are_told_once() -> None:
    sim = cluster(4)
    node = sim.nodes["n1"]
    generation = node.protocol.local.generation
    for number in range(100):
        record = presented(1000 + number, "n1", generation + 1 + number, 1, Address("10.9.0.1", 1 + number), {}, 5)
        inject(sim, ["n1"], record)
        sim.run(0.002)
    told = [event.standing for event in node.told("standing") if event.standing is not None]
    assert [each.standing for each in told if each.is_warning] == [Standing.DISPLACED]
    assert "10.9.0.1:100" in why(node), "the reason names the present one all the same"


@pytest.mark.parametrize("seed", SEEDS)
def test_the_loser_of_a_name_knows_it_keeps_itself_and_says_why_it_refuses_updates(seed: int) -> None:
    sim = cluster(6, seed=seed)
    first, second = with_a_second(sim, "n2")
    sim.run(10)
    assert standing(first) is Standing.DISPLACED
    assert str(second.address) in why(first)
    assert first.protocol.local.status is Status.DISPLACED
    holders = [member for member in first.protocol.members() if member.name == "n2"]
    assert sorted(member.status.value for member in holders) == ["alive", "displaced"]
    with pytest.raises(DisplacedError, match=r"another process at .* holds its name, 'n2'"):
        first.protocol.update({"k": "v"}, sim.now)
    assert standings(first).count("displaced") == 1
    assert standings(second) == ["connected"]
    sim.crash("n2")
    second.running = False
    expect(sim, is_(first, Standing.CONNECTED), within=crash_bound_s(sim.config) + 10, why="it has its name again")
    assert [member.status for member in first.protocol.members() if member.name == "n2"] == [Status.ALIVE]
    first.protocol.update({"k": "v"}, sim.now)


def test_of_two_with_one_name_and_only_each_other_the_newer_is_connected_and_names_the_older() -> None:
    sim = world()
    first = sim.start("ada")
    sim.run(1)
    second = sim.start("ada", address=OTHER_MACHINE)
    sim.nodes["first"] = first
    second.protocol.seed([first.address], second.local_time(sim.now))
    expect(sim, is_(second, Standing.CONNECTED), within=5, why="it hears one that sees what it sees")
    assert why(second) == f"another process at {first.address} holds its name, 'ada'; give one of the two another name"
    sim.run(60)
    assert (standing(first), standing(second)) == (Standing.DISPLACED, Standing.CONNECTED)
    assert standings(second) == ["connected"]


@pytest.mark.parametrize("seed", SEEDS)
def test_a_displaced_process_that_accuses_somebody_is_shown_by_its_name(seed: int) -> None:
    sim = cluster(5, seed=seed)
    first, _ = with_a_second(sim, "n2")
    expect(sim, lambda: bool(sim.nodes["n0"].told("conflict")), within=120, why="the conflict is told")
    victim = entry_of(sim.nodes["n0"], "n4")
    floor = victim.registers.heartbeat + 1000
    sim.crash("n4")
    for node in (first, sim.nodes["n0"]):
        accused = SuspectFact(victim.id, floor, (first.id,), victim.registers.heartbeat)
        sim.driver.deliver(forged(sim, accused), STRANGER, node.address)
        assert node.told("suspected", "n4")[-1].accusers == ("n2",), f"seed {seed}"


def test_who_leaves_has_left() -> None:
    sim = cluster(3)
    node = sim.nodes["n1"]
    sim.leave("n1")
    assert standing(node) is Standing.LEFT
    sim.run(60)
    assert standings(node) == ["connected", "left"]
    assert not node.told("standing")[-1].standing.is_warning  # type: ignore[union-attr]


def test_an_isolated_node_says_if_the_others_have_come_to_use_what_it_cannot_open() -> None:
    sim = cluster(3)
    node, other = sim.nodes["n2"], sim.nodes["n1"]
    isolate(sim, "n2")
    sim.run(2)
    node.protocol.drops.note(Drop.UNKNOWN_KEY, STRANGER)
    node.protocol.drops.note(Drop.NOT_SEALED, other.address)
    expect(sim, is_(node, Standing.ISOLATED), within=10, why="it hears nobody")
    assert "s; answers have no seal, but this node has keys" in why(node), "what strangers send says nothing"
