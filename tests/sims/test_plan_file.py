"""Plans of one's own in files: what they may be, how options change them, and how their mistakes are told."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from types import ModuleType

import pytest

from gossip.core.errors import ConfigurationError
from sims.names import answer_to_both_names
from sims.plan import Plan
from sims.reproduce import replay
from sims.running import Run
from sims.steps import Crash
from sims.sweep import Request
from tests.sims.commands import Sims

OBJECT = '''
"""Two racks, of which one loses its power."""
from gossip_sims.world import Link
from gossip_sims.plan import Plan
from gossip_sims.steps import Crash

plan = Plan(
    groups={"rack-a": 3, "rack-b": 3},
    profile="local",
    link=Link(loss=0.01, duplication=0.01),
    settings={"confirmations": 1},
    steps=[Crash(at=3, node="1 of rack-a")],
    duration_s=9,
)
'''

FUNCTION = """
from gossip_sims.scenarios import Setting
from gossip_sims.plan import Plan
from gossip_sims.steps import Crash

def plan(setting: Setting, victims: int = 1, at: float = 3.0) -> Plan:
    return setting.plan([Crash(at=at, node=key) for key in setting.dice.sample(setting.keys, victims)], duration_s=9)
"""

Write = Callable[[str], str]
"""Write a file of a plan; returns its path."""


@pytest.fixture
def write(tmp_path: Path) -> Write:
    def write(text: str) -> str:
        path = tmp_path / "my_plan.py"
        path.write_text(text, encoding="utf-8")
        return str(path)

    return write


def test_a_plan_in_a_file_bears_its_name_and_is_what_the_file_says(write: Write) -> None:
    plan = Request(scenario=write(OBJECT)).plan(4)
    assert (plan.scenario, plan.seed, plan.nodes, plan.profile, plan.duration_s) == ("my_plan", 4, 6, "local", 9.0)
    (crash,) = plan.steps
    assert isinstance(crash, Crash)
    assert crash.node in plan.groups["rack-a"]


def test_options_change_what_the_file_says_and_nothing_else(write: Write) -> None:
    path = write(OBJECT)
    asked = Request(scenario=path, loss=0.2, profile="lan", duration_s=30.0, changes={"witnesses": "2"}).plan(4)
    assert (asked.profile, asked.duration_s) == ("lan", 30.0)
    assert (asked.link.loss, asked.link.duplication) == (0.2, 0.01)
    assert asked.settings == {"confirmations": 1, "witnesses": 2.0}
    assert asked.steps == Request(scenario=path).plan(4).steps


def test_each_seed_draws_anew(write: Write) -> None:
    path = write(OBJECT)
    assert len({str(Request(scenario=path).plan(seed).steps) for seed in range(20)}) == 3


def test_a_function_is_given_the_setting_and_its_parameters_are_changed_like_those_of_a_scenario(write: Write) -> None:
    path = write(FUNCTION)
    assert Request(scenario=path).plan(1).nodes == 16
    plan = Request(scenario=path, nodes=5, loss=0.1, profile="wan", changes={"victims": "2", "at": "4"}).plan(1)
    assert (plan.nodes, plan.link.loss, plan.profile) == (5, 0.1, "wan")
    assert [step.at for step in plan.steps] == [4.0, 4.0]


def test_a_function_that_forgets_the_seed_is_run_with_the_one_that_was_asked_for(write: Write) -> None:
    path = write("from gossip_sims.plan import Plan\ndef plan(setting):\n    return Plan(nodes=4)\n")
    assert Request(scenario=path).plan(7).seed == 7


def test_a_file_may_import_what_lies_beside_it_and_leaves_no_trace_of_its_folder(write: Write, tmp_path: Path) -> None:
    (tmp_path / "racks_of_ours.py").write_text("SIZE = 5\n")
    path = write("from gossip_sims.plan import Plan\nfrom racks_of_ours import SIZE\nplan = Plan(nodes=SIZE)\n")
    assert Request(scenario=path).plan(0).nodes == 5
    assert str(tmp_path) not in sys.path


def test_what_a_file_imports_under_the_installed_name_is_this_very_package(write: Write) -> None:
    path = write(
        "import gossip_sims.plan\nfrom gossip_sims.explain import text\nplan = gossip_sims.plan.Plan(nodes=4)\n"
    )
    assert type(Request(scenario=path).plan(0)) is Plan
    assert sys.modules["gossip_sims.plan"] is sys.modules["sims.plan"]
    assert sys.modules["sims.plan"].__spec__ is not None
    assert sys.modules["sims.plan"].__spec__.name == "sims.plan"


# --- all commands


def test_every_command_that_takes_a_scenario_takes_a_file(sims: Sims, write: Write, tmp_path: Path) -> None:
    path, trace, html = write(OBJECT), tmp_path / "a.trace", tmp_path / "a.html"
    ran = sims("run", path, "--seed", "2", "--trace", trace, "--html", html)
    assert ran.code == 0
    assert "\ngroups: rack-a (3), rack-b (3)\n" in ran.stdout
    assert replay(trace).is_same
    assert sims("replay", path, "--seed", "2").stdout.startswith("The same run: ")
    (victim,) = (crash.name for crash in Run(Request(scenario=path).plan(2)).run().crashes)
    explained = sims("explain", "2", victim, "--scenario", path)
    assert explained.stdout.startswith(f"{victim} was held dead once, by 5 others.\nIt belongs to the group rack-a.")
    swept = sims("sweep", path, "--seeds", "0..1", "--jobs", "1", "--out", tmp_path / "a.jsonl", "--json", "-")
    assert json.loads(swept.stdout)["runs"] == 2
    again = sims("sweep", path, "--seeds", "0..1", "--jobs", "1", "--out", tmp_path / "a.jsonl")
    assert "2 outcomes of 2 are in the file already" in again.stderr
    assert "violates nothing" in sims("shrink", path, "--seed", "2", "--out", tmp_path / "a.py").complaint


def test_a_trace_and_a_report_name_the_groups(sims: Sims, write: Write, tmp_path: Path) -> None:
    named = OBJECT.replace('"rack-a": 3', '"rack-a": ["ada", "brook", "cleo"]')
    trace, html = tmp_path / "a.trace", tmp_path / "a.html"
    shown = sims("run", write(named), "--trace", trace, "--html", html).stdout
    assert any(
        line.startswith(tuple(f"{name} (rack-a) " for name in ("ada", "brook", "cleo"))) for line in shown.split("\n")
    )
    starts = [line for line in map(json.loads, trace.read_text().splitlines()) if "start" in line]
    assert [(each["start"], each["group"]) for each in starts[:4]] == [
        ("ada", "rack-a"), ("brook", "rack-a"), ("cleo", "rack-a"), ("rack-b-0", "rack-b"),
    ]  # fmt: skip
    page = html.read_text(encoding="utf-8")
    assert "<dt>Groups</dt><dd>rack-a (3), rack-b (3)</dd>" in page
    assert '"groups":[["rack-a",["ada","brook","cleo"]],' in page


def test_results_of_another_version_of_the_file_are_not_mixed_with_those_of_this_one(
    sims: Sims, write: Write, tmp_path: Path
) -> None:
    out = tmp_path / "a.jsonl"
    assert sims("sweep", write(OBJECT), "--seeds", "0..0", "--jobs", "1", "--out", out).code == 0
    done = sims("sweep", write(OBJECT.replace("at=3", "at=4")), "--seeds", "0..1", "--jobs", "1", "--out", out)
    assert done.code == 2
    assert "holds another sweep" in done.complaint


# --- mistakes


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("x = 1\n", " defines no plan: it must have an object or a function named plan, as in: from gossip_sims"),
        ("plan = Plan(nodes=4)\n", ", line 1: NameError: name 'Plan' is not defined"),
        ("\n\nplan = (\n", ", line 3: SyntaxError: "),
        ("import gossip_sims.moon\n", ", line 1: ModuleNotFoundError: No module named"),
        ("raise SystemExit(3)\n", ", line 1: SystemExit: 3"),
        ("plan = 3\n", ": plan must be a Plan, and is of type builtins.int"),
        ("class Plan: pass\nplan = Plan()\n", "; import it from gossip_sims"),
        ("def plan():\n    pass\n", ": plan() must take the setting as its first parameter, as in: def plan(setting)"),
        ("def plan(setting, size):\n    pass\n", ": the parameter size of plan() must have a number, a text or a bool"),
        ("def plan(setting):\n    setting.plan([])\n", ": what plan() returns must be a Plan, and is None; does"),
        ("def plan(setting):\n    x = 1\n    return 1 / 0\n", ", line 3: ZeroDivisionError: division by zero"),
        (OBJECT.replace("1 of rack-a", "rack-c"), ": Crash at 3 s: node is 'rack-c', and there is no such node"),
        (OBJECT.replace("at=3", "at='soon'"), ", line 12: at must be a number of at least 0, not 'soon'"),
        (OBJECT.replace("confirmations", "confirmation"), ": there is no setting 'confirmation'"),
        (OBJECT.replace('"local"', '"moon"'), ", line 7: profile must be one of"),
        ("from gossip_sims.plan import Plan\nplan = Plan(nodes=1)\n", ", line 2: nodes must be from 2 to 100000,"),
    ],
)  # fmt: skip
def test_a_mistake_in_a_file_is_told_in_a_line_with_its_place(
    sims: Sims, write: Write, text: str, complaint: str
) -> None:
    path = write(text)
    done = sims("run", path)
    assert done.code == 2
    assert done.complaint.startswith(f"python -m sims: {path}")
    assert complaint in done.complaint


@pytest.mark.parametrize(
    ("options", "complaint"),
    [
        (("--nodes", "9"), "sets the number of nodes itself, to 6; omit --nodes, or define a function"),
        (("--set", "heroes=3"), "my_plan has no parameter 'heroes'; it has none, and the configuration has cluster,"),
        (("--set", "confirmations=many"), "confirmations must be of type int"),
    ],
)
def test_an_option_that_cannot_change_a_file_is_refused(
    sims: Sims, write: Write, options: tuple[str, ...], complaint: str
) -> None:
    done = sims("run", write(OBJECT), *options)
    assert done.code == 2
    assert complaint in done.complaint


def test_a_file_that_is_not_there_is_told_and_a_scenario_that_is_none_says_how_files_are_named(sims: Sims) -> None:
    assert "/nowhere/plan.py cannot be read: No such file" in sims("run", "/nowhere/plan.py").complaint
    assert "a plan of your own is a file whose name ends in .py" in sims("run", "my_plan").complaint


def test_an_error_in_a_file_keeps_its_cause_for_those_who_call_from_python(write: Write) -> None:
    with pytest.raises(ConfigurationError) as refused:
        Request(scenario=write("def plan(setting):\n    return {}['rack']\n")).plan(0)
    assert isinstance(refused.value.__cause__, KeyError)


def test_a_copy_of_the_simulator_that_was_imported_before_is_not_the_one_that_a_plan_gets(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for name in ("gossip_sims", "gossip_sims.plan"):
        monkeypatch.setitem(sys.modules, name, ModuleType(name))
    monkeypatch.setattr(sys, "meta_path", [*sys.meta_path])
    answer_to_both_names.__wrapped__()
    assert import_module("gossip_sims.plan").Plan is Plan
