"""A node explains where a member stands and why, to its own program and to whoever asks over a stream."""

from __future__ import annotations

import copy
import random
from collections.abc import Callable
from typing import Any

import pytest

from gossip.core.config import Config
from gossip.core.detection.evidence import (
    EVIDENCE_KEPT,
    MAX_MILLISECONDS,
    NAMES_KEPT,
    PROBES_EXPLAINED,
    Explanation,
)
from gossip.core.detection.stages import Stage
from gossip.core.errors import WireError
from gossip.core.query import ExplanationQuery
from gossip.core.state.hearing import CONVICTION_STEPS
from gossip.core.state.heartbeat import MAX_COUNTER
from gossip.core.state.member import Identity, Member, Record, Status
from gossip.core.support.address import Address
from gossip.core.wire import MAX_FRAME_BYTES, Codec, encode_fact
from gossip.core.wire.messages import ANONYMOUS, Ack, Explain, Explained, News, Ping, RecordFact
from tests.core.worlds import (
    STRANGER,
    World,
    answered,
    cluster,
    crash_bound_s,
    expect,
    expect_seen,
    forged,
    isolate,
    tap,
    understood,
)

ADA = Record(Identity("ada", 1, 9), 1, Address("10.0.0.1", 7946), {})


def asked_for(name: str, sim: World, *, of: str = "n0") -> ExplanationQuery:
    """The answer of a node to a stranger who asks for this member."""
    return answered(sim, sim.nodes[of], ExplanationQuery(sim.config, random.Random(1), name))


def at_zero(told: Explanation) -> Explanation:
    """The same explanation with its moment as time 0 and whole milliseconds, as it travels."""
    return Explanation.from_wire(told.to_wire(), told.member)


def test_a_stranger_is_told_what_the_nodes_own_program_is_told() -> None:
    sim = cluster(6)
    sim.crash("n3")
    sim.leave("n4")
    expect_seen(sim, "n3", "dead", within=crash_bound_s(sim.config))
    for name, status in (("n0", "alive"), ("n1", "alive"), ("n3", "dead"), ("n4", "left")):
        own = sim.nodes["n0"].protocol.explain(name, sim.now)
        query = asked_for(name, sim)
        assert own is not None
        assert query.done
        assert query.explanation == at_zero(own)
        assert query.explanation.member.status.value == status


def test_a_death_is_explained_by_the_probes_that_failed_and_by_who_accused_the_member() -> None:
    sim = cluster(6)
    sim.crash("n3")
    expect_seen(sim, "n3", "dead", within=crash_bound_s(sim.config))
    told = [asked_for("n3", sim, of=node.name).explanation for node in sim.running]
    assert all(each is not None and each.told for each in told)
    assert any(probe.helpers and probe.over_stream for each in told if each is not None for probe in each.asked)
    assert any(each.is_conviction for explanation in told if explanation is not None for each in explanation.told)


def test_a_suspicion_is_explained_while_it_lasts() -> None:
    sim = cluster(6)
    sim.crash("n3")
    expect(
        sim,
        lambda: sim.nodes["n0"].sees()["n3"] == "suspect",
        within=crash_bound_s(sim.config),
        why="n0 hears of the suspicion",
    )
    told = asked_for("n3", sim).explanation
    assert told is not None
    assert told.suspicion is not Stage.UNSUSPECTED
    assert told.accusers
    assert told.deadline is not None
    assert told.deadline > 0 >= (told.since or 0.0)
    assert str(told).endswith(f"A counter of {told.floor} or more clears it. This stage ends in {told.deadline:.1f} s.")


def test_a_forgotten_death_can_still_be_explained_to_a_stranger() -> None:
    sim = cluster(4)
    sim.crash("n3")
    expect_seen(sim, "n3", "dead", within=crash_bound_s(sim.config))
    expect(
        sim,
        lambda: "n3" not in sim.nodes["n0"].sees(),
        within=2 * sim.config.forget_after,
        why="n3 is forgotten",
    )
    told = asked_for("n3", sim).explanation
    assert told is not None
    assert told.member.status is Status.DEAD
    assert told.told


