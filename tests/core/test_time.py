"""Time as the core keeps it: timers, counters, estimates, round trips, budgets and patience."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gossip.core.config import Config
from gossip.core.detection.detector import suspicion_timeout
from gossip.core.detection.health import WORST, LocalHealth
from gossip.core.state.heartbeat import FLOOR_SLACK_STEPS, HEARTBEAT_STEP_S, HeartbeatCounter, HeartbeatEstimate
from gossip.core.state.round_trip import RoundTrip
from gossip.core.support.budget import TokenBucket
from gossip.core.support.timers import SWEEP_FROM, Timers

seconds = st.floats(0, 10_000)


# --- timers


@given(st.lists(st.floats(0, 100), max_size=20), st.lists(st.floats(0, 120), max_size=6).map(sorted))
def test_timers_run_once_when_due_in_order_of_deadline(deadlines: list[float], moments: list[float]) -> None:
    timers, ran = Timers(), list[tuple[float, int]]()
    for number, deadline in enumerate(deadlines):
        timers.at(deadline, lambda _now, d=deadline, n=number: ran.append((d, n)))
    for now in moments:
        timers.run_due(now)
        assert ran == sorted((d, n) for n, d in enumerate(deadlines) if d <= now)
        left = [deadline for deadline in deadlines if deadline > now]
        assert timers.next_deadline() == (min(left) if left else math.inf)


def test_equal_deadlines_run_in_the_order_set() -> None:
    timers, ran = Timers(), list[int]()
    for number in range(5):
        timers.at(1.0, lambda _now, n=number: ran.append(n))
    timers.run_due(1.0)
    assert ran == [0, 1, 2, 3, 4]


def test_a_cancelled_timer_neither_runs_nor_counts() -> None:
    timers, ran = Timers(), list[str]()
    first = timers.at(1.0, lambda _now: ran.append("first"))
    timers.at(2.0, lambda _now: ran.append("second"))
    first.cancel()
    assert not first.is_pending
    assert timers.next_deadline() == 2.0
    timers.run_due(3.0)
    assert ran == ["second"]
    first.cancel()


def test_timers_called_off_do_not_pile_up_and_those_left_run_in_their_order() -> None:
    timers, ran = Timers(), list[int]()
    for number in range(20 * SWEEP_FROM):
        timer = timers.at(1.0 + number % 7, lambda _now, n=number: ran.append(n))
        if number % 100:
            timer.cancel()
        assert len(timers) <= SWEEP_FROM
    timers.run_due(10.0)
    assert ran == sorted(range(0, 20 * SWEEP_FROM, 100), key=lambda number: (number % 7, number))


def test_a_timer_can_cancel_another_that_is_due_at_the_same_time() -> None:
    timers, ran = Timers(), list[str]()
    timers.at(1.0, lambda _now: second.cancel())
    second = timers.at(1.0, lambda _now: ran.append("second"))
    timers.run_due(1.0)
    assert ran == []


def test_a_timer_set_by_a_timer_waits_for_the_next_time_even_if_already_due() -> None:
    timers, ran = Timers(), list[float]()

    def again(now: float) -> None:
        ran.append(now)
        timers.at(now, again)

    timers.at(1.0, again)
    timers.run_due(1.0)
    assert ran == [1.0]
    timers.run_due(1.5)
    assert ran == [1.0, 1.5]


def test_pushing_back_moves_what_is_pending_and_not_what_is_set_later() -> None:
    timers, ran = Timers(), list[str]()
    timers.at(1.0, lambda _now: ran.append("old"))
    timers.push_back(5.0)
    timers.at(2.0, lambda _now: ran.append("new"))
    assert timers.next_deadline() == 2.0
    timers.run_due(5.9)
    assert ran == ["new"]
    timers.run_due(6.0)
    assert ran == ["new", "old"]


# --- counters


@given(
    st.lists(
        st.one_of(seconds.map(lambda s: ("wait", s)), st.integers(0, 10**6).map(lambda f: ("jump", f))), max_size=20
    )
)
def test_a_counter_never_goes_back_and_jumps_over_every_floor(steps: list[tuple[str, float]]) -> None:
    counter, now = HeartbeatCounter(0.0), 0.0
    last = counter.value(now)
    assert last >= 1, "0 means never seen"
    for what, amount in steps:
        if what == "wait":
            now += amount
        else:
            counter.jump_over(int(amount), now)
            assert counter.value(now) > amount
        assert counter.value(now) >= last
        last = counter.value(now)


def test_a_counter_does_not_jump_over_a_floor_it_has_passed() -> None:
    counter = HeartbeatCounter(0.0)
    before = counter.value(100.0)
    counter.jump_over(before - 1, 100.0)
    assert counter.value(100.0) == before


# --- estimates


@given(
    st.floats(0, 1000),
    st.lists(st.tuples(st.floats(0, 20), st.floats(0, 5)), min_size=1, max_size=20),
    st.floats(0, 30),
)
def test_a_floor_can_be_reached_by_whoever_was_alive_then(
    started: float, readings: list[tuple[float, float]], later: float
) -> None:
    """Whatever the delays, no honest and running member is asked for more than it has."""
    counter, estimate, now = HeartbeatCounter(started), None, started
    for pause, delay in readings:
        now += pause
        heard_at, value = now + delay, counter.value(now)
        if estimate is None:
            estimate = HeartbeatEstimate.first(value, heard_at)
        else:
            estimate.relayed(value, heard_at)
        now = heard_at
    assert estimate is not None
    assert estimate.floor(now + later) <= counter.value(now + later)


@given(st.floats(0, 60), st.floats(0.001, 1000))
def test_a_delayed_reading_never_raises_what_is_expected(delay: float, age: float) -> None:
    counter = HeartbeatCounter(0.0)
    estimate = HeartbeatEstimate.first(counter.value(age), age)
    before = estimate.expected(age + delay + 1)
    estimate.relayed(counter.value(age), age + delay)
    assert estimate.expected(age + delay + 1) <= before


def test_delayed_readings_do_not_lower_the_floor_by_more_than_clocks_drift() -> None:
    counter = HeartbeatCounter(0.0)
    estimate = HeartbeatEstimate.first(counter.value(10.0), 10.0)
    for now in range(11, 60):
        estimate.relayed(counter.value(now - 0.9 * (now - 10)), float(now))
    assert estimate.floor(60.0) >= counter.value(60.0) - FLOOR_SLACK_STEPS - 3


def test_the_counter_of_one_who_stopped_is_below_the_floor_soon() -> None:
    estimate = HeartbeatEstimate.first(100, 10.0)
    stopped_at = 100
    soon = 10.0 + (FLOOR_SLACK_STEPS + 2) * HEARTBEAT_STEP_S
    assert estimate.floor(soon) > stopped_at


def test_an_answer_repairs_the_estimate_of_a_suspended_clock() -> None:
    """The member's machine slept for 1000 s and its clock with it: it is far behind, and alive."""
    estimate = HeartbeatEstimate.first(100, 10.0)
    estimate.fresh(101, asked_at=1010.0, now=1010.01)
    assert estimate.floor(1011.0) <= 101 + 10
    assert estimate.floor(1011.0) >= 101 + 10 - FLOOR_SLACK_STEPS - 1


