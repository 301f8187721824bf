"""The first line of a report says in words what happened, who knew of it when, and who was wronged."""

from __future__ import annotations

import re
from typing import Any, get_args

import pytest

from sims.invariants import Violated
from sims.plan import Plan
from sims.running import Outcome, Run, headline_of_many
from sims.scenarios import find
from sims.steps import (
    AnyStep,
    Block,
    Crash,
    Disturb,
    Drift,
    Forge,
    Hold,
    Leave,
    Pause,
    Reseed,
    Restart,
    Slow,
    Start,
    Update,
)
from sims.sweep import Failure, Request, summarise
from sims.world import LinkChange, Observer, SimulatedNode
from tests.sims.commands import Sims

TIME = r"(\d+ ms|\d+\.\d s)"

NOBODY = "nobody was falsely accused"


def _ran(*steps: AnyStep, **fields: Any) -> Outcome:
    return Run(Plan(**{"seed": 1, "nodes": 8, "duration_s": 12.0, "steps": steps, **fields})).run()


def _matches(line: str, pattern: str) -> None:
    assert re.fullmatch(pattern.replace("TIME", TIME), line), line


def test_when_nothing_happens_the_line_says_so_and_that_nobody_was_accused() -> None:
    assert _ran().in_words == f"nothing happened; {NOBODY}"


def test_of_a_crash_it_tells_how_many_of_how_many_knew_within_what_time() -> None:
    outcome = Run(find("crash").plan(nodes=24, seed=2, changes={"victims": "8"})).run()
    _matches(outcome.in_words, rf"8 crashed; all 16 others knew within TIME; {NOBODY}")
    last = max(crash.last_dead_s or 0.0 for crash in outcome.crashes)
    assert f"within {last:.1f} s" in outcome.in_words


def test_one_node_is_told_by_its_name() -> None:
    _matches(_ran(Crash(at=2, node="n3")).in_words, rf"n3 crashed; all 7 others knew within TIME; {NOBODY}")


@pytest.mark.parametrize(
    ("crashed", "told"),
    [
        (("rack-a",), "rack-a (2 members) crashed"),
        (("rack-a", "rack-b"), "rack-a and rack-b (5 members) crashed"),
        (("rack-a", "rack-b-0"), "3 crashed"),
        (("rack-b-1",), "rack-b-1 crashed"),
    ],
)
def test_whole_groups_are_told_by_their_names(crashed: tuple[str, ...], told: str) -> None:
    plan = Plan(
        groups={"rack-a": 2, "rack-b": 3, "rack-c": 3}, duration_s=3.0, steps=[Crash(at=2, node=one) for one in crashed]
    )
    assert Run(plan).run().in_words.startswith(f"{told}; ")


def test_a_crash_that_nobody_has_noticed_yet_is_told_as_one_that_nobody_knew_of() -> None:
    assert "; all the 7 others never knew; " in _ran(Crash(at=2, node="n3"), duration_s=2.5).in_words


def test_farewells_and_updates_are_told_with_the_time_they_took() -> None:
    left = _ran(Leave(at=2, node="n3"))
    _matches(left.in_words, rf"n3 left; all 7 others knew within TIME; {NOBODY}")
    (farewell,) = left.leaves
    assert (farewell.name, farewell.at, farewell.missing) == ("n3", 2.0, 0)
    assert 0 < (farewell.first_s or 0) <= (farewell.last_s or 0) < 1
    updated = _ran(*(Update(at=2, node=key, metadata={"role": "web"}) for key in ("n1", "n2")))
    _matches(updated.in_words, rf"2 changed their metadata; all 7 others knew within TIME; {NOBODY}")
    _matches(
        _ran(Leave(at=2, node="n3"), Leave(at=3, node="n4"), Update(at=5, node="n1", metadata={})).in_words,
        rf"2 left, n1 changed its metadata; all others knew of the change within TIME, of each farewell within TIME; "
        rf"{NOBODY}",
    )