def test_a_probe_that_may_have_failed_by_our_own_fault_says_so() -> None:
    sim = cluster(4)
    isolate(sim, "n0")
    sim.run(crash_bound_s(sim.config))
    told = [sim.nodes["n0"].protocol.explain(f"n{each}", sim.now) for each in (1, 2, 3)]
    probes = [probe for each in told if each is not None for probe in each.asked]
    assert any(probe.alone and "the fault may be this node's" in str(probe) for probe in probes)


def test_an_unknown_name_is_answered_with_nothing() -> None:
    query = asked_for("nobody", cluster(3))
    assert query.done
    assert query.is_answered
    assert query.explanation is None


def test_a_node_that_passes_the_question_over_is_told_apart_from_one_that_knows_nobody() -> None:
    query = ExplanationQuery(cluster(2).config, random.Random(1), "n1")
    codec = Codec(cluster(2).config.cluster)
    token = codec.decode(query.frames()[1]).body
    assert isinstance(token, Ping)
    query.receive_frame(codec.encode(5, 1, 1, Ack(token.token), (), MAX_FRAME_BYTES)[0])
    assert query.done
    assert not query.is_answered


def test_no_explanation_is_sent_by_datagram() -> None:
    """A forged source address must not be sent more than it has sent."""
    sim = cluster(4)
    node = sim.nodes["n0"].protocol
    data, _ = Codec(sim.config.cluster).encode(ANONYMOUS, 0, 0, Explain(7, "n1"), (), 1200)
    node.receive_datagram(data, STRANGER, sim.now)
    assert not [data for data, to in node.datagrams_to_send(sim.now) if to == STRANGER]


def test_a_member_that_may_be_sent_large_answers_gets_no_explanation_by_datagram_either() -> None:
    sim = cluster(4, tapped=True)
    asking, before = sim.nodes["n2"], len(tap(sim))
    sim.inject("n0", forged(sim, body=Explain(7, "n1"), sender=asking.id), asking.address)
    sim.run(1)
    assert not [each for each in understood(sim, tap(sim)[before:]) if isinstance(each.body, Explained)]


def test_an_explanation_that_nobody_asked_for_changes_nothing() -> None:
    sim = cluster(4)
    node = sim.nodes["n0"].protocol
    before, load = node.members(), node.load
    for stream in (None, node.stream_accepted(STRANGER, sim.now)):
        data, _ = Codec(sim.config.cluster).encode(ANONYMOUS, 0, 0, Explained(7, largest()), (), MAX_FRAME_BYTES)
        if stream is None:
            node.receive_datagram(data, STRANGER, sim.now)
        else:
            node.receive_frame(stream, data, sim.now)
    assert node.members() == before
    assert node.load._replace(streams=load.streams) == load
    assert not node.stream_actions()


# --- what a peer may say


def content() -> list[Any]:
    """An explanation as it travels, with one item of each kind."""
    probe = ["last probe", 900, 400, 3, "10.0.0.1:7946", ["b", "c"], ["b"], True, False, False, False]
    return [
        "n0",
        "not probed",
        "suspected",
        900,
        50,
        900,
        51,
        ["b"],
        600,
        [probe],
        [[800, "b", ["b"], 51, False]],
        None,
    ]


def largest() -> list[Any]:
    """An explanation with as much of everything as there may be."""
    name = "x" * 128
    names = [name] * NAMES_KEPT
    probe = [name, MAX_MILLISECONDS, MAX_MILLISECONDS, MAX_COUNTER, name, names, names, True, True, True, True]
    telling = [MAX_MILLISECONDS, name, names, MAX_COUNTER, True]
    return [
        name, "witness called", "last probed", MAX_MILLISECONDS, MAX_COUNTER, MAX_MILLISECONDS, MAX_COUNTER, names,
        MAX_MILLISECONDS, [probe] * PROBES_EXPLAINED, [telling] * EVIDENCE_KEPT, MAX_MILLISECONDS,
    ]  # fmt: skip


def member() -> Member:
    """Ada, as a member."""
    return ADA.member(Status.SUSPECT)