@given(st.floats(0, 1000), st.floats(0, 2), st.floats(0, 100))
def test_an_answer_never_makes_a_floor_unreachable(age: float, round_trip: float, later: float) -> None:
    counter = HeartbeatCounter(0.0)
    estimate = HeartbeatEstimate.first(10**6, age)
    answered_with = counter.value(age + round_trip / 2)
    estimate.fresh(answered_with, asked_at=age, now=age + round_trip)
    then = age + round_trip + later
    assert estimate.floor(then) <= max(1, counter.value(then))


@given(seconds, st.integers(0, 10**6))
def test_what_time_allows_is_plausible_and_the_absurd_is_not(age: float, heartbeat: int) -> None:
    estimate = HeartbeatEstimate.first(heartbeat, 0.0)
    assert estimate.is_plausible(heartbeat + int(age / HEARTBEAT_STEP_S), age)
    assert not estimate.is_plausible(heartbeat + int(age / HEARTBEAT_STEP_S) + 10**9, age)


# --- round trips and health


def test_an_unmeasured_round_trip_waits_as_configured() -> None:
    config = Config.lan()
    assert RoundTrip().timeout(config) == config.ack_timeout_initial


@given(st.lists(st.floats(0, 10), min_size=1, max_size=30))
def test_a_timeout_stays_within_its_bounds(samples: list[float]) -> None:
    config, round_trip = Config.lan(), RoundTrip()
    for sample in samples:
        round_trip.sample(sample)
    assert config.ack_timeout_min <= round_trip.timeout(config) <= config.ack_timeout_max
    assert round_trip.smoothed is not None
    assert min(samples) - 1e-9 <= round_trip.smoothed <= max(samples) + 1e-9


