"""The casebook: what it keeps is bounded, and the newest stays."""

from __future__ import annotations

from gossip.core.config import Config
from gossip.core.detection.casebook import DEATHS_KEPT
from gossip.core.detection.evidence import EVIDENCE_KEPT, Explanation
from gossip.core.support.address import Address
from gossip.core.wire.messages import RecordFact, SuspectFact
from sims.world import SimulatedNode
from tests.core.worlds import (
    World,
    cluster,
    expect,
    inject,
    isolate,
    presented,
)

GHOST_ID = 1 << 32


def ghost(number: int) -> RecordFact:
    """A member that was never there."""
    return presented(GHOST_ID + number, f"ghost{number}", 1, 1, Address("192.0.2.99", 1 + number), {}, 10)


def explained(sim: World, node: SimulatedNode, name: str) -> Explanation:
    """What a node says of a member."""
    explanation = node.protocol.explain(name, node.local_time(sim.now))
    assert explanation is not None
    return explanation


def test_of_the_tellings_about_one_member_the_last_few_are_kept() -> None:
    sim = cluster(3)
    floors = range(50, 50 + 3 * EVIDENCE_KEPT)
    inject(sim, ["n0"], ghost(1), *[SuspectFact(GHOST_ID + 1, floor, (7,)) for floor in floors])
    told = explained(sim, sim.nodes["n0"], "ghost1").told
    assert [each.floor for each in told] == list(floors)[-EVIDENCE_KEPT:]


def test_of_the_failed_probes_of_one_member_the_last_few_are_kept() -> None:
    sim = cluster(3, config=Config.lan(suspicion_max=60.0))  # so that it takes the fault for its own for long
    isolate(sim, "n0")
    sim.run(150)
    failed = [each for each in explained(sim, sim.nodes["n0"], "n1").asked if each.ended is not None]
    assert len(failed) == EVIDENCE_KEPT
    assert "probe of a round" not in [each.reason for each in failed], "the first ones have given way"


def test_of_the_deaths_the_last_ones_can_be_explained() -> None:
    sim = cluster(3)
    node, number_of_deaths = sim.nodes["n0"], DEATHS_KEPT + 8
    ghosts = [f"ghost{number}" for number in range(number_of_deaths)]
    inject(sim, ["n0"], *[ghost(number) for number in range(number_of_deaths)])
    inject(sim, ["n0"], *[SuspectFact(GHOST_ID + number, 1000, (7,)) for number in range(number_of_deaths)])
    expect(sim, lambda: all(node.sees()[name] == "dead" for name in ghosts), within=60, why="the ghosts found dead")
    assert node.protocol.parts.casebook.deaths == DEATHS_KEPT
    assert sum(bool(explained(sim, node, name).told) for name in ghosts) == DEATHS_KEPT
    assert explained(sim, node, node.told("died")[-1].member.name).told
