"""An account says why a member was held dead: who asked in vain, who accused, how it spread, what was lost."""

from __future__ import annotations

import itertools

import attrs
import pytest

from gossip.core.errors import ConfigurationError
from gossip.core.events import EventKind, MembershipEvent
from gossip.core.support.address import Address
from sims.explain import MAX_TOLD, Account, Datagram, Doubt, Opinion, explain
from sims.plan import Plan
from sims.running import Run
from sims.scenarios import find
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


def deaths_in(plan: Plan) -> list[tuple[str, str, float]]:
    deaths = Deaths()
    Run(plan, observers=[deaths]).run()
    return deaths.told


def reasons(opinion: Opinion) -> list[str]:
    """Why a process asked the member, each time in vain."""
    return [each.reason for each in opinion.asked]


def from_member(told: Account, doubt: Doubt, until: float) -> list[Datagram]:
    return told.datagrams.between(doubt.zero, until, source=doubt.life.node.key)


@pytest.fixture(scope="module")
def crashed() -> Account:
    return explain(plan_of(Crash(at=5.0, node="n3")), "n3")


# --- a crash


def test_a_crash_is_told_as_the_description_of_the_protocol_has_it(crashed: Account) -> None:
    """Its worked example: two probes, each with helpers in the end, an accusation, a last probe, a conviction."""
    (death,) = crashed.deaths
    first = death.accusers[0]
    assert first.accusation is not None
    assert reasons(first) == ["probe of a round", "second probe", "last probe"]
    times = [first.at(each.began) - death.zero for each in first.asked]
    assert times == pytest.approx([0.0, 0.65, 1.6], abs=0.01)
    assert [each.pings for each in first.asked] == [2, 2, 2]
    assert [len(each.helpers) for each in first.asked] == [3, 3, 0]
    assert [each.over_stream for each in first.asked] == [False, True, False]
    assert first.accusation.raised
    assert first.accusation.at - death.zero == pytest.approx(1.05, abs=0.01)
    assert death.decided is not None
    assert death.decided - death.zero == pytest.approx(1.8, abs=0.01)


def test_helpers_that_heard_nothing_are_named(crashed: Account) -> None:
    asked = [each for opinion in crashed.deaths[0].accusers for each in opinion.asked if each.helpers]
    assert len(asked) >= 2
    assert all(set(each.nacks) == set(each.helpers) <= set(OTHERS) for each in asked)
    assert "heard nothing from it either" in str(crashed)


def test_witnesses_ask_three_times_and_join_the_accusers(crashed: Account) -> None:
    death = crashed.deaths[0]
    witnesses = [each for each in death.accusers if reasons(each)[:1] == ["probe as a witness"]]
    assert len(witnesses) >= 2
    for each in witnesses:
        assert each.accusation is not None
        assert (each.asked[0].pings, each.asked[0].helpers) == (3, ())
        assert not each.accusation.raised
        assert each.accusation.floor == death.floor
        assert each.accusation.at - death.zero == pytest.approx(1.35, abs=0.02)


def test_a_member_that_crashed_was_not_wronged(crashed: Account) -> None:
    (death,) = crashed.deaths
    assert not death.was_running
    assert [str(step) for step in crashed.faults(death)] == ["Crash(at=5.0, node='n3', refused=False)"]
    assert death.reached is None
    text = str(crashed)
    assert "It was not running: its process had ended at" in text
    assert "this death is false" not in text
    assert f"a counter of {death.floor} or more, seen before" in text
    assert "the member's own counter did not get there" in text
    assert "it did not, before the end of the run" in text


def test_where_no_process_listens_the_refusal_is_told() -> None:
    told = explain(plan_of(Crash(at=5.0, node="n3", refused=True)), "n3")
    assert told.deaths[0].accusers[0].asked[0].refused
    assert "its system says that no process listens there" in " ".join(str(told).split())


def test_all_who_held_it_dead_are_told_with_their_times(crashed: Account) -> None:
    (death,) = crashed.deaths
    told = [(key, at) for name, key, at in deaths_in(plan_of(Crash(at=5.0, node="n3"))) if name == "n3"]
    assert [(each.key, each.died_at) for each in death.died] == told
    assert sorted(key for key, _ in told) == sorted(OTHERS)
    assert all(each.ended is None for each in death.opinions)
    (convict, *rest) = death.died
    assert convict.convicted_by is None
    assert all(each.convicted_by in OTHERS for each in rest)


# --- false deaths


