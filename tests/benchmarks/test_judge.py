"""What agents told is judged by what is known to be true: false deaths, oddities, and what not all came to know."""

from __future__ import annotations

import pytest

from benchmarks.agents.judge import (
    Spread,
    deaths,
    disagreements,
    false_suspicions,
    oddities,
    spreads,
)
from benchmarks.agents.truth import Deed
from tests.benchmarks.stories import LONG_AGO, RULES, Story, generation_at


def false_deaths(story: Story) -> tuple[str, ...]:
    return deaths(story.truth, RULES).false


def learnt(story: Story, deed: Deed, until: float = 1000.0) -> Spread:
    return spreads(story.truth, RULES, LONG_AGO + until)[deed]


def rounded(spread: Spread) -> list[float]:
    return [round(time, 6) for time in spread.times_s]


# --- deaths


def test_the_death_of_one_that_runs_is_false_and_told_with_who_told_it() -> None:
    story = Story("a", "b")
    story.tells("a", "died", "b", at=5.0)
    (text,) = false_deaths(story)
    assert text == "105.50 s: a told that b died, accused by x; it ran all the time"


def test_the_death_of_one_that_has_just_started_is_false_as_well() -> None:
    story = Story("a")
    story.starts("b", at=5.0)
    story.tells("a", "died", "b", at=5.1)
    assert len(false_deaths(story)) == 1


@pytest.mark.parametrize(("at", "count"), [(4.9, 1), (5.0, 0), (500.0, 0)])
def test_one_that_is_killed_has_deserved_it_from_that_moment_on(at: float, count: int) -> None:
    story = Story("a", "b")
    story.is_killed("b", at=5.0)
    story.tells("a", "died", "b", at=at)
    assert len(false_deaths(story)) == count


@pytest.mark.parametrize(("at", "count"), [(4.9, 1), (5.1, 0)])
def test_so_has_one_whose_farewell_was_not_heard_but_that_is_counted(at: float, count: int) -> None:
    story = Story("a", "b")
    story.leaves("b", at=5.0)
    story.tells("a", "died", "b", at=at)
    found = deaths(story.truth, RULES)
    assert (len(found.false), found.of_leavers) == (count, 1 - count)


@pytest.mark.parametrize("at", [5.1, 6.8, 7.0, 8.0])
def test_who_stands_still_for_less_than_a_suspicion_must_survive(at: float) -> None:
    story = Story("a", "b")
    story.stops("b", since=5.0, until=6.9)
    story.tells("a", "died", "b", at=at)
    (text,) = false_deaths(story)
    assert text.endswith(f"it had been stopped {at - 5.0:.2f} s before for 1.90 s")


@pytest.mark.parametrize(("at", "count"), [(4.0, 1), (6.9, 1), (7.0, 0), (20.0, 0), (27.0, 0), (27.1, 1)])
def test_who_stands_still_for_longer_has_deserved_it_from_one_suspicion_on_until_one_after_it(
    at: float, count: int
) -> None:
    story = Story("a", "b")
    story.stops("b", since=5.0, until=25.0)
    story.tells("a", "died", "b", at=at)
    found = deaths(story.truth, RULES)
    assert (len(found.false), found.of_stopped) == (count, 1 - count)


@pytest.mark.parametrize(("at", "count"), [(6.9, 1), (7.0, 0), (100.0, 0)])
def test_so_has_one_that_still_stands_still(at: float, count: int) -> None:
    story = Story("a", "b")
    story.stops("b", since=5.0)
    story.tells("a", "died", "b", at=at)
    assert len(false_deaths(story)) == count


def test_a_second_stop_is_judged_for_itself() -> None:
    story = Story("a", "b")
    story.stops("b", since=5.0, until=25.0)
    story.stops("b", since=60.0, until=61.0)
    story.tells("a", "died", "b", at=60.9)
    assert len(false_deaths(story)) == 1


