"""Agreement: when all see all for the first time, since when they do, and how long healing takes."""

from __future__ import annotations

from typing import Any

import pytest

from sims.plan import Plan
from sims.running import Joins, Outcome, Run
from sims.steps import AnyStep, Crash, Disturb, Leave, Restart, Start, Update
from sims.world import Observer, SimulatedNode
from tests.core.worlds import SEEDS


class Looker(Observer):
    """Looks at all views whenever a process has done something: slow, and without any cleverness."""

    def __init__(self) -> None:
        self.first: float | None = None
        self.since: float | None = None
        self.sizes: set[int] = set()

    def handled(self, node: SimulatedNode) -> None:
        """Look."""
        self._look()
        if node.is_member and (self.first is None or self.first == self.sim.now):
            self.sizes.add(node.protocol.alive)

    def stopped(self, node: SimulatedNode) -> None:
        """Look."""
        self._look()

    def started(self, node: SimulatedNode) -> None:
        """A new process is seen by nobody yet."""
        self.since = None

    def noted(self, text: str) -> None:
        """Look."""
        self._look()

    def _look(self) -> None:
        agrees = self.sim.all_agree()
        if agrees and self.first is None and self.sim.now > 0:
            self.first = self.sim.now
        if not agrees:
            self.since = None
        elif self.since is None:
            self.since = self.sim.now


def _ran(*steps: AnyStep, **fields: Any) -> tuple[Outcome, Looker]:
    looker = Looker()
    plan = Plan(**{"scenario": "test", "seed": 1, "nodes": 8, "duration_s": 30.0, "steps": steps, **fields})
    return Run(plan, observers=[looker]).run(), looker


# --- healing


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize(
    "steps",
    [
        pytest.param([Disturb(at=3.0, for_s=15.0, sources=["n0", "n1", "n2"])], id="partition"),
        pytest.param([Crash(at=3.0, node="n1")], id="crash"),
        pytest.param([Restart(at=3.0, node="n1", moves=True)], id="restart"),
        pytest.param([Leave(at=3.0, node="n1")], id="leave"),
        pytest.param([Update(at=3.0, node="n1", metadata={"a": "b"})], id="update"),
        pytest.param([Start(at=3.0, node="x"), Start(at=3.5, node="y"), Crash(at=9.0, node="x")], id="several"),
    ],
)
def test_healing_takes_from_the_last_fault_to_lasting_agreement(steps: list[AnyStep], seed: int) -> None:
    outcome, looker = _ran(*steps, seed=seed)
    assert looker.since is not None
    end = max(step.until for step in steps)
    assert outcome.heal_s == max(0.0, looker.since - end)


def test_who_does_not_agree_has_not_healed() -> None:
    outcome, _ = _ran(Crash(at=3.0, node="n1"), duration_s=3.5)
    assert outcome.heal_s is None


def test_without_a_fault_nothing_heals() -> None:
    outcome, _ = _ran(duration_s=3.0)
    assert outcome.heal_s is None


def test_a_run_goes_on_until_there_was_time_to_agree_and_no_longer_than_needed() -> None:
    crash = Crash(at=3.0, node="n1")
    patient, _ = _ran(crash, duration_s=3.5, agree_within_s=60.0)
    assert patient.heal_s is not None
    assert 3.0 + patient.heal_s <= patient.virtual_s <= 3.0 + patient.heal_s + 1.0


# --- joining


@pytest.mark.parametrize("seed", SEEDS)
def test_joining_is_over_when_all_see_all_for_the_first_time(seed: int) -> None:
    outcome, looker = _ran(joins=True, seeds=1, seed=seed, duration_s=10.0)
    assert looker.first is not None
    sizes = looker.sizes - {1}  # with which everybody begins
    assert outcome.joins == Joins(all_see_all_s=looker.first, distinct_sizes_seen=len(sizes))
    assert sizes <= set(range(2, 9))


def test_who_cannot_join_is_told_so() -> None:
    outcome, looker = _ran(Disturb(at=0.0, for_s=9.0, sources=["n7"]), joins=True, duration_s=9.0)
    assert outcome.joins is not None
    assert outcome.joins.all_see_all_s is None is looker.first


def test_nodes_that_know_each_other_from_the_beginning_do_not_join() -> None:
    outcome, looker = _ran(duration_s=3.0)
    assert outcome.joins is None
    assert looker.sim.all_agree()


def test_two_clusters_agree_when_each_agrees_with_itself() -> None:
    outcome, looker = _ran(joins=True, clusters=2, seeds=4, duration_s=10.0, agree_within_s=10.0)
    assert outcome.is_good
    assert {node.protocol.alive for node in looker.sim.members} == {4}
