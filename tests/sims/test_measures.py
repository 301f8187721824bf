"""Measures: what a run says of crashes, updates and wrongs is what an observer saw with its own eyes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from gossip.core.events import EventKind
from gossip.core.wire.messages import DeadFact
from sims.plan import Plan
from sims.running import Outcome, Run
from sims.steps import AnyStep, Crash, Disturb, Leave, Pause, Restart, Update
from sims.watching import FalseDeaths, percentile
from sims.world import Link, Simulation
from tests.core.worlds import SEEDS, inject, mute
from tests.sims.watchers import Told

AT = 5.0
"""When the thing that is measured happens."""


def _ran(*steps: AnyStep, meddle: Callable[[Simulation], None] = lambda _sim: None, at: float = AT - 0.1,
         **fields: Any) -> tuple[Outcome, Told]:  # fmt: skip
    """The outcome of a plan of eight nodes, and what they told; ``meddle`` does what no step does."""
    told = Told()
    plan = Plan(**{"scenario": "test", "seed": 1, "nodes": 8, "duration_s": 20.0, "steps": steps, **fields})
    run = Run(plan, observers=[told])
    run.sim.at(at, meddle, run.sim)
    return run.run(), told


def _let_n5_sleep(sim: Simulation) -> None:
    """Longer than the run lasts."""
    sim.pause("n5", 1000.0)


@pytest.mark.parametrize(
    ("values", "share", "expected"),
    [
        ([], 0.5, None),
        ([3.0], 0.01, 3.0),
        ([3.0, 1.0, 2.0], 0.5, 2.0),
        ([4.0, 3.0, 2.0, 1.0], 0.5, 2.0),
        ([1.0, 2.0, 3.0, 4.0], 0.51, 3.0),
        ([float(number) for number in range(1, 101)], 0.99, 99.0),
        ([1.0, 2.0], 1.0, 2.0),
        ([1.0, 2.0], 0.0, 1.0),
    ],
)
def test_a_percentile_is_the_smallest_value_that_is_enough(
    values: list[float], share: float, expected: float | None
) -> None:
    assert percentile(values, share) == expected


# --- crashes


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("loss", [0.0, 0.2])
def test_a_crash_is_measured_by_what_members_told_of_it(seed: int, loss: float) -> None:
    outcome, told = _ran(Crash(at=AT, node="n3"), seed=seed, link=Link(loss=loss))
    (crash,) = outcome.crashes
    deaths = [each.at - AT for each in told.of(EventKind.DIED, "n3")]
    assert len(deaths) == 7
    assert (crash.name, crash.at, crash.missing) == ("n3", AT, 0)
    assert crash.first_suspect_s == min(each.at - AT for each in told.of(EventKind.SUSPECTED, "n3"))
    assert (crash.first_dead_s, crash.p50_dead_s, crash.last_dead_s) == (deaths[0], deaths[3], deaths[6])


def test_a_crash_that_nobody_has_noticed_yet_is_missed_by_all() -> None:
    outcome, _ = _ran(Crash(at=AT, node="n3"), duration_s=AT + 0.3)
    (crash,) = outcome.crashes
    assert crash.missing == 7
    assert (crash.first_suspect_s, crash.first_dead_s, crash.p50_dead_s, crash.last_dead_s) == (None,) * 4


def test_who_never_hears_of_a_crash_is_missing_and_there_is_no_last() -> None:
    outcome, _ = _ran(Crash(at=AT, node="n3"), meddle=_let_n5_sleep)
    (crash,) = outcome.crashes
    assert crash.missing == 1
    assert crash.p50_dead_s is not None
    assert crash.last_dead_s is None


def test_who_crashed_later_is_not_asked_about_an_earlier_crash() -> None:
    outcome, told = _ran(Crash(at=AT, node="n3"), Crash(at=AT + 1.0, node="n4"))
    first, second = outcome.crashes
    assert (first.name, second.name) == ("n3", "n4")
    assert first.missing == second.missing == 0
    assert second.last_dead_s == max(each.at for each in told.of(EventKind.DIED, "n4")) - AT - 1.0


def test_who_heard_of_a_crash_and_then_crashed_does_not_count() -> None:
    crash = Crash(at=AT, node="n3")
    _, told = _ran(crash)
    deaths = told.of(EventKind.DIED, "n3")
    outcome, _ = _ran(crash, Crash(at=AT + 12.0, node=deaths[-1].by), duration_s=40.0)
    first = outcome.crashes[0]
    assert (first.name, first.missing) == ("n3", 0)
    assert (first.first_dead_s, first.last_dead_s) == (deaths[0].at - AT, deaths[-2].at - AT)


def test_the_crash_of_one_who_is_held_dead_already_is_no_news() -> None:
    outcome, told = _ran(Pause(at=AT, for_s=14.0, node="n3"), Crash(at=AT + 12.0, node="n3"))
    assert max(each.at for each in told.of(EventKind.DIED, "n3")) < AT + 12.0
    (crash,) = outcome.crashes
    assert (crash.first_dead_s, crash.last_dead_s, crash.missing) == (0.0, 0.0, 0)


def test_a_restart_that_nobody_notices_in_time_is_no_crash() -> None:
    outcome, told = _ran(Restart(at=AT, node="n3"))
    assert not told.of(EventKind.DIED, "n3")
    assert outcome.crashes == ()


def test_a_restart_after_the_death_was_noticed_leaves_a_crash_that_all_know() -> None:
    outcome, _ = _ran(Crash(at=AT, node="n3"), Restart(at=AT + 10.0, node="n3"), duration_s=30.0)
    (crash,) = outcome.crashes
    assert (crash.name, crash.missing) == ("n3", 0)


def test_a_farewell_is_no_crash() -> None:
    outcome, told = _ran(Leave(at=AT, node="n3"))
    assert len(told.of(EventKind.LEFT, "n3")) == 7
    assert outcome.crashes == ()
    assert outcome.false_deaths == FalseDeaths(healthy_by_healthy=0, healthy_by_impaired=0, impaired=0)


# --- updates


@pytest.mark.parametrize("seed", SEEDS)
def test_an_update_is_measured_by_what_members_told_of_it(seed: int) -> None:
    outcome, told = _ran(Update(at=AT, node="n3", metadata={"zone": "b"}), seed=seed, nodes=16)
    (update,) = outcome.updates
    heard = [each.at - AT for each in told.of(EventKind.UPDATED, "n3")]
    assert len(heard) == 15
    assert {tuple(each.metadata.items()) for each in told.of(EventKind.UPDATED, "n3")} == {(("zone", "b"),)}
    assert (update.name, update.at, update.missing) == ("n3", AT, 0)
    assert (update.first_s, update.p50_s, update.p99_s, update.last_s) == (heard[0], heard[7], heard[14], heard[14])


def test_who_never_hears_of_an_update_is_missing() -> None:
    outcome, _ = _ran(Update(at=AT, node="n3", metadata={"a": "b"}), meddle=_let_n5_sleep, duration_s=AT + 1.0)
    (update,) = outcome.updates
    assert update.missing == 1
    assert update.p50_s is not None
    assert update.last_s is None


def test_each_of_two_updates_is_measured_by_itself() -> None:
    outcome, _ = _ran(
        Update(at=AT, node="n3", metadata={"a": "1"}), Update(at=AT + 3.0, node="n3", metadata={"a": "2"})
    )
    assert [(each.at, each.missing) for each in outcome.updates] == [(AT, 0), (AT + 3.0, 0)]
    assert all(each.last_s is not None and each.last_s < 1.0 for each in outcome.updates)


# --- wrongs


def _lie_about_n3_who_cannot_defend_itself(sim: Simulation) -> None:
    """Nothing of this is in the plan, so nothing excuses what comes of it."""
    mute(sim, "n3")
    sim.tainted.add(sim.nodes["n3"].id)
    floor = sim.nodes["n3"].protocol.heartbeat(sim.now) + 5
    inject(sim, [f"n{number}" for number in (0, 1, 2, 4, 5, 6, 7)], DeadFact(sim.nodes["n3"].id, floor, ()))
    sim.at(sim.now + 1.5, sim.network.lift)


@pytest.mark.parametrize("spares", ["nobody", "the healthy", "all"])
def test_a_lie_that_is_believed_is_a_wrong_of_the_healthy_by_the_healthy(spares: str) -> None:
    outcome, told = _ran(meddle=_lie_about_n3_who_cannot_defend_itself, spares=spares)
    assert {each.by for each in told.of(EventKind.DIED, "n3")} == {"n0", "n1", "n2", "n4", "n5", "n6", "n7"}
    assert outcome.false_deaths == FalseDeaths(healthy_by_healthy=7, healthy_by_impaired=0, impaired=0)
    assert [each.invariant for each in outcome.violations] == (["SparesTheLiving"] if spares != "nobody" else [])


def test_what_a_deaf_member_believes_of_others_is_told_to_nobody() -> None:
    deaf = Disturb(at=AT, for_s=40.0, destinations=["n3"], both_ways=False)
    outcome, told = _ran(deaf, duration_s=60.0, spares="the healthy", seed=3)
    about_n3 = told.of(EventKind.DIED, "n3")
    assert [each for each in told.all if each.kind is EventKind.DIED and each.by == "n3"] == []
    assert outcome.false_deaths == FalseDeaths(healthy_by_healthy=0, healthy_by_impaired=0, impaired=len(about_n3))


def test_what_members_that_are_cut_off_together_believe_of_others_is_no_fault_of_healthy_ones() -> None:
    cut = Disturb(at=AT, for_s=40.0, destinations=["n3", "n4"])
    outcome, told = _ran(cut, duration_s=60.0, spares="the healthy", seed=3)
    by_both = [each for each in told.all if each.kind is EventKind.DIED and each.by in ("n3", "n4")]
    about_both = [*told.of(EventKind.DIED, "n3"), *told.of(EventKind.DIED, "n4")]
    assert len(by_both) == len(about_both) == 12
    assert outcome.false_deaths == FalseDeaths(healthy_by_healthy=0, healthy_by_impaired=12, impaired=12)


def test_whoever_is_held_dead_during_a_long_pause_of_its_own_is_impaired() -> None:
    outcome, _ = _ran(Pause(at=AT, for_s=15.0, node="n3"), duration_s=40.0, spares="the healthy")
    assert outcome.false_deaths == FalseDeaths(healthy_by_healthy=0, healthy_by_impaired=0, impaired=7)
    assert outcome.is_good


def test_whoever_wants_all_spared_does_not_excuse_the_impaired() -> None:
    outcome, _ = _ran(Pause(at=AT, for_s=15.0, node="n3"), duration_s=40.0, spares="all")
    (violation,) = outcome.violations
    assert violation.invariant == "SparesTheLiving"
    assert "7 times" in violation.text


def test_the_death_of_a_crashed_member_is_no_wrong_and_neither_is_suspecting_it() -> None:
    outcome, told = _ran(Crash(at=AT, node="n3"))
    assert told.of(EventKind.SUSPECTED, "n3")
    assert outcome.suspicions == 0
    assert outcome.false_deaths == FalseDeaths(healthy_by_healthy=0, healthy_by_impaired=0, impaired=0)


def test_every_view_of_a_running_member_as_suspected_is_counted() -> None:
    outcome, told = _ran(Pause(at=AT, for_s=2.5, node="n3"), nodes=4)
    assert outcome.suspicions == len([each for each in told.all if each.kind is EventKind.SUSPECTED]) > 0


# --- traffic


def test_traffic_is_that_of_seconds_in_which_processes_ran() -> None:
    outcome, _ = _ran(Crash(at=AT, node="n3"), nodes=4)
    node_seconds = 3 * 20.0 + AT
    assert outcome.virtual_s == 20.0
    assert outcome.per_node_s.datagrams_sent == pytest.approx(outcome.datagrams / node_seconds)
    assert outcome.per_node_s.bytes_sent == pytest.approx(outcome.bytes / node_seconds)


def test_a_restarted_process_is_not_counted_twice() -> None:
    outcome, _ = _ran(Restart(at=AT, node="n3"), nodes=4)
    assert outcome.per_node_s.datagrams_sent == pytest.approx(outcome.datagrams / (4 * 20.0))
