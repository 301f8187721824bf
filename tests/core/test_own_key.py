"""A node whose name is borne by its own key: by an earlier life of it, or by another process with a copy of the key."""

from __future__ import annotations

import pytest

from gossip.core.state.local import OWN_SUCCESSIONS
from gossip.core.state.signing import Signing
from gossip.core.support.address import Address
from gossip.core.wire.messages import AliveFact
from tests.core.test_signing import key_of, signed_cluster
from tests.core.worlds import everybody, expect, expect_agreement, generations_seen, inject

VICTIM = "n3"
ELSEWHERE = Address("10.88.0.1", 7946)


@pytest.mark.parametrize("address", [None, ELSEWHERE], ids=["same address", "other address"])
def test_counters_shown_for_an_earlier_life_do_not_keep_its_restart_out(address: Address | None) -> None:
    """The clock went back, and somebody shows the old generation to be alive, which takes no signature."""
    sim = signed_cluster(8)
    old = sim.nodes[VICTIM].protocol.local
    sim.crash(VICTIM)
    node = sim.start(VICTIM, seeds=("n0",), clock_ms=-3_600_000, address=address)
    others = [each.name for each in everybody(sim) if each is not node]
    assert node.protocol.local.generation < old.generation
    for step in range(12):
        inject(sim, others, AliveFact(old.id, 500 + 10 * step))
        sim.run(0.25)
    assert generations_seen(sim, VICTIM) == {node.protocol.local.generation} == {old.generation + 1}
    expect_agreement(sim, within=5)
    assert not any(each.told("conflict") for each in everybody(sim))


def test_two_processes_with_one_key_do_not_take_the_name_from_each_other_for_ever() -> None:
    sim = signed_cluster(6)
    sim.signing = lambda key: Signing(key_of(VICTIM if key == "copy" else key))
    first = sim.nodes[VICTIM]
    second = sim.start("copy", name=VICTIM, seeds=("n0",), address=ELSEWHERE)
    sim.run(10)
    other = sim.nodes["n0"]
    assert len(other.told("joined", VICTIM)) <= 2 + 2 * OWN_SUCCESSIONS
    told = [len(node.told("joined", VICTIM)) for node in everybody(sim)]
    sim.run(300)
    assert [len(node.told("joined", VICTIM)) for node in everybody(sim)] == told, "it goes on"
    assert first.protocol.local.status.value == "displaced"
    assert len(first.told("conflict", VICTIM)) == 1
    assert all(node.protocol.get(VICTIM) == second.protocol.local for node in everybody(sim))


def test_the_one_that_stayed_displaced_takes_the_name_when_the_other_has_gone() -> None:
    sim = signed_cluster(6)
    sim.signing = lambda key: Signing(key_of(VICTIM if key == "copy" else key))
    first = sim.nodes[VICTIM]
    sim.start("copy", name=VICTIM, seeds=("n0",), address=ELSEWHERE)
    sim.run(10)
    assert first.protocol.local.status.value == "displaced"
    sim.crash("copy")
    expect(sim, lambda: generations_seen(sim, VICTIM) == {first.protocol.local.generation}, within=30, why="taken back")
