"""Scenarios: every one builds in any small size, holds what it promises, and refuses what cannot be."""

from __future__ import annotations

from typing import Any

import attrs
import pytest

from gossip.core.config import Config
from gossip.core.errors import ConfigurationError
from sims.plan import Plan
from sims.running import Run
from sims.scenarios import SCENARIOS, Parameter, Scenario, find
from sims.steps import Crash
from sims.world import Constant

SHORT = {"for_s": "8", "times": "2", "lies": "8", "jumps": "2", "every_s": "1", "held_s": "8", "forget_after_s": "5"}
"""Values that make a scenario short, for parameters that have to do with its length."""

EVERY = pytest.mark.parametrize("name", SCENARIOS)


def _short(scenario: Scenario, **fields: Any) -> Plan:
    own = {parameter.name for parameter in scenario.parameters}
    changes = {name: value for name, value in SHORT.items() if name in own}
    return scenario.plan(**{"duration_s": 8.0, "changes": changes, **fields})


# --- what they make


@EVERY
@pytest.mark.parametrize("nodes", range(8, 17))
def test_every_scenario_builds_in_any_small_size(name: str, nodes: int) -> None:
    plan = find(name).plan(seed=nodes, nodes=nodes)
    sizes = range(8, 25) if name == "swarm" else [nodes]
    assert plan.scenario == name
    assert plan.nodes in sizes
    assert Plan.from_json(plan.to_json()) == plan
    started = {step.node for step in plan.steps if type(step).__name__ == "Start"}  # type: ignore[union-attr]
    for step in plan.steps:
        assert set(step.nodes) <= set(plan.keys) | started
        assert 0 <= step.at <= step.until <= plan.ends


@EVERY
def test_the_same_request_makes_the_same_plan_and_another_seed_another(name: str) -> None:
    one, same, other = (find(name).plan(seed=seed) for seed in (1, 1, 2))
    assert one == same
    assert one.seed != other.seed
    if any(type(step) is Crash for step in one.steps):
        assert one.steps != other.steps


def test_some_seeds_of_the_swarm_are_calm_and_promise_more() -> None:
    plans = [find("swarm").plan(seed=seed) for seed in range(100)]
    calm = [plan for plan in plans if plan.known_within_s is not None]
    assert 20 < len(calm) < 40
    assert {plan.spares for plan in calm} == {"the healthy"}
    assert sum(plan.spares == "the healthy" for plan in plans) > 80, "some lose nearly all of what is sent"
    assert {plan.suspects_the_healthy for plan in calm} == {False}
    assert {plan.suspects_the_healthy for plan in plans if plan not in calm} == {True}
    for plan in calm:
        assert not set(plan.keys[:2]) & {key for step in plan.steps for key in step.impairs}
    ends = [plan.known_within_s or 0.0 for plan in calm]
    assert all(plan.ends >= plan.faults_end + within for plan, within in zip(calm, ends, strict=True))


def test_no_seed_of_the_swarm_is_calm_where_somebody_asks_for_what_is_not() -> None:
    calm = next(seed for seed in range(100) if find("swarm").plan(seed=seed).known_within_s is not None)
    for asked in ({"loss": 0.3}, {"nodes": 4}, {"latency": Constant(0.4)}, {"changes": {"indirect_probes": "0"}}):
        assert find("swarm").plan(seed=calm, **asked).known_within_s is None


@EVERY
def test_every_scenario_has_a_summary_in_one_sentence(name: str) -> None:
    assert find(name).summary.endswith(".")


@EVERY
def test_every_scenario_holds_what_it_promises_in_a_small_cluster(name: str) -> None:
    outcome = Run(_short(find(name), seed=3, nodes=8)).run()
    assert outcome.is_good, outcome.violations[0]
    assert outcome.datagrams > 0


def test_loss_profile_and_duration_are_what_was_asked_for() -> None:
    plan = find("crash").plan(nodes=9, loss=0.3, profile="wan", duration_s=7.0)
    assert (plan.nodes, plan.link.loss, plan.profile, plan.duration_s) == (9, 0.3, "wan", 7.0)


def test_a_name_that_is_no_scenario_is_refused_with_those_there_are() -> None:
    with pytest.raises(
        ConfigurationError, match=r"no scenario 'crush' \(did you mean 'crash'\?\); there are .*steady, .*crash"
    ):
        find("crush")


# --- their parameters


@EVERY
def test_writing_down_the_defaults_changes_nothing(name: str) -> None:
    scenario = find(name)
    changes = {parameter.name: str(parameter.default) for parameter in scenario.parameters}
    assert scenario.plan(seed=1, changes=changes) == scenario.plan(seed=1)


PARAMETERS = [(name, parameter) for name, each in SCENARIOS.items() for parameter in each.parameters]


@pytest.mark.parametrize(("name", "parameter"), PARAMETERS, ids=lambda each: getattr(each, "name", each))
def test_a_parameter_of_the_wrong_type_is_refused_by_its_name(name: str, parameter: Parameter) -> None:
    with pytest.raises(ConfigurationError, match=f"{parameter.name} must be "):
        find(name).plan(nodes=8, changes={parameter.name: "whatever"})


