"""Plans as data: to JSON and back, what cannot be, and when a run is over."""

from __future__ import annotations

import json
from typing import Any, get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gossip.core.config import Config
from gossip.core.errors import ConfigurationError
from sims.plan import MAX_NODES, MIN_NODES, Plan
from sims.steps import AnyStep, Crash, Disturb, Hold, Pause
from sims.world import Constant, Latency, Link, LinkChange, Lognormal, Measured
from tests.sims.strategies import always, latencies, plans, steps_by_kind


def _plan(*steps: AnyStep, **fields: Any) -> Plan:
    return Plan(**{"scenario": "test", "seed": 1, "nodes": 4, "steps": steps, **fields})


# --- to JSON and back


@always
@given(plans)
def test_a_plan_survives_the_way_to_json_and_back(plan: Plan) -> None:
    text = plan.to_json()
    assert "\n" not in text
    again = Plan.from_json(text)
    assert again == plan
    assert [type(step) for step in again.steps] == [type(step) for step in plan.steps]
    assert again.to_json() == text


def test_the_strategies_know_every_kind_of_step_and_delay() -> None:
    assert set(steps_by_kind) == set(get_args(AnyStep))
    assert {type(latency) for latency in _examples(latencies)} == set(get_args(Latency))


def _examples(strategy: st.SearchStrategy[Any]) -> list[Any]:
    found: list[Any] = []

    @always
    @given(strategy)
    def collect(value: Any) -> None:
        found.append(value)

    collect()
    return found


@pytest.mark.parametrize("kind", steps_by_kind, ids=lambda kind: kind.__name__)
def test_the_json_names_the_kind_of_each_step(kind: type[AnyStep]) -> None:
    (step, *_) = _examples(steps_by_kind[kind])
    assert [each["do"] for each in json.loads(_plan(step).to_json())["steps"]] == [kind.__name__]


@pytest.mark.parametrize("latency", [Constant(0.1), Measured([0.1, 0.2]), Lognormal(0.1)], ids=repr)
def test_the_json_names_the_kind_of_each_delay(latency: Latency) -> None:
    change = Disturb(at=1, for_s=1, change=LinkChange(latency=latency))
    data = json.loads(_plan(change, link=Link(latency=latency)).to_json())
    assert data["link"]["latency"]["kind"] == type(latency).__name__
    assert data["steps"][0]["change"]["latency"] == data["link"]["latency"]


def test_what_is_as_usual_is_left_out_of_the_json() -> None:
    assert json.loads(_plan(Crash(at=1.5, node="n1")).to_json()) == {
        "scenario": "test",
        "seed": 1,
        "nodes": 4,
        "steps": [{"do": "Crash", "at": 1.5, "node": "n1"}],
    }


def test_plans_written_with_whole_numbers_are_the_same_plans() -> None:
    assert Plan.from_json(_plan(Pause(at=1, for_s=2, node="n1"), duration_s=9).to_json()) == _plan(
        Pause(at=1.0, for_s=2.0, node="n1"), duration_s=9.0
    )


def test_steps_are_kept_in_the_order_in_which_they_happen() -> None:
    late, early, also_early = (Crash(at=at, node=node) for at, node in ((2.0, "n1"), (1.0, "n3"), (1.0, "n2")))
    assert _plan(late, early, also_early).steps == (early, also_early, late)


# --- what cannot be


def _refusal(**changes: object) -> str:
    data = {**json.loads(_plan().to_json()), **changes}
    with pytest.raises(ConfigurationError, match=r"^this is not a plan of a simulation: ") as refused:
        Plan.from_json(json.dumps(data))
    return str(refused.value)


def _step_refusal(**step: object) -> str:
    return _refusal(steps=[{"do": "Crash", "at": 1.0, "node": "n0"}, step])


@pytest.mark.parametrize(
    ("changes", "complaint"),
    [
        ({"nodes": MIN_NODES - 1}, "nodes must be from 2 to 100000, not 1"),
        ({"nodes": MAX_NODES + 1}, "nodes must be from 2 to 100000"),
        ({"nodes": "four"}, "nodes"),
        ({"seed": None}, "seed"),
        ({"spares": "me"}, "spares must be one of nobody, the healthy, all, not 'me'"),
        ({"profile": "moon"}, "profile must be one of lan, wan, local, not 'moon'"),
        ({"clusters": 0}, "clusters must be a number of at least 1, not 0"),
        ({"seeds": -1}, "seeds must be a number of at least 0"),
        ({"duration_s": -1.0}, "duration_s must be a number of at least 0"),
        ({"agree_within_s": float("inf")}, "agree_within_s must be a number of at least 0, not inf"),
        ({"colour": "red"}, "extra fields found (colour)"),
        ({"settings": 3}, "settings"),
        ({"link": {"loss": 2}}, "loss must be a share from 0 to 1, not 2.0 @ $.link"),
        ({"link": {"latency": {"kind": "Constant", "seconds": -1}}}, "seconds must be a number of at least 0"),
        ({"link": {"latency": {"kind": "Warp", "seconds": 1}}}, "'Warp' is missing or not known @ $.link.latency"),
        ({"link": {"bursts": {"to_bad": 7}}}, "to_bad must be a share"),
        ({"shape": [{"at": 0, "for_s": 0, "wrong": 1}]}, "extra fields found (wrong) @ $.shape[0]"),
    ],
)
def test_an_error_in_a_plan_names_the_field(changes: dict[str, object], complaint: str) -> None:
    assert complaint in _refusal(**changes)