def test_a_timeout_follows_the_network() -> None:
    config, round_trip = Config.wan(), RoundTrip()
    for _ in range(50):
        round_trip.sample(0.4)
    assert 0.4 <= round_trip.timeout(config) < 0.5
    round_trip.sample(1.0)
    assert round_trip.timeout(config) > 0.8, "one late answer makes it cautious"
    for _ in range(50):
        round_trip.sample(0.4)
    assert round_trip.timeout(config) < 0.6


@given(st.lists(st.booleans(), max_size=40))
def test_health_stays_within_its_bounds_and_stretches_patience(evidence: list[bool]) -> None:
    health = LocalHealth()
    for is_bad in evidence:
        before = health.timeout_factor, health.suspicion_factor
        health.worsen() if is_bad else health.improve()
        after = health.timeout_factor, health.suspicion_factor
        assert after >= before if is_bad else after <= before
        assert 0 <= health.score <= WORST
        assert health.timeout_factor >= 1
        assert health.suspicion_factor >= 1


# --- suspicion


@pytest.mark.parametrize(
    ("accusers", "needed", "timeout"),
    [
        (1, 2, 6.0),
        (2, 2, 3.2237),
        (3, 2, 1.6),
        (4, 2, 1.6),
        (9, 2, 1.6),
        (1, 0, 1.6),
        (1, -1, 1.6),
        (1, 1, 6.0),
        (2, 1, 1.6),
        (0, 2, 6.0),
        (2, 8, 4.6120),
        (9, 8, 1.6),
    ],
)
def test_suspicion_shrinks_with_the_logarithm_of_its_accusers(accusers: int, needed: int, timeout: float) -> None:
    assert suspicion_timeout(accusers, needed, 1.6, 6.0) == pytest.approx(timeout, abs=1e-3)


@given(st.integers(1, 20), st.integers(0, 8), st.floats(0.01, 10), st.floats(0, 50))
def test_suspicion_never_grows_with_accusers_nor_leaves_its_bounds(
    accusers: int, needed: int, shortest: float, more: float
) -> None:
    longest = shortest + more
    now, then = (suspicion_timeout(count, needed, shortest, longest) for count in (accusers, accusers + 1))
    assert shortest <= then <= now <= longest


# --- budget


@given(st.floats(0.1, 1000), st.integers(1, 100), st.lists(st.tuples(st.floats(0, 5), st.integers(1, 8)), max_size=30))
def test_after_waiting_as_long_as_told_a_budget_suffices(
    rate: float, burst: int, wants: list[tuple[float, int]]
) -> None:
    """Otherwise a caller that waits for the budget waits for ever, by one rounding error after another."""
    now = 5.0
    bucket = TokenBucket(rate, burst, now)
    for pause, count in wants:
        now += pause
        if wait := bucket.wait(count, now):
            assert now + wait > now, "a wait too short to be one"
            now += wait
            assert bucket.wait(count, now) == 0
        bucket.spend(min(count, burst))


@given(st.lists(st.tuples(st.floats(0, 3), st.integers(1, 8)), min_size=1, max_size=60))
def test_a_budget_bounds_what_is_spent_in_the_long_run(wants: list[tuple[float, int]]) -> None:
    bucket, now, spent = TokenBucket(20.0, 64, 0.0), 0.0, 0
    for pause, count in wants:
        now += pause
        if bucket.wait(count, now) == 0:
            bucket.spend(count)
            spent += count
    assert spent <= 64 + 20.0 * now + 1


def test_a_budget_does_not_grow_when_time_stands_still_or_goes_back() -> None:
    bucket = TokenBucket(20.0, 4, 10.0)
    bucket.spend(4)
    assert bucket.wait(1, 10.0) > 0
    assert bucket.wait(1, 9.0) > 0


def test_a_counter_that_jumped_while_it_stood_still_is_no_further_ahead_when_it_goes_on() -> None:
    counter = HeartbeatCounter(0.0)
    counter.jump_over(100, now=1000.0)
    assert counter.value(5.0) == 101, "what it shows at an earlier time is past the floor"
    assert counter.value(1000.0) == 10_000, "and it has gained nothing on the time"
