"""The truth of a run: who runs under which id, and whose trouble a fault explains."""

from __future__ import annotations

import pytest

from sims.steps import Pause, Slow
from sims.watching import Truth
from sims.world import Simulation


def _world() -> tuple[Simulation, Truth]:
    truth = Truth([], 1.0)
    sim = Simulation(observers=[truth])
    for key in ("n0", "n1"):
        sim.start(key)
    return sim, truth


def test_a_member_is_known_by_the_id_under_which_it_runs() -> None:
    sim, truth = _world()
    assert truth.member(sim.nodes["n1"].id) is sim.nodes["n1"]
    assert truth.member(12345) is None


def test_an_earlier_process_is_no_member_and_neither_is_who_crashed_or_left() -> None:
    sim, truth = _world()
    first = sim.nodes["n1"].id
    sim.crash("n1")
    assert truth.member(first) is None
    sim.run(1.0)
    second = sim.start("n1")
    assert truth.member(first) is None
    assert truth.member(second.id) is second
    sim.leave("n1")
    assert truth.member(second.id) is None


def test_a_new_generation_is_known_and_the_old_id_is_nobody() -> None:
    sim, truth = _world()
    node = sim.nodes["n1"]
    old = node.id
    node.protocol.parts.local.start_generation(0, sim.now)
    sim.reseed("n1", [])  # anything that lets it be looked at
    assert node.id != old
    assert truth.member(node.id) is node
    assert truth.member(old) is None


@pytest.mark.parametrize(
    ("now", "impaired"), [(4.9, False), (5.0, True), (8.0, True), (10.0, True), (10.1, False), (20.0, True)]
)
def test_a_fault_explains_what_happens_while_it_lasts_and_for_a_while_afterwards(now: float, impaired: bool) -> None:
    steps = [Pause(at=5.0, for_s=3.0, node="n1"), Slow(at=19.0, for_s=9.0, node="n1", handling_s=0.1)]
    truth = Truth(steps, grace_s=2.0)
    assert truth.is_impaired("n1", now) is impaired
    assert not truth.is_impaired("n2", now)
    assert truth.was_impaired("n1", now, now) is impaired
    assert truth.was_impaired("n1", 0.0, now) is (now >= 5.0)
    assert truth.was_impaired("n1", now, 30.0)
