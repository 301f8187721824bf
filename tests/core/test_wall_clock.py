"""A wall clock that was wrong at the start: corrected, it keeps nobody out for good; who is refused hears why."""

from __future__ import annotations

import pytest

from gossip.core.state.node_standing import Standing
from gossip.core.state.wall import DISPUTE_LASTS_S, MAX_GENERATION_AHEAD_MS, SANE_WALL_MS, ClockDispute
from gossip.core.support.address import Address
from gossip.core.wire.messages import ANONYMOUS, Clock, News, RecordFact
from sims.world import SimulatedNode
from sims.world.simulation import WALL_START_MS
from tests.core.worlds import (
    STRANGER,
    Script,
    World,
    cluster,
    crash_bound_s,
    dropped,
    expect,
    expect_agreement,
    expect_no_deaths,
    expect_seen,
    forged,
    generations_seen,
    presented,
    tap,
    understood,
    world,
)

SEEDS = range(2)
YEAR_MS = 365 * 24 * 3600 * 1000
BEHIND_MS = {"1970": -WALL_START_MS, "2020": SANE_WALL_MS - WALL_START_MS + 1, "two years": -2 * YEAR_MS}
AHEAD_MS = 2 * YEAR_MS


def dispute(sim: World, node: SimulatedNode) -> ClockDispute | None:
    return node.protocol.clock_dispute(node.local_time(sim.now))


@pytest.mark.parametrize("late_ms", BEHIND_MS.values(), ids=BEHIND_MS.keys())
@pytest.mark.parametrize("seed", SEEDS)
def test_who_starts_with_its_clock_behind_takes_part_as_soon_as_that_is_corrected(seed: int, late_ms: int) -> None:
    sim = cluster(5, seed=seed)
    node = sim.start("late", seeds=("n0",), clock_ms=late_ms)
    sim.run(30)
    sim.set_wall_clock("late")
    expect_agreement(sim, within=5, why=f"seed {seed}: corrected")
    sim.leave("late")
    expect(sim, lambda: node.protocol.farewell_done, within=5, why=f"seed {seed}: its farewell is acknowledged")
    expect_no_deaths(sim)


@pytest.mark.parametrize("seed", SEEDS)
def test_a_seed_that_starts_with_its_clock_behind_finds_those_who_know_it(seed: int) -> None:
    sim = world(seed=seed)
    sim.start("n0", clock_ms=-2 * YEAR_MS)
    for number in range(1, 4):
        sim.start(f"n{number}", seeds=("n0",))
    sim.run(20)
    sim.set_wall_clock("n0")
    expect_agreement(sim, within=20, why=f"seed {seed}")


@pytest.mark.parametrize("after_s", [0.0, 1.0, 300.0])
@pytest.mark.parametrize("seed", SEEDS)
def test_who_starts_with_its_clock_ahead_takes_a_generation_that_others_believe_once_that_is_corrected(
    seed: int, after_s: float
) -> None:
    sim = cluster(5, seed=seed)
    node = sim.start("early", seeds=("n0",), clock_ms=AHEAD_MS)
    sim.run(after_s)
    assert all("early" not in other.sees() for other in sim.running if other is not node)
    sim.set_wall_clock("early")
    assert node.protocol.local.generation == sim.wall_ms()
    expect_agreement(sim, within=5, why=f"seed {seed}: corrected")
    assert generations_seen(sim, "early") == {node.protocol.local.generation}
    sim.leave("early")
    expect(sim, lambda: node.protocol.farewell_done, within=5, why=f"seed {seed}: its farewell is acknowledged")
    expect_no_deaths(sim)


@pytest.mark.parametrize("seed", SEEDS)
def test_those_who_all_started_ahead_go_on_as_before_when_corrected_one_by_one(seed: int) -> None:
    sim = world(seed=seed)
    sim.start("n0", clock_ms=AHEAD_MS)
    for number in range(1, 5):
        sim.start(f"n{number}", seeds=("n0",), clock_ms=AHEAD_MS)
    expect_agreement(sim, within=10)
    sim.run(5)
    before = {node.id for node in sim.running}
    for name in list(sim.nodes):
        sim.set_wall_clock(name)
        sim.run(3)
    assert {node.id for node in sim.running} == before, "who is believed needs no new generation"
    expect_agreement(sim, within=1)
    expect_no_deaths(sim)


