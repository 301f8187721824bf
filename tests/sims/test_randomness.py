"""Random streams: what they are derived from, how they are spread, and whom a fault leaves alone."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise
from statistics import fmean, pvariance

import pytest

from gossip.core.support.address import Address
from sims.plan import Plan
from sims.running import Run
from sims.steps import AnyStep, Disturb, Restart, Start
from sims.world import Draws, Link, LinkChange, Network, Simulation, Uniform, derived_random, derived_seed
from tests.core.worlds import SEEDS
from tests.sims.watchers import Fates

DRAWS = 20_000


def test_a_stream_follows_from_seed_and_purpose_alone() -> None:
    first = [derived_random(7, "node", "n1").random() for _ in range(3)]
    derived_random(7, "something else").random()
    assert [derived_random(7, "node", "n1").random() for _ in range(3)] == first
    assert derived_seed(7, "link", "a") == 0xD8BB94C0BFA4EE30, "a plan that was stored must go on meaning the same"


def test_other_seeds_and_other_purposes_make_other_streams() -> None:
    purposes: list[tuple[object, ...]] = [(), ("a",), ("a", "b"), ("ab",), ("a", ""), ("b", "a"), ("1",), ("\ud800",)]
    seeds = {derived_seed(seed, *purpose) for seed in range(100) for purpose in purposes}
    assert len(seeds) == 100 * len(purposes)


def test_draws_are_the_published_generator() -> None:
    draws = Draws(1234567)
    published = (6457827717110365317, 3203168211198807973, 9817491932198370423, 4593380528125082431)
    assert [draws.random() for _ in published] == [(number >> 11) / 2**53 for number in published]


def _along_one_link() -> list[float]:
    draws = Draws(derived_seed(1, "link", "a", "b"))
    return [draws.random() for _ in range(DRAWS)]


def _first_of_many_links() -> list[float]:
    return [Draws(derived_seed(1, "link", number)).random() for number in range(DRAWS)]


def _first_of_neighbouring_seeds() -> list[float]:
    return [Draws(seed).random() for seed in range(DRAWS)]


@pytest.mark.parametrize("draw", [_along_one_link, _first_of_many_links, _first_of_neighbouring_seeds])
def test_draws_are_uniform(draw: Callable[[], list[float]]) -> None:
    numbers = draw()
    assert all(0 <= number < 1 for number in numbers)
    # Five standard errors: of a mean, a variance, a third moment, and of a count in one of ten classes.
    assert fmean(numbers) == pytest.approx(1 / 2, abs=5 * (1 / 12 / DRAWS) ** 0.5)
    assert pvariance(numbers) == pytest.approx(1 / 12, abs=5 * (1 / 180 / DRAWS) ** 0.5)
    assert fmean(number**3 for number in numbers) == pytest.approx(1 / 4, abs=5 * (9 / 112 / DRAWS) ** 0.5)
    for tenth in range(10):
        count = sum(int(number * 10) == tenth for number in numbers)
        assert count == pytest.approx(DRAWS / 10, abs=5 * (0.09 * DRAWS) ** 0.5)
    assert fmean((one - 1 / 2) * (other - 1 / 2) for one, other in pairwise(numbers)) == pytest.approx(
        0, abs=5 / 12 / DRAWS**0.5
    ), "neighbours have nothing to do with each other"


def test_each_way_between_two_addresses_has_draws_of_its_own() -> None:
    network = Network(1, Link(latency=Uniform(0, 1)))
    hosts = [Address(f"10.0.0.{number}", 7946) for number in range(5)]
    delays = {
        tuple(network.directed(one, other).carry(b"x", 0.0)[0][0] for _ in range(4))
        for one in hosts
        for other in hosts
        if one != other
    }
    assert len(delays) == 5 * 4


# --- what a fault leaves alone


def _fates(*steps: AnyStep, seed: int) -> tuple[Fates, Run, str]:
    fates = Fates()
    plan = Plan(scenario="test", seed=seed, nodes=6, link=Link(loss=0.05), steps=steps, duration_s=20.0)
    run = Run(plan, observers=[fates])
    return fates, run, run.run().trace_hash


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize(
    "fault",
    [
        Disturb(at=3.0, for_s=10.0, sources=["n1"], destinations=["n2"]),
        Disturb(at=3.0, for_s=10.0, sources=["n1"], destinations=["n2"], change=LinkChange(loss=0.9)),
        Restart(at=3.0, node="n1", seeds=["n0"]),
        Start(at=3.0, node="x", seeds=["n0"]),
    ],
    ids=lambda step: type(step).__name__,
)
def test_a_fault_changes_no_draw_of_links_that_it_does_not_touch(fault: AnyStep, seed: int) -> None:
    quiet, _, hash_of_quiet = _fates(seed=seed)
    faulty, _, hash_of_faulty = _fates(fault, seed=seed)
    assert hash_of_quiet != hash_of_faulty
    untouched = [way for way in quiet.of if not set(way) & {"n1", "n2"}]
    compared = 0
    for way in untouched:
        pairs = list(zip(quiet.of[way], faulty.of[way], strict=False))  # which are sent may well differ
        assert all(one == other for one, other in pairs), f"{way}: {pairs}"
        compared += len(pairs)
    assert len(untouched) == 4 * 3
    assert compared > 60


def test_a_fault_changes_no_draw_of_nodes_that_it_does_not_touch() -> None:
    _, quiet, _ = _fates(seed=1)
    _, faulty, _ = _fates(Restart(at=3.0, node="n1", seeds=["n0"]), Start(at=3.5, node="x"), seed=1)
    ids = {key: node.id for key, node in quiet.sim.nodes.items()}
    others = {key: node.id for key, node in faulty.sim.nodes.items()}
    assert others.pop("x") not in ids.values()
    assert others.pop("n1") != ids.pop("n1"), "a new process has a new id"
    assert others == ids


def test_where_a_node_is_found_depends_on_no_other_node() -> None:
    alone, among_others = Simulation(seed=1), Simulation(seed=1)
    among_others.start("n0")
    among_others.start("x")
    assert alone.start("n1").address == among_others.start("n1").address


@pytest.mark.parametrize("change", [LinkChange(), LinkChange(loss=0.05)], ids=["nothing", "what is so already"])
def test_a_disturbance_that_changes_nothing_leaves_the_whole_run_as_it_was(change: LinkChange) -> None:
    _, _, expected = _fates(seed=2)
    _, _, found = _fates(Disturb(at=2.0, for_s=9.0, sources=["n1"], destinations=["n2"], change=change), seed=2)
    assert found == expected
