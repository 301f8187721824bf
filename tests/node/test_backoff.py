"""Pauses that double while something keeps failing."""

from __future__ import annotations

from gossip.backoff import Backoff


def test_pauses_double_up_to_the_longest() -> None:
    pause = Backoff(0.5, 3.0)
    now, pauses = 100.0, []
    for _ in range(5):
        pauses.append(pause.failed(now))
        now = pause.ends_at
    assert pauses == [0.5, 1.0, 2.0, 3.0, 3.0]
    assert now == 100.0 + sum(pauses)
    assert pause.failures == 5


def test_after_a_success_the_next_failure_is_the_first() -> None:
    pause = Backoff(0.5, 3.0)
    pause.failed(0.0)
    pause.failed(0.5)
    pause.reset()
    assert (pause.failed(2.0), pause.failures) == (0.5, 1)


def test_a_failure_after_a_calm_is_the_first_and_one_before_its_end_is_not() -> None:
    for later_s, expected in ((9.9, 1.0), (10.0, 0.5)):
        pause = Backoff(0.5, 3.0, calm_s=10.0)
        pause.failed(0.0)
        assert pause.failed(pause.ends_at + later_s) == expected


def test_without_a_calm_only_a_success_ends_a_row() -> None:
    pause = Backoff(0.5, 3.0)
    pause.failed(0.0)
    assert pause.failed(1e9) == 1.0
