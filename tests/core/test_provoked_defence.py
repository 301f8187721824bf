"""Accusations made to provoke self-defence: they spend a budget of its own, and nobody is convicted for it."""

from __future__ import annotations

from gossip.core.wire.messages import DeadFact, SuspectFact
from sims.world import SimulatedNode
from tests.core.worlds import World, cluster, entry_of, expect_no_deaths, inject, metadata_seen, world

TICK_S = 0.05
VICTIM = "n3"


def provoke(sim: World, node: SimulatedNode) -> None:
    """Accuse a node to its face, a little ahead of its counter, so that it has to answer everybody."""
    counter = node.protocol.heartbeat(node.local_time(sim.now))
    inject(sim, [node.name], SuspectFact(node.id, counter + 3, (1,)))


def accuse(sim: World, told: str, kind: type[SuspectFact | DeadFact], ahead: int) -> None:
    """Tell one node an accusation of the victim, in the names of three others."""
    entry = entry_of(sim.nodes[told], VICTIM)
    floor = max(entry.registers.heartbeat, entry.registers.accused) + ahead
    inject(sim, [told], kind(entry.id, floor, tuple(sim.nodes[name].id for name in ("n1", "n2", "n4"))))


def test_nobody_believes_a_death_because_the_defence_of_all_others_was_spent() -> None:
    """Every node but one is provoked; that one hears of an accusation, and half a second later of a death."""
    sim = world(seed=0)
    sim.start_many(64)
    sim.run(5)
    assert sim.all_agree()
    *provoked, told = sim.nodes.values()
    for tick in range(1, 61):
        for node in provoked:
            provoke(sim, node)
        if tick >= 40 and tick % 20 == 0:
            accuse(sim, told.name, SuspectFact, 200)
        elif tick >= 40 and tick % 20 == 11:
            accuse(sim, told.name, DeadFact, 1)
        sim.run(TICK_S)
    expect_no_deaths(sim)


def test_provoked_self_defence_takes_nothing_from_other_news() -> None:
    sim = cluster(8)
    for _ in range(80):
        for node in sim.running:
            provoke(sim, node)
        sim.run(TICK_S)
    sim.update("n1", {"a": "1"})
    sim.run(TICK_S)
    assert metadata_seen(sim, "n1") == [{"a": "1"}] * 8
