"""Limits: what is measured of a simulated cluster is what happened in it, and is set beside the limits of its size."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from benchmarks.analysis.samples import Number, Sample
from benchmarks.core.limits import Task, limits, limits_of, measure
from benchmarks.core.ratios import CRASH, UPDATE, UPDATE_LAN, compared
from benchmarks.core.world import EQUAL_DELAYS, World
from gossip.core.config import Config

NODES = 16
REPEATS = 3
RING_TURN_INTERVALS = 2
"""Everybody is asked by the member before it in every second round of that one."""


class Measured:
    """What :func:`limits` told of one small cluster."""

    def __init__(self) -> None:
        self.steps: list[str] = []
        self.samples = limits([NODES], REPEATS, 1, 1, self.steps.append)

    def of(self, system: str, setting: str) -> list[Sample]:
        """The samples of one kind."""
        return [each for each in self.samples if (each.system, each.setting) == (system, setting)]


@pytest.fixture(scope="module")
def measured() -> Measured:
    """Measured once, in another process."""
    return Measured()


def _number(sample: Sample, name: str) -> float:
    value = sample.numbers[name]
    assert value is not None, name
    return value


def _update(nodes: int, config: Config) -> dict[str, Number]:
    return World(nodes, 1, config).update(EQUAL_DELAYS, EQUAL_DELAYS.seconds)


def _sample(system: str, numbers: dict[str, Number], repeat: int = 0) -> Sample:
    return Sample(experiment="limits", system=system, nodes=9, setting=UPDATE, repeat=repeat, numbers=numbers)


# --- updates


@pytest.mark.parametrize("setting", [UPDATE, UPDATE_LAN])
def test_every_node_is_reached_by_no_fewer_hops_than_there_can_be(measured: Measured, setting: str) -> None:
    (limit,) = measured.of("limit", UPDATE)
    samples = measured.of("ours", setting)
    assert [each.repeat for each in samples] == list(range(REPEATS))
    for each in samples:
        assert each.numbers["missing_nodes"] == 0
        assert _number(each, "last_hops") >= _number(limit, "limit_once_whole_hops")
        assert 1 <= _number(each, "mean_hops") <= _number(each, "last_hops") < NODES


def test_with_equal_delays_rounds_are_hops(measured: Measured) -> None:
    for each in measured.of("ours", UPDATE):
        assert _number(each, "last_rounds") == pytest.approx(_number(each, "last_hops"))


def test_hops_are_those_of_who_told_whom() -> None:
    """Pushed to two others each, eight members are told at one, two and three hops: one more than twice as many."""
    numbers = _update(8, Config.lan(push_fanout=2))
    assert numbers["last_hops"] == 3
    assert numbers["last_rounds"] == pytest.approx(3)
    assert numbers["missing_nodes"] == 0
    assert 1.5 < (numbers["mean_hops"] or 0) < 2.6


def test_whoever_is_told_by_the_first_is_one_hop_away() -> None:
    numbers = _update(7, Config.lan(push_fanout=6))
    assert (numbers["last_hops"], numbers["mean_hops"]) == (1, 1)


# --- crashes


def test_the_dead_is_asked_then_suspected_then_held_dead(measured: Measured) -> None:
    samples = measured.of("ours", CRASH)
    assert len(samples) == REPEATS
    for each in samples:
        assert each.numbers["missing_nodes"] == 0
        names = ("asked_intervals", "suspected_intervals", "first_dead_intervals", "last_dead_intervals")
        times = [_number(each, name) for name in names]
        assert times == sorted(times)
        assert 0 < times[0] <= RING_TURN_INTERVALS
        assert times[0] <= _number(each, "asked_whole_intervals") < times[0] + 1


# --- all of it


def test_the_same_seed_gives_the_same_samples() -> None:
    task = Task(nodes=5, seed=3, repeats=range(2), config=Config.lan())
    first = measure(task)
    assert first == measure(task)
    assert {each.seed for each in first} == {3}


def test_the_limits_follow_from_size_and_fan_out(measured: Measured) -> None:
    assert limits_of(NODES, Config.lan(), 1) == [each for each in measured.samples if each.system == "limit"]
    numbers = limits_of(NODES, Config.lan(push_fanout=3), 1)[0].numbers
    assert numbers["fan_out"] == 3
    assert numbers["limit_hops"] == pytest.approx(2)
    assert numbers["limit_whole_hops"] == 2


def test_it_says_how_far_it_is(measured: Measured) -> None:
    assert measured.steps == ["limits, 16 nodes: 1 of 2", "limits, 16 nodes: 2 of 2"]


def _by_setting(samples: Sequence[Sample]) -> dict[str, Sample]:
    return {each.setting: each for each in compared(samples)}


def test_measured_numbers_are_divided_by_the_limit_as_it_is_and_by_the_whole_one() -> None:
    limit: dict[str, Number] = {
        "limit_hops": 1.6, "limit_whole_hops": 2, "push_once_mean_hops": 4, "push_pull_formula_rounds": 6,
        "push_pull_mean_rounds": 8, "push_pull_same_fan_out_mean_rounds": 3,
    }  # fmt: skip
    samples = [
        _sample("limit", limit),
        _sample("ours", {"last_hops": 3, "last_rounds": 3.0, "missing_nodes": 0}),
        _sample("ours", {"last_hops": 5, "last_rounds": 6.0, "missing_nodes": 0}, repeat=1),
    ]
    numbers = _by_setting(samples)[UPDATE].numbers
    assert (numbers["mean_hops"], numbers["worst_hops"]) == (4, 5)
    assert numbers["hops_to_limit_ratio"] == pytest.approx(2.5)
    assert numbers["hops_to_whole_limit_ratio"] == pytest.approx(2)
    assert numbers["worst_hops_to_whole_limit_ratio"] == pytest.approx(2.5)
    assert numbers["hops_to_push_once_ratio"] == pytest.approx(1)
    assert numbers["rounds_to_push_pull_formula_ratio"] == pytest.approx(0.75)
    assert numbers["rounds_to_push_pull_same_fan_out_ratio"] == pytest.approx(1.5)


def test_what_was_missed_makes_a_mean_without_end() -> None:
    limit: dict[str, Number] = dict.fromkeys(limits_of(9, Config.lan(), 0)[0].numbers, 1.0)
    samples = [
        _sample("limit", limit),
        _sample("ours", {"last_hops": None, "last_rounds": None, "missing_nodes": 2}),
    ]
    numbers = _by_setting(samples)[UPDATE].numbers
    assert (numbers["missing_nodes"], numbers["hops_to_limit_ratio"]) == (2, float("inf"))


def test_times_are_compared_with_times_and_whole_intervals_with_whole_ones(measured: Measured) -> None:
    found = _by_setting(measured.samples)[CRASH].numbers
    (limit,) = measured.of("limit", CRASH)
    for ours, theirs, ratio in (
        ("asked_mean_intervals", "random_mean_intervals", "asked_to_random_ratio"),
        ("asked_mean_whole_intervals", "random_mean_whole_intervals", "asked_whole_to_random_ratio"),
        ("asked_p99_intervals", "random_p99_intervals", "asked_p99_to_random_ratio"),
    ):
        assert found[ours] == pytest.approx(_number(limit, theirs) * (found[ratio] or 0))
