"""Forged facts: what a faulty or hostile peer says about a living member cannot bury it or burn its numbers."""

from __future__ import annotations

from collections.abc import Callable
from random import Random
from typing import Any

import pytest

from gossip.core.state.entry import Entry
from gossip.core.state.heartbeat import MAX_COUNTER, MAX_STEPS_AHEAD
from gossip.core.state.member import MAX_VERSION
from gossip.core.support.address import Address
from gossip.core.wire.messages import ANONYMOUS, AliveFact, DeadFact, Fact, LeftFact, RecordFact, SuspectFact
from tests.core.worlds import (
    SEEDS,
    STRANGER,
    World,
    cluster,
    crash_bound_s,
    dropped,
    entry_of,
    everybody,
    everybody_has,
    expect,
    expect_agreement,
    expect_no_deaths,
    expect_seen,
    forged,
    inject,
    mute,
    presented,
)

VICTIM = "n3"
DAY_MS = 24 * 3600 * 1000
FAR = 2**61
"""Above anything a member could reach by itself, below what decoding refuses."""


def record_like(entry: Entry, **changes: object) -> RecordFact:
    """What the member says of itself, with some of it changed."""
    who, registers = entry.identity, entry.registers
    record = registers.record
    true: dict[str, Any] = {
        "member_id": who.id,
        "name": who.name,
        "generation": who.generation,
        "version": record.version,
        "address": record.address,
        "metadata": record.metadata,
        "heartbeat": registers.heartbeat,
    }
    return presented(**true | changes)


def plausible(entry: Entry, now: float) -> int:
    """The highest counter that is still believed."""
    return entry.estimate.expected(now) + MAX_STEPS_AHEAD


FORGERIES: dict[str, Callable[[Entry, float], Fact]] = {
    "alive, absurd": lambda e, _: AliveFact(e.id, FAR),
    "alive, largest": lambda e, _: AliveFact(e.id, MAX_COUNTER),
    "alive, just plausible": lambda e, now: AliveFact(e.id, plausible(e, now)),
    "suspect, absurd": lambda e, _: SuspectFact(e.id, FAR, (1, 2, 3, 4)),
    "suspect, largest": lambda e, _: SuspectFact(e.id, MAX_COUNTER, (1, 2, 3, 4)),
    "suspect, just plausible": lambda e, now: SuspectFact(e.id, plausible(e, now), (1, 2, 3, 4)),
    "dead, absurd": lambda e, _: DeadFact(e.id, FAR, (1, 2, 3, 4)),
    "dead, largest": lambda e, _: DeadFact(e.id, MAX_COUNTER, ()),
    "dead, just plausible": lambda e, now: DeadFact(e.id, plausible(e, now), (1, 2, 3, 4)),
    "dead, a little ahead": lambda e, _: DeadFact(e.id, e.registers.heartbeat + 1, ()),
    "left, absurd": lambda e, _: LeftFact(e.id, FAR),
    "left, as it would be": lambda e, _: LeftFact(e.id, e.registers.heartbeat),
    "record, absurd version": lambda e, _: record_like(e, version=FAR, metadata={"forged": "1"}),
    "record, largest version": lambda e, _: record_like(e, version=MAX_VERSION, metadata={"forged": "1"}),
    "record, largest version unless refused":
        lambda e, _: record_like(e, version=MAX_VERSION - MAX_STEPS_AHEAD - 1, metadata={"forged": "1"}),
    "record, next version": lambda e, _: record_like(e, version=e.registers.record.version + 1, metadata={"f": "1"}),
    "record, same version, other address": lambda e, _: record_like(e, address=Address("192.0.2.77", 9)),
    "record, same version, nobody's address": lambda e, _: record_like(e, address=Address("::", 0)),
    "record, same version, too large": lambda e, _: record_like(e, metadata={"z": "z" * 5_000}),
    "record, absurd counter": lambda e, _: record_like(e, heartbeat=FAR),
    "record, later generation": lambda e, _: record_like(e, generation=e.identity.generation + 1_000),
    "record, same name, other process":
        lambda e, _: record_like(e, member_id=77, generation=e.identity.generation + 1_000, address=STRANGER),
    "record, same name, a year ahead":
        lambda e, _: record_like(e, member_id=77, generation=e.identity.generation + 360 * DAY_MS, address=STRANGER),
    "record, same name, a millennium ahead": lambda e, _:
        record_like(e, member_id=77, generation=e.identity.generation + 365_000 * DAY_MS, address=STRANGER),
}  # fmt: skip


def told_to(sim: World, whom: str) -> list[str]:
    """The nodes that the forgery is handed to."""
    return {
        "one": ["n0"],
        "all others": [name for name in sim.nodes if name != VICTIM],
        "all": list(sim.nodes),
        "the victim": [VICTIM],
    }[whom]