@pytest.mark.parametrize("seed", SEEDS)
def test_a_newcomer_whom_those_of_a_wrong_generation_meet_gets_them_to_take_one_it_believes(seed: int) -> None:
    sim = world(seed=seed)
    sim.start("n0", clock_ms=AHEAD_MS)
    for number in range(1, 4):
        sim.start(f"n{number}", seeds=("n0",), clock_ms=AHEAD_MS)
    expect_agreement(sim, within=10)
    for name in list(sim.nodes):
        sim.set_wall_clock(name)
    sim.start("new", seeds=("n1",))
    expect_agreement(sim, within=60, why=f"seed {seed}")
    assert all(node.protocol.local.generation <= sim.wall_ms() for node in sim.running)


@pytest.mark.parametrize("seed", SEEDS)
def test_a_cluster_that_started_ahead_is_one_again_whenever_its_clocks_are_corrected(
    seed: int,
) -> None:
    sim = world(seed=seed)
    for number in range(3):
        sim.start(f"n{number}", seeds=() if number == 0 else ("n0",), clock_ms=AHEAD_MS)
    expect_agreement(sim, within=10)
    sim.set_wall_clock("n0")
    sim.start("right", seeds=("n0",))
    sim.run(60)
    sim.set_wall_clock("n1")
    sim.run(60)
    sim.set_wall_clock("n2")
    expect_agreement(sim, within=60, why=f"seed {seed}")


@pytest.mark.parametrize("seed", SEEDS)
def test_a_member_whose_clock_is_set_back_by_mistake_stays_one(seed: int) -> None:
    sim = cluster(5, seed=seed)
    before = sim.nodes["n2"].id
    sim.set_wall_clock("n2", -3 * YEAR_MS)
    sim.run(60)
    assert sim.all_agree()
    assert sim.nodes["n2"].id == before
    sim.set_wall_clock("n2")
    sim.run(5)
    assert sim.all_agree()
    expect_no_deaths(sim)


def test_a_clock_message_of_a_stranger_puts_out_no_member_whose_clock_was_set_back() -> None:
    sim = cluster(5)
    before = sim.nodes["n2"].id
    sim.set_wall_clock("n2", -3 * YEAR_MS)
    for sender in (ANONYMOUS, 999, sim.nodes["n0"].id):
        sim.inject("n2", forged(sim, sender=sender, body=Clock(WALL_START_MS - 3 * YEAR_MS)), STRANGER)
        sim.run(5)
    sim.inject("n2", forged(sim, sender=1, body=Clock(WALL_START_MS - 3 * YEAR_MS)), sim.nodes["n0"].address)
    sim.run(60)
    assert sim.nodes["n2"].id == before, "who holds a generation that it would refuse itself refuses nobody for it"
    assert sim.all_agree()


def test_who_takes_a_lower_generation_has_not_joined_before_somebody_takes_it_in() -> None:
    sim = cluster(5)
    node = sim.nodes["n2"]
    sim.set_wall_clock("n2", -3 * YEAR_MS)
    newcomer = presented(7, "new", WALL_START_MS - 3 * YEAR_MS, 1, Address("10.0.0.7", 7946), {}, 5)
    sim.inject("n2", forged(sim, newcomer, sender=7), Address("10.0.0.7", 7946))
    clock = forged(sim, sender=7, body=Clock(WALL_START_MS - 3 * YEAR_MS))
    sim.inject("n2", clock, Address("10.0.0.7", 7946))
    assert node.protocol.local.generation < WALL_START_MS - 2 * YEAR_MS
    assert node.protocol.standing.standing is Standing.JOINING
    sim.run(30)
    assert node.protocol.standing.standing is Standing.JOINING
    assert "do not accept it as a member" in node.protocol.standing.why
    sim.set_wall_clock("n2")
    expect(sim, lambda: node.protocol.standing.standing is Standing.CONNECTED, within=60, why="its clock is right")
    expect(sim, sim.all_agree, within=60, why="the newcomer is dead by then")


