"""Names and groups of nodes, and words in steps that stand for several of them."""

from __future__ import annotations

import json
from typing import Any

import pytest

from gossip.core.errors import ConfigurationError
from sims.explain import explain
from sims.plan import Plan
from sims.reproduce import shrink
from sims.running import Run
from sims.steps import Crash, Disturb, Forge, Pause, Reseed, Restart, Start, Update
from tests.sims.watchers import Told

RACKS = {"rack-a": 3, "rack-b": 3, "edge": ["gateway", "backup"]}


def _plan(*steps: Any, **fields: Any) -> Plan:
    return Plan(**{"groups": RACKS, "steps": steps, "seed": 1, **fields})


def _nodes(plan: Plan) -> list[str]:
    return [step.node for step in plan.resolved().steps if isinstance(step, Crash | Pause)]


def test_the_nodes_of_a_group_bear_its_name_and_a_number_or_names_of_their_own() -> None:
    plan = _plan()
    assert plan.nodes == 8
    assert plan.keys == (
        "rack-a-0", "rack-a-1", "rack-a-2", "rack-b-0", "rack-b-1", "rack-b-2", "gateway", "backup",
    )  # fmt: skip
    told = Told()
    run = Run(_plan(Crash(at=2, node="gateway"), duration_s=15), observers=[told])
    assert run.run().is_good
    assert {node.name for node in run.sim.nodes.values()} == set(plan.keys)
    assert {each.about for each in told.all if each.kind.value == "died"} == {"gateway"}


def test_nodes_beyond_the_groups_are_called_after_their_place_and_fewer_nodes_are_the_first() -> None:
    assert _plan(nodes=10).keys[-3:] == ("backup", "n8", "n9")
    assert _plan(nodes=4).resolved().groups == {"rack-a": ("rack-a-0", "rack-a-1", "rack-a-2"), "rack-b": ("rack-b-0",)}


def test_a_group_in_a_step_stands_for_all_of_its_nodes() -> None:
    assert _nodes(_plan(Crash(at=1, node="rack-a"))) == ["rack-a-0", "rack-a-1", "rack-a-2"]
    assert _nodes(_plan(Pause(at=1, for_s=1, node="all"))) == list(_plan().keys)
    (cut,) = _plan(Disturb(at=1, for_s=1, sources="rack-a", destinations=["edge", "rack-b-1"])).resolved().steps
    assert isinstance(cut, Disturb)
    assert cut.sources == ("rack-a-0", "rack-a-1", "rack-a-2")
    assert cut.destinations == ("gateway", "backup", "rack-b-1")


def test_ways_that_are_different_all_the_time_may_be_those_of_groups() -> None:
    (way,) = _plan(shape=(Disturb(at=0, for_s=0, sources="edge"),)).resolved().shape
    assert way.sources == ("gateway", "backup")


def test_a_choice_is_drawn_from_the_seed_and_what_is_drawn_for_a_step_depends_on_no_other_step() -> None:
    step, other = Crash(at=5, node="2 of rack-a"), Pause(at=1, for_s=1, node="1 of rack-b")
    chosen = _nodes(_plan(step))
    assert len(set(chosen)) == 2
    assert set(chosen) < {"rack-a-0", "rack-a-1", "rack-a-2"}
    assert _nodes(_plan(other, step))[1:] == chosen
    assert _nodes(_plan(Crash(at=5.0, node="2 of rack-a"))) == chosen
    assert len({tuple(_nodes(_plan(step, seed=seed))) for seed in range(20)}) == 3


def test_a_resolved_plan_stays_as_it_is_and_survives_the_way_to_json_with_the_order_of_its_groups() -> None:
    plan = _plan(Crash(at=1, node="1 of edge"), Disturb(at=2, for_s=1, sources="1 of all")).resolved()
    assert plan.resolved() is plan
    again = Plan.from_json(plan.to_json())
    assert again == plan
    assert again.keys == plan.keys
    assert json.loads(plan.to_json())["groups"][2] == ["edge", ["gateway", "backup"]]


def test_a_plan_with_groups_gives_the_same_run_again_to_the_last_bit() -> None:
    plan = _plan(Pause(at=1, for_s=1, node="1 of rack-b"), Crash(at=3, node="rack-a"), duration_s=12)
    outcome = Run(plan).run()
    assert outcome.trace_hash == Run(Plan.from_json(plan.resolved().to_json())).run().trace_hash
    assert {crash.name for crash in outcome.crashes} == {"rack-a-0", "rack-a-1", "rack-a-2"}