def test_a_member_that_was_cut_off_ran_and_every_datagram_was_lost() -> None:
    cut = Disturb(at=5.0, for_s=8.0, sources=("n3",))
    told = explain(plan_of(cut), "n3")
    (death,) = told.deaths
    assert death.was_running
    assert told.faults(death) == (cut,)
    assert death.decided is not None
    ways = [*from_member(told, death, death.decided), *told.datagrams.between(5.0, death.decided, destination="n3")]
    assert len(ways) > 20
    assert {each.lost_to for each in ways if each.at >= cut.at} == {"cut"}
    assert all(each.ended is not None and each.ended > 13.0 for each in death.died)
    assert death.ended is not None
    text = str(told)
    assert "It was running: this death is false." in text
    assert f"    {cut}\n" in text
    assert "over a stream" in " ".join(text.split())
    assert "lost to a cut" in text


def test_a_member_that_is_heard_by_nobody_refutes_in_vain() -> None:
    """What is sent to it arrives; what it sends does not. So it hears of the floor, and jumps over it."""
    told = explain(plan_of(Disturb(at=5.0, for_s=8.0, sources=("n3",), both_ways=False)), "n3")
    (death,) = told.deaths
    assert death.decided is not None
    assert death.reached is not None
    assert death.reached < death.decided
    shown = from_member(told, death, death.decided)
    assert {each.lost_to for each in shown if each.at >= death.reached} == {"cut"}
    text = str(told)
    assert "the member's own counter got there at" in text
    accused = death.accusers[0].accusation
    assert accused is not None
    assert accused.counters.runs
    assert accused.counters.seen < death.floor <= accused.counters.own


def test_a_paused_member_lets_everything_wait() -> None:
    told = explain(plan_of(Pause(at=5.0, for_s=8.0, node="n3")), "n3")
    (death,) = told.deaths
    assert death.was_running
    assert death.decided is not None
    assert all(each.accusation is not None and not each.accusation.counters.runs for each in death.accusers)
    asked = told.datagrams.between(5.1, death.decided, destination="n3")
    assert {round(each.handled or 0.0, 2) for each in asked} == {13.0}
    assert death.reached is not None
    text = str(told)
    assert "while its process did not run" in " ".join(text.split())
    assert "read too late" in text
    assert "got there after its conviction" in text


def test_a_death_that_somebody_invented_is_refuted_while_its_hearer_waits() -> None:
    lie = Forge(at=5.0, node="n3", kind="death", told=("n1",))
    told = explain(plan_of(lie), "n3")
    assert told.deaths == ()
    (doubt,) = told.doubts
    assert (doubt.accusers, told.faults(doubt)) == ((), (lie,))
    first = doubt.opinions[0]
    assert first.hearsay is not None
    assert (first.key, first.hearsay.by, first.at(first.hearsay.at)) == ("n1", "anonymous", 5.0)
    assert first.ended is not None
    text = str(told)
    assert "nobody accused it; the accusation came from outside" in text
    waited = f"after {first.ended - 5.0:.3f} s: restored by a message of n"
    assert f"n1, told by anonymous at floor {first.hearsay.floor}; {waited}" in text


def test_an_invented_death_that_nobody_refutes_is_believed_after_a_wait_and_a_question() -> None:
    """The member is paused, and so does not hear of it; with no witnesses, nobody misses it by then."""
    lie = Forge(at=5.1, node="n3", kind="death", told=("n1",))
    plan = attrs.evolve(plan_of(Pause(at=5.0, node="n3", for_s=4.0), lie), settings={"witnesses": 0.0})
    told = explain(plan, "n3")
    (death,) = told.deaths
    assert death.accusers == ()
    first = death.died[0]
    assert first.key == "n1"
    assert first.hearsay is not None
    wait = plan.config.ack_timeout_max + 2 * plan.config.ack_timeout_min
    assert first.died_at == pytest.approx(5.1 + wait)
    assert reasons(first) == ["last probe"]
    text = str(told)
    assert (
        f"n1, told by anonymous at floor {first.hearsay.floor}; not refuted for {wait:.3f} s, and so believed\n" in text
    )
    assert f"n1, since nothing refuted what it had heard, at floor {first.evidence.floor}" in text
    assert "by itself" not in text


def test_a_conviction_that_is_no_surprise_is_believed_at_once(crashed: Account) -> None:
    """All have suspected the member for longer than the wait when they hear of its conviction."""
    assert [each.hearsay for each in crashed.deaths[0].opinions] == [None] * 5
    assert "not believed at once" not in str(crashed)


def test_the_faults_of_the_accusers_are_told_too() -> None:
    """The accuser is alone behind a bad path, and nothing is wrong with the one it accuses."""
    cut = Disturb(at=5.0, for_s=40.0, sources=("n0",))
    told = explain(plan_of(cut, nodes=2, duration_s=50.0), "n1")
    (death,) = told.deaths
    assert [each.key for each in death.died] == ["n0"]
    assert (told.faults(death), told.accusers_faults(death)) == ((), (cut,))
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
    assert all(each.end.startswith("restored") for each in doubt.opinions)
    text = str(told)
    assert text.startswith("n5 was never held dead, but suspected once.")
    assert "this suspicion was false" in text
    assert "How the conviction spread" not in text
    assert "restored by a message of n5" in text


