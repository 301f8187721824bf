"""The summary of a sweep, computed from outcomes that are written down here."""

from __future__ import annotations

import json
from typing import Any

import attrs

from sims.running import Joins, Outcome, PerNodeSecond, Violation
from sims.sweep import Failure, Request, summarise
from sims.sweep.summary import Distribution
from sims.watching import CrashMeasure, FalseDeaths, UpdateMeasure

REQUEST = Request(scenario="crash", nodes=8, loss=0.1, changes={"victims": "half and half"})

GOOD = Outcome(
    scenario="crash", nodes=8, seed=0, profile="lan", virtual_s=20.0, wall_s=0.5, datagrams=100, bytes=5000,
    trace_hash="00", violations=(), sometimes={"died": 7, "left": 0}, crashes=(), updates=(), joins=None,
    false_deaths=FalseDeaths(healthy_by_healthy=0, healthy_by_impaired=1, impaired=2), suspicions=3,
    suspicions_healthy_by_healthy=1, heal_s=None,
    per_node_s=PerNodeSecond(datagrams_sent=3.0, bytes_sent=150.0),
)  # fmt: skip


def outcome(seed: int, **changes: Any) -> Outcome:
    """An outcome that differs in these."""
    return attrs.evolve(GOOD, seed=seed, **changes)


def crash(last_s: float | None) -> CrashMeasure:
    """A crash that somebody learnt of last after so many seconds, or never."""
    return CrashMeasure(
        name="n1", at=5.0, first_suspect_s=1.0, first_dead_s=2.0, p50_dead_s=2.0, last_dead_s=last_s,
        missing=int(last_s is None),
    )  # fmt: skip


def violation(seed: int) -> Violation:
    """Something that did not hold."""
    return Violation(invariant="DatagramsFit", seed=seed, at=1.5, nodes=8, text="too large", last_events=())


def test_a_spread_has_the_median_the_99th_percentile_and_the_worst() -> None:
    spread = Distribution.of(float(value) for value in range(200, 0, -1))
    assert spread == Distribution(count=200, median=100.0, p99=198.0, worst=200.0)


def test_what_never_came_to_an_end_is_counted_apart() -> None:
    assert Distribution.of([2.0, None, 1.0, None]) == Distribution(count=2, median=1.0, p99=2.0, worst=2.0, never=2)


def test_a_spread_of_nothing_has_no_figures() -> None:
    assert Distribution.of([]) == Distribution(count=0, median=None, p99=None, worst=None)


def test_times_are_taken_over_all_crashes_updates_and_runs() -> None:
    update = UpdateMeasure(name="n1", at=1.0, first_s=0.1, p50_s=0.2, p99_s=0.3, last_s=0.4, missing=0)
    runs = [
        outcome(0, crashes=(crash(2.0), crash(4.0)), heal_s=4.0, updates=(update,)),
        outcome(1, crashes=(crash(None),), joins=Joins(all_see_all_s=1.0, distinct_sizes_seen=2)),
        outcome(2, joins=Joins(all_see_all_s=None, distinct_sizes_seen=2)),
    ]
    summary = summarise(REQUEST, range(3), runs)
    assert summary.crash_last_dead_s == Distribution(count=2, median=2.0, p99=4.0, worst=4.0, never=1)
    assert summary.update_last_s == Distribution(count=1, median=0.4, p99=0.4, worst=0.4)
    assert summary.join_all_see_all_s == Distribution(count=1, median=1.0, p99=1.0, worst=1.0, never=1)
    assert summary.heal_s == Distribution(count=1, median=4.0, p99=4.0, worst=4.0)
    assert summary.datagrams_per_node_s.count == 3
    assert summary.bytes_per_node_s.worst == 150.0


def test_counts_are_added_up_and_sometimes_points_count_runs() -> None:
    summary = summarise(REQUEST, range(5), [outcome(0), outcome(1, sometimes={"died": 0, "left": 3})])
    assert summary.runs == 2
    assert summary.missing == 3
    assert summary.virtual_s == 40.0
    assert summary.false_deaths == FalseDeaths(healthy_by_healthy=0, healthy_by_impaired=2, impaired=4)
    assert summary.suspicions == 6
    assert summary.suspicions_healthy_by_healthy == 2
    assert summary.sometimes["died"] == 1
    assert summary.sometimes["left"] == 1
    assert summary.sometimes["came_back"] == 0


def test_each_violating_seed_comes_with_the_command_that_shows_it() -> None:
    runs = [outcome(9, violations=(violation(9),)), outcome(1), outcome(4, violations=(violation(4),))]
    summary = summarise(REQUEST, range(10), runs)
    assert [each.seed for each in summary.violating] == [4, 9]
    assert summary.violating[0].command == (
        "python -m sims run crash --seed 4 --nodes 8 --loss 0.1 --set 'victims=half and half'"
    )
    assert not summary.is_good


def test_a_run_without_an_outcome_is_not_good() -> None:
    summary = summarise(REQUEST, range(2), [outcome(0)], [Failure(seed=1, text="Traceback\nValueError: no")])
    assert [each.seed for each in summary.failed] == [1]
    assert summary.missing == 0
    assert not summary.is_good


def test_the_order_of_outcomes_does_not_matter() -> None:
    runs = [outcome(seed, crashes=(crash(float(seed)),)) for seed in range(5)]
    assert summarise(REQUEST, range(5), runs) == summarise(REQUEST, range(5), runs[::-1])


def test_json_has_every_field() -> None:
    data = json.loads(summarise(REQUEST, range(1), [outcome(0)]).to_json())
    assert data["seeds"] == "0..0"
    assert data["crash_last_dead_s"] == {"count": 0, "median": None, "p99": None, "worst": None, "never": 0}
    assert data["violating"] == []
