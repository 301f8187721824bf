"""Every rare path can be reached: for each point a small plan that gets there."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from sims.plan import Plan
from sims.running import Run
from sims.scenarios import find
from sims.steps import AnyStep, Crash, Disturb, Forge, Leave, Pause, Restart
from sims.watching import POINTS
from sims.world import LinkChange


def _plan(*steps: AnyStep, **fields: Any) -> Plan:
    return Plan(**{"scenario": "test", "seed": 1, "nodes": 6, "duration_s": 20.0, "steps": steps, **fields})


def _deaf_for_datagrams() -> Plan:
    pair = Disturb(at=2.0, for_s=20.0, sources=["n1"], change=LinkChange(streams_only=True))
    return _plan(pair, nodes=4, settings={"indirect_probes": 0})


def _old_news_of_the_forgotten() -> Plan:
    """Who sleeps while a member dies and is forgotten still tells of it when it wakes up."""
    return _plan(
        Pause(at=5.0, for_s=13.0, node="n1"),
        Crash(at=5.1, node="n3"),
        profile="local",
        settings={"forget_after": 5.0},
        duration_s=30.0,
    )


def _asleep_for_long() -> Plan:
    """All others look again and again whether the sleeper is back."""
    settings = {"heal_probability": 0.5}
    return _plan(Pause(at=2.0, for_s=30.0, node="n1"), profile="local", settings=settings, duration_s=33.0)


def _seen_by_some() -> Plan:
    """Two halves reach each other only through one member."""
    return find("bridge").plan(seed=0, nodes=8, changes={"for_s": "30"})


REACHED_BY: dict[str, Callable[[], Plan]] = {
    "helper_saved": lambda: _plan(Disturb(at=2.0, for_s=17.0, sources=["n1"], destinations=["n2"])),
    "stream_saved": _deaf_for_datagrams,
    "accused": lambda: _plan(Crash(at=2.0, node="n1")),
    "refuted_by_itself": lambda: _plan(Pause(at=2.0, for_s=2.0, node="n1")),
    "refuted_by_witness": _seen_by_some,
    "told_of_refusal": lambda: _plan(Crash(at=2.0, node="n1", refused=True)),
    "died": lambda: _plan(Crash(at=2.0, node="n1")),
    "came_back": lambda: _plan(Pause(at=2.0, for_s=10.0, node="n1")),
    "left": lambda: _plan(Leave(at=2.0, node="n1")),
    "restarted": lambda: _plan(Restart(at=2.0, node="n1"), Restart(at=6.0, node="n1")),
    "conflict": lambda: find("name-conflict").plan(seed=0, nodes=8, changes={"for_s": "10"}),
    "reconciled": lambda: _plan(joins=True, seeds=1),
    "heal_contact": lambda: _plan(Crash(at=2.0, node="n1")),
    "stalled": lambda: _plan(Pause(at=2.0, for_s=1.5, node="n1")),
    "damaged": lambda: _plan(Disturb(at=2.0, for_s=5.0, change=LinkChange(corruption=0.5))),
    "poison_refused": lambda: _plan(Forge(at=10.0, node="n1", kind="absurd counter", told=["n2"])),
    "superseded_refused": lambda: find("name-conflict").plan(seed=0, nodes=8, changes={"for_s": "10"}),
    "buried_refused": _old_news_of_the_forgotten,
    "other_cluster": lambda: _plan(joins=True, clusters=2, seeds=4),
    "new_generation": lambda: _plan(Forge(at=2.0, node="n1", kind="farewell", told=["n2"])),
    "socket_full": _asleep_for_long,
}


def test_every_point_is_known_here() -> None:
    assert set(REACHED_BY) == set(POINTS)


@pytest.mark.parametrize("point", POINTS)
def test_the_point_is_reached(point: str) -> None:
    outcome = Run(REACHED_BY[point]()).run()
    assert outcome.sometimes[point] > 0, POINTS[point]
    assert outcome.is_good, outcome.violations[0]


def test_in_a_quiet_cluster_nothing_is_ever_reached() -> None:
    assert set(Run(_plan()).run().sometimes.items()) == {(point, 0) for point in POINTS}