def test_who_starts_without_being_told_seeds_joins_through_those_of_the_plan() -> None:
    start, restart = _plan(Start(at=1, node="late"), Restart(at=2, node="gateway"), seeds=2).resolved().steps
    assert isinstance(start, Start)
    assert isinstance(restart, Restart)
    assert start.seeds == restart.seeds == ("rack-a-0", "rack-a-1")
    assert Run(_plan(Start(at=1, node="late"), duration_s=5, agree_within_s=2)).run().is_good


@pytest.mark.parametrize(
    ("step", "complaint"),
    [
        (
            Crash(at=10, node="rack-c"),
            "and there is no such node or group (did you mean 'rack-b'?); there are rack-a, rack-b, edge",
        ),
        (Crash(at=10, node="n0"), "there are rack-a, rack-b, edge, all, backup"),
        (Crash(at=1, node="9 of rack-a"), "'9 of rack-a' cannot be drawn: rack-a has 3 nodes"),
        (Crash(at=1, node="0 of rack-a"), "cannot be drawn"),
        (Crash(at=1, node="1 of rack-c"), "no such node or group"),
        (Disturb(at=1, for_s=1, sources=["rack-a", "moon"]), "sources is 'moon'"),
        (Forge(at=1, node="gateway", kind="death", told=["moon"]), "told is 'moon'"),
        (Reseed(at=1, node="gateway", seeds=["n0"]), "seeds is 'n0'"),
        (Start(at=1, node="rival", name="rack-a"), "name is 'rack-a', which stands for 3 nodes; it must be one"),
        (Crash(at=1, node=["gateway"]), "node must be the name of a node or of a group, not ['gateway']"),  # type: ignore[arg-type]
    ],
)
def test_a_step_that_names_nobody_is_refused_with_what_there_is(step: Any, complaint: str) -> None:
    with pytest.raises(ConfigurationError) as refused:
        Run(_plan(step))
    assert complaint in str(refused.value)


@pytest.mark.parametrize(
    ("groups", "complaint"),
    [
        ({"rack-a": 0}, "the group rack-a must have from 1 to 100000 nodes, not 0"),
        ({"rack-a": "ada"}, "must be a number of nodes or a list of their names, not 'ada'"),
        ({"rack-a": []}, "must be a number of nodes or a list"),
        ({"rack-a": True}, "must be a number of nodes or a list"),
        ({"rack a": 2}, "without spaces and commas, not 'rack a'"),
        ({"a": ["ada", ""]}, "the name of a node must be 1 to 128 bytes"),
        ({"a": ["ada", 3]}, "not 3"),
        ({"all": 3}, "a group cannot be called 'all'"),
        ({"a": ["ada"], "b": ["ada"]}, "two nodes are called 'ada': one in a, one in b"),
        ({"a": ["ada", "b"], "b": 2}, "'b' is the name of a group and of a node in a"),
        (["rack-a"], "groups must be a mapping"),
    ],
)
def test_groups_that_cannot_be_are_refused(groups: Any, complaint: str) -> None:
    with pytest.raises(ConfigurationError) as refused:
        Plan(groups=groups)
    assert complaint in str(refused.value)


def test_a_group_may_bear_the_name_of_its_only_node() -> None:
    assert Plan(groups={"web": ["web"], "rest": 2}).keys == ("web", "rest-0", "rest-1")


@pytest.mark.parametrize(
    ("fields", "complaint"),
    [
        ({"steps": Crash(at=1, node="n1")}, "steps must be a list of steps, not Crash"),
        ({"steps": ["crash"]}, "each of the steps must be one, such as Crash(at=10, node='n3'), not 'crash'"),
        ({"link": 0.05}, "link must be a link, such as Link(loss=0.05), not 0.05"),
    ],
)
def test_fields_of_the_wrong_type_are_refused_where_they_are_written(fields: Any, complaint: str) -> None:
    with pytest.raises(ConfigurationError) as refused:
        Plan(nodes=4, **fields)
    assert complaint in str(refused.value)


def test_a_setting_that_is_none_is_refused_by_its_name() -> None:
    with pytest.raises(ConfigurationError, match=r"no setting 'probe' .*; there are cluster, probe_interval"):
        Run(Plan(nodes=4, settings={"probe": 3}))


def test_an_explanation_says_to_which_group_the_member_belongs() -> None:
    explanation = explain(_plan(Crash(at=2, node="gateway"), duration_s=12), "gateway")
    assert "It belongs to the group edge.\n" in str(explanation)
    assert explanation.deaths


def test_shrinking_keeps_the_names_of_the_nodes_that_are_left() -> None:
    plan = _plan(
        Update(at=1, node="backup", metadata={}), Pause(at=2, for_s=12, node="rack-b"), spares="all", duration_s=25
    )
    small = shrink(plan).plan
    assert small.nodes < plan.nodes
    assert set(small.keys) <= set(plan.keys)
    assert [name for names in small.groups.values() for name in names] == list(small.keys)
