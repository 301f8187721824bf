"""What a user may ask of a running node: agreement, health, the members; and that a run can be repeated."""

from __future__ import annotations

import os
import random
import subprocess
import sys
from hashlib import blake2b

import attrs
import pytest

from gossip.core.config import Config
from gossip.core.errors import WireError
from gossip.core.query import ViewQuery
from gossip.core.wire.messages import SuspectFact
from sims.world import Link, Lognormal
from tests.core.worlds import (
    SEEDS,
    STRANGER,
    answered,
    cluster,
    crash_bound_s,
    dropped,
    entry_of,
    everybody,
    expect,
    expect_agreement,
    expect_seen,
    heal,
    inject,
    isolate,
    metadata_seen,
    tap,
    world,
)


def test_a_settled_cluster_agrees_entirely() -> None:
    sim = cluster(8)
    sim.run(20)
    assert [node.protocol.agreement(sim.now) for node in everybody(sim)] == [1.0] * 8
    assert [node.protocol.health for node in everybody(sim)] == [0] * 8


def test_a_node_that_has_heard_nobody_agrees_with_nobody() -> None:
    sim = world()
    node = sim.start("n0")
    sim.run(5)
    assert node.protocol.agreement(sim.now) is None


def test_a_node_that_hears_nobody_any_more_agrees_with_nobody() -> None:
    sim = cluster(5)
    isolate(sim, "n4")
    sim.run(10)
    assert sim.nodes["n4"].protocol.agreement(sim.now) is None
    assert sim.nodes["n3"].protocol.agreement(sim.now) is not None


def test_agreement_falls_while_views_differ_and_recovers() -> None:
    config = Config.lan(push_fanout=0, reconcile_after=30.0)
    sim = cluster(8, config=config)
    sim.run(20)
    sim.update("n1", {"known": "to n1 only"})
    lowest = 1.0
    for _ in range(200):
        sim.run(0.05)
        lowest = min(lowest, sim.nodes["n1"].protocol.agreement(sim.now) or 0.0)
    assert lowest < 0.5
    expect_agreement(sim, within=120)
    sim.run(30)
    assert all(node.protocol.agreement(sim.now) == 1.0 for node in everybody(sim))


@pytest.mark.parametrize("holders", [("n0",), ("n0", "n1", "n2", "n3"), ("n7",)])
def test_two_contents_of_one_version_are_told_apart_and_settled(holders: tuple[str, ...]) -> None:
    """A fault has some nodes hold another record than the others, of the same version; nobody spreads it."""
    sim = cluster(8)
    for name in holders:
        entry = entry_of(sim.nodes[name], "n5")
        other = attrs.evolve(entry.registers.record, metadata={"another": "content"})
        sim.nodes[name].protocol.view.merge(entry, sim.now, record=other)
    assert len({node.protocol.fingerprint for node in everybody(sim)}) == 2
    expect(sim, lambda: any((node.protocol.agreement(sim.now) or 0.0) < 1.0 for node in everybody(sim)),
           within=2, why="somebody notices")  # fmt: skip
    expect_agreement(sim, within=10)
    seen = metadata_seen(sim, "n5")
    assert seen == [seen[0]] * 8


@pytest.mark.parametrize("mine", [{"z": "z"}, {"a": "a"}], ids=["the sender's wins", "the receiver's wins"])
def test_who_compares_views_tells_of_a_record_that_wins_against_another_of_its_version(mine: dict[str, str]) -> None:
    """One alone holds another content, and the member itself is silent: that one's word does not decide it."""
    sim = cluster(3, config=Config.lan(suspicion_max=60.0, suspicion_min=30.0))
    isolate(sim, "n2")
    for name, metadata in (("n0", mine), ("n1", {"m": "m"})):
        entry = entry_of(sim.nodes[name], "n2")
        record = attrs.evolve(entry.registers.record, version=2, metadata=metadata)
        sim.nodes[name].protocol.view.merge(entry, sim.now, record=record)
    wins = max(mine, {"m": "m"}, key=lambda each: tuple(each.items()))
    held = [sim.nodes["n0"], sim.nodes["n1"]]
    expect(sim, lambda: [dict(node.protocol.get("n2").metadata) for node in held] == [wins] * 2,  # type: ignore[union-attr]
           within=10, why="one record of two")  # fmt: skip


def test_a_node_whose_helpers_are_silent_doubts_itself() -> None:
    sim = cluster(5)
    isolate(sim, "n4")
    sim.run(5)
    assert sim.nodes["n4"].protocol.health > 0
    assert all(sim.nodes[f"n{i}"].protocol.health <= 1 for i in range(4))
    heal(sim)
    sim.run(60)
    assert sim.nodes["n4"].protocol.health == 0


# --- suspicion and its refutation


