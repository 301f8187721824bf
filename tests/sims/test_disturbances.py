"""Ways that are disturbed: which ones a step means, one way or both, and that they are mended."""

from __future__ import annotations

import pytest

from sims.plan import Plan
from sims.running import Run
from sims.steps import Disturb, Hold
from sims.world import LinkChange, Simulation
from tests.core.worlds import World, world
from tests.sims.watchers import Fates

PAIRS = [(one, other) for one in "abcd" for other in "abcd" if one != other]


def _open_ways(sim: Simulation) -> set[tuple[str, str]]:
    at = {key: node.address for key, node in sim.nodes.items()}
    return {(one, other) for one, other in PAIRS if sim.network.connects(at[one], at[other])}


def _four() -> World:
    sim = world()
    for key in "abcd":
        sim.start(key)
    return sim


@pytest.mark.parametrize(
    ("step", "cut"),
    [
        pytest.param(Disturb(at=0, for_s=1), set(PAIRS), id="nobody named: all"),
        pytest.param(
            Disturb(at=0, for_s=1, sources=["a", "b"]),
            {(one, other) for one, other in PAIRS if (one in "ab") != (other in "ab")},
            id="sources: between them and the rest",
        ),
        pytest.param(
            Disturb(at=0, for_s=1, sources=["a", "b"], both_ways=False),
            {(one, other) for one, other in PAIRS if one in "ab" and other in "cd"},
            id="sources one way: from them to the rest",
        ),
        pytest.param(
            Disturb(at=0, for_s=1, destinations=["a", "b"]),
            {(one, other) for one, other in PAIRS if (one in "ab") != (other in "ab")},
            id="destinations: between the rest and them",
        ),
        pytest.param(
            Disturb(at=0, for_s=1, destinations=["a", "b"], both_ways=False),
            {(one, other) for one, other in PAIRS if one in "cd" and other in "ab"},
            id="destinations one way: from the rest to them",
        ),
        pytest.param(
            Disturb(at=0, for_s=1, sources=["a"], destinations=["c", "d"]),
            {("a", "c"), ("a", "d"), ("c", "a"), ("d", "a")},
            id="both: between these",
        ),
        pytest.param(
            Disturb(at=0, for_s=1, sources=["a"], destinations=["c", "d"], both_ways=False),
            {("a", "c"), ("a", "d")},
            id="both one way: from one to the other",
        ),
    ],
)
def test_a_disturbance_meets_the_ways_it_names_and_is_mended(step: Disturb, cut: set[tuple[str, str]]) -> None:
    sim = _four()
    step.begin(sim)
    assert _open_ways(sim) == set(PAIRS) - cut
    step.end(sim)
    assert _open_ways(sim) == set(PAIRS)


def test_a_disturbance_with_a_change_makes_ways_worse_and_cuts_none() -> None:
    sim = _four()
    step = Disturb(at=0, for_s=1, sources=["a"], destinations=["b"], change=LinkChange(loss=0.5))
    step.begin(sim)
    ways = {
        (one, other): sim.network.directed(sim.nodes[one].address, sim.nodes[other].address) for one, other in PAIRS
    }
    losses = {pair: way.link.loss for pair, way in ways.items() if way.link is not None}
    assert losses == {pair: 0.5 if pair in (("a", "b"), ("b", "a")) else 0.0 for pair in PAIRS}
    step.end(sim)
    assert _open_ways(sim) == set(PAIRS)


def test_a_disturbance_follows_a_node_to_its_next_address_and_meets_one_that_starts_later() -> None:
    sim = _four()
    Disturb(at=0, for_s=9, sources=["a", "late"]).begin(sim)
    sim.crash("a")
    sim.start("a", address=sim.new_address("a"))
    late = sim.start("late")
    assert not sim.network.connects(sim.nodes["a"].address, sim.nodes["b"].address)
    assert not sim.network.connects(late.address, sim.nodes["b"].address)
    assert sim.network.connects(late.address, sim.nodes["a"].address)


def test_of_two_disturbances_one_can_end_before_the_other() -> None:
    sim = _four()
    long, short = Disturb(at=0, for_s=9, sources=["a"]), Disturb(at=0, for_s=1, sources=["a", "b"])
    long.begin(sim)
    short.begin(sim)
    short.end(sim)
    assert _open_ways(sim) == {pair for pair in PAIRS if "a" not in pair}
    long.end(sim)
    assert _open_ways(sim) == set(PAIRS)


def test_hold_lets_datagrams_come_late_one_by_one_and_those_of_others_at_once() -> None:
    fates = Fates()
    hold = Hold(at=2.0, for_s=4.0, sources=["n1"], both_ways=False, spacing_s=0.25)
    Run(Plan(scenario="test", seed=1, nodes=2, steps=(hold,), duration_s=20.0), observers=[fates]).run()
    late = [
        arrival for arrival, delay in zip(fates.arrivals["n1", "n0"], fates.of["n1", "n0"], strict=True) if delay > 0.1
    ]
    assert len(late) >= 4
    assert late == pytest.approx([6.0 + 0.25 * number for number in range(len(late))])
    assert max(fates.of["n0", "n1"]) < 0.1