@pytest.mark.parametrize(
    ("step", "complaint"),
    [
        ({"do": "Crash", "at": 1.0}, "'node' is missing or not known @ $.steps[1].node"),
        ({"do": "Fly", "at": 1.0}, "'Fly' is missing or not known @ $.steps[1]"),
        ({"at": 1.0, "node": "n1"}, "'do' is missing or not known @ $.steps[1]"),
        ({"do": "Crash", "at": "soon", "node": "n1"}, "$.steps[1].at"),
        ({"do": "Crash", "at": -1.0, "node": "n1"}, "at must be a number of at least 0, not -1.0 @ $.steps[1]"),
        ({"do": "Pause", "at": 1.0, "node": "n1", "for_s": float("nan")}, "for_s must be a number of at least 0"),
        ({"do": "Drift", "at": 1.0, "node": "n1", "for_s": 1.0, "rate": 0.0}, "rate must be a number of at least"),
        ({"do": "Slow", "at": 1.0, "node": "n1", "for_s": 1.0, "handling_s": -1}, "handling_s must be a number"),
        ({"do": "Hold", "at": 1.0, "for_s": 1.0, "spacing_s": -1}, "spacing_s must be a number"),
        ({"do": "Forge", "at": 1.0, "node": "n1", "kind": "truth", "told": []}, "kind must be one of suspicion, death"),
        ({"do": "Disturb", "at": 1.0, "for_s": 1.0, "change": {"loss": 2}}, "loss must be a share from 0 to 1"),
    ],
)
def test_an_error_in_a_step_names_the_step_and_the_field(step: dict[str, object], complaint: str) -> None:
    assert complaint in _step_refusal(**step)


@pytest.mark.parametrize("text", ["", "{", "[]", "null", "3", '"plan"', "{}"])
def test_what_is_no_json_or_no_plan_is_refused(text: str) -> None:
    with pytest.raises(ConfigurationError, match=r"^this is not a plan of a simulation"):
        Plan.from_json(text)


def test_a_setting_that_cannot_be_is_refused_by_its_name() -> None:
    with pytest.raises(ConfigurationError, match="probe_interval must be from"):
        _ = _plan(settings={"probe_interval": -1.0}).config


# --- what follows from a plan


def test_settings_change_the_profile() -> None:
    assert _plan(profile="wan", settings={"witnesses": 3.0}).config == Config.wan(witnesses=3.0)


def test_nodes_are_dealt_into_clusters_in_turn() -> None:
    plan = _plan(nodes=5, clusters=2)
    assert [plan.config_of(number).cluster for number in range(5)] == [
        "default-0", "default-1", "default-0", "default-1", "default-0",
    ]  # fmt: skip
    assert _plan().config_of(3) == _plan().config
    assert plan.keys == ("n0", "n1", "n2", "n3", "n4")


def test_faults_end_with_the_step_that_lasts_longest() -> None:
    assert _plan().faults_end == 0.0
    assert _plan(Crash(at=7.0, node="n1")).faults_end == 7.0
    steps = (Pause(at=1.0, for_s=20.0, node="n1"), Crash(at=9.0, node="n2"), Hold(at=8.0, for_s=2.0))
    assert _plan(*steps).faults_end == 21.0


@pytest.mark.parametrize(
    ("duration_s", "agree_within_s", "ends"), [(60.0, None, 60.0), (5.0, None, 10.0), (5.0, 3.0, 13.0), (60.0, 3.0, 60)]
)
def test_a_run_ends_after_its_duration_and_never_before_there_was_time_to_agree(
    duration_s: float, agree_within_s: float | None, ends: float
) -> None:
    plan = _plan(Crash(at=10.0, node="n1"), duration_s=duration_s, agree_within_s=agree_within_s)
    assert plan.ends == ends


@pytest.mark.parametrize("value", ["no", None, 0])
@pytest.mark.parametrize("name", ["suspects_the_healthy", "joins"])
def test_what_is_true_or_false_is_nothing_else(name: str, value: Any) -> None:
    with pytest.raises(ConfigurationError, match=f"{name} must be True or False, not {value!r}"):
        Plan(scenario="any", nodes=4, **{name: value})


@pytest.mark.parametrize(
    ("of", "fields", "complaint"),
    [
        (Plan, {"node": 4}, r"Plan has no field 'node' \(did you mean 'nodes'\?\); it has scenario, seed,"),
        (Plan, {"moon": 4}, "Plan has no field 'moon'; it has scenario, seed, groups, nodes"),
        (
            Crash,
            {"at": 1, "nod": "n3"},
            r"Crash has no field 'nod' \(did you mean 'node'\?\); it has at, node, refused",
        ),
        (Link, {"losses": 0.1}, r"Link has no field 'losses' \(did you mean 'loss'\?\)"),
        (LinkChange, {"lantency": 0.1}, r"LinkChange has no field 'lantency' \(did you mean 'latency'\?\)"),
    ],
)
def test_a_field_that_does_not_exist_is_refused_with_those_that_do(of: Any, fields: Any, complaint: str) -> None:
    with pytest.raises(ConfigurationError, match=complaint):
        of(**fields)