def expect_recovery(sim: World, why: str) -> None:
    """All agree again, the victim included, and stay so; its numbers are still of this world."""
    expect_agreement(sim, within=60, why=why)
    sim.run(30)
    expect_agreement(sim, within=1, why=f"{why}, for good")
    local = sim.nodes[VICTIM].protocol.local
    sim.update(VICTIM, {"still": "heard"})
    expect(sim, lambda: everybody_has(sim, VICTIM, {"still": "heard"}), within=10, why=f"{why}: its later updates")
    assert entry_of(sim.nodes["n0"], VICTIM).registers.heartbeat < 2**40, f"{why}: counter burnt"
    assert local.generation < 2**44, f"{why}: generation burnt"
    assert all(node.sees()[VICTIM] == "alive" for node in everybody(sim)), why
    expect_no_deaths(sim, but=[VICTIM])


@pytest.mark.parametrize("whom", ["one", "all others", "all", "the victim"])
@pytest.mark.parametrize("forgery", FORGERIES)
def test_a_living_member_outlives_a_forgery(forgery: str, whom: str) -> None:
    sim = cluster(5)
    fact = FORGERIES[forgery](entry_of(sim.nodes["n0"], VICTIM), sim.now)
    inject(sim, told_to(sim, whom), fact)
    expect_recovery(sim, f"{forgery}, told to {whom}")


@pytest.mark.parametrize("forgery", FORGERIES)
def test_a_living_member_outlives_the_same_kind_of_forgery_over_and_over(forgery: str) -> None:
    sim = cluster(5)
    for number in range(20):
        victim = sim.nodes["n0"].protocol.view.named(VICTIM)
        if victim is not None:
            inject(sim, [f"n{number % 5}"], FORGERIES[forgery](victim, sim.now))
        sim.run(0.7)
    expect_recovery(sim, f"{forgery}, 20 times")


@pytest.mark.parametrize("every", [0.1, 0.25])
def test_a_living_member_outlives_convictions_told_faster_than_news_of_it_may_spread(every: float) -> None:
    """Each one costs pushes, the refutation too, until the budgets are spent and refutations come late."""
    sim = cluster(16)
    floor = 0
    for _ in range(int(20 / every)):
        floor = max(floor, sim.nodes[VICTIM].protocol.heartbeat(sim.now)) + 5
        told = entry_of(sim.nodes["n0"], VICTIM).id
        inject(sim, ["n0"], SuspectFact(told, floor, (1, 2, 3, 4)), DeadFact(told, floor, (1, 2, 3, 4)))
        sim.run(every)
    expect_no_deaths(sim)


@pytest.mark.parametrize("seed", SEEDS)
def test_a_living_member_outlives_convictions_told_just_when_they_are_believed(seed: int) -> None:
    """Accusations of others keep the budgets spent, so that the refutation of this one takes half a second."""
    sim = cluster(16, seed=seed)
    node, suspected_since = sim.nodes["n0"], None
    for turn in range(120):
        entry = entry_of(node, VICTIM)
        others = [f"n{4 + (turn + step) % 12}" for step in range(3)]
        accused = others if suspected_since is not None else [VICTIM, *others]
        facts: list[Fact] = [
            SuspectFact(entry_of(node, name).id, sim.nodes[name].protocol.heartbeat(sim.now) + 30, (1, 2, 3, 4))
            for name in accused
        ]
        if suspected_since is not None and sim.now >= suspected_since + sim.config.ack_timeout_max:
            facts = [DeadFact(entry.id, entry.registers.accused, (1, 2, 3, 4))]
        inject(sim, ["n0"], *facts)
        is_suspected = entry.registers.is_living and entry.registers.is_below_floor
        suspected_since = (suspected_since or sim.now) if is_suspected else None
        sim.run(0.25)
    expect_no_deaths(sim)


@pytest.mark.parametrize("seed", SEEDS)
def test_all_forgeries_at_once_leave_a_working_cluster(seed: int) -> None:
    sim = cluster(5, seed=seed)
    for forgery in FORGERIES.values():
        victim = sim.nodes["n1"].protocol.view.named(VICTIM)
        if victim is not None:
            inject(sim, ["n0", "n1"], forgery(victim, sim.now))
    expect_recovery(sim, f"all forgeries, seed {seed}")


@pytest.mark.parametrize("heartbeat", [MAX_COUNTER, MAX_COUNTER - 1, MAX_COUNTER - 50])
def test_a_ghost_with_a_counter_at_the_end_of_numbers_silences_nobody(heartbeat: int) -> None:
    """Accusing it takes a floor above its counter; that floor must still be one that others can decode."""
    sim = cluster(5)
    ghost = presented(77, "ghost", 1_700_000_000_000, 1, STRANGER, {}, heartbeat)
    inject(sim, ["n0"], ghost)
    sim.run(60)
    assert [dropped(node, "number out of range") for node in everybody(sim)] == [0] * 5
    assert all(node.sees().get("ghost") in (None, "dead") for node in everybody(sim))
    expect_no_deaths(sim, but=["ghost"])
    expect_agreement(sim, within=30)


