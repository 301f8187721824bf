"""The commands that look into a run: replaying it, shrinking it, and explaining what was believed of a member."""

from __future__ import annotations

from pathlib import Path

import pytest

from sims.explain import explain
from sims.scenarios import find
from sims.steps import Crash
from tests.sims.commands import Sims

SHORT = ("steady", "--nodes", "3", "--duration", "2", "--loss", "0.1")

CRASH = ("crash", "--seed", "1", "--nodes", "6")


@pytest.fixture
def trace(sims: Sims, tmp_path: Path) -> Path:
    """The trace that ``run`` writes of a short run."""
    path = tmp_path / "run.trace"
    assert sims("run", *SHORT, "--seed", "1", "--trace", path).code == 0
    return path


# --- replay


def test_the_run_of_a_trace_goes_the_same_way_again(sims: Sims, trace: Path) -> None:
    done = sims("replay", trace)
    assert (done.code, done.stderr) == (0, "")
    lines = trace.read_text(encoding="utf-8").splitlines()
    assert done.stdout.startswith(f"The same run: {len(lines) - 2} occurrences, trace hash ")


def test_a_run_that_is_not_that_of_the_trace_exits_with_1(sims: Sims, trace: Path) -> None:
    trace.write_text(trace.read_text(encoding="utf-8").replace('"PING"', '"PONG"', 1), encoding="utf-8")
    done = sims("replay", trace)
    assert done.code == 1
    assert "Not the same run, from line " in done.stdout


def test_a_seed_of_a_scenario_is_run_twice_and_compared(sims: Sims, trace: Path) -> None:
    done = sims("replay", *SHORT, "--seed", "1")
    assert (done.code, done.stdout) == (0, sims("replay", trace).stdout)


@pytest.mark.parametrize("options", [("--nodes", "3"), ("--set", "a=b"), ("--seed", "3")])
def test_options_cannot_change_a_trace(sims: Sims, trace: Path, options: tuple[str, ...]) -> None:
    done = sims("replay", trace, *options)
    assert done.code == 2
    assert "a trace holds the plan of its run, and options cannot change that" in done.complaint


def test_a_scenario_without_a_seed_is_told_apart_from_a_trace(sims: Sims) -> None:
    done = sims("replay", "steady")
    assert done.code == 2
    assert "steady is a scenario, not a trace; add --seed to say which run" in done.complaint


# --- shrink


def test_the_shrunk_run_becomes_a_test(sims: Sims, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sims.invariants.limits.MAX_CHALLENGES", -1)
    out = tmp_path / "test_found.py"
    done = sims("shrink", *CRASH, "--out", out)
    assert done.code == 0
    assert "EverythingIsBounded: from 1 step, 6 nodes" in done.stdout
    assert "to 0 steps, 2 nodes" in done.stdout
    assert f"The test is in {out}." in done.stdout
    assert "def test_crash_seed_1() -> None:" in out.read_text(encoding="utf-8")


def test_a_good_run_is_not_shrunk_and_nothing_is_written(sims: Sims, tmp_path: Path) -> None:
    out = tmp_path / "test_found.py"
    done = sims("shrink", *CRASH, "--out", out)
    assert done.code == 2
    assert "violates nothing, so it cannot be shrunk" in done.complaint
    assert not out.exists()


# --- explain


def test_a_member_is_explained_by_scenario_seed_and_name(sims: Sims) -> None:
    plan = find("crash").plan(seed=3, nodes=5)
    (victim,) = [step.node for step in plan.steps if isinstance(step, Crash)]
    other = next(key for key in plan.keys if key != victim)
    options = ("--scenario", "crash", "--nodes", "5")
    done = sims("explain", "3", victim, *options)
    assert (done.code, done.stdout, done.stderr) == (0, f"{explain(plan, victim)}\n", "")
    done = sims("explain", "3", other, *options)
    assert (done.code, done.stdout.splitlines()[0]) == (0, f"{other} was never held dead, nor even suspected.")


# --- mistakes


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (("replay",), "TRACE|SCENARIO"),
        (("replay", "/nowhere/trace"), "/nowhere/trace cannot be read"),
        (("replay", "moon", "--seed", "1"), "there is no scenario 'moon'"),
        (("replay", "steady", "--seed", "-1"), "--seed"),
        (("shrink", *CRASH), "--out"),
        (("shrink", "crash", "--out", "/tmp/x"), "--seed"),
        (("shrink", *CRASH, "--out", "/nowhere/test.py"), "/nowhere/test.py cannot be written"),
        (("explain", "1"), "NAME"),
        (("explain", "one", "n0"), "one"),
        (("explain", "-1", "n0"), "-1"),
        (("explain", "1", "n0", "--scenario", "moon"), "there is no scenario 'moon'"),
        (("explain", "1", "n0", "--scenario", "steady", "--set", "victims"), "KEY=VALUE"),
        (("explain", "1", "n0", "--scenario", "steady", "--set", "no=1"), "has no parameter 'no'"),
        (("explain", "1", "n0", "--scenario", "steady", "--duration", "inf"), "--duration"),
        (("explain", "1", "n9", "--scenario", *SHORT), "no member of this run has the name 'n9'; there are n0, n1, n2"),
    ],
)
def test_what_cannot_be_is_explained_in_one_line_and_exits_with_2(
    sims: Sims, arguments: tuple[str, ...], complaint: str
) -> None:
    done = sims(*arguments)
    assert done.code == 2
    assert complaint in done.complaint
    assert done.stdout == ""
