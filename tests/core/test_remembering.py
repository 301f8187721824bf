"""Remembering: members known from an earlier life or from elsewhere, without anybody to ask for them."""

from __future__ import annotations

import attrs

from gossip.core.state.member import Status
from gossip.core.support.address import Address
from tests.core.worlds import (
    STRANGER,
    World,
    cluster,
    crash_bound_s,
    dropped,
    everybody,
    expect_agreement,
    expect_no_deaths,
    expect_seen,
    world,
)

HOURS_S = 3 * 3600.0


def warm(count: int) -> World:
    """Nodes that have never spoken to each other, and remember each other."""
    sim = world()
    nodes = [sim.start(f"n{number}") for number in range(count)]
    members = [node.protocol.local for node in nodes]
    for node in nodes:
        node.protocol.remember(members, sim.now)
    return sim


def test_those_remembered_are_members_at_once_and_nothing_is_said_of_it() -> None:
    sim = warm(8)
    assert sim.all_agree()
    sim.run(0.01)
    assert all(not node.events and node.protocol.load.rumours == 0 for node in everybody(sim))


def test_nodes_that_remember_each_other_stay_together_without_joining() -> None:
    sim = warm(8)
    sim.run(60)
    assert sim.all_agree()
    expect_no_deaths(sim)
    assert all(node.protocol.stats.suspicions == 0 for node in everybody(sim))


def test_the_crash_of_one_remembered_is_found() -> None:
    sim = warm(8)
    sim.crash("n3")
    expect_seen(sim, "n3", "dead", within=crash_bound_s(sim.config))


def test_one_who_remembers_only_some_comes_to_know_all_and_to_be_known() -> None:
    sim = cluster(8)
    late = sim.start("late")
    late.protocol.remember([sim.nodes["n2"].protocol.local], sim.now)
    expect_agreement(sim, within=10)


def test_a_counter_that_has_run_for_hours_is_believed_of_one_remembered() -> None:
    sim = world()
    old = sim.start("old")
    sim.run(HOURS_S)
    late = sim.start("late")
    late.protocol.remember([old.protocol.local], sim.now)
    expect_agreement(sim, within=10)
    sim.run(10)
    assert dropped(late) == 0
    assert (
        late.protocol.heartbeat(sim.now) < old.protocol.heartbeat(sim.now) in (int(sim.now * 10), round(sim.now * 10))
    )


def test_the_dead_and_the_node_itself_are_passed_over() -> None:
    sim = world()
    node, other = sim.start("node"), sim.start("other").protocol.local
    gone = [attrs.evolve(other, status=status) for status in (Status.DEAD, Status.LEFT)]
    node.protocol.remember([*gone, node.protocol.local], sim.now)
    assert node.sees() == {"node": "alive"}
    assert dropped(node) == 0


def test_those_whom_a_peer_could_not_present_are_counted() -> None:
    sim = world()
    node, other = sim.start("node"), sim.start("other").protocol.local
    node.protocol.remember(
        [
            attrs.evolve(other, name="node", generation=1),
            attrs.evolve(other, address=Address("0.0.0.0", 0)),
            attrs.evolve(other, metadata={"much": "x" * 600}),
            attrs.evolve(other, name=""),
            attrs.evolve(other, address=Address("host.example", 7946)),
        ],
        sim.now,
    )
    assert node.sees() == {"node": "alive"}
    assert dropped(node, "superseded member") == dropped(node, "metadata too large") == 1
    assert dropped(node, "address nobody can send to") == dropped(node, "bad address") == dropped(node, "bad name") == 1


def test_a_full_view_remembers_no_more() -> None:
    sim = world()
    node, other = sim.start("node"), sim.start("other").protocol.local
    room = sim.config.max_members - 1
    node.protocol.remember((attrs.evolve(other, name=f"g{n}", id=1 + n) for n in range(room + 3)), sim.now)
    assert node.protocol.load.members == sim.config.max_members
    assert dropped(node, "view is full") == 3


def test_a_newer_record_of_one_already_known_is_taken_in() -> None:
    sim = cluster(3)
    node, known = sim.nodes["n0"], sim.nodes["n1"].protocol.local
    node.protocol.remember([attrs.evolve(known, version=2, address=STRANGER)], sim.now)
    remembered = node.protocol.get("n1")
    assert remembered is not None
    assert (remembered.version, remembered.address) == (2, STRANGER)


# --- the load


def test_the_load_tells_what_a_node_holds() -> None:
    sim = cluster(8)
    node = sim.nodes["n0"].protocol
    assert node.load.members == len(node.view) == 8
    assert node.load.rumours == node.load.suspects == node.load.tombstones == node.load.challenges == 0
    assert node.load.timers > 0
    assert node.load.pending_datagrams == 0
    sim.crash("n3")
    sim.run_until(lambda: node.load.probes > 0, within=10)
    sim.run_until(lambda: node.load.suspects > 0 and node.load.rumours > 0, within=crash_bound_s(sim.config))


def test_the_load_falls_again_when_all_is_quiet() -> None:
    sim = cluster(8)
    sim.update("n1", {"role": "web"})
    sim.nodes["n0"].protocol.seed([STRANGER], sim.now)
    sim.run(5)
    sim.nodes["n0"].protocol.seed([], sim.now)
    sim.run(60)
    for node in everybody(sim):
        load = node.protocol.load
        assert (load.suspects, load.streams, load.challenges, load.pending_datagrams) == (0, 0, 0, 0)
        assert load.timers < 30
