"""An explanation says why a member was held dead: who asked in vain, who accused, how it spread, what was lost."""

from __future__ import annotations

import re

import attrs
import pytest

from gossip.core.errors import ConfigurationError
from gossip.core.events import EventKind, MembershipEvent
from gossip.core.support.address import Address
from sims.explain import MAX_TOLD, Explanation, explain
from sims.explain.evidence import Inquiry
from sims.plan import Plan
from sims.running import Run
from sims.steps import AnyStep, Crash, Disturb, Forge, Leave, Pause, Restart
from sims.world import Link, LinkChange, Observer, SimulatedNode

OTHERS = ("n0", "n1", "n2", "n4", "n5")


def plan_of(*steps: AnyStep, nodes: int = 6, link: Link | None = None, duration_s: float = 20.0) -> Plan:
    return Plan(scenario="life", seed=1, nodes=nodes, link=link or Link(), steps=steps, duration_s=duration_s)


class Deaths(Observer):
    """Who held whom dead, and when, as members tell it."""

    def __init__(self) -> None:
        self.told: list[tuple[str, str, float]] = []

    def happened(self, node: SimulatedNode, event: MembershipEvent, cause: Address | None) -> None:
        if event.kind is EventKind.DIED:
            self.told.append((event.member.name, node.key, self.sim.now))


def shape(inquiry: Inquiry) -> str:
    """How much there is to a question: a ping alone, one with helpers, or one with a stream as well."""
    return "S" if inquiry.streams else "H" if inquiry.helpers else "p"


def deaths_in(plan: Plan) -> list[tuple[str, str, float]]:
    deaths = Deaths()
    Run(plan, observers=[deaths]).run()
    return deaths.told


@pytest.fixture(scope="module")
def crashed() -> Explanation:
    return explain(plan_of(Crash(at=5.0, node="n3")), "n3")


# --- a crash


def test_a_crash_is_told_as_the_description_of_the_protocol_has_it(crashed: Explanation) -> None:
    """Its worked example: two looks, each with helpers in the end, an accusation, a last question, a conviction."""
    (death,) = crashed.deaths
    first = death.cases[0]
    times = [inquiry.at - death.zero for inquiry in first.inquiries]
    assert times == pytest.approx([0.0, 0.1, 0.65, 0.75, 1.6, 1.7], abs=0.01)
    assert [len(each.pings) for each in first.inquiries] == [1] * 6
    assert [len(each.helpers) for each in first.inquiries] == [0, 3, 0, 3, 0, 0]
    assert [len(each.streams) for each in first.inquiries] == [0, 0, 0, 1, 0, 0]
    assert first.accusation.raised
    assert first.accusation.at - death.zero == pytest.approx(1.05, abs=0.01)
    assert death.died[0].at - death.zero == pytest.approx(1.8, abs=0.01)


def test_helpers_asked_twice_and_said_so(crashed: Explanation) -> None:
    asked = [inquiry for case in crashed.deaths[0].cases for inquiry in case.inquiries]
    requests = [request for inquiry in asked for request in inquiry.helpers]
    assert len(requests) >= 6
    assert {len(request.questions) for request in requests} == {2}
    assert all(request.reply is not None and not request.is_good_news for request in requests)
    told = str(crashed).count("asked to help: 2 pings: arrived after its process had ended; NACK arrived")
    assert told == len(requests)


def test_witnesses_ask_three_times_and_join_the_accusers(crashed: Explanation) -> None:
    witnesses = [case for case in crashed.deaths[0].cases if "".join(map(shape, case.inquiries)).startswith("ppp")]
    assert len(witnesses) >= 2
    for case in witnesses:
        assert not case.accusation.raised
        assert case.accusation.floor == crashed.deaths[0].floor
        assert case.accusation.at - crashed.deaths[0].zero == pytest.approx(1.35, abs=0.02)


