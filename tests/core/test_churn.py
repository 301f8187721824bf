"""Churn: members come, crash, restart, freeze, move, update and leave, all at once, on a bad network.

Whatever has happened, once the faults end all running members agree within a bound, and no two of them
are left talking to each other without end.
"""

from __future__ import annotations

import random

import pytest

from sims.world import Link, Lognormal, Simulation
from tests.core.worlds import expect, forged, world

AGREED_WITHIN_S = 30
DATAGRAMS_PER_NODE_AND_SECOND = 100
"""Far above what a comparison of views needs; two nodes that answer each other without end send thousands."""

SEEDS = ("n0", "n1")


def bad_link(draw: random.Random) -> Link:
    return Link(
        loss=draw.choice([0, 0.1, 0.25]),
        latency=Lognormal(0.0005, draw.choice([0.3, 2])),
        duplication=draw.choice([0, 0.2]),
        corruption=draw.choice([0, 0.05]),
    )


def something_happens(sim: Simulation, draw: random.Random) -> None:
    """One fault or change, drawn at random."""
    what, name = draw.random(), draw.choice(list(sim.nodes))
    node = sim.nodes[name]
    if what < 0.3 and node.running and len(sim.running) > 2:
        sim.crash(name)
    elif what < 0.6 and not node.running:
        moves = name not in SEEDS and draw.random() < 0.4
        sim.start(name, seeds=SEEDS, address=sim.new_address(name) if moves else None)
    elif what < 0.7 and node.running:
        sim.pause(name, draw.random() * 4)
    elif what < 0.75 and node.running and node.protocol.local.status.is_living:
        sim.update(name, {"at": str(sim.now)})
    elif what < 0.8:
        sim.start(f"x{draw.randrange(10**6)}", seeds=SEEDS)
    elif what < 0.83 and node.running and name not in SEEDS:
        sim.leave(name)
        sim.run(0.05)
        sim.crash(name)
    elif what < 0.86:
        side = {each.address: draw.random() < 0.5 for each in sim.nodes.values()}
        sim.network.cut("split", lambda one, other: side.get(one) != side.get(other))
    elif what < 0.9:
        sim.network.lift()


@pytest.mark.parametrize("seed", [0, 1, 5, 8, 12, 17, 23, 40])
def test_after_any_churn_all_agree_again_and_fall_quiet(seed: int) -> None:
    draw = random.Random(seed)
    count = draw.choice([3, 6, 12])
    sim = world(seed=seed, link=bad_link(draw))
    sim.start_many(count)
    while sim.now < 15:
        sim.run(draw.random() * 0.6)
        something_happens(sim, draw)
    sim.network.lift()
    sim.network.link = Link()
    for name in SEEDS:
        if not sim.nodes[name].running:
            sim.start(name, seeds=SEEDS)
    began = sim.now
    before = sum(node.protocol.stats.datagrams_sent for node in sim.running)
    expect(sim, sim.all_agree, within=AGREED_WITHIN_S, why=f"agreement after churn, seed {seed}")
    sim.run(5)
    sent = sum(node.protocol.stats.datagrams_sent for node in sim.running) - before
    assert sent / len(sim.running) / (sim.now - began) < DATAGRAMS_PER_NODE_AND_SECOND, f"seed {seed}"


def test_two_displaced_processes_do_not_challenge_each_other_without_end() -> None:
    sim = world()
    sim.start_many(3)
    sim.run(3)
    old = []
    for name in ("n1", "n2"):
        displaced = sim.nodes[name]
        old.append(displaced)
        sim.start(name, seeds=("n0",), address=sim.new_address(name))
        sim.nodes[f"old {name}"] = displaced
    sim.run(5)
    one, other = old
    one.protocol.receive_datagram(forged(sim, sender=other.protocol.local.id), other.address, sim.now)
    before = [node.protocol.stats.datagrams_sent for node in old]
    sim.run(5)
    sent = [node.protocol.stats.datagrams_sent - earlier for node, earlier in zip(old, before, strict=True)]
    assert max(sent) < 5 * DATAGRAMS_PER_NODE_AND_SECOND


def test_a_displaced_node_takes_its_name_back_even_if_nobody_is_left_to_tell_it_anything() -> None:
    sim = world()
    older = sim.start("n0")
    sim.run(2)
    newer = sim.start("n0", address=sim.new_address("n0"))
    newer.protocol.seed([older.address], sim.now)
    sim.nodes["older"] = older
    sim.run(5)
    assert older.protocol.local.id != older.protocol.get("n0").id  # type: ignore[union-attr]
    sim.crash("n0")
    expect(sim, lambda: older.protocol.get("n0") == older.protocol.local, within=60, why="its own name")
    assert older.protocol.alive == 1
