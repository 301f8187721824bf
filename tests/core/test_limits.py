"""Bounds: at each of them there is a counted refusal or a clear error, and never growth."""

from __future__ import annotations

from collections.abc import Callable
from itertools import islice

import pytest

from gossip.core.belief import Disbelief
from gossip.core.config import Config
from gossip.core.dissemination.outbox import MAX_PENDING_DATAGRAMS
from gossip.core.support.address import Address
from gossip.core.wire import Records
from gossip.core.wire.messages import LeftFact, Ping, RecordFact
from tests.core.worlds import (
    SEEDS,
    STRANGER,
    World,
    cluster,
    crash_bound_s,
    dropped,
    entry_of,
    everybody,
    expect,
    expect_agreement,
    expect_no_deaths,
    expect_seen,
    forged,
    inject,
    presented,
    tap,
)
from tests.fuzzing import collisions


def record(number: int, *, name: str | None = None, metadata: dict[str, str] | None = None,
           address: Address = STRANGER, generation: int = 1_700_000_000_000) -> RecordFact:  # fmt: skip
    """The record of somebody who does not run."""
    return presented(1000 + number, name or f"ghost{number}", generation, 1, address, metadata or {}, 10)


def stranger(number: int) -> Address:
    """One of many hosts at which nobody runs."""
    return Address(f"198.18.{number >> 8 & 255}.{number & 255}", 7946)


def test_a_full_view_refuses_and_counts_further_members() -> None:
    sim = cluster(5, config=Config.lan(max_members=5))
    inject(sim, ["n0"], *[record(number) for number in range(10)])
    assert len(sim.nodes["n0"].protocol.members()) == 5
    assert dropped(sim.nodes["n0"], "view is full") == 10
    sim.run(30)
    expect_no_deaths(sim)


def test_in_a_full_view_the_dead_make_room_for_the_living() -> None:
    sim = cluster(5, config=Config.lan(max_members=5))
    sim.crash("n4")
    expect_seen(sim, "n4", "dead", within=crash_bound_s(sim.config))
    sim.start("late", seeds=("n0",))
    expect_agreement(sim, within=20)
    assert all("n4" not in node.sees() and len(node.sees()) == 5 for node in sim.running)


def test_in_a_full_view_who_has_never_answered_makes_room_before_who_has() -> None:
    """Members can be invented, and said to have left; they are not to crowd out one that was there."""
    sim = cluster(3, config=Config.lan(max_members=4))
    sim.crash("n2")
    sim.run(crash_bound_s(sim.config) + 2 * sim.config.suspicion_max)
    one, another = record(1), record(2)
    inject(sim, ["n0"], one, LeftFact(one.id, one.heartbeat + 1), another)
    assert sim.nodes["n0"].sees() == {"n0": "alive", "n1": "alive", "n2": "dead", "ghost2": "alive"}


def test_in_a_full_view_a_restart_needs_no_room() -> None:
    sim = cluster(5, config=Config.lan(max_members=5))
    sim.crash("n4")
    sim.run(0.5)
    sim.start("n4", seeds=("n0",))
    expect_agreement(sim, within=20)


@pytest.mark.parametrize("seed", SEEDS)
def test_the_dead_are_forgotten_everywhere_and_stay_so(seed: int) -> None:
    config = Config.lan(forget_after=60.0)
    sim = cluster(6, seed=seed, config=config, tapped=True)
    captured = list(tap(sim))
    sim.crash("n5")
    expect_seen(sim, "n5", "dead", within=crash_bound_s(config))
    expect(sim, lambda: all("n5" not in node.sees() for node in sim.running), within=1.5 * config.forget_after + 20,
           why=f"forgetting, seed {seed}")  # fmt: skip
    expect_agreement(sim, within=1)
    for data, source, _ in captured:
        for node in sim.running:
            sim.inject(node.name, data, source)
    sim.run(20)
    assert all("n5" not in node.sees() for node in sim.running), f"seed {seed}: stale news raised the dead"
    expect_agreement(sim, within=1)


def test_those_who_left_are_forgotten_and_stay_so() -> None:
    config = Config.lan(forget_after=60.0)
    sim = cluster(5, config=config, tapped=True)
    captured = list(tap(sim))
    sim.leave("n4")
    sim.run(3)
    sim.crash("n4")
    sim.run(1.5 * config.forget_after)
    assert all("n4" not in node.sees() for node in sim.running)
    for data, source, _ in captured:
        for node in sim.running:
            sim.inject(node.name, data, source)
    sim.run(20)
    assert all("n4" not in node.sees() for node in sim.running)
    expect_agreement(sim, within=1)


def test_who_was_forgotten_while_asleep_comes_back_on_waking() -> None:
    config = Config.lan(forget_after=60.0)
    sim = cluster(5, config=config)
    sim.pause("n4", 120)
    sim.run(110)
    assert all("n4" not in node.sees() for node in everybody(sim) if node.name != "n4")
    sim.run(10)
    expect_agreement(sim, within=20)