def test_of_a_split_it_tells_who_was_cut_off_when_all_agreed_again_and_that_the_fault_explains_the_deaths() -> None:
    outcome = Run(find("split-heal").plan(nodes=10, seed=0)).run()
    _matches(
        outcome.in_words,
        r"5 were cut off from all others for 60 s, 2 changed their metadata; all 4 who saw them then knew within TIME; "
        r"all agreed again TIME after it was over; 10 were held dead because of the fault, nobody else was falsely "
        r"accused",
    )


def test_of_nodes_that_start_at_once_it_tells_when_all_saw_all() -> None:
    _matches(
        Run(find("bootstrap").plan(nodes=6)).run().in_words, rf"6 started at once; all saw all after TIME; {NOBODY}"
    )


def test_the_healthy_who_were_held_dead_and_what_was_violated_are_told() -> None:
    line = Run(find("steady").plan(nodes=4, loss=0.9, duration_s=20.0)).run().in_words
    _matches(line, r"nothing happened; \d were falsely held dead, .*; violated: .*SparesTheLiving")


def test_who_stood_still_for_long_is_told_as_held_dead_because_of_that() -> None:
    _matches(
        _ran(Pause(at=2, for_s=10, node="n3"), duration_s=25).in_words,
        r"n3 was paused for 10 s; all agreed (when|again TIME after) it was over; n3 was held dead because of the "
        r"fault, nobody else was falsely accused",
    )


DESCRIBED: list[tuple[AnyStep, str]] = [
    (Start(at=1, node="late"), "late joined"),
    (Start(at=1, node="rival", name="n3"), "a second process took the name of n3"),
    (Restart(at=1, node="n3"), "n3 was restarted"),
    (Reseed(at=1, node="n3", seeds=["n1"]), "n3 got other seeds"),
    (Block(at=1, for_s=0.5, node="n3"), "n3 was blocked for 0.5 s"),
    (Slow(at=1, for_s=0.5, node="n3", handling_s=0.01), "n3 was slow for 0.5 s"),
    (Disturb(at=1, for_s=0.5), "all connections were cut for 0.5 s"),
    (Disturb(at=1, for_s=0.5, sources="n3"), "n3 was cut off from all others for 0.5 s"),
    (Disturb(at=1, for_s=0.5, sources="n3", both_ways=False), "nobody heard n3 for 0.5 s"),
    (Disturb(at=1, for_s=0.5, destinations=["n3", "n4"], both_ways=False), "2 heard nothing for 0.5 s"),
    (Disturb(at=1, for_s=0.5, sources="n3", destinations="n4"), "n3 and n4 could not reach each other for 0.5 s"),
    (
        Disturb(at=1, for_s=0.5, sources="n3", destinations="n4", both_ways=False),
        "n4 heard nothing of n3 for 0.5 s",
    ),
    (Disturb(at=1, for_s=0.5, change=LinkChange(streams_only=True)), "only streams passed in 1 place for 0.5 s"),
    (
        Disturb(at=1, for_s=0.5, change=LinkChange(loss=0.5)),
        "the connections of all were worse than usual for 0.5 s",
    ),
    (Hold(at=1, for_s=0.5, sources="n3"), "the datagrams of n3 were held back for 0.5 s"),
    (Forge(at=1, node="n3", kind="suspicion", told=["n1"]), "a lie was told"),
    (Crash(at=1, node="n3"), "n3 crashed"),
    (Leave(at=1, node="n3"), "n3 left"),
    (Update(at=1, node="n3", metadata={"a": "b"}), "n3 changed its metadata"),
    (Pause(at=1, for_s=0.5, node="n3"), "n3 was paused for 0.5 s"),
    (Drift(at=1, for_s=0.5, node="n3", rate=1.1), "the clock of n3 ran wrong"),
]


@pytest.mark.parametrize(("step", "told"), DESCRIBED)
def test_each_step_describes_itself(step: AnyStep, told: str) -> None:
    assert _ran(step, duration_s=2.0).in_words.startswith(f"{told}; ")