def test_who_is_refused_by_time_alone_is_asked_again_in_its_turn() -> None:
    """A generation just beyond the bound is believed a moment later; that must not have a lone node ask its seeds."""
    script = Script()
    protocol, node = script.protocol, script.node
    protocol.seed([Address("10.0.0.9", 7946)], node.local_time(0.0))
    asked = 0
    for number in range(400):
        script.sim.run(0.1)
        now = node.local_time(script.sim.now)
        generation = script.sim.wall_ms() + MAX_GENERATION_AHEAD_MS + 30
        protocol.receive_datagram(
            forged(script.sim, presented(1000 + number, "x", generation, 1, STRANGER, {}, 1), sender=1000 + number),
            STRANGER, now,
        )  # fmt: skip
        protocol.datagrams_to_send(now)
        protocol.wall_clock(script.sim.wall_ms() + 40, now + 0.04)
        asked += sum(address.host == "10.0.0.9" for _, address in protocol.datagrams_to_send(now + 0.04))
    assert asked == 0


@pytest.mark.parametrize("step_ms", [-3_600_000, -128, 128, 3_600_000, YEAR_MS // 2])
def test_a_clock_that_is_stepped_by_less_than_a_year_changes_nothing(step_ms: int) -> None:
    sim = cluster(4)
    ids = {node.id for node in sim.running}
    sim.set_wall_clock("n1", step_ms)
    sim.run(20)
    assert {node.id for node in sim.running} == ids
    assert dispute(sim, sim.nodes["n1"]) is None
    assert sim.all_agree()


def test_a_machine_that_was_suspended_for_years_believes_those_who_started_meanwhile() -> None:
    """Its monotonic clock stood still; what the wall clock shows when it wakes up is what counts."""
    script = Script()
    now = script.node.local_time(0.0)
    later = WALL_START_MS + 3 * YEAR_MS
    newcomer = presented(7, "new", later, 1, Address("10.0.0.7", 7946), {}, 5)
    script.protocol.receive_datagram(forged(script.sim, newcomer, sender=7), STRANGER, now)
    assert script.protocol.get("new") is None
    script.protocol.wall_clock(later + 5000, now)
    script.protocol.receive_datagram(forged(script.sim, newcomer, sender=7), STRANGER, now)
    assert script.protocol.get("new") is not None


@pytest.mark.parametrize("seed", SEEDS)
def test_a_restart_with_the_clock_years_back_takes_over_once_that_is_corrected(seed: int) -> None:
    sim = cluster(5, seed=seed)
    old = sim.nodes["n3"].protocol.local.generation
    sim.crash("n3")
    sim.run(0.2)
    node = sim.start("n3", seeds=("n0",), clock_ms=-2 * YEAR_MS)
    sim.run(60)
    sim.set_wall_clock("n3")
    expect_agreement(sim, within=60, why=f"seed {seed}")
    assert node.protocol.local.generation > old


@pytest.mark.parametrize("seed", SEEDS)
def test_a_restart_after_a_life_with_the_clock_years_ahead_takes_over_from_it(
    seed: int,
) -> None:
    sim = world(seed=seed)
    for number in range(4):
        sim.start(f"n{number}", seeds=() if number == 0 else ("n0",), clock_ms=AHEAD_MS)
    expect_agreement(sim, within=10)
    for name in list(sim.nodes):
        sim.set_wall_clock(name)
    sim.crash("n3")
    expect_seen(sim, "n3", "dead", within=crash_bound_s(sim.config))
    new = sim.start("n3", seeds=("n0",)).protocol.local
    expect(sim, sim.all_agree, within=60, why=f"seed {seed}")
    assert generations_seen(sim, "n3") == {sim.nodes["n3"].protocol.local.generation}
    assert new.generation <= sim.wall_ms()


# --- who is refused is told


def test_who_is_refused_for_its_clock_is_told_how_far_that_is_off() -> None:
    sim = cluster(3)
    node = sim.start("early", seeds=("n0",), clock_ms=AHEAD_MS)
    expect(sim, lambda: dispute(sim, node) is not None, within=5, why="it is told")
    told = dispute(sim, node)
    assert told is not None
    assert told.refuses_us
    assert told.address in {other.address for other in sim.running}
    assert abs(told.ahead_ms - AHEAD_MS) < 10_000
    sim.set_wall_clock("early")
    assert dispute(sim, node) is None
    expect_agreement(sim, within=5)


def test_who_refuses_everybody_for_its_own_clock_can_tell_that_its_clock_may_be_wrong() -> None:
    sim = cluster(3)
    node = sim.start("late", seeds=("n0",), clock_ms=-2 * YEAR_MS)
    expect(sim, lambda: dispute(sim, node) is not None, within=5, why="it can tell")
    told = dispute(sim, node)
    assert told is not None
    assert not told.refuses_us
    assert abs(told.ahead_ms - 2 * YEAR_MS) < 10_000
    assert node.protocol.alive == 1
    sim.set_wall_clock("late")
    expect_agreement(sim, within=5)
    assert dispute(sim, node) is None


def test_a_dispute_of_which_nothing_is_heard_any_more_is_over() -> None:
    sim = cluster(3)
    node = sim.start("early", seeds=("n0",), clock_ms=AHEAD_MS)
    expect(sim, lambda: dispute(sim, node) is not None, within=5, why="it is told")
    for name in ("n0", "n1", "n2"):
        sim.crash(name)
    sim.run(DISPUTE_LASTS_S + 1)
    assert dispute(sim, node) is None


def test_what_a_liar_says_of_the_time_moves_nobody() -> None:
    sim = cluster(4)
    before = [(node.name, node.protocol.members()) for node in sim.running]
    for wall_ms in (0, SANE_WALL_MS + 1, WALL_START_MS - 2 * YEAR_MS, WALL_START_MS + 50 * YEAR_MS, 2**62):
        for node in sim.running:
            for sender in (ANONYMOUS, sim.nodes["n0"].id):
                sim.inject(node.name, forged(sim, sender=sender, body=Clock(wall_ms)), STRANGER)
    sim.run(5)
    assert [(node.name, node.protocol.members()) for node in sim.running] == before
    newcomer = presented(7, "new", WALL_START_MS + 2 * YEAR_MS, 1, Address("10.0.0.7", 7946), {}, 5)
    sim.inject("n1", forged(sim, newcomer, sender=7), STRANGER)
    sim.run(1)
    assert sim.nodes["n1"].protocol.get("new") is None
    assert dropped(sim.nodes["n1"], "generation from the future") == 1


def test_the_word_of_a_clock_is_no_larger_than_what_it_answers_and_answered_by_nothing() -> None:
    sim = cluster(3, tapped=True)
    sim.run(1)
    newcomer = presented(2**63, "x", WALL_START_MS + 2 * YEAR_MS, 1, Address("10.0.0.7", 7946), {}, 5)
    question = forged(sim, newcomer, sender=2**63)
    sim.inject("n1", question, STRANGER)
    sim.run(1)
    answers = [each for each in tap(sim) if each[2] == STRANGER]
    assert [type(message.body) for message in understood(sim, answers)] == [Clock]
    assert len(answers[0][0]) <= len(question)
    script = Script()
    script.protocol.datagrams_to_send(0.0)
    script.protocol.receive_datagram(answers[0][0], STRANGER, 1.0)
    assert script.protocol.datagrams_to_send(1.0) == []


def test_only_who_speaks_for_itself_is_told_of_a_clock() -> None:
    sim = cluster(3, tapped=True)
    facts: list[RecordFact] = [
        presented(number, f"x{number}", WALL_START_MS + 2 * YEAR_MS, 1, Address("10.0.0.7", 7946), {}, 5)
        for number in range(7, 17)
    ]
    sim.inject("n1", forged(sim, *facts, sender=99, body=News()), STRANGER)
    sim.run(1)
    answers = [each for each in tap(sim) if each[2] == STRANGER]
    assert Clock not in {type(message.body) for message in understood(sim, answers)}
    assert dispute(sim, sim.nodes["n1"]) is None


def test_the_bound_is_more_than_a_year() -> None:
    assert MAX_GENERATION_AHEAD_MS > YEAR_MS
