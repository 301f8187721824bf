"""Theory: formulas have the values that can be worked out by hand, plain protocols those of going through all cases."""

from __future__ import annotations

import itertools
import math
import statistics
from functools import cache
from random import Random

import pytest

from benchmarks.core import theory

DRAWS = 4000
DEVIATIONS = 5
"""Standard errors by which a mean of draws may be off; with a fixed seed it is always the same."""


def _expect_mean(drawn: list[float], expected: float) -> None:
    allowed = DEVIATIONS * statistics.stdev(drawn) / math.sqrt(len(drawn))
    assert statistics.fmean(drawn) == pytest.approx(expected, abs=allowed)


def _push_pull_by_cases(nodes: int, contacts: int) -> float:
    """Mean rounds of push-pull, by going through all that the nodes may choose in a round."""
    choices = [list(itertools.combinations(set(range(nodes)) - {each}, contacts)) for each in range(nodes)]
    rounds = list(itertools.product(*choices))

    @cache
    def mean(informed: int) -> float:
        if informed == nodes:
            return 0.0
        stays, later = 0, 0.0
        for chosen in rounds:
            pairs = [(caller, called) for caller, some in enumerate(chosen) for called in some]
            knows = {node for pair in pairs for node in pair if min(pair) < informed} | set(range(informed))
            if len(knows) == informed:
                stays += 1
            else:
                later += mean(len(knows))
        return (len(rounds) + later) / (len(rounds) - stays)

    return mean(1)


# --- hops


@pytest.mark.parametrize(
    ("nodes", "fan_out", "hops"), [(49, 6, 2.0), (8, 1, 3.0), (7, 6, 1.0), (10, 3, math.log(10, 4))]
)
def test_those_who_know_are_at_most_one_and_the_fan_out_times_as_many_after_a_hop(
    nodes: int, fan_out: int, hops: float
) -> None:
    assert theory.push_limit_hops(nodes, fan_out) == pytest.approx(hops)


@pytest.mark.parametrize(("nodes", "hops"), [(2, 1), (7, 1), (8, 2), (49, 2), (50, 3), (343, 3), (344, 4)])
def test_hops_are_whole(nodes: int, hops: int) -> None:
    assert theory.push_limit_whole_hops(nodes, 6) == hops


@pytest.mark.parametrize(("nodes", "hops"), [(2, 1), (7, 1), (8, 2), (43, 2), (44, 3), (259, 3), (260, 4)])
def test_who_tells_only_once_makes_a_tree(nodes: int, hops: int) -> None:
    assert theory.push_once_limit_whole_hops(nodes, 6) == hops


def test_who_tells_everybody_needs_one_hop() -> None:
    assert theory.push_once(7, 6, Random(1)) == (1, 0)


def test_plain_push_misses_some() -> None:
    """Of three, the first tells one, and that one tells the third or the first."""
    random = Random(1)
    drawn = [theory.push_once(3, 1, random) for _ in range(DRAWS)]
    assert set(drawn) == {(1, 1), (2, 0)}
    _expect_mean([hops for hops, _ in drawn], 1.5)


# --- push-pull


def test_two_know_after_one_round_of_push_pull() -> None:
    assert theory.push_pull_rounds(2, Random(1)) == 1


def test_three_know_after_one_round_of_push_pull_or_two() -> None:
    """The first tells one; the other asks the first in half of all cases. In the second round it asks, whom ever it
    asks, one who knows."""
    assert _push_pull_by_cases(3, 1) == pytest.approx(1.5)
    random = Random(1)
    drawn = [theory.push_pull_rounds(3, random) for _ in range(DRAWS)]
    assert set(drawn) == {1, 2}
    _expect_mean([float(each) for each in drawn], 1.5)


@pytest.mark.parametrize(("nodes", "contacts"), [(4, 1), (5, 1), (4, 2), (5, 3)])
def test_push_pull_takes_the_rounds_that_all_cases_take_on_average(nodes: int, contacts: int) -> None:
    random = Random(1)
    drawn = [float(theory.push_pull_rounds(nodes, random, contacts)) for _ in range(DRAWS)]
    _expect_mean(drawn, _push_pull_by_cases(nodes, contacts))


def test_who_contacts_everybody_needs_one_round() -> None:
    assert theory.push_pull_rounds(10, Random(1), 9) == 1
    assert theory.push_pull_rounds(10, Random(1), 50) == 1


def test_the_formula_of_push_pull_is_that_of_its_two_phases() -> None:
    assert theory.push_pull_formula_rounds(81) == pytest.approx(4 + math.log2(math.log(81)))


def test_a_mean_is_drawn_until_it_is_good_enough() -> None:
    random = Random(1)
    assert theory.mean_of(lambda: 3.0) == 3.0
    assert theory.mean_of(lambda: random.choice((1.0, 3.0))) == pytest.approx(
        2.0, rel=DEVIATIONS * theory.STANDARD_ERROR
    )


# --- asking the dead


def _random_probing(nodes: int, random: Random) -> float:
    """One draw of the time until one of the survivors asks the dead."""
    soonest = math.inf
    for _ in range(nodes - 1):
        at = random.random()
        while at < soonest and random.random() * (nodes - 1) >= 1:
            at += 1
        soonest = min(soonest, at)
    return soonest


def test_a_single_survivor_asks_in_its_next_turn() -> None:
    assert theory.random_probing_mean_intervals(2) == pytest.approx(0.5)
    assert theory.random_probing_whole_intervals(2) == 1
    assert theory.random_probing_quantile_intervals(2, 0.99) == pytest.approx(0.99)


def test_two_survivors_take_seven_ninths_of_an_interval() -> None:
    """Each spares the dead every second time: the sum of 4^-m, times the integral of (1 - f / 2)^2, is 4/3 * 7/12."""
    assert theory.random_probing_mean_intervals(3) == pytest.approx(7 / 9)
    assert theory.random_probing_whole_intervals(3) == pytest.approx(4 / 3)


def test_many_take_one_interval_or_1_58_whole_ones() -> None:
    assert theory.random_probing_mean_intervals(10**6) == pytest.approx(1, abs=1e-4)
    assert theory.random_probing_whole_intervals(10**6) == pytest.approx(1 / (1 - 1 / math.e), abs=1e-4)
    assert theory.random_probing_quantile_intervals(10**6, 0.99) == pytest.approx(-math.log(0.01), abs=0.01)


def test_random_probing_takes_as_long_as_the_formulas_say() -> None:
    random = Random(1)
    drawn = [_random_probing(5, random) for _ in range(DRAWS)]
    _expect_mean(drawn, theory.random_probing_mean_intervals(5))
    _expect_mean([float(math.ceil(each)) for each in drawn], theory.random_probing_whole_intervals(5))
    within = sum(each <= theory.random_probing_quantile_intervals(5, 0.9) for each in drawn) / DRAWS
    assert within == pytest.approx(0.9, abs=DEVIATIONS * math.sqrt(0.09 / DRAWS))


def test_a_turn_of_the_ring_every_second_interval_asks_sooner() -> None:
    random = Random(1)
    drawn = [min(2 * random.random(), random.expovariate(1 / 2)) for _ in range(DRAWS)]
    _expect_mean(drawn, theory.ALTERNATING_MEAN_INTERVALS)