def test_a_newcomer_learns_nothing_of_the_long_dead_and_agrees_all_the_same() -> None:
    sim = cluster(5)
    sim.crash("n4")
    expect_seen(sim, "n4", "dead", within=crash_bound_s(sim.config))
    sim.start("late", seeds=("n0",))
    expect_agreement(sim, within=10)
    assert sim.nodes["late"].sees().get("n4") in (None, "dead")


def test_what_is_refused_for_its_size_is_kept_in_no_cache() -> None:
    """A peer may invent as many large records as it likes: over a stream each may be as large as a frame."""
    sim = cluster(3)
    belief = sim.nodes["n0"].protocol.parts.belief
    facts = [record(number, metadata={"k": "v" * 60_000}) for number in range(20)]
    records = sim.nodes["n0"].protocol.parts.records
    before = len(records)
    assert all(isinstance(belief.judge(fact, sim.now), Disbelief) for fact in facts)
    assert len(records) == before


PAIRS = list(islice(collisions.neighbours(1_700_000_000_000, 1_000), 300))
"""Numbers that make tuples of one hash, wherever they stand in them side by side."""


class Compared(str):
    """A text that counts how often it is compared with another."""

    __slots__ = ()
    times = 0
    __hash__ = str.__hash__

    def __eq__(self, other: object) -> bool:
        Compared.times += 1
        return str.__eq__(self, other)


@pytest.mark.parametrize(
    "made",
    [
        lambda at: record(1, metadata={"n": str(at)}),
        lambda at: presented(1, "n", PAIRS[at][0], PAIRS[at][1], STRANGER, {}, 10),
        lambda at: presented(PAIRS[at][1], "n", PAIRS[at][0], 1, STRANGER, {}, 10),
    ],
    ids=["metadata", "generation and version", "generation and id"],
)
def test_no_peer_can_make_records_of_one_hash(made: Callable[[int], RecordFact]) -> None:
    """A cache of these would be gone through record by record: one message of 64 KiB took a second, and more."""
    assert len({hash(made(at).record) for at in range(len(PAIRS))}) == len(PAIRS)


def test_no_peer_can_make_records_that_are_all_looked_at_before_one_is_found_to_be_new() -> None:
    Compared.times = 0
    for generation, version in PAIRS:
        Records().checked(1, Compared("n"), generation, version, STRANGER.to_wire(), {})
    assert Compared.times < 3 * len(PAIRS)


def test_metadata_above_the_limit_is_refused_from_peers_too() -> None:
    sim = cluster(3)
    inject(sim, ["n0"], record(1, metadata={"k": "v" * 600}))
    assert dropped(sim.nodes["n0"], "metadata too large") == 1
    assert "ghost1" not in sim.nodes["n0"].sees()


@pytest.mark.parametrize("ahead", [0, 1], ids=["same version", "next version"])
def test_an_update_with_too_much_metadata_is_refused_from_peers(ahead: int) -> None:
    sim = cluster(3)
    entry = entry_of(sim.nodes["n0"], "n1")
    who, known = entry.identity, entry.registers.record
    fact = presented(who.id, who.name, who.generation, known.version + ahead, known.address, {"z": "v" * 600}, 10)
    inject(sim, ["n0"], fact)
    assert dropped(sim.nodes["n0"], "metadata too large") == 1
    assert entry.registers.record == known


@pytest.mark.parametrize("ahead", [0, 1], ids=["same version", "next version"])
@pytest.mark.parametrize(
    "address",
    [
        Address("::", 7946),
        Address("0.0.0.0", 7946),
        Address("99.0.0.1", 0),
        Address("224.0.0.251", 5353),
        Address("ff02::1", 7946),
        Address("::ffff:e000:fb", 5353),
    ],
    ids=str,
)
def test_a_record_with_an_address_where_nobody_or_many_may_be_is_refused(address: Address, ahead: int) -> None:
    sim = cluster(3)
    entry = entry_of(sim.nodes["n0"], "n1")
    who, known = entry.identity, entry.registers.record
    inject(sim, ["n0"], presented(who.id, who.name, who.generation, known.version + ahead, address, {}, 10))
    assert entry.registers.record == known
    inject(sim, ["n0"], record(1, address=address))
    assert "ghost1" not in sim.nodes["n0"].sees()


def test_a_generation_far_in_the_future_is_refused() -> None:
    sim = cluster(3)
    inject(sim, ["n0"], record(1, generation=2**50), record(2, name="n1", generation=2**50))
    assert dropped(sim.nodes["n0"], "generation from the future") == 2
    assert sim.nodes["n0"].protocol.get("n1") == sim.nodes["n1"].protocol.local


