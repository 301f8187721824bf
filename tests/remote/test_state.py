"""What a program knows of its node in another process is, by the events alone, what the node knows at every moment."""

from __future__ import annotations

import pytest

from gossip.core.config import Config
from gossip.core.events import EventKind, MembershipEvent
from gossip.core.state.member import Member, Status
from gossip.core.state.node_standing import Standing
from gossip.core.support.address import Address
from gossip.remote.state import Roster
from sims.world import Observer, SimulatedNode
from tests.core.test_conflicts import OTHER_MACHINE
from tests.core.worlds import World, heal, isolate


class Rosters(Observer):
    """Keeps a roster for each process, and compares whenever it has told something."""

    def __init__(self) -> None:
        self._rosters: dict[int, Roster] = {}
        self.compared = 0
        self.with_two_of_a_name = 0

    def started(self, node: SimulatedNode) -> None:
        """Begin with the node alone."""
        self._rosters[id(node)] = Roster.of(node.protocol.members())

    def handled(self, node: SimulatedNode) -> None:
        """Compare, if there is anything new."""
        if not node.events:
            return
        roster = self._rosters[id(node)] = self._rosters[id(node)].after(node.events)
        node.events.clear()
        told = node.protocol.told_members()
        assert roster.members == told
        self.compared += 1
        self.with_two_of_a_name += len({each.name for each in told}) < len(told)
        if node.protocol.standing.standing is not Standing.ISOLATED:
            for member in told:
                assert roster.get(member.name) == node.protocol.get(member.name)


@pytest.mark.parametrize("seed", range(3))
def test_a_roster_follows_restarts_conflicts_isolation_and_forgetting(seed: int) -> None:
    watcher = Rosters()
    sim = World(seed=seed, config=Config.lan(forget_after=30.0), observers=[watcher])
    sim.start_many(6)
    sim.run(10)
    sim.crash("n1")
    sim.leave("n2")
    sim.run(1)
    sim.crash("n2")
    sim.start("n1", seeds=("n0",))
    sim.run(10)
    first = sim.nodes["n3"]
    sim.start("n3", seeds=("n0",), address=OTHER_MACHINE)
    sim.nodes["first"] = first
    isolate(sim, "n4")
    sim.run(30)
    sim.crash("n1")
    sim.crash("n3")
    sim.run(60)
    heal(sim)
    sim.run(60)
    assert first.protocol.local.status is Status.ALIVE, "it has its name again"
    assert watcher.compared > 50
    assert watcher.with_two_of_a_name > 0


def test_a_roster_never_changes() -> None:
    member = Member("b", 1, 2, Address("192.0.2.1", 7946), {}, 1, Status.ALIVE)
    before = Roster.of([])
    after = before.after([MembershipEvent(EventKind.JOINED, member, 1, 0.0)])
    assert before.members == ()
    assert after.members == (member,)
    assert after.members is after.members
    assert after.get("b") is member
    assert after.after([MembershipEvent(EventKind.FORGOTTEN, member, 0, 1.0)]).get("b") is None