def test_the_largest_explanation_fits_one_frame() -> None:
    data, _ = Codec("default").encode(9, 1, 1, Explained(7, largest()), [encode_fact(RecordFact(ADA, 1))], 1 << 20)
    assert len(data) <= MAX_FRAME_BYTES
    assert Explanation.from_wire(largest(), member()).to_wire() == largest()


def test_an_explanation_is_read_as_it_was_written() -> None:
    told = Explanation.from_wire(content(), member())
    assert told.to_wire() == content()
    assert (told.time, told.since, told.deadline) == (0.0, -0.9, 0.6)


def _with(*path: int, value: Any) -> Callable[[], list[Any]]:
    def made() -> list[Any]:
        changed = copy.deepcopy(content())
        inside = changed
        for each in path[:-1]:
            inside = inside[each]
        inside[path[-1]] = value
        return changed

    return made


@pytest.mark.parametrize(
    "hostile",
    [
        list,
        lambda: content()[:-1],
        lambda: [*content(), 0],
        _with(0, value="two\nlines"),
        _with(0, value=""),
        _with(0, value="x" * 129),
        _with(0, value=b"n0"),
        _with(1, value="suspected"),
        _with(1, value=["not probed"]),
        _with(2, value="not probed"),
        _with(3, value=-1),
        _with(3, value=MAX_MILLISECONDS + 1),
        _with(3, value=True),
        _with(4, value=-1),
        _with(5, value=None),
        _with(5, value=0.5),
        _with(6, value=MAX_COUNTER + CONVICTION_STEPS + 1),
        _with(7, value="b"),
        _with(7, value=["b"] * (NAMES_KEPT + 1)),
        _with(7, value=["\x1b[2J"]),
        _with(8, value=-1),
        _with(9, value={}),
        _with(9, value=content()[9] * (PROBES_EXPLAINED + 1)),
        _with(9, value=[[]]),
        _with(9, 0, 1, value=None),
        _with(9, 0, 3, value=0),
        _with(9, 0, 5, value=["b"] * (NAMES_KEPT + 1)),
        _with(9, 0, 8, value=1),
        _with(10, value=content()[10] * (EVIDENCE_KEPT + 1)),
        _with(10, 0, 4, value=None),
        _with(10, 0, 0, value=-1),
    ],
)
def test_what_is_no_explanation_is_an_error_of_the_peer(hostile: Callable[[], list[Any]]) -> None:
    query = ExplanationQuery(Config(), random.Random(1), "ada")
    codec = Codec(Config().cluster)
    question = codec.decode(query.frames()[0]).body
    assert isinstance(question, Explain)
    body = Explained(question.token, hostile())
    answer, _ = codec.encode(5, 1, 1, body, [encode_fact(RecordFact(ADA, 50))], MAX_FRAME_BYTES)
    with pytest.raises(WireError):
        query.receive_frame(answer)
    assert query.explanation is None


@pytest.mark.parametrize("which", ["another token", "another member", "no member"])
def test_an_explanation_of_something_else_is_passed_over(which: str) -> None:
    query = ExplanationQuery(Config(), random.Random(1), "ada" if which != "another member" else "brook")
    codec = Codec(Config().cluster)
    question = codec.decode(query.frames()[0]).body
    assert isinstance(question, Explain)
    token = question.token ^ (which == "another token")
    facts = [] if which == "no member" else [encode_fact(RecordFact(ADA, 50))]
    query.receive_frame(codec.encode(5, 1, 1, Explained(token, content()), facts, MAX_FRAME_BYTES)[0])
    query.receive_frame(codec.encode(5, 1, 1, News(), facts, MAX_FRAME_BYTES)[0])
    assert query.explanation is None


# --- after the member is back


def test_a_member_that_is_back_is_explained_with_the_evidence_of_its_last_death() -> None:
    sim = cluster(5)
    sim.crash("n3")
    expect_seen(sim, "n3", "dead", within=crash_bound_s(sim.config))
    sim.start("n3", seeds=("n0",))
    sim.run(3)
    node = sim.nodes["n0"]
    why = node.protocol.explain("n3", node.local_time(sim.now))
    assert why is not None
    assert why.member.status is Status.ALIVE
    assert why.died_at is not None
    assert why.told
    assert "'n0' found it, or an earlier process of that name, dead. The evidence:" in str(why)
