"""Invariants: each one fires when what it guards is broken, and says what, when and where."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import attrs
import pytest

from gossip.core import journal
from gossip.core.belief import Belief, Verdict
from gossip.core.detection import detector
from gossip.core.detection.stages import TABLE, Action, Happening, Row, Stage
from gossip.core.events import EventKind
from gossip.core.presence.farewell import Farewell
from gossip.core.presence.standing import OwnStanding
from gossip.core.protocol import Protocol, ProtocolLoad
from gossip.core.state.entry import Entry
from gossip.core.state.hearing import CONVICTION_STEPS, Hearing
from gossip.core.state.heartbeat import MAX_STEPS_AHEAD, HeartbeatEstimate
from gossip.core.state.local import LocalMember
from gossip.core.state.member import Identity, Record, Registers, Status
from gossip.core.support.address import Address
from gossip.core.wire.messages import DeadFact, RecordFact, SuspectFact
from sims.invariants import Violated, all_invariants, registers
from sims.plan import Plan
from sims.running import Run, Violation
from sims.running.run import CHECK_EVERY_S, REMEMBERED_EVENTS
from sims.scenarios import find
from sims.steps import AnyStep, Crash, Disturb, Leave, Pause, Restart, Start, Update
from sims.world import Simulation
from tests.core.worlds import entry_of, inject, isolate, mute, presented

AT = 6.0
"""When something is broken."""

SEED = 5


def _nothing(_sim: Simulation) -> None:
    pass


def _ran(*steps: AnyStep, breaking: Callable[[Simulation], None] = _nothing, checks: bool = True,
         **fields: Any) -> tuple[Violation, ...]:  # fmt: skip
    """What a run of a small cluster finds violated, in which something is broken at :data:`AT`."""
    plan = Plan(**{"scenario": "test", "seed": SEED, "nodes": 4, "duration_s": 20.0, "steps": steps, **fields})
    run = Run(plan, checks=checks)
    run.sim.at(AT, breaking, run.sim)
    return run.run().violations


def _believes(changed: Callable[[Registers], Registers]) -> Callable[[Simulation], None]:
    """Break what ``n0`` holds of ``n1``, behind the back of its view."""

    def breaking(sim: Simulation) -> None:
        entry = entry_of(sim.nodes["n0"], "n1")
        entry.registers = changed(entry.registers)

    return breaking


def _only(violations: tuple[Violation, ...], invariant: str) -> Violation:
    assert [each.invariant for each in violations] == [invariant]
    return violations[0]


# --- what a violation says


def test_nothing_is_violated_where_nothing_is_broken() -> None:
    assert _ran(Crash(at=AT, node="n2"), Pause(at=AT, for_s=9.0, node="n3"), agree_within_s=30.0) == ()


def test_a_violation_names_invariant_seed_time_nodes_and_the_last_that_happened() -> None:
    steps = (Update(at=3.0, node="n2", metadata={"a": "b"}), Pause(at=5.0, for_s=0.1, node="n3"))
    violation = _only(_ran(*steps, breaking=_believes(lambda each: each._replace(left=1))), "NothingInvented")
    assert (violation.seed, violation.nodes) == (SEED, 4)
    assert AT <= violation.at <= AT + CHECK_EVERY_S
    assert violation.text == "n0 believes of n1 that it left, which it did not"
    assert len(violation.last_events) <= REMEMBERED_EVENTS
    assert any("updated n2" in line for line in violation.last_events)
    assert violation.last_events[-1] == f"5.100 end {steps[1]}"
    told = str(violation)
    for part in ("NothingInvented", f"seed {SEED}", f"{violation.at:.3f} s", "4 nodes", violation.text, "end Pause"):
        assert part in told


def test_a_run_stops_at_the_first_violation() -> None:
    run = Run(Plan(scenario="test", seed=SEED, nodes=4, duration_s=500.0))
    run.sim.at(AT, _believes(lambda each: each._replace(left=1)), run.sim)
    outcome = run.run()
    assert not outcome.is_good
    assert outcome.virtual_s == outcome.violations[0].at <= AT + CHECK_EVERY_S


def test_who_wants_no_checks_gets_none() -> None:
    assert _ran(breaking=_believes(lambda each: each.at(10_000)), checks=False) == ()


def test_every_invariant_has_its_test_here() -> None:
    names = {type(each).__name__ for each in all_invariants()}
    assert names == {
        "CounterNeverRegresses",
        "RegistersOnlyGrow",
        "NothingInvented",
        "NoReturnOfTheDeparted",
        "TheBuriedStayBuried",
        "TheDeafDieOnce",
        "StatusFollowsRegisters",
        "FingerprintIsTheView",
        "EventsTellTheMembers",
        "ConflictsAreTold",
        "StandstillsAreTold",
        "SuspectsHaveTime",
        "NobodyIsConvictedUnasked",
        "FarewellsAreAcknowledged",
        "DatagramsFit",
        "EverythingIsBounded",
    }


# --- CounterNeverRegresses


def test_a_counter_that_goes_back_is_found_out(monkeypatch: pytest.MonkeyPatch) -> None:
    def breaking(_sim: Simulation) -> None:
        monkeypatch.setattr(LocalMember, "refresh", late)

    def late(self: LocalMember, now: float) -> None:
        self.entry.registers = self.entry.registers.at(self.heartbeat(now) - 20)

    assert "back to" in _only(_ran(breaking=breaking), "CounterNeverRegresses").text


def test_a_restart_under_an_earlier_generation_is_found_out() -> None:
    def breaking(sim: Simulation) -> None:
        sim.crash("n1")
        sim.start("n1", clock_ms=-1_000_000)

    assert "n1 went from generation" in _only(_ran(breaking=breaking), "CounterNeverRegresses").text


# --- RegistersOnlyGrow


def test_a_register_that_goes_back_is_found_out() -> None:
    first: list[Record] = []
    run = Run(Plan(scenario="test", seed=SEED, nodes=4, steps=(Update(at=3.0, node="n1", metadata={"a": "b"}),)))
    run.sim.at(2.0, lambda: first.append(entry_of(run.sim.nodes["n0"], "n1").registers.record))
    run.sim.at(AT, lambda: _believes(lambda each: each._replace(record=first[0]))(run.sim))
    assert _only(run.run().violations, "RegistersOnlyGrow").text.startswith("n0 went back from ")


def test_an_absurd_lie_is_found_out_if_it_is_believed() -> None:
    def breaking(sim: Simulation) -> None:
        sim.tainted.add(sim.nodes["n1"].id)
        _believes(lambda each: each.at(1000 * MAX_STEPS_AHEAD))(sim)

    assert (
        "n0 believes the registers (36000000, 0, 0, 0) of n1 after ("
        in _only(_ran(breaking=breaking), "RegistersOnlyGrow").text
    )


# --- NothingInvented


@pytest.mark.parametrize(
    ("changed", "complaint"),
    [
        (lambda each: each.at(each.heartbeat + 10_000), "n0 believes of n1 the counter"),
        (lambda each: each._replace(accused=3), "n0 believes of n1 that it was accused at 3"),
        (lambda each: each._replace(convicted=3), "n0 believes of n1 that it was convicted at 3"),
        (lambda each: each._replace(left=3), "n0 believes of n1 that it left"),
        (lambda each: each._replace(record=attrs.evolve(each.record, version=9)), "n0 believes of n1 the record"),
        (
            lambda each: each._replace(record=attrs.evolve(each.record, metadata={"a": "b"})),
            "n0 believes of n1 the record",
        ),
    ],
)
def test_what_nobody_said_of_a_member_is_found_out(changed: Callable[[Registers], Registers], complaint: str) -> None:
    assert complaint in _only(_ran(breaking=_believes(changed)), "NothingInvented").text


def test_a_member_that_nobody_ever_was_is_found_out() -> None:
    def breaking(sim: Simulation) -> None:
        ghost = presented(66, "ghost", 1_700_000_000_000, 1, Address("10.9.9.9", 7946), {}, 1)
        inject(sim, ["n0"], ghost)

    assert "ghost, id 42, which no member ever had" in _only(_ran(breaking=breaking), "NothingInvented").text


@pytest.mark.parametrize(
    ("at", "steps", "is_invented"),
    [(15.0, 3 * CONVICTION_STEPS, False), (15.0, 3 * CONVICTION_STEPS - 1, True), (8.0, 3 * CONVICTION_STEPS, True)],
)
def test_a_floor_may_lie_many_convictions_above_that_of_an_accuser_if_the_member_has_reached_the_one_before(
    at: float, steps: int, is_invented: bool
) -> None:
    """A node that has seen a counter between an accusation and its conviction takes the conviction for an accusation.
    Several nodes may do so one after the other, each at a higher floor."""
    believed = []

    def breaking(sim: Simulation) -> None:
        sim.at(at - 0.0005, tell, sim)  # the invariant is checked before the member has refuted it

    def tell(sim: Simulation) -> None:
        entry = entry_of(sim.nodes["n0"], "n1")
        floor = entry.registers.accused + steps
        inject(sim, ["n0"], SuspectFact(entry.id, floor, (1,), entry.registers.heartbeat))
        believed.append(entry.registers.accused == floor)

    found = _ran(Disturb(at=0.5, for_s=4.0, sources=("n1",)), breaking=breaking)
    assert believed == [True]
    assert [each.invariant for each in found] == (["NothingInvented"] if is_invented else [])


def test_what_was_forged_on_purpose_is_no_invention_of_the_protocol() -> None:
    def breaking(sim: Simulation) -> None:
        sim.tainted.add(sim.nodes["n1"].id)
        _believes(lambda each: each._replace(accused=3))(sim)

    assert _ran(breaking=breaking) == ()


# --- NoReturnOfTheDeparted


def _old_word_of_n1(sim: Simulation, record_of: Entry) -> None:
    """Somebody tells ``n0`` of n1 as it once was."""
    registers = record_of.registers
    inject(sim, ["n0"], RecordFact(registers.record, registers.heartbeat + 1))


def test_a_member_that_left_and_is_seen_again_is_found_out() -> None:
    def breaking(sim: Simulation) -> None:
        view = sim.nodes["n0"].protocol.view
        entry = entry_of(sim.nodes["n0"], "n1")
        assert entry.status is Status.LEFT
        view._remove(entry)  # forgotten, and no tombstone
        _old_word_of_n1(sim, entry)

    violation = _only(_ran(Leave(at=3.0, node="n1"), breaking=breaking), "NoReturnOfTheDeparted")
    assert violation.text == "n0 saw n1 return after it had left"


def test_a_superseded_generation_that_is_seen_again_is_found_out(monkeypatch: pytest.MonkeyPatch) -> None:
    before: list[Entry] = []

    def breaking(sim: Simulation) -> None:
        monkeypatch.setattr(Identity, "supersedes", lambda _self, _other: True)
        _old_word_of_n1(sim, before[0])

    def remember(sim: Simulation) -> None:
        before.append(entry_of(sim.nodes["n0"], "n1"))

    plan = Plan(scenario="test", seed=SEED, nodes=4, steps=(Restart(at=3.0, node="n1"),))
    run = Run(plan)
    run.sim.at(2.0, remember, run.sim)
    run.sim.at(AT, breaking, run.sim)
    violation = _only(run.run().violations, "NoReturnOfTheDeparted")
    assert violation.text == "n0 saw a superseded generation of n1 return"
    assert violation.at == AT


# --- TheBuriedStayBuried


def test_a_member_that_was_buried_and_is_taken_in_again_is_found_out() -> None:
    """It was found dead some seconds after 3 s, was forgotten until 17 s, and its tombstone stands until 20 s."""
    old: list[Entry] = []
    plan = Plan(scenario="test", seed=SEED, nodes=4, profile="local", settings={"forget_after": 8.0},
                steps=(Crash(at=3.0, node="n1"),), duration_s=25.0)  # fmt: skip

    def run(breaking: Callable[[Simulation], None]) -> tuple[Violation, ...]:
        run = Run(plan)
        run.sim.at(2.0, lambda: old.append(entry_of(run.sim.nodes["n0"], "n1")))
        run.sim.at(18.0, breaking, run.sim)
        return run.run().violations

    def dig_up(sim: Simulation) -> None:
        sim.nodes["n0"].protocol.view._tombstones.clear()
        _old_word_of_n1(sim, old[-1])

    assert run(lambda sim: _old_word_of_n1(sim, old[-1])) == (), "its tombstone stands"
    assert "n0 took n1 in again after it had buried it" in _only(run(dig_up), "TheBuriedStayBuried").text


# --- TheDeafDieOnce


def test_a_deaf_member_that_is_brought_back_by_being_heard_is_found_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Hearing, "vouched_until", lambda _self, _started: math.inf)  # its counter simply runs,
    monkeypatch.setattr(Hearing, "has_ceased", lambda _self, _now: False)
    monkeypatch.setattr(detector, "CONVICTION_STEPS", 1)  # and passes any floor
    monkeypatch.setattr(registers, "CONVICTION_STEPS", 1)
    deaf = Disturb(at=3.0, for_s=60.0, destinations=("n1",), both_ways=False)
    violation = _only(_ran(deaf, nodes=2, seed=1, duration_s=60.0), "TheDeafDieOnce")
    assert violation.text.endswith("told twice that n1 died, but n1 heard nothing in between")
    monkeypatch.undo()
    assert _ran(deaf, nodes=2, seed=1, duration_s=60.0) == ()


# --- StatusFollowsRegisters


def test_a_status_that_does_not_follow_from_the_registers_is_found_out(monkeypatch: pytest.MonkeyPatch) -> None:
    def undying(self: Registers) -> Status:
        return Status.SUSPECT if max(self.accused, self.convicted) > self.heartbeat else Status.ALIVE

    monkeypatch.setattr(Registers, "status", property(undying))
    violation = _only(_ran(Crash(at=3.0, node="n1")), "StatusFollowsRegisters")
    assert violation.text.endswith("has n1 as Status.SUSPECT, not Status.DEAD")


def test_a_ring_that_holds_others_than_the_living_is_found_out() -> None:
    def breaking(sim: Simulation) -> None:
        sim.tainted.add(sim.nodes["n1"].id)
        _believes(lambda each: each._replace(convicted=each.heartbeat + 100))(sim)

    violation = _only(_ran(breaking=breaking), "StatusFollowsRegisters")
    assert violation.text == "n0 has 4 on its ring and 3 living members"


# --- FingerprintIsTheView


def test_a_fingerprint_that_is_not_of_the_view_is_found_out() -> None:
    def breaking(sim: Simulation) -> None:
        sim.nodes["n2"].protocol.view.fingerprint ^= 1

    assert _only(_ran(breaking=breaking), "FingerprintIsTheView").text.startswith("n2 has fingerprint ")


# --- EventsTellTheMembers


@pytest.mark.parametrize("kind", [EventKind.DIED, EventKind.JOINED, EventKind.UPDATED])
def test_what_a_program_is_not_told_is_found_out(kind: EventKind, monkeypatch: pytest.MonkeyPatch) -> None:
    honest = journal.kinds_of
    monkeypatch.setattr(journal, "kinds_of", lambda change: [each for each in honest(change) if each is not kind])
    steps = (Crash(at=5.0, node="n1"), Start(at=5.0, node="x"), Update(at=5.0, node="n2", metadata={"a": "b"}))
    assert _ran(*steps)[0].invariant == "EventsTellTheMembers"


def test_what_a_program_is_told_of_somebody_it_never_heard_of_is_found_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(journal, "kinds_of", lambda _change: [EventKind.RESTORED])
    violation = _only(_ran(Start(at=5.0, node="x")), "EventsTellTheMembers")
    assert violation.text.endswith(", but never told of it before")


# --- ConflictsAreTold


def test_a_conflict_that_is_not_told_is_found_out(monkeypatch: pytest.MonkeyPatch) -> None:
    rival = Start(at=3.0, node="rival", name="n1")
    assert _ran(rival) == ()
    monkeypatch.setattr(journal.Journal, "note_conflict", lambda _self, _member, _now: None)
    assert (
        _only(_ran(rival), "ConflictsAreTold").text
        == "n1 is displaced, and did not tell that another process has its name"
    )


# --- StandstillsAreTold


def test_a_standstill_that_is_not_told_is_found_out(monkeypatch: pytest.MonkeyPatch) -> None:
    pause = Pause(at=5.0, for_s=2.7, node="n1")
    assert _ran(pause) == ()
    monkeypatch.setattr(OwnStanding, "stood_still", lambda _self, _late, _now: None)
    assert _only(_ran(pause), "StandstillsAreTold").text.startswith("n1 was paused for 2.7")


def test_time_in_which_a_node_runs_but_hears_nothing_is_no_standstill() -> None:
    plan = find("gc-pauses").plan(seed=7, nodes=32, changes={"suspicion_min": "1.0", "most_s": "1.5"})
    assert Run(plan).run().violations == ()


# --- SuspectsHaveTime


def test_a_lone_accuser_that_does_not_wait_is_found_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(detector, "suspicion_timeout", lambda *_: 0.3)
    crash, alone = Crash(at=5.0, node="n1"), {"witnesses": 0.0}
    assert "held n1 dead 0.7" in _only(_ran(crash, settings=alone, seed=1), "SuspectsHaveTime").text


def test_who_believes_a_death_at_once_is_found_out(monkeypatch: pytest.MonkeyPatch) -> None:
    def breaking(sim: Simulation) -> None:
        entry = entry_of(sim.nodes["n0"], "n1")
        inject(sim, ["n0"], DeadFact(entry.id, entry.registers.heartbeat + 90, (1,)))

    assert _ran(breaking=breaking)[0].invariant == "NothingInvented", "it is only suspected"
    early = Stage.SUSPECTED, Happening.EARLY_CONVICTION_HEARD
    monkeypatch.setitem(TABLE, early, Row(Stage.SUSPECTED, (Action.CONVICT,)))
    assert "0.000 s after it first suspected it" in _only(_ran(breaking=breaking), "SuspectsHaveTime").text


# --- NobodyIsConvictedUnasked


def test_a_conviction_without_a_last_question_is_found_out(monkeypatch: pytest.MonkeyPatch) -> None:
    due = Stage.SUSPECTED, Happening.DUE
    monkeypatch.setitem(TABLE, due, Row(Stage.SUSPECTED, (Action.CONVICT,)))
    violation = _only(_ran(Crash(at=5.0, node="n1"), nodes=16, seed=2), "NobodyIsConvictedUnasked")
    assert "convicted n1 after asking it 0 times" in violation.text


# --- FarewellsAreAcknowledged


def test_a_farewell_that_nobody_has_heard_yet_is_found_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Farewell, "is_done", property(lambda _self: True))
    violation = _only(_ran(Leave(at=5.0, node="n1")), "FarewellsAreAcknowledged")
    assert violation.text == "n1 counts its farewell as acknowledged by 3, but 0 did so"


def test_who_acknowledges_a_farewell_and_does_not_take_it_in_is_found_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Belief, "_farewell", lambda *_: Verdict.KNOWN)
    violation = _only(_ran(Leave(at=5.0, node="n1")), "FarewellsAreAcknowledged")
    assert violation.text.endswith("acknowledged the farewell of n1, but does not know that it left")


# --- DatagramsFit


def test_a_datagram_that_is_too_large_is_found_out(monkeypatch: pytest.MonkeyPatch) -> None:
    somewhere = Address("10.0.0.1", 7946)
    monkeypatch.setattr(Protocol, "datagrams_to_send", lambda _self, _now: [(bytes(1200), somewhere)])
    assert _ran(duration_s=2.0) == ()
    monkeypatch.setattr(Protocol, "datagrams_to_send", lambda _self, _now: [(bytes(1201), somewhere)])
    assert _only(_ran(), "DatagramsFit").text == f"n0 sent 1201 bytes to {somewhere}"


# --- EverythingIsBounded


@pytest.mark.parametrize("name", ProtocolLoad._fields)
def test_whatever_grows_without_bound_is_found_out(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    honest = vars(Protocol)["load"]

    def leaking(self: Protocol) -> ProtocolLoad:
        load: ProtocolLoad = honest.fget(self)
        return load._replace(**{name: 1_000_000})

    monkeypatch.setattr(Protocol, "load", property(leaking))
    assert f"holds 1000000 {name}; the bound is " in _only(_ran(), "EverythingIsBounded").text


# --- NothingRaises


def test_a_core_that_raises_is_found_out_with_the_place(monkeypatch: pytest.MonkeyPatch) -> None:
    def raising(_self: Protocol, _now: float) -> None:
        raise LookupError("lost")

    def breaking(_sim: Simulation) -> None:
        monkeypatch.setattr(Protocol, "handle_timer", raising)

    violation = _only(_ran(breaking=breaking), "NothingRaises")
    assert violation.text.startswith("LookupError('lost') at test_invariants.py:")
    assert AT <= violation.at <= AT + 1.0


# --- what a plan demands


def test_those_who_do_not_agree_in_the_end_are_found_out() -> None:
    def breaking(sim: Simulation) -> None:
        mute(sim, "n1")

    violation = _only(_ran(breaking=breaking, agree_within_s=15.0), "AllAgreeInTheEnd")
    assert "does not see ['n1']" in violation.text
    assert violation.at == 15.0
    assert any("died n1" in line for line in violation.last_events)


def test_a_disagreement_that_a_cut_leaves_behind_is_a_violation_at_the_end_of_the_time_to_agree() -> None:
    crash = Crash(at=AT, node="n1")
    violation = _only(_ran(crash, agree_within_s=0.5, duration_s=1.0), "AllAgreeInTheEnd")
    assert violation.at == AT + 0.5
    assert "['n1'], which are not there" in violation.text
    assert _ran(crash, duration_s=1.0) == (), "nobody asked for agreement"


def test_a_run_that_does_not_spare_the_living_is_found_out() -> None:
    def breaking(sim: Simulation) -> None:
        mute(sim, "n1")

    violation = _only(_ran(breaking=breaking, spares="the healthy"), "SparesTheLiving")
    assert violation.text == "3 times a running member was held dead; the plan spares the healthy"
    assert _ran(breaking=breaking, spares="nobody") == ()


def test_a_healthy_member_that_is_suspected_is_found_out_where_it_should_not_be() -> None:
    def breaking(sim: Simulation) -> None:
        mute(sim, "n1")

    violation = _only(_ran(breaking=breaking, suspects_the_healthy=False), "NobodyHealthyIsSuspected")
    assert "suspects n1, accused by n" in violation.text
    assert _ran(breaking=breaking) == ()
    pause = Pause(at=5.0, for_s=3.0, node="n1")
    assert _ran(pause, suspects_the_healthy=False) == (), "it is not healthy"


def test_a_floor_that_no_honest_member_can_show_is_found_out(monkeypatch: pytest.MonkeyPatch) -> None:
    honest = HeartbeatEstimate.floor
    monkeypatch.setattr(HeartbeatEstimate, "floor", lambda self, since: honest(self, since) + 10)
    violation = _only(_ran(Crash(at=5.0, node="n1"), suspects_the_healthy=False), "FloorsAreFair")
    assert "accuses n1 at" in violation.text


@pytest.mark.parametrize("end", [Crash(at=5.0, node="n1"), Leave(at=5.0, node="n1")])
def test_an_end_that_is_not_known_in_time_is_found_out(end: AnyStep) -> None:
    run = Run(Plan(scenario="test", seed=SEED, nodes=6, steps=(end,), duration_s=20.0, known_within_s=5.0))
    run.sim.at(4.9, isolate, run.sim, "n0")
    assert _only(run.run().violations, "KnownInTime").text.startswith("n0 still believes n1 alive, which ended at 5.")
    assert _ran(end, known_within_s=12.0) == ()


def test_a_farewell_that_nobody_acknowledges_is_found_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Farewell, "acknowledged", lambda *_: False)
    violation = _only(_ran(Leave(at=5.0, node="n1"), known_within_s=12.0), "KnownInTime")
    assert violation.text == "n1 ended, and only () acknowledged its farewell"


def test_a_violation_carries_the_name_of_its_invariant() -> None:
    assert {each.violated("text").invariant for each in all_invariants()} == {
        type(each).__name__ for each in all_invariants()
    }
    assert str(Violated("Some", "text")) == "text"


def test_a_floor_that_an_isolated_member_has_raised_was_not_invented() -> None:
    """Its program is told nothing of others meanwhile, so no event speaks of that accusation."""
    assert not Run(find("swarm").plan(seed=0)).run().violations