def test_a_member_that_crashed_was_not_wronged(crashed: Explanation) -> None:
    assert not crashed.deaths[0].was_running
    assert [str(step) for step in crashed.deaths[0].faults] == ["Crash(at=5.0, node='n3', refused=False)"]
    text = str(crashed)
    assert "It was not running: its process had ended at" in text
    assert "this death is false" not in text
    assert "no message showed such a counter in time" in text
    assert "it did not, before the end of the run" in text


def test_all_who_held_it_dead_are_told_with_their_times(crashed: Explanation) -> None:
    told = [(key, at) for name, key, at in deaths_in(plan_of(Crash(at=5.0, node="n3"))) if name == "n3"]
    assert [(each.key, each.at) for each in crashed.deaths[0].died] == told
    assert sorted(key for key, _ in told) == sorted(OTHERS)
    assert all(held.until is None for held in crashed.deaths[0].held)
    (convict, *rest) = crashed.deaths[0].died
    assert convict.told_by is None
    assert all(each.told_by in OTHERS for each in rest)


# --- false deaths


def test_a_member_that_was_cut_off_ran_and_every_question_and_warning_was_lost() -> None:
    cut = Disturb(at=5.0, for_s=8.0, sources=("n3",))
    told = explain(plan_of(cut), "n3")
    (death,) = told.deaths
    assert death.was_running
    assert death.faults == (cut,)
    pings = [ping.sending for case in death.cases for inquiry in case.inquiries for ping in inquiry.pings]
    assert {each.lost_to for each in pings if each.at >= cut.at} == {"cut"}
    assert {each.sending.lost_to for each in death.warned if each.sending.at <= death.died[0].at} == {"cut"}
    assert all(held.until is not None and held.until > 13.0 for held in death.held)
    assert death.ended is not None
    text = str(told)
    assert "It was running: this death is false." in text
    assert f"    {cut}\n" in text
    assert "stream: got no connection" in text
    assert "messages told the member of the floor: lost to a cut" in text


def test_a_member_that_is_heard_by_nobody_refutes_in_vain() -> None:
    """What is sent to it arrives; what it sends does not. So it hears of the floor, and jumps over it."""
    told = explain(plan_of(Disturb(at=5.0, for_s=8.0, sources=("n3",), both_ways=False)), "n3")
    (death,) = told.deaths
    decided = death.died[0].at
    own = [each for each in death.shown if each.by_itself and each.sending.at <= decided]
    assert own
    assert all(each.counter >= death.floor and each.sending.lost_to == "cut" for each in own)
    text = str(told)
    assert "ping: answered, but the answer lost to a cut" in text
    assert "the member heard of the floor at" in text
    assert f"the member sent {len(own)} messages that showed it: lost to a cut" in text
    counters = death.cases[0].accusation.counters
    assert counters.runs
    assert counters.seen < death.floor <= counters.own


def test_a_paused_member_lets_everything_wait() -> None:
    told = explain(plan_of(Pause(at=5.0, for_s=8.0, node="n3")), "n3")
    (death,) = told.deaths
    assert death.was_running
    assert not death.cases[0].accusation.counters.runs
    resumed = {
        round(ping.sending.handled, 2)
        for case in death.cases
        for inquiry in case.inquiries
        for ping in (*inquiry.pings, *inquiry.streams)
        if ping.sending.handled is not None
    }
    assert resumed == {13.0}
    streams = [each.sending for case in death.cases for inquiry in case.inquiries for each in inquiry.streams]
    assert streams
    assert all(each.handled == pytest.approx(13.0, abs=0.01) for each in streams)
    text = str(told)
    assert "the member's own counter stood at" in text
    assert "while its process did not run" in text
    assert "ping: arrived, but was not handled until +" in text
    assert "heard too late" in text