@pytest.mark.parametrize(("name", "parameter"), PARAMETERS, ids=lambda each: getattr(each, "name", each))
def test_a_number_below_nothing_is_refused_by_its_name(name: str, parameter: Parameter) -> None:
    with pytest.raises(ConfigurationError, match=parameter.name):
        find(name).plan(nodes=8, changes={parameter.name: "-1"})


@pytest.mark.parametrize(
    ("name", "parameter", "value"),
    [
        ("bootstrap", "seeds", "0"),
        ("bootstrap", "seeds", "8"),
        ("crash", "victims", "0"),
        ("crash", "victims", "8"),
        ("leave", "leavers", "0"),
        ("leave", "leavers", "8"),
        ("churn", "per_s", "0"),
        ("lossy", "share", "1.5"),
        ("lossy", "crashes", "9"),
        ("bursty", "to_bad", "2"),
        ("one-way", "which", "dumb"),
        ("one-way", "share", "99"),
        ("flapping", "members", "9"),
        ("wan", "share", "2"),
        ("backlog", "held_s", "nan"),
        ("slow-nodes", "blocked", "0"),
        ("slow-nodes", "blocked", "8"),
        ("slow-nodes", "block_s", "1e-5"),
        ("gc-pauses", "every_s", "0"),
        ("slow-processes", "slow", "9"),
        ("clock-drift", "drift", "1"),
        ("clock-drift", "jump", "inf"),
        ("cross-wired", "clusters", "0"),
        ("rolling-restart", "moves", "ture"),
    ],
)
def test_a_value_that_cannot_be_is_refused_by_the_name_of_its_parameter(name: str, parameter: str, value: str) -> None:
    changes = {parameter: value, **({"awake_s": "0"} if parameter == "block_s" else {})}
    with pytest.raises(ConfigurationError, match=parameter):
        find(name).plan(nodes=8, changes=changes)


def test_a_cluster_too_small_for_a_scenario_is_refused_with_its_size() -> None:
    with pytest.raises(ConfigurationError, match="flapping is not possible with 2 nodes"):
        find("flapping").plan(nodes=2)
    with pytest.raises(ConfigurationError, match="nodes must be from 2 to"):
        find("steady").plan(nodes=1)


@pytest.mark.parametrize(
    ("text", "value"), [("true", True), ("Yes", True), ("1", True), ("false", False), ("NO", False), ("0", False)]
)
def test_yes_and_no_can_be_said_in_several_ways(text: str, value: bool) -> None:
    assert Parameter(name="moves", default=False).parse(text) is value


@pytest.mark.parametrize(
    ("default", "text", "value"), [(1, "7", 7), (1.0, "7", 7.0), (0.5, "1e-3", 0.001), ("one", "tenth", "tenth")]
)
def test_a_parameter_takes_texts_of_its_type(default: Any, text: str, value: Any) -> None:
    found = Parameter(name="it", default=default).parse(text)
    assert (type(found), found) == (type(value), value)


def test_victims_can_be_one_a_tenth_half_a_rack_or_a_number() -> None:
    counts = {
        victims: len(find("crash").plan(nodes=16, changes={"victims": victims}).steps)
        for victims in ("one", "tenth", "half", "rack", "5")
    }
    assert counts == {"one": 1, "tenth": 2, "half": 8, "rack": 4, "5": 5}


# --- fields of the configuration


@pytest.mark.parametrize("field", [field.name for field in attrs.fields(Config)])
def test_every_field_of_the_configuration_can_be_set(field: str) -> None:
    value = getattr(Config.lan(), field)
    plan = find("steady").plan(changes={field: str(value)})
    assert getattr(plan.config, field) == value
    assert type(plan.settings[field]) is type(value)


def test_what_was_asked_for_wins_over_what_a_scenario_sets() -> None:
    assert find("long-split").plan().config.forget_after == 30.0
    assert find("long-split").plan(changes={"forget_after": "77"}).config.forget_after == 77.0


def test_an_unknown_name_is_refused_with_the_names_there_are() -> None:
    with pytest.raises(ConfigurationError) as refused:
        find("crash").plan(changes={"victim": "one"})
    told = str(refused.value)
    assert "crash has no parameter 'victim' (did you mean 'victims'?); it has victims" in told
    assert all(field.name in told for field in attrs.fields(Config))


def test_a_scenario_without_parameters_says_so() -> None:
    with pytest.raises(ConfigurationError, match="steady has no parameter 'x'; it has none, and the configuration"):
        find("steady").plan(changes={"x": "1"})


@pytest.mark.parametrize(
    ("field", "text", "complaint"),
    [
        ("probe_interval", "soon", "probe_interval must be of type float"),
        ("probe_interval", "9999", "probe_interval must be from"),
        ("probe_interval", "-1", "probe_interval must be a number of at least 0"),
        ("push_fanout", "1.5", "push_fanout must be of type int"),
        ("suspicion_max", "0.5", "suspicion_max .* must not be below suspicion_min"),
    ],
)
def test_a_setting_that_cannot_be_is_refused_by_its_name(field: str, text: str, complaint: str) -> None:
    with pytest.raises(ConfigurationError, match=complaint):
        find("steady").plan(changes={field: text})
