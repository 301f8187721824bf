"""New generations forced from outside: a lie that a member cannot outrun makes it start anew, but not as often as the
liar likes, because everybody is told of each."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from gossip.core.state.entry import Entry
from gossip.core.state.local import RENEWALS
from gossip.core.state.member import MAX_VERSION
from gossip.core.wire.messages import AliveFact, DeadFact, Fact, LeftFact, RecordFact, SuspectFact
from tests.core.test_forgeries import DAY_MS, FAR, record_like
from tests.core.test_signing import signed_cluster
from tests.core.worlds import World, cluster, dropped, entry_of, everybody, expect_agreement, expect_no_deaths, inject

VICTIM = "n3"
HEALED_WITHIN_S = 60.0
"""A budget that is spent, a chance to say so again, and all know."""

COUNTERS: dict[str, Callable[[Entry], Fact]] = {
    "a counter": lambda e: AliveFact(e.id, FAR),
    "an accusation": lambda e: SuspectFact(e.id, FAR, (1, 2)),
    "a conviction": lambda e: DeadFact(e.id, FAR, (1, 2)),
}
RECORDS: dict[str, Callable[[Entry], Fact]] = {
    "a farewell": lambda e: LeftFact(e.id, e.registers.heartbeat),
    "the last version": lambda e: record_like(e, version=MAX_VERSION),
    "the id under a later generation": lambda e: record_like(e, generation=e.identity.generation + DAY_MS),
    "the id under another name": lambda e: record_like(e, name="z", generation=e.identity.generation + DAY_MS),
}


def attack(sim: World, lie: Callable[[Entry], Fact], whom: list[str]) -> int:
    """Tell the lie once a second for 20 s, of the victim as it is by then; how often the others were told that it
    joined."""
    others = [node for node in everybody(sim) if node.name != VICTIM]
    before = [len(node.told("joined")) for node in others]
    for _ in range(20):
        inject(sim, whom, lie(entry_of(sim.nodes[VICTIM], VICTIM)))
        sim.run(1.0)
    return max(len(node.told("joined")) - count for node, count in zip(others, before, strict=True))


@pytest.mark.parametrize("lie", COUNTERS)
def test_a_member_that_signs_is_not_made_to_start_anew_again_and_again(lie: str) -> None:
    sim = signed_cluster(8)
    assert attack(sim, COUNTERS[lie], [VICTIM]) <= RENEWALS
    assert dropped(sim.nodes[VICTIM], "too many new generations") >= 20 - RENEWALS - 1
    expect_agreement(sim, within=HEALED_WITHIN_S)
    expect_no_deaths(sim)


@pytest.mark.parametrize("whom", ["the victim", "all"])
@pytest.mark.parametrize("lie", RECORDS)
def test_a_member_that_does_not_sign_is_not_either(lie: str, whom: str) -> None:
    sim = cluster(8)
    told = attack(sim, RECORDS[lie], [VICTIM] if whom == "the victim" else list(sim.nodes))
    assert told <= 2 * (RENEWALS + 1), "of each the liar's invention, and the member's answer"
    expect_agreement(sim, within=HEALED_WITHIN_S)
    sim.run(HEALED_WITHIN_S)
    expect_agreement(sim, within=1, why="for good")


EARLIER: dict[str, Callable[[Entry], RecordFact]] = {
    "an earlier generation": lambda e: record_like(e, generation=e.identity.generation - 1),
    "another name": lambda e: record_like(e, name="a", generation=e.identity.generation - 1),
}


@pytest.mark.parametrize("lie", EARLIER)
def test_an_id_given_to_somebody_whom_nobody_believes_forces_nothing(lie: str) -> None:
    sim = cluster(5)
    before = sim.nodes[VICTIM].id
    assert attack(sim, EARLIER[lie], list(sim.nodes)) == 0
    sim.start("late", seeds=("n0",))
    inject(sim, ["late"], EARLIER[lie](entry_of(sim.nodes["n0"], VICTIM)))
    expect_agreement(sim, within=10, why="a newcomer that heard the lie first")
    assert sim.nodes[VICTIM].id == before


def test_a_lie_outlived_when_the_budget_is_spent_is_outlived_later() -> None:
    """Some believe it, so they say it again until the member may answer."""
    sim = cluster(5)
    for _ in range(RENEWALS + 1):
        inject(sim, list(sim.nodes), LeftFact(sim.nodes[VICTIM].id, 10))
        sim.run(0.5)
    assert any(node.sees()[VICTIM] == "left" for node in everybody(sim))
    expect_agreement(sim, within=HEALED_WITHIN_S)


def test_a_name_lent_to_inventions_that_leave_at_once_is_not_taken_back_again_and_again() -> None:
    sim = cluster(8)
    taken = {sim.nodes[VICTIM].id}
    for number in range(20):
        holder = record_like(entry_of(sim.nodes[VICTIM], VICTIM), member_id=900 + number, generation=later(sim))
        inject(sim, list(sim.nodes), holder, LeftFact(holder.id, 2))
        sim.run(1.0)
        taken.add(sim.nodes[VICTIM].id)
    assert len(taken) - 1 <= RENEWALS
    expect_agreement(sim, within=HEALED_WITHIN_S)
    assert all(node.sees()[VICTIM] == "alive" for node in everybody(sim))


def later(sim: World) -> int:
    """A generation above that of the victim."""
    return sim.nodes[VICTIM].protocol.local.generation + 1
