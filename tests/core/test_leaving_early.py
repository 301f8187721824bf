"""Leaving before any answer came: a node that has heard of a newcomer hears of its farewell, and never of its death."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress

import pytest

from gossip.core.config import Config
from gossip.core.state.signing import Signing
from gossip.core.wire import Codec
from gossip.core.wire.messages import Ack, LeftFact, Ping, RecordFact
from gossip.security.signing_key import SigningKey
from sims.world import Constant, Link, SimulatedNode
from tests.core.worlds import (
    World,
    cluster,
    crash_bound_s,
    entry_of,
    everybody,
    expect_no_deaths,
    inject,
    tap,
    understood,
    world,
)

MEMBERS = 4


def test_one_who_was_told_acknowledges_once_under_however_many_names() -> None:
    sim = world()
    sim.start("n0")
    sim.crash("n0")
    node = sim.start("new", seeds=("n0",))
    sim.run(1)
    now, codec = node.local_time(sim.now), Codec(sim.config.cluster)
    protocol = node.protocol
    protocol.leave(now)
    (token,) = [
        message.body.token
        for message in (codec.decode(data) for data, _ in protocol.datagrams_to_send(now))
        if isinstance(message.body, Ping)
    ]
    for number in range(1000):
        data, _ = codec.encode(10**6 + number, 1, 0, Ack(token), [], 1200)
        protocol.receive_datagram(data, sim.nodes["n0"].address, now)
    assert protocol.farewell_done
    assert len(protocol.farewell_acknowledged_by) == 1


def stay_a_moment(sim: World, stay_s: float, *seeds: str) -> bool:
    """Start a newcomer, let it leave so soon, and end as a driver does. Whether its farewell was acknowledged."""
    late = sim.start("late", seeds=seeds or ("n0",))
    sim.run(stay_s)
    sim.leave("late")
    with suppress(TimeoutError):
        sim.run_until(lambda: late.protocol.farewell_done, sim.config.leave_timeout)
    thanks = late.protocol.farewell_acknowledged_by
    sim.crash("late")
    return late.protocol.farewell_done and bool(thanks)


def expect_left(sim: World, *, certainly: bool) -> None:
    """No node hears that the newcomer died, and in the end each node that knows it knows that it left."""
    sim.run(2 * crash_bound_s(sim.config))
    expect_no_deaths(sim)
    seen = {node.sees().get("late", "unknown") for node in everybody(sim) if node.name != "late"}
    assert seen <= {"left", "unknown"}
    assert not certainly or "left" in seen


def told_of_late(node: SimulatedNode) -> list[str]:
    """What a node has told of the newcomer."""
    return [event.kind.value for event in node.events if event.member.name == "late"]


def moments(round_trip_s: float) -> Iterator[float]:
    """From before anything has arrived until everything has."""
    yield from (share * round_trip_s for share in (0.0, 0.25, 0.6, 0.9, 1.1, 1.6, 2.1, 3.1))


GRID = [(round_trip_s, stay_s) for round_trip_s in (0.002, 0.2, 0.8) for stay_s in moments(round_trip_s)]


@pytest.mark.parametrize(("round_trip_s", "stay_s"), GRID)
def test_who_leaves_before_the_first_answer_is_told_to_have_left(round_trip_s: float, stay_s: float) -> None:
    config = Config.wan() if round_trip_s > 0.5 else Config.lan()
    sim = cluster(MEMBERS, config=config, link=Link(latency=Constant(round_trip_s / 2)))
    assert stay_a_moment(sim, stay_s), "there was somebody to tell"
    expect_left(sim, certainly=True)


@pytest.mark.parametrize("stay_s", [0.0, 0.05, 0.15, 0.25, 0.45, 1.0])
def test_who_leaves_early_with_an_acknowledgement_never_died_whatever_is_lost(stay_s: float) -> None:
    acknowledged = 0
    for seed in range(6):
        sim = cluster(MEMBERS, seed=seed, link=Link(latency=Constant(0.1), loss=0.25))
        if stay_a_moment(sim, stay_s):
            acknowledged += 1
            expect_left(sim, certainly=True)
    assert acknowledged >= 5, "it is said again until it is acknowledged"


def test_all_seeds_that_were_asked_are_told_though_none_has_answered() -> None:
    sim = World(link=Link(latency=Constant(0.1)))
    for name in ("n0", "n1", "n2"):  # who know nothing of each other
        sim.start(name)
    sim.run(5)
    assert stay_a_moment(sim, 0.05, "n0", "n1", "n2")
    sim.run(20)
    assert all(told_of_late(node) == ["joined", "left"] for node in sim.running)


def test_a_record_that_comes_after_the_farewell_brings_nobody_back() -> None:
    sim = cluster(2, link=Link(latency=Constant(0.1)))
    entry = entry_of(sim.start("late", seeds=("n0",)), "late")
    sim.leave("late")
    sim.run(0.15)
    assert sim.nodes["n0"].sees()["late"] == "left"
    inject(sim, ["n0", "n1"], RecordFact(entry.registers.record, entry.registers.heartbeat + 5))
    sim.run(20)
    assert sim.nodes["n0"].sees()["late"] == "left"
    expect_no_deaths(sim)


def test_a_record_and_a_farewell_share_a_datagram_however_large_and_signed_they_are() -> None:
    sim = World(config=Config.lan(max_datagram=900, max_metadata=480))
    sim.signing = lambda key: Signing(SigningKey(key.encode()[:32].ljust(32, b"-")))
    one = sim.start("one")
    name = "n" * 128
    late = sim.start("late", name=name, metadata={"key": "v" * 472}, seeds=("one",))
    sim.leave("late")
    late.protocol.datagrams_to_send(sim.now)
    sim.run(1)
    assert late.protocol.farewell_done
    assert [event.kind.value for event in one.events] == ["joined", "left"]


def test_the_farewell_is_told_where_the_newcomer_has_presented_itself_and_nowhere_else() -> None:
    sim = cluster(3, tapped=True)
    asked = sim.start("asked")
    sim.crash("asked")
    sim.start("late", seeds=("asked",))
    sim.run(0.1)
    sim.leave("late")
    before = len(tap(sim))
    sim.run(30)
    assert not sim.nodes["late"].protocol.farewell_done
    told = [(data, to) for data, source, to in tap(sim)[before:] if source == sim.nodes["late"].address]
    assert {to for _, to in told} == {asked.address}
    assert 2 <= len(told) <= 1 + sim.config.leave_timeout / sim.config.ack_timeout_min


def test_each_datagram_in_which_a_member_says_farewell_says_who_it_was() -> None:
    """A node that lacks its last record, or never heard of it, needs both, and may get only one datagram."""
    sim = cluster(12, tapped=True)
    leaver, before = sim.nodes["n1"], len(tap(sim))
    sim.leave("n1")
    sim.run(0.05)
    sent = [each for each in tap(sim)[before:] if each[1] == leaver.address]
    told = [{type(fact) for fact in message.facts if fact.id == leaver.id} for message in understood(sim, sent)]
    farewells = [kinds for kinds in told if LeftFact in kinds]
    assert len(farewells) > sim.config.push_fanout
    assert all(RecordFact in kinds for kinds in farewells)


@pytest.mark.parametrize("seed", range(4))
def test_what_a_member_said_last_before_it_left_is_known_to_all_however_often_it_spoke(seed: int) -> None:
    sim = cluster(12, seed=seed)
    for number in range(200):
        sim.update("n1", {"number": str(number)})
        sim.run(0.001)
    sim.leave("n1")
    sim.run_until(lambda: sim.nodes["n1"].protocol.farewell_done, sim.config.leave_timeout)
    sim.crash("n1")
    sim.run(10)
    seen = [node.protocol.get("n1") for node in sim.running]
    assert [(member.status.value, member.metadata["number"]) for member in seen if member] == [("left", "199")] * 11
    expect_no_deaths(sim)
