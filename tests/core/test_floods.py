"""Floods: whatever is poured into a node, it holds no more than its bounds allow, and no healthy member dies of it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from random import Random

import pytest

from gossip.core.config import Config
from gossip.core.dissemination.questions import MAX_CHALLENGES
from gossip.core.state.sources import MAX_SOURCES
from gossip.core.support.address import Address
from gossip.core.support.timers import SWEEP_FROM
from gossip.core.wire import Codec
from gossip.core.wire.messages import (
    ANONYMOUS,
    DIGEST_RANGES,
    MAX_ID,
    Ack,
    AliveFact,
    Body,
    DeadFact,
    Digest,
    Entries,
    Fact,
    LeftFact,
    News,
    Ping,
    PingRequest,
    RecordFact,
    SuspectFact,
)
from sims.invariants import bounds
from tests.core.worlds import (
    SEEDS,
    STRANGER,
    World,
    cluster,
    dropped,
    entry_of,
    everybody,
    everybody_has,
    expect,
    expect_agreement,
    expect_no_deaths,
    forged,
    forged_all,
    inject,
    presented,
    world,
)

HOSTS = 3000
"""Hosts that the floods come from: more than a node remembers."""

GHOST_ID = 1 << 32


def host(number: int) -> Address:
    """One of the hosts that a flood comes from."""
    return Address(f"198.18.{number % HOSTS >> 8}.{number % 256}", 7946)


def ghost(number: int, generation: int = 1_700_000_000_000) -> RecordFact:
    """A member that was never there."""
    return presented(GHOST_ID + number, f"ghost{number % 50_000}", generation, 1, host(number), {"a": "b"}, 10)


def bound_of_timers(members: int) -> int:
    """The most timers of one core: for each member a case and what asks it, as many again that were called off."""
    return SWEEP_FROM + 2 * (3 * members + 100)


def expect_bounded(sim: World) -> None:
    """Nothing that n0 holds is beyond its bound."""
    node = sim.nodes["n0"]
    load = node.protocol.load
    allowed = bounds(sim.config, load.members) | {"timers": bound_of_timers(sim.config.max_members)}
    held = {name: getattr(load, name) for name in allowed}
    assert {name: size for name, size in held.items() if size > allowed[name]} == {}
    assert len(node.protocol.parts.belief._newcomers) <= MAX_SOURCES


def expect_working(sim: World, within: float) -> None:
    """The members that are there see each other alive, hear of updates, and have never been held dead."""
    living = sorted(sim.nodes)
    expect(sim, lambda: all(sim.all_see(name, "alive") for name in living), within=within,
           why="the living after a flood")  # fmt: skip
    sim.update("n1", {"still": "heard"})
    expect(sim, lambda: everybody_has(sim, "n1", {"still": "heard"}), within=30, why="an update after a flood")
    ghosts = {event.member.name for node in everybody(sim) for event in node.told("joined")} - set(living)
    expect_no_deaths(sim, but=ghosts)


FORGED: dict[str, Callable[[int, int], Fact]] = {
    "nothing": lambda _id, _counter: AliveFact(GHOST_ID, 1),
    "a death": lambda member_id, counter: DeadFact(member_id, counter + 50, (1,)),
    "a farewell": LeftFact,
}
"""What is said of a healthy member besides, by its id and counter."""


def poured(sim: World, number: int, random: Random) -> Iterator[tuple[Body, list[Fact]]]:
    """One wave of everything that can be invented; the first of its numbers is ``number``."""
    victim = entry_of(sim.nodes["n0"], "n2")
    ahead = victim.registers.heartbeat + 1 + number % 1000
    known = [entry.id for entry in sim.nodes["n0"].protocol.view if entry.id < 2 * GHOST_ID] or [GHOST_ID]
    some = random.choices(known, k=100)
    for start in range(number, number + 1000, 100):
        yield News(), [ghost(each) for each in range(start, start + 100)]
    yield News(), [ghost(each, 1_700_000_000_000 + number) for each in range(0, 1000, 20)]
    yield News(), [SuspectFact(each, 20 + number, tuple(random.choices(range(1, 99), k=4))) for each in some]
    yield News(), [SuspectFact(victim.id, ahead + step, (step + 1,)) for step in range(20)]
    yield News(), [DeadFact(each, 30 + number, (1,)) for each in some[:20]]
    yield (
        News(),
        [*(AliveFact(each, 40 + number) for each in some[20:60]), *(LeftFact(each, 9) for each in some[60:70])],
    )
    yield Entries(0, MAX_ID), []
    yield Digest(0, MAX_ID, tuple(random.getrandbits(64) for _ in range(DIGEST_RANGES))), [ghost(number)]
    yield Ping(number), [ghost(number)]
    for each in some[:80]:
        yield PingRequest(each & 0xFFFF, each), []


def test_twenty_thousand_invented_members_and_all_that_can_be_said_of_them_fill_nothing() -> None:
    sim = cluster(3, config=Config.lan(max_members=500, max_rumours=300, max_probes=150, forget_after=10.0))
    random = Random(1)
    for wave in range(20):
        for turn, (body, facts) in enumerate(poured(sim, 1000 * wave, random)):
            data = forged(sim, *facts, body=body, sender=random.choice([ANONYMOUS, GHOST_ID + wave]))
            sim.inject("n0", data, host(150 * wave + turn))
        expect_bounded(sim)
        sim.run(0.1)
        expect_bounded(sim)
    assert dropped(sim.nodes["n0"], "view is full") > 16_000
    assert dropped(sim.nodes["n0"], "too many rumours") > 0
    expect_working(sim, within=60)


@pytest.mark.parametrize("forgery", FORGED)
def test_no_flood_crowds_out_a_member_that_was_said_to_be_gone(forgery: str) -> None:
    sim = cluster(3, config=Config.lan(max_members=20))
    for number in range(0, 10_000, 50):
        victim = sim.nodes["n0"].protocol.view.named("n2")
        assert victim is not None, f"crowded out after {number} invented members"
        if forgery != "a farewell" or number == 500:  # after that, it is of a new generation
            inject(sim, ["n0"], FORGED[forgery](victim.id, victim.registers.heartbeat))
        inject(sim, ["n0"], *[ghost(each) for each in range(number, number + 50)])
        inject(sim, ["n0"], *[LeftFact(GHOST_ID + each, 20) for each in range(number, number + 50, 2)])
        sim.run(0.05)
    expect(sim, lambda: all(sim.all_see(name, "alive") for name in sim.nodes), within=60,
           why=f"the living after {forgery}")  # fmt: skip


def test_one_host_may_present_only_so_many_new_members_a_second() -> None:
    sim = cluster(3, config=Config.lan(max_new_members_per_source=100))
    node = sim.nodes["n0"]

    def present(count: int, source: Address) -> int:
        """How many of them the node takes in."""
        before = node.protocol.load.members
        for data in forged_all(sim, *[ghost(next(numbers)) for _ in range(count)]):
            sim.inject("n0", data, source)
        return node.protocol.load.members - before

    numbers = iter(range(10_000))
    assert present(500, host(1)) == 400, "four seconds' worth at once"
    assert dropped(node, "too many new members") == 100
    assert present(50, host(2)) == 50, "another host has a budget of its own"
    assert present(1, Address(host(1).host, 9)) == 0, "another port is the same host"
    sim.run(0.5)
    assert present(500, host(1)) in (49, 50, 51)
    sim.run(10)
    assert present(500, host(1)) == 400
    expect_no_deaths(sim, but=[f"ghost{number}" for number in range(10_000)])


def test_what_a_node_knows_already_costs_a_host_nothing_of_its_budget() -> None:
    sim = cluster(3, config=Config.lan(max_new_members_per_source=1))
    for _ in range(20):
        sim.inject("n0", forged(sim, *[record_of(sim, name) for name in sim.nodes]), host(1))
    sim.inject("n0", forged(sim, *[ghost(number) for number in range(9)]), host(1))
    assert sim.nodes["n0"].protocol.load.members == 3 + 4


def record_of(sim: World, name: str) -> RecordFact:
    """What a member says of itself."""
    registers = entry_of(sim.nodes[name], name).registers
    return RecordFact(registers.record, registers.heartbeat)


def test_a_copy_of_the_view_that_a_node_asked_for_may_bring_any_number_of_members() -> None:
    sim = world(config=Config.lan(max_new_members_per_source=1))
    sim.start_many(30)
    sim.run(30)
    sim.start("late", seeds=("n0",))
    expect(sim, lambda: len(sim.nodes["late"].sees()) == 31, within=0.5, why="a copy over a stream")


@pytest.mark.parametrize("seed", SEEDS)
def test_members_refused_because_too_many_came_at_once_are_found_by_comparing_views(seed: int) -> None:
    sim = world(seed=seed, config=Config.lan(max_new_members_per_source=1))
    sim.start_many(40)
    expect_agreement(sim, within=60, why=f"seed {seed}")
    assert sum(dropped(node, "too many new members") for node in everybody(sim)) > 0
    expect_no_deaths(sim)


def test_a_thousand_members_behind_one_address_come_in_at_once_by_default() -> None:
    sim = cluster(1)
    for start in range(0, 2000, 10):
        sim.inject("n0", forged(sim, *[ghost(number) for number in range(start, start + 10)]), host(1))
    assert sim.nodes["n0"].protocol.load.members == 2001
    assert dropped(sim.nodes["n0"]) == 0


def test_an_accusation_raised_again_and_again_leaves_no_timers_behind() -> None:
    sim = cluster(3)
    inject(sim, ["n0"], ghost(1))
    for floor in range(100, 20_100, 100):
        inject(sim, ["n0"], *[SuspectFact(GHOST_ID + 1, floor + step, ()) for step in range(100)])
    assert sim.nodes["n0"].protocol.load.timers <= bound_of_timers(3)
    expect_working(sim, within=10)


def test_an_accusation_that_is_refuted_again_and_again_leaves_no_timers_behind() -> None:
    sim = cluster(3, config=Config.lan(witnesses=0))  # as long as it is no witness, each suspicion is a case of its own
    inject(sim, ["n0"], ghost(1))
    for floor in range(100, 20_100, 100):
        facts = [
            (SuspectFact(GHOST_ID + 1, floor + step, ()), AliveFact(GHOST_ID + 1, floor + step)) for step in range(50)
        ]
        inject(sim, ["n0"], *[fact for both in facts for fact in both])
    assert sim.nodes["n0"].protocol.load.suspects == 0
    assert sim.nodes["n0"].protocol.load.timers <= bound_of_timers(3)
    expect_working(sim, within=10)


def test_suspects_replaced_again_and_again_by_later_generations_leave_no_cases_behind() -> None:
    sim = cluster(3)
    for generation in range(1, 1001):
        number = 50_000 * generation  # always the same name, and another id
        inject(sim, ["n0"], ghost(number, generation), SuspectFact(GHOST_ID + number, 50, ()))
        assert sim.nodes["n0"].protocol.load.members == 4
    assert sim.nodes["n0"].protocol.load.suspects <= 8
    expect_working(sim, within=10)


def test_of_more_rumours_than_a_node_may_keep_the_oldest_give_way_and_are_counted() -> None:
    sim = cluster(3, config=Config.lan(max_rumours=50))
    inject(sim, ["n0"], *[ghost(number) for number in range(80)])
    load = sim.nodes["n0"].protocol.load
    assert (load.members, load.rumours) == (83, 50)
    assert dropped(sim.nodes["n0"], "too many rumours") == 30
    expect_agreement_of_views(sim, within=60)


def expect_agreement_of_views(sim: World, within: float) -> None:
    """All views are equal, the invented members included."""
    expect(sim, lambda: len({node.protocol.fingerprint for node in everybody(sim)}) == 1, within=within,
           why="views compared")  # fmt: skip


def test_more_probes_than_there_may_be_at_once_wait_their_turn() -> None:
    sim = cluster(3, config=Config.lan(max_probes=128))
    node = sim.nodes["n0"]
    inject(sim, ["n0"], *[ghost(number) for number in range(400)])
    inject(sim, ["n0"], *[SuspectFact(GHOST_ID + number, 1000, (1, 2, 3)) for number in range(400)])
    most = 0
    while "suspect" in node.sees().values():
        sim.run(0.05)
        most = max(most, node.protocol.load.probes)
        assert sim.now < 120, "the suspects were never judged"
    assert most == 128
    assert dropped(node, "too many probes") > 0
    assert [node.sees()[name] for name in ("n1", "n2")] == ["alive", "alive"]
    expect_working(sim, within=10)


def test_processes_that_claim_a_name_one_after_the_other_are_told_of_a_few_at_a_time() -> None:
    sim = cluster(3)
    node, codec = sim.nodes["n0"], Codec(sim.config.cluster)
    for number in range(1, 1001):
        claim = presented(GHOST_ID + number, "n1", 1_000_000_000_000, 1, STRANGER, {}, 10)
        node.protocol.receive_datagram(forged(sim, claim, sender=claim.id), STRANGER, sim.now)
        for data, to in node.protocol.datagrams_to_send(sim.now):
            body = codec.decode(data).body
            if to == STRANGER and isinstance(body, Ping):
                answer = forged(sim, sender=claim.id, body=Ack(body.token))
                node.protocol.receive_datagram(answer, STRANGER, sim.now)
    assert node.protocol.load.timers <= bound_of_timers(3)
    sim.run(2 * sim.config.suspicion_min)
    assert len(node.told("conflict")) == MAX_CHALLENGES
    assert node.protocol.load.challenges == 0
    expect_working(sim, within=10)