def test_a_member_whose_clock_is_a_day_off_is_welcome() -> None:
    sim = cluster(3)
    sim.start("fast", seeds=("n0",), clock_ms=86_400_000)
    sim.start("slow", seeds=("n0",), clock_ms=-86_400_000)
    expect_agreement(sim, within=10)


def test_streams_beyond_the_limit_are_refused_and_counted_and_closing_makes_room() -> None:
    sim = cluster(1)
    protocol = sim.nodes["n0"].protocol
    most = sim.config.max_streams * 3 // 4
    numbers = [protocol.stream_accepted(stranger(each), sim.now) for each in range(most)]
    assert None not in numbers
    assert len(set(numbers)) == most
    assert protocol.stream_accepted(STRANGER, sim.now) is None
    assert dropped(sim.nodes["n0"], "too many streams") == 1
    protocol.stream_closed(numbers[0] or 0, sim.now)
    assert protocol.stream_accepted(STRANGER, sim.now) is not None


def test_streams_of_one_source_beyond_its_limit_are_refused_and_counted_whatever_its_ports() -> None:
    sim = cluster(1, config=Config.lan(max_streams_per_source=5))
    protocol = sim.nodes["n0"].protocol
    numbers = [protocol.stream_accepted(Address(STRANGER.host, port), sim.now) for port in range(1000, 1008)]
    assert [number is not None for number in numbers] == [True] * 5 + [False] * 3
    assert dropped(sim.nodes["n0"], "too many streams of one source") == 3
    assert protocol.stream_accepted(stranger(1), sim.now) is not None
    protocol.stream_closed(numbers[2] or 0, sim.now)
    assert protocol.stream_accepted(STRANGER, sim.now) is not None
    assert protocol.stream_accepted(STRANGER, sim.now) is None


def test_whose_message_was_dropped_last_is_known_by_reason() -> None:
    sim = cluster(2)
    protocol = sim.nodes["n0"].protocol
    sim.inject("n0", b"noise", stranger(1))
    sim.inject("n0", b"noise", stranger(2))
    sim.inject("n0", forged(sim, record(1, metadata={"k": "v" * 600})), stranger(3))
    number = protocol.stream_accepted(stranger(4), sim.now)
    assert number is not None
    protocol.receive_frame(number, forged(sim, record(2, address=Address("::", 0))), sim.now)
    assert protocol.drops.last_source == {
        "damaged": stranger(2),
        "metadata too large": stranger(3),
        "address nobody can send to": stranger(4),
    }
    assert protocol.drops.total == sum(protocol.stats.dropped.values()) == 4


def test_what_is_given_up_while_no_message_is_handled_is_blamed_on_nobody() -> None:
    sim = cluster(2, config=Config.lan(max_rumours=16))
    inject(sim, ["n0"], *[record(number) for number in range(16)])
    sim.update("n0", {"one": "more"})
    assert sim.nodes["n0"].protocol.drops.last_source == {"too many rumours": None}


def test_frames_and_ends_of_streams_that_are_not_open_do_nothing() -> None:
    sim = cluster(2)
    protocol = sim.nodes["n0"].protocol
    protocol.receive_frame(12_345, b"\x80", sim.now)
    protocol.stream_closed(12_345, sim.now)
    sim.run(5)
    expect_agreement(sim, within=1)


def flooded(sim: World, count: int) -> int:
    """How many datagrams a node sends in the second after hearing of so many strangers at once."""
    node = sim.nodes["n0"]
    before = node.protocol.stats.datagrams_sent
    for start in range(0, count, 10):
        inject(sim, ["n0"], *[record(number) for number in range(start, start + 10)])
    sim.run(1)
    return node.protocol.stats.datagrams_sent - before


def test_a_flood_of_strangers_is_pushed_on_only_as_fast_as_the_budget_allows() -> None:
    sim = cluster(5)
    allowed = sim.config.push_burst + sim.config.push_rate
    assert flooded(sim, 2000) <= 2 * allowed


def test_datagrams_that_a_driver_does_not_take_are_given_up_from_a_number_on() -> None:
    sim = cluster(2)
    node, other = sim.nodes["n0"], sim.nodes["n1"]
    ping = forged(sim, body=Ping(1, bytes(60)), sender=other.id)
    for _ in range(MAX_PENDING_DATAGRAMS + 10):
        node.protocol.receive_datagram(ping, other.address, node.local_time(sim.now))
    assert node.protocol.load.pending_datagrams == MAX_PENDING_DATAGRAMS
    assert dropped(node, "too much to send") == 10


def test_no_more_of_the_forgotten_are_remembered_than_there_may_be_members() -> None:
    sim = cluster(2, config=Config.lan(max_members=10))
    for number in range(100):
        fact = record(number)
        inject(sim, ["n0"], fact, LeftFact(fact.id, fact.heartbeat + 1))
    assert sim.nodes["n0"].protocol.load.tombstones == 10
