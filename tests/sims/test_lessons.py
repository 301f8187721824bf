"""Lessons of runs that went wrong, each under its own name."""

from __future__ import annotations

import pytest

from gossip.core.events import EventKind
from sims.running import Run
from sims.scenarios import find
from sims.steps import Crash, Hold
from tests.core.worlds import SEEDS
from tests.sims.watchers import Fates, Told


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize(("held_s", "spacing_s"), [("20", "0.5"), ("8", "1.5")])
def test_a_crashed_member_whose_datagrams_arrive_late_one_by_one_never_returns(
    held_s: str, spacing_s: str, seed: int
) -> None:
    told, fates = Told(), Fates()
    plan = find("backlog").plan(seed=seed, nodes=8, changes={"held_s": held_s, "spacing_s": spacing_s})
    (hold,) = [step for step in plan.steps if isinstance(step, Hold)]
    (crash,) = [step for step in plan.steps if isinstance(step, Crash)]
    outcome = Run(plan, observers=[told, fates]).run()
    dead = {each.by: each.at for each in told.of(EventKind.DIED, crash.node)}
    assert len(dead) == 7, f"all learn of it: {outcome.crashes}"
    late = [arrival for way, times in fates.arrivals.items() if way[0] == crash.node for arrival in times]
    assert max(late) > max(dead.values()), "words of the dead arrive after all know"
    assert min(arrival for arrival in late if arrival > crash.at) >= hold.until
    returns = [each for each in told.of(EventKind.RESTORED, crash.node) if each.at > dead.get(each.by, float("inf"))]
    assert not returns, f"seed {seed}"
    assert not [each for each in told.of(EventKind.JOINED, crash.node) if each.at > crash.at]
    assert outcome.is_good, outcome.violations[0]


@pytest.mark.parametrize("seed", SEEDS)
def test_who_leaves_is_agreed_upon_when_the_last_hears_it_not_when_its_process_ends(seed: int) -> None:
    outcome = Run(find("leave").plan(seed=seed, nodes=8)).run()
    assert outcome.heal_s is not None
    assert outcome.heal_s < 0.02