def test_a_suspicion_of_a_living_member_is_refuted_and_told_as_restored() -> None:
    sim = cluster(5)
    entry = entry_of(sim.nodes["n0"], "n3")
    inject(sim, ["n0"], SuspectFact(entry.id, entry.registers.heartbeat + 50, (sim.nodes["n1"].protocol.local.id,)))
    assert sim.nodes["n0"].sees()["n3"] == "suspect"
    expect(sim, lambda: all(node.sees()["n3"] == "alive" for node in everybody(sim)), within=2, why="refutation")
    assert sim.nodes["n0"].told("suspected", "n3")[0].accusers == ("n1",)
    assert sim.nodes["n0"].told("restored", "n3")


def test_a_suspicion_below_a_counter_already_seen_is_not_believed() -> None:
    sim = cluster(5)
    entry = entry_of(sim.nodes["n0"], "n3")
    inject(sim, ["n0"], SuspectFact(entry.id, entry.registers.heartbeat, (1,)))
    assert sim.nodes["n0"].sees()["n3"] == "alive"
    assert not sim.nodes["n0"].told("suspected")


def test_anyone_who_has_seen_the_counter_refutes_not_just_the_accused() -> None:
    sim = cluster(5)
    entry = entry_of(sim.nodes["n0"], "n3")
    floor = entry.registers.heartbeat + 5
    sim.run(5)
    isolate(sim, "n3")
    informed = [node for node in sim.running if entry_of(node, "n3").registers.heartbeat >= floor and node.name != "n3"]
    assert informed
    inject(sim, [informed[0].name], SuspectFact(entry.id, floor, (1,)))
    assert informed[0].sees()["n3"] == "alive"


# --- reading a view from outside


def test_an_outsider_sees_what_the_node_sees_and_becomes_no_member() -> None:
    sim = cluster(40)
    sim.crash("n5")
    sim.leave("n6")
    sim.run(1)
    sim.crash("n6")
    expect_seen(sim, "n5", "dead", within=crash_bound_s(sim.config))
    query = answered(sim, sim.nodes["n0"], ViewQuery(sim.config, random.Random(1)))
    assert query.done
    assert query.members == sim.nodes["n0"].protocol.members()
    sim.run(20)
    expect(sim, lambda: len(sim.nodes["n0"].sees()) == 40, within=1, why="nobody new")


def test_an_outsider_of_another_cluster_learns_that_and_nothing_else() -> None:
    sim = cluster(2)
    query = ViewQuery(Config.lan(cluster="other"), random.Random(1))
    with pytest.raises(WireError, match="other cluster"):
        answered(sim, sim.nodes["n0"], query)
    assert not query.done
    assert query.members == ()
    assert dropped(sim.nodes["n0"], "other cluster") == 2


def test_noise_in_an_answer_is_an_error_of_the_peer() -> None:
    with pytest.raises(WireError):
        ViewQuery(Config.lan(), random.Random(1)).receive_frame(b"noise")


def test_the_whole_view_is_not_given_to_an_outsider_by_datagram() -> None:
    """A forged source address must not be flooded with the answer."""
    sim = cluster(40)
    node = sim.nodes["n0"]
    for frame in ViewQuery(sim.config, random.Random(1)).frames():
        node.protocol.receive_datagram(frame, STRANGER, sim.now)
    assert sum(len(data) for data, to in node.protocol.datagrams_to_send(sim.now) if to == STRANGER) <= 1200


# --- repeatability


def history(seed: int) -> str:
    """A digest of every byte sent and every event told in an eventful minute."""
    sim = cluster(8, seed=seed, link=Link(loss=0.1, duplication=0.05, latency=Lognormal(0.0005, 1.0)), tapped=True)
    sim.update("n1", {"b": "2", "a": "1"})
    sim.pause("n2", 5)
    sim.crash("n3")
    sim.run(20)
    sim.start("n3", seeds=("n0", "n1"))
    sim.leave("n4")
    sim.run(40)
    digest = blake2b(digest_size=16)
    for data, source, destination in tap(sim):
        digest.update(data + str(source).encode() + str(destination).encode())
    for node in everybody(sim):
        for event in node.events:
            digest.update(repr((event.kind.value, event.member.name, event.time, event.accusers)).encode())
    return digest.hexdigest()


@pytest.mark.parametrize("seed", SEEDS)
def test_the_same_seed_gives_the_same_bytes_and_events(seed: int) -> None:
    assert history(seed) == history(seed)
    assert history(seed) != history(seed + 1000)


def test_the_order_of_hashes_leaves_no_trace_in_a_run() -> None:
    script = "from tests.core.test_agreement import history; import sys; sys.stdout.write(history(3))"
    another = "2" if os.environ.get("PYTHONHASHSEED") == "1" else "1"
    environment = os.environ | {"PYTHONHASHSEED": another}
    done = subprocess.run(  # the test's own code, in an interpreter with another order of sets
        [sys.executable, "-c", script], env=environment, capture_output=True, text=True, check=True, timeout=60
    )
    assert done.stdout == history(3)