def test_a_death_that_somebody_invented_is_refuted_while_its_hearer_waits() -> None:
    lie = Forge(at=5.0, node="n3", kind="death", told=("n1",))
    told = explain(plan_of(lie), "n3")
    assert told.deaths == ()
    (doubt,) = told.doubts
    assert (doubt.cases, doubt.faults) == ((), (lie,))
    first = doubt.hearsay[0]
    assert (first.key, first.told_by, first.at) == ("n1", "192.0.2.66:7946", 5.0)
    assert first.end is not None
    assert first.end.kind is EventKind.RESTORED
    text = str(told)
    assert "nobody accused it; the accusation came from outside" in text
    assert f"n1, told by 192.0.2.66:7946; refuted after {first.end.at - 5.0:.3f} s\n" in text


def test_an_invented_death_that_nobody_refutes_is_believed_after_a_wait_and_a_question() -> None:
    """The member is paused, and so does not hear of it; with no witnesses, nobody misses it by then."""
    lie = Forge(at=5.1, node="n3", kind="death", told=("n1",))
    plan = attrs.evolve(plan_of(Pause(at=5.0, node="n3", for_s=4.0), lie), settings={"witnesses": 0.0})
    told = explain(plan, "n3")
    (death,) = told.deaths
    assert death.cases == ()
    assert death.died[0].key == death.hearsay[0].key == "n1"
    assert death.died[0] is death.hearsay[0].end
    wait = plan.config.ack_timeout_max + 2 * plan.config.ack_timeout_min
    assert death.died[0].at == pytest.approx(5.1 + wait)
    text = str(told)
    assert f"n1, told by 192.0.2.66:7946; not refuted for {wait:.3f} s, and so believed\n" in text
    assert f"n1, since nothing refuted what it had heard, at floor {death.floor}" in text
    assert "by itself" not in text


def test_a_conviction_that_is_no_surprise_is_believed_at_once(crashed: Explanation) -> None:
    """All have suspected the member for longer than the wait when they hear of its conviction."""
    assert crashed.deaths[0].hearsay == ()
    assert "not believed at once" not in str(crashed)


def test_the_faults_of_the_accusers_are_told_too() -> None:
    """The accuser is alone behind a bad path, and nothing is wrong with the one it accuses."""
    cut = Disturb(at=5.0, for_s=40.0, sources=("n0",))
    told = explain(plan_of(cut, nodes=2, duration_s=50.0), "n1")
    (death,) = told.deaths
    assert [each.key for each in death.died] == ["n0"]
    assert (death.faults, death.accusers_faults) == ((), (cut,))
    assert "Faults that touch its accusers only:" in str(told)


# --- no death


def test_a_member_that_nobody_doubted_is_said_to_be_so() -> None:
    told = explain(plan_of(Crash(at=5.0, node="n3")), "n0")
    assert told.doubts == ()
    assert str(told).startswith("n0 was never held dead, nor even suspected.\nIt ran from 0.000 s on")


@pytest.mark.parametrize("change", [None, LinkChange(streams_only=True)])
def test_questions_answered_by_a_helper_or_over_a_stream_are_no_doubts(change: LinkChange | None) -> None:
    ways = Disturb(at=5.0, for_s=15.0, sources=("n3",), destinations=("n0", "n1"), change=change)
    plan = plan_of(ways if change is None else attrs.evolve(ways, destinations=()))
    assert explain(plan, "n3").doubts == ()


def test_a_suspicion_that_was_cleared_is_told() -> None:
    told = explain(Plan(scenario="loss", seed=3, nodes=16, link=Link(loss=0.4), duration_s=15.0), "n5")
    assert not told.deaths
    (doubt,) = told.doubts
    assert doubt.ended is not None
    assert {each.key for each in doubt.restored} == {each.key for each in doubt.suspected}
    text = str(told)
    assert text.startswith("n5 was never held dead, but suspected once.")
    assert "this suspicion was false" in text
    assert "How the conviction spread" not in text
    assert "restored, told by n5" in text


