"""The guide to the simulator: its examples run as they stand, and its tables are complete."""

from __future__ import annotations

import re
from pathlib import Path

import attrs
import pytest

from sims.cli.main import run as simulate
from sims.invariants import all_invariants
from sims.invariants.promises import promised
from sims.names import answer_to_both_names
from sims.plan import Plan
from sims.running.outcome import Outcome
from sims.scenarios import SCENARIOS
from sims.steps import Crash
from sims.sweep.request import Request
from sims.watching.truth import Truth
from tests.rst import document, lines, literal_blocks, table

SIMULATOR = document("docs/simulator.rst")


def example_with(text: str) -> str:
    """The only example of the simulator that holds a text."""
    (code,) = [block for block in literal_blocks(SIMULATOR) if text in block]
    return code


@pytest.mark.parametrize("holds", ["Simulation(", "Run(plan)"])
def test_the_examples_of_the_simulator_run_as_they_stand(holds: str) -> None:
    answer_to_both_names()
    exec(compile(example_with(holds), "docs/simulator.rst", "exec"), {"__name__": "example"})


def test_the_plan_of_two_racks_in_the_guide_runs_as_it_stands_and_its_report_names_the_racks(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file, report = tmp_path / "my_plan.py", tmp_path / "report.html"
    file.write_text(example_with('"edge": ["gateway", "backup"]'), encoding="utf-8")
    assert simulate(["run", str(file), "--html", str(report)]) == 0
    told = capsys.readouterr().out
    first = " ".join(told.partition("my_plan, 18 nodes")[0].split())
    assert "rack-a (8 members) and rack-b (8 members) could not reach each other for 10 s" in first
    assert "rack-a (8 members) crashed; all others knew of each crash within" in first
    assert "\ngroups: rack-a (8), rack-b (8), edge (2)\n" in told
    assert first in " ".join(report.read_text(encoding="utf-8").split())


def test_the_plan_that_is_a_function_in_the_guide_runs_with_parameters_and_draws_from_the_seed(tmp_path: Path) -> None:
    file = tmp_path / "power.py"
    file.write_text(example_with("def plan(setting"), encoding="utf-8")
    plans = [Request(scenario=str(file), changes={"racks": "3", "size": "2"}).plan(seed) for seed in range(8)]
    assert {plan.nodes for plan in plans} == {6}
    assert {plan.steps[0].node for plan in plans if isinstance(plan.steps[0], Crash)} == {
        "rack-0-0",
        "rack-1-0",
        "rack-2-0",
    }


def test_every_scenario_and_every_invariant_of_the_simulator_is_described() -> None:
    described = {name for names, _ in table(SIMULATOR, "Scenarios") for name in re.findall("``([a-z-]+)``", names)}
    assert described == set(SCENARIOS)
    checked = {type(each).__name__ for each in all_invariants()}
    assert {name.strip("`") for name, _ in table(SIMULATOR, "Invariants")} == {*checked, "NothingRaises"}
    plan = Plan(nodes=2, suspects_the_healthy=False, known_within_s=1.0)
    promises = {type(each).__name__ for each in promised(plan, Truth((), 0.0))}
    promises |= {"AllAgreeInTheEnd", "SparesTheLiving"}
    assert {lines(named)[0].strip("`") for named, _ in table(SIMULATOR, "Promises of a plan")} == promises


def test_every_key_of_an_outcome_is_described() -> None:
    keys = {name for names, _ in table(SIMULATOR, "The outcome") for name in re.findall("``([a-z_]+)``", names)}
    assert keys == {field.name for field in attrs.fields(Outcome)}
