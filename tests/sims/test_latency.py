"""Distributions of delays: quantiles, medians, bounds, and delays that somebody measured."""

from __future__ import annotations

import math
from pathlib import Path
from statistics import median

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gossip.core.errors import ConfigurationError
from sims.world import Constant, Draws, Exponential, Latency, Lognormal, Measured, Pareto, Uniform
from tests.sims.strategies import always, delays, latencies

shares = st.floats(0, 1, exclude_max=True)


@always
@given(latencies, shares, shares)
def test_quantiles_are_delays_and_grow_with_the_share(latency: Latency, one: float, other: float) -> None:
    low, high = (latency.quantile(share) for share in sorted((one, other)))
    assert 0 <= low < math.inf
    assert low <= high < math.inf or low == pytest.approx(high)


@always
@given(delays)
def test_a_constant_delay_is_always_the_same(seconds: float) -> None:
    assert {Constant(seconds).quantile(share) for share in (0.0, 0.3, 0.999)} == {seconds}


@always
@given(delays, delays, shares)
def test_a_uniform_delay_keeps_within_its_bounds(one: float, other: float, share: float) -> None:
    low, high = sorted((one, other))
    assert low <= Uniform(low, high).quantile(share) <= high * (1 + 1e-15)


@always
@given(delays, delays, shares)
def test_an_exponential_delay_is_never_below_its_fixed_part(mean: float, base: float, share: float) -> None:
    assert Exponential(mean, base).quantile(share) >= base


@always
@given(delays, st.floats(0.5, 5), shares)
def test_a_pareto_delay_is_never_below_its_minimum(minimum: float, alpha: float, share: float) -> None:
    assert Pareto(minimum, alpha).quantile(share) >= minimum


@always
@given(st.lists(delays, min_size=1), shares)
def test_a_measured_delay_keeps_within_what_was_measured(values: list[float], share: float) -> None:
    found = Measured(values).quantile(share)
    assert min(values) <= found <= max(values) or found == pytest.approx(min(values))


@pytest.mark.parametrize(
    ("latency", "expected"),
    [
        (Constant(0.01), 0.01),
        (Uniform(0.01, 0.03), 0.02),
        (Exponential(0.01, 0.002), 0.002 + 0.01 * math.log(2)),
        (Lognormal(0.02), 0.02),
        (Lognormal(0.02, 1.0), 0.02),
        (Pareto(0.01, 2.0), 0.01 * math.sqrt(2)),
        (Measured([3, 1, 2]), 2),
        (Measured([1, 2]), 1.5),
        (Measured([7]), 7),
    ],
    ids=repr,
)
def test_the_median_is_that_of_the_distribution(latency: Latency, expected: float) -> None:
    assert latency.quantile(0.5) == pytest.approx(expected)
    draws = Draws(1)
    drawn = [latency.quantile(draws.random()) for _ in range(4001)]
    below, above = latency.quantile(0.5 - 0.04), latency.quantile(0.5 + 0.04)  # five standard errors of a share
    assert below <= median(drawn) <= above


def test_one_delay_in_a_hundred_is_twice_the_median_in_the_default_lognormal() -> None:
    assert Lognormal(0.02).quantile(0.99) == pytest.approx(0.04, rel=0.01)


def test_between_measured_delays_lies_a_straight_line() -> None:
    measured = Measured([0.0, 1.0, 3.0])
    assert [measured.quantile(share) for share in (0, 0.25, 0.5, 0.75, 1)] == [0, 0.5, 1, 2, 3]


@pytest.mark.parametrize("wrong", [-0.001, math.nan, math.inf, True, "0.1", None])
def test_a_delay_that_cannot_be_is_refused_by_name(wrong: float) -> None:
    for make, name in [
        (Constant, "seconds"),
        (lambda value: Uniform(value, 1.0), "low"),
        (lambda value: Uniform(0.0, value), "high"),
        (Exponential, "mean"),
        (lambda value: Exponential(0.1, value), "base"),
        (Lognormal, "median"),
        (lambda value: Lognormal(0.1, value), "sigma"),
        (Pareto, "minimum"),
        (lambda value: Pareto(0.1, value), "alpha"),
    ]:
        with pytest.raises(ConfigurationError, match=f"^{name} must be a number of at least"):
            make(wrong)


def test_a_uniform_delay_whose_bounds_are_the_wrong_way_round_is_refused() -> None:
    with pytest.raises(ConfigurationError, match=r"high must not be below low, but 0\.1 is below 0\.2"):
        Uniform(0.2, 0.1)


@pytest.mark.parametrize("values", [[], [-1.0], [0.1, math.nan], [math.inf]])
def test_measured_delays_must_be_some_and_delays(values: list[float]) -> None:
    with pytest.raises(ConfigurationError, match=r"^values must be one or more delays in seconds"):
        Measured(values)


# --- from a file


def _file(directory: Path, text: str) -> Path:
    path = directory / "delays.csv"
    path.write_text(text, encoding="utf-8")
    return path


def test_without_a_column_the_first_number_of_each_row_counts(tmp_path: Path) -> None:
    path = _file(tmp_path, "0.3,9\n\n0.1,9\n0.2,9\n")
    assert Measured.from_csv(path) == Measured([0.1, 0.2, 0.3])


def test_a_column_is_found_by_its_name_in_the_first_row(tmp_path: Path) -> None:
    path = _file(tmp_path, "when,rtt_ms\n12:00,1.5\n12:01,0.5\n")
    assert Measured.from_csv(path, "rtt_ms", 0.001).values == pytest.approx((0.0005, 0.0015))


def test_the_unit_scales_every_delay(tmp_path: Path) -> None:
    assert Measured.from_csv(_file(tmp_path, "10\n20\n"), unit_s=0.001).values == pytest.approx((0.01, 0.02))


@pytest.mark.parametrize(
    ("text", "column", "complaint"),
    [
        ("when,rtt\n1,2\n", "delay", "no column 'delay'; its first row is .*'when', 'rtt'"),
        ("", "delay", "no column 'delay'"),
        ("rtt\nfast\n", "rtt", "not a delay in every row: .*'fast'"),
        ("when,rtt\n1,2\n3\n", "rtt", "not a delay in every row"),
        ("rtt\n0.1\n", None, "not a delay in every row: .*'rtt'"),
        ("", None, "one or more delays"),
        ("0.1\n-0.1\n", None, "one or more delays in seconds, none below 0"),
    ],
)
def test_a_file_without_usable_delays_is_refused_by_its_name(
    tmp_path: Path, text: str, column: str | None, complaint: str
) -> None:
    path = _file(tmp_path, text)
    with pytest.raises(ConfigurationError, match=complaint) as refusal:
        Measured.from_csv(path, column)
    assert str(path) in str(refusal.value)