def test_the_first_question_in_vain_comes_after_the_last_answer() -> None:
    """While its way to the accuser was cut, helpers answered for it; so those questions were not in vain."""
    cut = Disturb(at=2.0, for_s=28.0, sources=("n3",), destinations=("n0", "n1"))
    told = explain(plan_of(cut, Crash(at=20.0, node="n3"), nodes=4, duration_s=30.0), "n3")
    (death,) = told.deaths
    assert death.zero > 19.9  # a ping on its way when the process ends is in vain as well
    assert {case.accusation.accuser for case in death.cases} & {"n0", "n1"}


def test_in_a_bad_network_all_that_led_to_an_accusation_is_told_and_no_more() -> None:
    """Two looks, each with helpers in the end, the second one with a stream as well; or the pings of a witness."""
    plan = Plan(scenario="loss", seed=1, nodes=8, link=Link(loss=0.65), duration_s=15.0)
    doubts = [doubt for name in plan.keys for doubt in explain(plan, name).doubts]
    doubts += explain(attrs.evolve(plan, nodes=32, duration_s=5.0), "n8").doubts
    cases = [case for doubt in doubts for case in doubt.cases]
    raised = [case for case in cases if case.accusation.raised]
    assert len(raised) >= 5
    for case in raised:
        before = [each for each in case.inquiries if each.at <= case.accusation.at]
        assert re.fullmatch("(ppp)?(p[HS])*", "".join(map(shape, before)))


def test_each_generation_has_a_life_of_its_own() -> None:
    told = explain(plan_of(Restart(at=5.0, node="n3"), Crash(at=12.0, node="n3"), duration_s=30.0), "n3")
    assert [(life.began, life.ended) for life in told.lives] == [(0.0, 5.0), (5.0, 12.0)]
    (death,) = told.deaths
    assert death.life is told.lives[1]
    assert death.zero > 11.9  # a ping on its way when the process ends is in vain as well


def test_a_farewell_is_told() -> None:
    told = explain(plan_of(Leave(at=5.0, node="n3")), "n3")
    assert told.doubts == ()
    assert "to 5." in str(told)
    assert "said farewell at 5.000 s" in str(told)


# --- as a whole


def test_explaining_changes_nothing_of_the_run() -> None:
    plan = plan_of(Disturb(at=5.0, for_s=8.0, sources=("n3",)), link=Link(loss=0.2, corruption=0.05))
    assert explain(plan, "n3").outcome.trace_hash == Run(plan).run().trace_hash


def test_a_large_cluster_is_told_briefly() -> None:
    told = explain(plan_of(Disturb(at=5.0, for_s=6.0, sources=("n3",)), nodes=64, duration_s=13.0), "n3")
    assert len(told.deaths[0].died) == 63
    lines = str(told).splitlines()
    assert len(lines) < 120
    assert max(map(len, lines)) <= 120
    assert any("was the last of 63" in line for line in lines)
    assert any("half of the 62 knew" in line for line in lines)


def test_of_many_deaths_only_some_are_told_in_full() -> None:
    pauses = [Pause(at=5.0 + 10.0 * number, for_s=6.0, node="n2") for number in range(MAX_TOLD + 2)]
    told = explain(plan_of(*pauses, nodes=3, duration_s=85.0), "n2")
    assert len(told.deaths) == MAX_TOLD + 2
    text = str(told)
    assert text.startswith(f"n2 was held dead {MAX_TOLD + 2} times")
    assert f"Death {MAX_TOLD}:" in text
    assert f"Death {MAX_TOLD + 1}:" not in text
    assert "And 2 more, which began at" in text


def test_a_name_that_nobody_has_is_refused() -> None:
    with pytest.raises(ConfigurationError, match=r"no member of this run has the name 'n99'; there are n0, n1, n2, n3"):
        explain(plan_of(), "n99")


def test_a_suspicion_that_breaks_a_promise_and_so_ends_the_run_is_told() -> None:
    plan = Plan(scenario="any", seed=1, nodes=6, link=Link(loss=0.3), duration_s=120.0, suspects_the_healthy=False)
    assert [each.invariant for each in Run(plan).run().violations] == ["NobodyHealthyIsSuspected"]
    assert "suspected once" in str(explain(plan, "n2"))
