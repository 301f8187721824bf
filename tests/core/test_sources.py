"""Budgets per source: each host has its own, and the table of them does not grow."""

from __future__ import annotations

from gossip.core.state.sources import BURST_S, MAX_SOURCES, SourceBudgets


def spend(budgets: SourceBudgets, source: str, now: float, count: int) -> None:
    """Take so many from one budget."""
    for _ in range(count):
        budgets.spend(source, now)


def test_a_source_may_cause_a_burst_at_once_and_then_its_rate() -> None:
    budgets = SourceBudgets(rate=10)
    assert budgets.available("a", 0.0) == 10 * BURST_S
    spend(budgets, "a", 0.0, 40)
    assert budgets.available("a", 0.0) == 0
    assert budgets.available("a", 0.5) == 5
    assert budgets.available("a", 1000.0) == 40


def test_no_source_lives_on_the_budget_of_another() -> None:
    budgets = SourceBudgets(rate=10)
    spend(budgets, "a", 0.0, 40)
    assert budgets.available("b", 0.0) == 40


def test_asking_for_a_budget_keeps_nothing() -> None:
    budgets = SourceBudgets(rate=10)
    assert budgets.available("a", 0.0) == 40
    assert len(budgets) == 0


def test_any_number_of_sources_takes_a_bounded_table() -> None:
    budgets = SourceBudgets(rate=10)
    for number in range(5 * MAX_SOURCES):
        budgets.spend(str(number), 0.0)
    assert len(budgets) == MAX_SOURCES


def test_a_source_that_goes_on_spending_is_not_forgotten_among_many_others() -> None:
    budgets = SourceBudgets(rate=10)
    spend(budgets, "greedy", 0.0, 40)
    for number in range(5 * MAX_SOURCES):
        budgets.spend(f"other {number}", 0.0)
        if number % 1000 == 0:
            budgets.spend("greedy", 0.0)
    assert budgets.available("greedy", 0.0) <= 0


def test_whoever_is_forgotten_for_others_would_have_had_a_full_budget_anyway() -> None:
    budgets = SourceBudgets(rate=10)
    spend(budgets, "idle", 0.0, 40)
    now = 0.0
    for number in range(MAX_SOURCES):
        now += BURST_S / MAX_SOURCES
        budgets.spend(f"other {number}", now)
    assert budgets.available("idle", now) == 40
    assert SourceBudgets(rate=10).available("idle", now) == 40