def test_nobody_may_convict_others_on_waking() -> None:
    story = Story("a", "b")
    story.stops("a", since=5.0, until=25.0)
    story.tells("a", "died", "b", at=25.01)
    (text,) = false_deaths(story)
    assert "a, which had gone on 0.01 s before, told that b died" in text


@pytest.mark.parametrize(("at", "count"), [(25.1, 0), (27.0, 0), (27.1, 1)])
def test_but_on_waking_it_may_read_of_a_death_that_was_deserved_meanwhile(at: float, count: int) -> None:
    story = Story("a", "b")
    story.stops("b", since=1.0, until=10.0)
    story.stops("a", since=5.0, until=25.0)
    story.tells("a", "died", "b", at=at)
    assert len(false_deaths(story)) == count


def test_the_process_before_a_restart_may_be_told_dead_and_the_one_after_it_may_not() -> None:
    story = Story("a", "b")
    story.is_killed("b", at=5.0)
    story.starts("b", at=8.0)
    story.tells("a", "died", "b", at=9.0, generation=generation_at(-100.0))
    assert not false_deaths(story)
    story.tells("a", "died", "b", at=9.1)
    (text,) = false_deaths(story)
    assert "b (process 2) died" in text


def test_the_death_of_one_that_never_was_is_false() -> None:
    story = Story("a", "b")
    story.tells("a", "died", "ghost", at=5.0, generation=generation_at(0.0))
    story.tells("a", "died", "b", at=5.0, generation=generation_at(-200.0))
    assert [text.endswith("which never was") for text in false_deaths(story)] == [True, True]


def test_suspicions_are_counted_where_there_was_no_reason_for_them() -> None:
    story = Story("a", "b", "c")
    story.tells("a", "suspected", "b", at=1.0)
    story.stops("b", since=5.0, until=6.0)
    story.tells("a", "suspected", "b", at=5.9)
    story.tells("c", "suspected", "b", at=7.9)
    story.tells("a", "suspected", "b", at=8.1)
    assert false_suspicions(story.truth, RULES) == 2


# --- oddities


def test_what_cannot_be_is_told_in_words() -> None:
    story = Story("a", "b", "c")
    story.leaves("c", at=4.0)
    for kind, subject, generation in (
        ("joined", "c", None),
        ("left", "c", None),
        ("left", "b", None),
        ("conflict", "b", None),
        ("joined", "ghost", 1),
        ("joined", "b", generation_at(0.0)),
    ):
        story.tells("a", kind, subject, at=5.0, generation=generation)
    story.tells("a", "left", "c", at=2.9)
    assert [text.partition("told that ")[2] for text in oddities(story.truth)] == [
        "b said farewell, accused by x; which had not been told to leave",
        "b is in conflict with another, accused by x; although no two processes had one name",
        "ghost joined, accused by x; which never was",
        f"b joined, accused by x; under another generation than its own, {generation_at(-100.0)}",
        "c said farewell, accused by x; which had not been told to leave",
    ]


# --- what is to be known


def test_all_who_ran_are_to_know_of_a_kill_and_when_they_told_so_is_kept() -> None:
    story = Story("a", "b", "c", "d")
    story.is_killed("d", at=5.0)
    story.tells("a", "suspected", "d", at=6.0)
    story.tells("a", "died", "d", at=7.0)
    story.tells("a", "died", "d", at=7.5)
    story.tells("b", "died", "d", at=8.0)
    found = learnt(story, Deed.KILLED)
    assert (found.deeds, rounded(found)) == (1, [2.0, 3.0])
    assert found.missing == ("105.50 s: d killed; c did not tell so in time",)


def test_a_restart_supersedes_a_kill() -> None:
    story = Story("a", "b")
    story.is_killed("b", at=5.0)
    story.starts("b", at=6.0)
    story.tells("a", "joined", "b", at=6.2)
    assert rounded(learnt(story, Deed.KILLED)) == [1.2]
    assert rounded(learnt(story, Deed.STARTED)) == [0.2]


