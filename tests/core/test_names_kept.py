"""A name belongs to its key for as long as is promised, however many members are invented meanwhile."""

from __future__ import annotations

from functools import cache

import attrs
import pytest

from gossip.core.config import Config
from gossip.core.state.member import Identity, Record, Status
from gossip.core.state.signing import farewell_statement
from gossip.core.support.address import Address
from gossip.core.wire.messages import AliveFact, LeftFact, RecordFact
from tests.core.test_signing import THIEF, VICTIM, key_of, signed, signed_cluster
from tests.core.worlds import World, crash_bound_s, entry_of, expect, expect_seen, inject

MEMBERS = 40
FORGET_AFTER = 60.0


@cache
def invention(number: int) -> tuple[RecordFact, LeftFact]:
    """A member that does not exist, and its farewell, both signed."""
    identity = Identity(f"ghost{number}", 1_700_000_000_000, 10_000 + number)
    record = signed(Record(identity, 1, Address("192.0.2.9", 1 + number), {}), THIEF)
    return RecordFact(record, 10), LeftFact(identity.id, 20, THIEF.sign(farewell_statement("default", record, 20)))


def churn(sim: World, waves: int) -> None:
    """Fill all views with inventions, then have each say farewell; again and again."""
    for wave in range(waves):
        members, farewells = zip(*map(invention, range(wave * MEMBERS, (wave + 1) * MEMBERS)), strict=True)
        inject(sim, [node.name for node in sim.running], *members)
        inject(sim, [node.name for node in sim.running], *farewells)


def theft(record: Record, later_ms: int) -> RecordFact:
    """The victim's name in the hands of somebody with another key."""
    identity = Identity(VICTIM, record.identity.generation + later_ms, 77)
    return RecordFact(signed(attrs.evolve(record, identity=identity), THIEF), 1)


@pytest.mark.parametrize("waits_s", [0.0, 1.5 * FORGET_AFTER], ids=["just dead", "forgotten"])
def test_inventions_that_come_and_go_do_not_take_a_name_from_its_key(waits_s: float) -> None:
    sim = signed_cluster(5, config=Config.lan(max_members=MEMBERS, forget_after=FORGET_AFTER))
    sim.run(10)
    record = entry_of(sim.nodes["n0"], VICTIM).registers.record
    sim.crash(VICTIM)
    expect_seen(sim, VICTIM, "dead", within=crash_bound_s(sim.config))
    sim.run(10 + waits_s)
    churn(sim, 5)
    assert all(VICTIM not in node.sees() for node in sim.running), "it has given way"
    inject(sim, [node.name for node in sim.running], theft(record, 10**6))
    assert all(VICTIM not in node.sees() for node in sim.running)
    node = sim.start(VICTIM, seeds=("n0",))
    expect(sim, lambda: sim.all_see(VICTIM, "alive"), within=10, why="the true holder is taken back")
    assert all(each.protocol.get(VICTIM) == node.protocol.local for each in sim.running)
    assert node.protocol.local.key == key_of(VICTIM).public


def test_a_member_is_not_known_for_the_longer_because_it_was_dead() -> None:
    """One unsigned counter brings it back: the time in between is no time in which it answered."""
    sim = signed_cluster(5)
    sim.run(10)
    sim.crash(VICTIM)
    expect_seen(sim, VICTIM, "dead", within=crash_bound_s(sim.config))
    entry = entry_of(sim.nodes["n0"], VICTIM)
    known_for = entry.acquaintance(sim.now)
    sim.run(600)
    inject(sim, ["n0"], AliveFact(entry.id, entry.registers.convicted + 1))
    assert entry.status is Status.ALIVE
    assert entry.acquaintance(sim.now) == pytest.approx(known_for)


def test_a_name_whose_bearer_gave_way_early_is_kept_as_long_as_any_other() -> None:
    sim = signed_cluster(5, config=Config.lan(max_members=MEMBERS, forget_after=FORGET_AFTER))
    sim.run(10)
    record = entry_of(sim.nodes["n0"], VICTIM).registers.record
    sim.crash(VICTIM)
    expect_seen(sim, VICTIM, "dead", within=crash_bound_s(sim.config))
    gone_at = sim.now
    sim.run(10)
    inject(sim, ["n0"], *[invention(number)[0] for number in range(MEMBERS)])
    assert VICTIM not in sim.nodes["n0"].sees(), "it has given way"
    sim.run(gone_at + 1.8 * FORGET_AFTER - sim.now)
    inject(sim, ["n0"], theft(record, 10**6))
    assert VICTIM not in sim.nodes["n0"].sees()
