"""A node that knows less than another is corrected at once: the accused, the deceived, and nodes with old facts."""

from __future__ import annotations

from gossip.core.config import Config
from gossip.core.state.heartbeat import MAX_STEPS_AHEAD
from gossip.core.wire.messages import AliveFact, RecordFact, SuspectFact
from sims.world import SimulatedNode
from tests.core.worlds import World, cluster, entry_of, expect, forged, inject, mute, tap, understood, world

ROUND_TRIP_S = 0.05
"""Many of those in these worlds."""

QUIET = Config.lan(push_fanout=0, reconcile_after=60.0)
"""News is not pushed, and views are not compared soon: what is known then was told for another reason."""


def told_from(sim: World, node: SimulatedNode, since: int) -> list[tuple[object, object]]:
    """What a node has told whom in the datagrams after the first ``since``: pairs of a fact and an address."""
    sent = [each for each in tap(sim)[since:] if each[1] == node.address]
    return [
        (fact, to) for message, (_, _, to) in zip(understood(sim, sent), sent, strict=True) for fact in message.facts
    ]


def test_who_is_accused_answers_everybody_and_not_only_who_told_of_it() -> None:
    """The one that told may have made it up, or may not be heard by those who believe it."""
    sim = cluster(16, tapped=True)
    accused = sim.nodes["n3"]
    before = len(tap(sim))
    inject(sim, ["n3"], SuspectFact(accused.id, accused.protocol.heartbeat(sim.now) + 5, (1,)))
    sim.run(ROUND_TRIP_S)
    members = {node.address for node in sim.running}
    answered = {to for fact, to in told_from(sim, accused, before) if isinstance(fact, AliveFact)} & members
    assert len(answered) >= sim.config.push_fanout


def test_the_accused_is_told_at_once_by_its_accuser_though_no_news_is_pushed() -> None:
    """What it cannot hear of it cannot refute; how much other news there is must not matter."""
    sim = cluster(8, config=QUIET, tapped=True)
    mute(sim, "n3")
    others = [node for node in sim.running if node.name != "n3"]

    def accusers() -> list[SimulatedNode]:
        return [node for node in others if any(node.id in entry.accusers for entry in [entry_of(node, "n3")])]

    before = 0
    while not accusers():
        before = len(tap(sim))
        sim.run(0.01)
    accused = sim.nodes["n3"]
    told = [
        fact
        for fact, to in told_from(sim, accusers()[0], before)
        if to == accused.address and isinstance(fact, SuspectFact) and fact.id == accused.id
    ]
    assert told


def test_who_tells_an_older_version_of_a_record_is_told_the_newer() -> None:
    sim = cluster(4, tapped=True)
    old = entry_of(sim.nodes["n1"], "n3").registers
    sim.update("n3", {"version": "newer"})
    sim.run(ROUND_TRIP_S)
    before = len(tap(sim))
    sender = sim.nodes["n2"]
    sim.inject("n1", forged(sim, RecordFact(old.record, old.heartbeat), sender=sender.id), sender.address)
    sim.run(ROUND_TRIP_S)
    told = [fact.record.metadata for fact, to in told_from(sim, sim.nodes["n1"], before)
            if to == sender.address and isinstance(fact, RecordFact)]  # fmt: skip
    assert told == [{"version": "newer"}]


def test_who_is_answered_by_a_member_of_another_view_asks_again_with_room_for_the_reason() -> None:
    """One that was never asked by the other cannot know that no address was forged, and gets answers as small as its
    questions: what is news does not fit in."""
    sim = world(config=QUIET)
    sim.start("n0", config=Config.lan(push_fanout=0, reconcile_after=60.0, probe_interval=60.0))
    sim.start("n1")
    sim.acquaint()
    sim.run(5)
    sim.update("n0", {"changed": "once"})
    expect(sim, sim.all_agree, within=sim.config.probe_interval + ROUND_TRIP_S, why="one question")


def test_a_member_of_whom_others_believe_a_counter_above_its_own_is_told_so() -> None:
    """Until it jumps over that one, nobody can tell from its counter that it has stopped."""
    sim = cluster(4)
    deceived, subject = sim.nodes["n1"], sim.nodes["n3"]
    ahead = subject.protocol.heartbeat(sim.now) + MAX_STEPS_AHEAD // 2
    deceived.protocol.view.advance(entry_of(deceived, "n3"), ahead, sim.now)
    expect(sim, lambda: subject.protocol.heartbeat(sim.now) > ahead, within=5, why="jump over the counter")