def test_the_first_failed_probe_comes_after_the_last_answer() -> None:
    """While its way to the accuser was cut, helpers answered for it; so those probes did not fail."""
    cut = Disturb(at=2.0, for_s=28.0, sources=("n3",), destinations=("n0", "n1"))
    told = explain(plan_of(cut, Crash(at=20.0, node="n3"), nodes=4, duration_s=30.0), "n3")
    (death,) = told.deaths
    assert death.zero > 19.4  # a probe that is under way when the process ends fails as well
    assert {each.key for each in death.accusers} & {"n0", "n1"}


def test_in_a_bad_network_all_that_led_to_an_accusation_is_told_and_no_more() -> None:
    """A failed probe and a second one; or that of a witness. The last probe comes after the accusation."""
    plan = Plan(scenario="loss", seed=1, nodes=8, link=Link(loss=0.65), duration_s=15.0)
    doubts = [doubt for name in plan.keys for doubt in explain(plan, name).doubts]
    doubts += explain(attrs.evolve(plan, nodes=32, duration_s=5.0), "n8").doubts
    pairs = [(each, each.accusation) for doubt in doubts for each in doubt.accusers if each.accusation is not None]
    raised = [(opinion, accusation) for opinion, accusation in pairs if accusation.raised]
    assert len(raised) >= 5
    for opinion, accusation in raised:
        before = [each for each in opinion.asked if opinion.at(each.began) <= accusation.at and not each.alone]
        assert [each.reason for each in before][-2:] in (
            ["probe of a round", "second probe"], ["second probe"], ["probe as a witness"],
        )  # fmt: skip


def test_each_generation_has_a_life_of_its_own() -> None:
    told = explain(plan_of(Restart(at=5.0, node="n3"), Crash(at=12.0, node="n3"), duration_s=30.0), "n3")
    assert [(life.began, life.ended) for life in told.lives] == [(0.0, 5.0), (5.0, 12.0)]
    (death,) = told.deaths
    assert death.life is told.lives[1]
    assert death.zero > 11.4  # a probe that is under way when the process ends fails as well


def test_a_farewell_is_told() -> None:
    told = explain(plan_of(Leave(at=5.0, node="n3")), "n3")
    assert told.doubts == ()
    assert "to 5." in str(told)
    assert "said farewell at 5.000 s" in str(told)


# --- every scenario


def test_of_two_clusters_with_the_same_seeds_each_is_explained_and_nothing_is_blamed_on_the_core() -> None:
    plan = find("cross-wired").plan(seed=1, nodes=8)
    assert Run(plan).run().is_good
    for name in ("n0", "n5"):
        told = explain(plan, name)
        assert (told.outcome.violations, told.doubts) == ((), ())
    (crash,) = steps = (Crash(at=10.0, node="n5"),)
    (death,) = explain(attrs.evolve(plan, steps=steps, agree_within_s=None, spares="nobody"), crash.node).deaths
    assert len({each.node.cluster for each in death.opinions}) == 1
    assert len(death.died) == 3


def test_both_processes_that_hold_one_name_are_explained() -> None:
    plan = find("name-conflict").plan(seed=0, nodes=8, changes={"for_s": "10"})
    (name,) = (getattr(step, "name", None) for step in plan.steps[:1])
    told = explain(plan, str(name))
    assert {life.node.key for life in told.lives} == {name, "rival"}
    assert told.outcome.is_good
    assert str(told).startswith(
        f"{name} was never held dead, nor even suspected.\n"
        f"The process rival, which held the name {name}, was held dead once, by 7 others.\n"
    )
    assert "The process rival, which held its name, ran from" in str(told)
    assert [crash.name for crash in told.outcome.crashes] == ["rival"]


def test_a_swarm_is_explained_for_each_that_was_held_dead() -> None:
    plan = find("swarm").plan(seed=3)
    dead = list(dict.fromkeys(name for name, _, _ in deaths_in(plan)))[:3]
    assert dead
    for name in dead:
        told = explain(plan, name)
        assert told.deaths
        assert all(each.told for death in told.deaths for each in death.died)
        assert str(told).count("\n") > 10


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


def test_doubts_about_one_life_do_not_overlap() -> None:
    plan = Plan(scenario="loss", seed=1, nodes=8, link=Link(loss=0.65), duration_s=15.0)
    for name in plan.keys:
        for before, after in itertools.pairwise(explain(plan, name).doubts):
            assert before.ended is not None
            assert before.ended <= after.began


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