def test_a_ghost_is_found_to_be_nobody() -> None:
    sim = cluster(5)
    inject(sim, ["n0"], presented(77, "ghost", 1_700_000_000_000, 1, STRANGER, {}, 50))
    sim.run(1)
    assert sim.all_see("ghost", "alive")
    expect(sim, lambda: sim.all_see("ghost", "dead"), within=2 * crash_bound_s(sim.config), why="a ghost dies")
    expect_no_deaths(sim, but=["ghost"])


def test_the_record_version_of_a_member_cannot_be_burnt() -> None:
    sim = cluster(3)
    for _ in range(3):
        entry = entry_of(sim.nodes["n0"], "n1")
        inject(sim, ["n0"], record_like(entry, version=MAX_VERSION - MAX_STEPS_AHEAD - 1, metadata={"forged": "1"}))
        sim.run(2)
        entry = entry_of(sim.nodes["n0"], "n1")
        inject(sim, ["n0"], record_like(entry, version=MAX_VERSION, metadata={"forged": "2"}))
        sim.run(2)
    assert sim.nodes["n1"].protocol.local.version < MAX_VERSION // 2, "no room is left for the member's own updates"


def test_a_message_in_the_name_of_a_member_with_an_absurd_counter_is_not_believed() -> None:
    sim = cluster(5)
    entry = entry_of(sim.nodes["n0"], VICTIM)
    sim.inject("n0", forged(sim, sender=entry.id, heartbeat=FAR), STRANGER)
    assert entry.registers.heartbeat < FAR
    assert dropped(sim.nodes["n0"]) == 1
    sim.run(30)
    expect_no_deaths(sim)


def test_a_message_under_the_recipients_own_id_is_dropped_and_counted() -> None:
    sim = cluster(3)
    own = sim.nodes["n0"].protocol.local.id
    sim.inject("n0", forged(sim, LeftFact(own, 5), sender=own), STRANGER)
    sim.run(5)
    assert dropped(sim.nodes["n0"]) == 1
    assert sim.nodes["n0"].protocol.local.status.value == "alive"


@pytest.mark.parametrize("survives_s", [0.0, 30.0])
@pytest.mark.parametrize("seed", SEEDS)
def test_a_counter_that_was_made_up_hides_no_death(seed: int, survives_s: float) -> None:
    sim = cluster(8, seed=seed)
    ahead = sim.nodes["n3"].protocol.heartbeat(sim.now) + MAX_STEPS_AHEAD - 100
    inject(sim, ["n0", "n5"], AliveFact(sim.nodes["n3"].id, ahead))
    sim.run(survives_s)
    expect_no_deaths(sim)
    sim.crash("n3")
    expect_seen(sim, "n3", "dead", within=crash_bound_s(sim.config))
    expect_agreement(sim, within=1, why=f"seed {seed}")


@pytest.mark.parametrize("size", [0, 1, 20, 1200, 70_000])
def test_noise_is_dropped_and_counted(size: int) -> None:
    sim = cluster(2)
    noise = Random(size).randbytes(size)
    sim.inject("n0", noise, STRANGER)
    assert dropped(sim.nodes["n0"]) == 1
    sim.run(10)
    expect_agreement(sim, within=1)


def test_facts_about_members_unknown_to_all_are_not_taken_in() -> None:
    sim = cluster(3)
    inject(sim, sim.nodes, AliveFact(7, 7), SuspectFact(8, 8, (9,)), DeadFact(10, 10, ()), LeftFact(11, 11))
    sim.run(5)
    assert all(len(node.sees()) == 3 for node in everybody(sim))


def test_a_stranger_gets_no_more_back_than_a_few_datagrams() -> None:
    """A forged source address must not turn a node into an amplifier."""
    sim = cluster(16, tapped=True)
    facts = [AliveFact(entry.id, 0) for entry in sim.nodes["n0"].protocol.view]
    for node in everybody(sim):
        node.protocol.datagrams_to_send(sim.now)
    data = forged(sim, *facts, sender=ANONYMOUS)
    node = sim.nodes["n0"]
    before = node.protocol.stats
    node.protocol.receive_datagram(data, STRANGER, sim.now)
    sent = [(d, to) for d, to in node.protocol.datagrams_to_send(sim.now) if to == STRANGER]
    assert len(sent) <= 8
    assert sum(len(d) for d, _ in sent) <= 8 * sim.config.max_datagram
    assert node.protocol.stats.datagrams_received == before.datagrams_received + 1


@pytest.mark.parametrize("seed", SEEDS)
def test_an_old_conviction_does_not_execute_a_suspect_that_has_outlived_it(seed: int) -> None:
    sim = cluster(8, seed=seed)
    mute(sim, VICTIM)
    expect_seen(sim, VICTIM, "suspect", within=10)
    sim.run(sim.config.ack_timeout_max + 0.05)
    node = next(node for node in sim.running if node.name != VICTIM and node.sees()[VICTIM] == "suspect")
    entry = entry_of(node, VICTIM)
    inject(sim, [node.name], DeadFact(entry.id, entry.registers.heartbeat - 5, (), 1))
    assert node.sees()[VICTIM] == "suspect", f"seed {seed}"