def test_who_learns_too_late_has_not_learnt() -> None:
    story = Story("a", "b")
    story.is_killed("b", at=5.0)
    story.tells("a", "died", "b", at=15.1)
    found = learnt(story, Deed.KILLED)
    assert (found.times_s, len(found.missing)) == ((), 1)


def test_not_asked_are_those_that_were_not_there_all_the_time() -> None:
    story = Story("stopped", "killed", "dead", "d")
    story.is_killed("dead", at=1.0)
    story.is_killed("d", at=5.0)
    story.starts("new", at=1.0)
    story.stops("stopped", since=14.0, until=14.1)
    story.is_killed("killed", at=14.0)
    found = learnt(story, Deed.KILLED, until=16.0)
    assert not found.times_s
    assert not [text for text in found.missing if ": d killed" in text]


def test_a_deed_whose_bound_is_not_over_is_not_judged() -> None:
    story = Story("a", "b")
    story.is_killed("b", at=5.0)
    assert learnt(story, Deed.KILLED, until=14.9).deeds == 0
    assert learnt(story, Deed.KILLED, until=15.1).deeds == 1


def test_new_metadata_is_known_by_its_value() -> None:
    story = Story("a", "b", "c")
    story.changes("c", at=5.0, value="new")
    story.tells("a", "updated", "c", at=5.5, value="old")
    story.tells("a", "updated", "c", at=6.0, value="new")
    story.tells("b", "updated", "c", at=6.0, value="old")
    found = learnt(story, Deed.CHANGED)
    assert (rounded(found), len(found.missing)) == ([1.0], 1)


def test_an_agent_whose_clock_is_a_little_early_tells_of_a_deed_before_it_was_done() -> None:
    story = Story("a", "b")
    story.changes("b", at=5.0, value="new")
    story.tells("a", "updated", "b", at=4.9, value="new")
    story.leaves("b", at=30.0)
    story.tells("a", "left", "b", at=29.9)
    assert learnt(story, Deed.CHANGED).times_s == learnt(story, Deed.LEFT).times_s == (0.0,)
    assert not oddities(story.truth)


def test_nobody_is_asked_for_the_news_of_one_that_ended_meanwhile() -> None:
    story = Story("a", "b")
    story.changes("b", at=5.0, value="new")
    story.is_killed("b", at=6.0)
    assert not learnt(story, Deed.CHANGED).missing


def test_who_was_taken_for_dead_while_it_stood_still_is_to_be_restored_by_all_who_told_so() -> None:
    story = Story("a", "b", "c", "d")
    story.stops("d", since=5.0, until=25.0)
    for observer in ("a", "c"):
        story.tells(observer, "died", "d", at=8.0)
    story.tells("a", "restored", "d", at=25.5)
    story.tells("b", "suspected", "d", at=8.0)
    story.tells("b", "restored", "d", at=25.1)
    found = learnt(story, Deed.WOKEN)
    assert rounded(found) == [0.5]
    assert found.missing == ("125.50 s: d let go on; c did not tell so in time",)


def test_who_is_taken_for_dead_once_more_is_restored_only_with_the_last_time() -> None:
    story = Story("a", "d")
    story.stops("d", since=5.0, until=25.0)
    for at, kind in ((8.0, "died"), (9.0, "restored"), (10.0, "died"), (26.0, "restored")):
        story.tells("a", kind, "d", at=at)
    assert rounded(learnt(story, Deed.WOKEN)) == [1.0]


# --- views


def test_views_are_to_be_the_truth_and_nothing_else() -> None:
    story = Story("a", "b")
    right = {name: (generation_at(-100.0), name) for name in ("a", "b")}
    views = {
        "a": right,
        "b": {"b": right["b"], "c": (1, "c")},
        "c": {"a": (1, "a"), "b": (generation_at(-100.0), "older")},
    }
    assert disagreements(story.truth, {"a": "a", "b": "b"}, views) == (
        "b does not see a",
        "b still sees c",
        "c sees something outdated of a, b",
    )