def test_no_step_lacks_a_tested_description() -> None:
    assert {type(step) for step, _ in DESCRIBED} == set(get_args(AnyStep))


def breaking_at(at: float) -> Observer:
    """An observer that finds a violation at this time."""

    class Breaking(Observer):
        def handled(self, node: SimulatedNode) -> None:
            if self.sim.now >= at:
                raise Violated("Broken", "on purpose")

    return Breaking()


def test_of_a_run_that_stopped_only_what_had_happened_by_then_is_told() -> None:
    steps = [Crash(at=2, node="n3"), Crash(at=9, node="n4")]
    plan = Plan(seed=1, nodes=8, duration_s=20, steps=steps, agree_within_s=10)
    outcome = Run(plan, observers=[breaking_at(2.5)]).run()
    assert not outcome.completed
    _matches(
        outcome.in_words,
        rf"n3 crashed; all the 7 others did not know yet; {NOBODY}; stopped at 2\.\d s; violated: Broken",
    )


def test_a_run_that_stopped_before_its_last_step_does_not_say_that_all_agreed_after_it() -> None:
    plan = Plan(seed=1, nodes=8, duration_s=20, steps=[Restart(at=9, node="n3")], agree_within_s=10)
    outcome = Run(plan, observers=[breaking_at(3)]).run()
    assert outcome.heal_s is None
    _matches(outcome.in_words, rf"nothing happened; {NOBODY}; stopped at 3\.\d s; violated: Broken")


def test_a_violation_found_at_the_end_does_not_stop_the_run() -> None:
    outcome = Run(find("steady").plan(nodes=4, loss=0.9, duration_s=20.0)).run()
    assert not outcome.is_good
    assert outcome.completed


def test_of_many_runs_news_of_one_that_stopped_does_not_count_as_never_known() -> None:
    plan = Plan(seed=1, nodes=8, duration_s=20, steps=[Crash(at=2, node="n3")])
    stopped = Run(plan, observers=[breaking_at(2.5)]).run()
    assert stopped.crashes[0].missing
    assert "never knew" not in headline_of_many([Run(plan).run(), stopped])


def test_a_suspicion_that_a_fault_explains_is_not_false() -> None:
    outcome = _ran(Pause(at=2, for_s=1.5, node="n3"))
    assert outcome.suspicions > 0
    assert outcome.suspicions_healthy_by_healthy == 0
    _matches(
        outcome.in_words,
        r"n3 was paused .*; n3 was accused because of the fault, and not held dead, nobody else was falsely accused",
    )
    assert headline_of_many([outcome]).endswith(NOBODY)


def test_the_line_is_the_first_that_is_printed(sims: Sims) -> None:
    shown = sims("run", "crash", "--nodes", "6", "--seed", "3").stdout
    assert shown.startswith(Run(find("crash").plan(nodes=6, seed=3)).run().in_words)


def test_of_many_runs_it_tells_the_worst_times_and_in_how_many_somebody_was_wronged(sims: Sims) -> None:
    request = Request(scenario="crash", nodes=6)
    outcomes = [Run(request.plan(seed)).run() for seed in range(3)]
    line = summarise(request, range(3), outcomes).in_words
    last = max(crash.last_dead_s or 0.0 for outcome in outcomes for crash in outcome.crashes)
    _matches(
        line, rf"3 runs; all others knew of each crash within {last:.1f} s; all agreed again within TIME; {NOBODY}"
    )
    lost = Run(find("steady").plan(nodes=4, loss=0.9, duration_s=20.0)).run()
    failure = Failure(seed=2, text="killed")
    assert summarise(Request(scenario="steady"), range(3), [lost], [failure]).in_words == (
        "1 run; in 1 run a member was falsely held dead; in 1 run a member was falsely accused; 1 run violated an "
        "invariant; 1 run failed"
    )
    assert sims("sweep", "crash", "--nodes", "6", "--seeds", "0..2", "--jobs", "1").stdout.startswith(line)
