"""Evidence: whatever happens, an explanation says why, is bounded and in order, and survives the wire."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import attrs
import cbor2
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gossip.core.detection.evidence import EVIDENCE_KEPT, PROBES_EXPLAINED, Asked, Explanation, Told
from gossip.core.detection.stages import PROBING, SUSPICION, Stage
from gossip.core.errors import WireError
from gossip.core.events import EventKind, MembershipEvent
from gossip.core.state.member import Identity, Member, Record, Status
from gossip.core.support.address import Address
from gossip.core.wire.messages import DeadFact, SuspectFact
from sims.plan import Plan
from sims.running import Run
from sims.steps import AnyStep, Block, Crash, Disturb, Forge, Leave, Pause, Restart, Update
from sims.world import Link, LinkChange, Observer, SimulatedNode, Simulation
from tests.core.worlds import entry_of, inject

MS = 0.001

MEMBER: Member = Record(Identity("ada", 1, 2), 1, Address("10.0.0.1", 7946), {}).member(Status.DEAD)

KEYS = st.sampled_from([f"n{number}" for number in range(4)])
TIMES = {"at": st.floats(0, 20), "node": KEYS}
FAULTS: st.SearchStrategy[AnyStep] = st.one_of(
    st.builds(Crash, **TIMES, refused=st.booleans()),
    st.builds(Restart, **TIMES),
    st.builds(Leave, **TIMES),
    st.builds(Update, **TIMES, metadata=st.just({"a": "b"})),
    st.builds(Pause, **TIMES, for_s=st.floats(0, 10)),
    st.builds(Block, **TIMES, for_s=st.floats(0, 10)),
    st.builds(Forge, **TIMES, kind=st.just("death"), told=st.lists(KEYS, min_size=1, max_size=2, unique=True)),
    st.builds(
        Disturb, at=st.floats(0, 20), for_s=st.floats(0, 15),
        sources=st.lists(KEYS, min_size=1, max_size=2, unique=True), both_ways=st.booleans(),
        change=st.none() | st.builds(LinkChange, loss=st.floats(0.3, 0.9)),
    ),
)  # fmt: skip
PLANS = st.builds(
    Plan,
    scenario=st.just("any"),
    seed=st.integers(0, 2**32),
    nodes=st.integers(4, 7),
    link=st.builds(Link, loss=st.floats(0, 0.5)),
    steps=st.lists(FAULTS, max_size=4).map(tuple),
    settings=st.sampled_from([{}, {"forget_after": 5.0}]),
    duration_s=st.just(30.0),
)

seconds = st.floats(-1e6, 1e6)
"""Before the moment of the explanation."""
names = st.text(st.characters(codec="utf-8", categories=["L", "N"]), min_size=1, max_size=8)
some_names = st.lists(names, max_size=4).map(tuple)
counters = st.integers(0, 2**62)
explanations = st.builds(
    Explanation,
    member=st.just(MEMBER),
    node=names,
    time=st.floats(1e6, 2e6),
    probing=st.sampled_from(PROBING),
    suspicion=st.sampled_from(SUSPICION),
    since=st.none() | seconds,
    counter=counters,
    silent_for=st.floats(0, 1e6),
    floor=counters,
    accusers=some_names,
    deadline=st.none() | st.floats(2e6, 3e6),
    asked=st.lists(
        st.builds(
            Asked, names, seconds, st.none() | seconds, st.integers(1, 3), names, some_names, some_names, st.booleans(),
            st.booleans(), st.booleans(),
        ),
        max_size=PROBES_EXPLAINED,
    ).map(tuple),
    told=st.lists(
        st.builds(Told, seconds, names, some_names, counters, st.booleans()), max_size=EVIDENCE_KEPT
    ).map(tuple),
)  # fmt: skip
contents = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.binary()
    | st.sampled_from([each.value for each in Stage]) | st.just(10**400),
    lambda inner: st.lists(inner, max_size=12) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=30,
)  # fmt: skip


class Deaths(Observer):
    """Every death that a core tells."""

    def __init__(self) -> None:
        self.told: list[MembershipEvent] = []

    def happened(self, node: SimulatedNode, event: MembershipEvent, cause: Address | None) -> None:
        if event.kind is EventKind.DIED:
            self.told.append(event)


def explanation_of(sim: Simulation, node: str, member: str) -> Explanation:
    """What one node has to say about a member now."""
    process = sim.nodes[node]
    found = process.protocol.explain(member, process.local_time(sim.now))
    assert found is not None
    return found


def assert_is_in_order(explanation: Explanation) -> None:
    began, told = [each.began for each in explanation.asked], [each.at for each in explanation.told]
    assert told == sorted(told)
    assert len(told) <= EVIDENCE_KEPT
    assert len([each for each in explanation.asked if each.ended is not None]) <= EVIDENCE_KEPT
    assert len(began) <= PROBES_EXPLAINED
    assert max([*began, *told], default=0.0) <= explanation.time
    assert all(each.ended is None or each.began <= each.ended for each in explanation.asked)


# --- whatever happens


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(PLANS)
def test_every_death_is_explained(plan: Plan) -> None:
    deaths = Deaths()
    Run(plan, observers=[deaths], checks=False).run()
    for event in deaths.told:
        why = event.explanation
        assert why is not None
        assert why.member.id == event.member.id
        assert why.member.status is Status.DEAD
        assert why.floor > why.counter
        assert any(each.is_conviction for each in why.told)
        assert_is_in_order(why)
        text = str(why)
        assert all(repr(each) in text for each in event.accusers)
        assert_is_equal(from_wire(why), why)


@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(PLANS)
def test_whatever_is_believed_of_a_member_can_be_explained(plan: Plan) -> None:
    run = Run(plan, checks=False)
    run.run()
    for node in run.sim.running:
        for entry in node.view:
            why = explanation_of(run.sim, node.key, entry.identity.name)
            assert_is_in_order(why)
            assert why.member == entry.snapshot()
            if entry.status is not Status.DEAD:
                assert (why.suspicion is not Stage.UNSUSPECTED) == (entry.status is Status.SUSPECT)
            assert (why.floor > why.counter) == (entry.status in (Status.SUSPECT, Status.DEAD))
            is_healthy = why.probing in (Stage.NOT_PROBED, Stage.PROBED) and entry.status is Status.ALIVE
            assert ("there is no evidence against it" in str(why)) == is_healthy


def test_nothing_speaks_against_a_healthy_member() -> None:
    run = Run(Plan(scenario="calm", seed=1, nodes=4, duration_s=20.0))
    run.run()
    for node in run.sim.running:
        for name in set(run.sim.nodes) - {node.key}:
            why = explanation_of(run.sim, node.key, name)
            assert str(why) == f"'{name}' is alive: there is no evidence against it."
            assert (why.told, why.accusers, why.floor, why.since, why.deadline) == ((), (), 0, None, None)


@pytest.mark.parametrize("kind", [SuspectFact, DeadFact])
def test_what_a_sender_without_a_name_tells_is_not_taken_for_an_own_finding(
    kind: type[SuspectFact] | type[DeadFact],
) -> None:
    sim = Simulation(seed=1)
    sim.start_many(3)
    sim.run(10.0)
    entry = entry_of(sim.nodes["n0"], "n1")
    inject(sim, ["n0"], kind(entry.id, entry.registers.heartbeat + 90, (sim.nodes["n2"].id,), 0))
    told = explanation_of(sim, "n0", "n1").told
    assert {each.by for each in told} == {"anonymous"}
    assert "'anonymous' reports that 'n2' accused it" in str(explanation_of(sim, "n0", "n1"))


# --- on the wire


def from_wire(explanation: Explanation) -> Explanation:
    return Explanation.from_wire(cbor2.loads(cbor2.dumps(explanation.to_wire())), explanation.member)


def assert_is_equal(after: Explanation, before: Explanation) -> None:
    """Whether two explanations say the same, up to a millisecond, each in its own time."""

    def fields(each: Explanation) -> dict[str, Any]:
        return {
            name: value for name, value in attrs.asdict(each, recurse=False).items()
            if name not in ("time", "silent_for", "since", "died_at", "deadline", "asked", "told")
        }  # fmt: skip

    def times(each: Explanation) -> list[float]:
        found = [each.since, each.died_at, each.deadline, *(part.at for part in each.told)]
        found += [when for part in each.asked for when in (part.began, part.ended)]
        return [when - each.time for when in found if when is not None]

    assert fields(after) == fields(before)
    assert after.time == 0.0
    assert after.silent_for == pytest.approx(before.silent_for, abs=MS)
    assert times(after) == pytest.approx(times(before), abs=MS)
    asked = [(attrs.evolve(part, began=0.0, ended=None), part.ended is None) for part in after.asked]
    assert asked == [(attrs.evolve(part, began=0.0, ended=None), part.ended is None) for part in before.asked]
    assert [attrs.evolve(part, at=0.0) for part in after.told] == [attrs.evolve(part, at=0.0) for part in before.told]


WRONG: list[Any] = [None, True, -1, 2**62, 2**63, 10**400, 0.5, "ada", "a\nb", "suspected", b"", [], [[]], [1], {}]
"""Items that belong in some places, and in most do not."""


def places(content: list[Any]) -> Iterator[tuple[list[Any], int]]:
    """Every place in nested lists: the list, and the number in it."""
    for number, each in enumerate(content):
        yield content, number
        if type(each) is list:
            yield from places(each)


@given(explanations)
def test_an_explanation_survives_the_wire(explanation: Explanation) -> None:
    assert_is_equal(from_wire(explanation), explanation)


@given(contents)
def test_other_content_is_refused_with_a_reason(content: Any) -> None:
    with pytest.raises(WireError):
        Explanation.from_wire(content, MEMBER)


@given(explanations.filter(lambda each: bool(each.asked and each.told)), st.sampled_from(WRONG))
def test_one_wrong_item_in_any_place_does_no_harm(explanation: Explanation, wrong: Any) -> None:
    content: Any = cbor2.loads(cbor2.dumps(explanation.to_wire()))
    for place, number in places(content):
        right, place[number] = place[number], wrong
        try:
            found = Explanation.from_wire(content, MEMBER)
        except WireError:
            pass
        else:
            assert str(found)
            assert cbor2.dumps(found.to_wire())
        place[number] = right


@given(explanations)
def test_more_evidence_than_is_kept_is_refused(explanation: Explanation) -> None:
    told, asked = Told(0.0, "ada", (), 1), Asked("last probe", 0.0, None, 1, "10.0.0.1:7946")
    with pytest.raises(WireError):
        from_wire(attrs.evolve(explanation, told=(told,) * (EVIDENCE_KEPT + 1)))
    with pytest.raises(WireError):
        from_wire(attrs.evolve(explanation, asked=(asked,) * (PROBES_EXPLAINED + 1)))
