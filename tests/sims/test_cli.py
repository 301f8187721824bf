"""The simulator's command line as people and programs meet it: tables, JSON, mistakes and exit codes."""

from __future__ import annotations

import json
import os
import pty
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from sims.cli.progress import Progress
from sims.plan import Plan
from sims.running import Outcome, Run
from sims.scenarios import SCENARIOS, find
from tests.sims.commands import Done, Sims

COMMAND_LIMIT_S = 30.0

SIMS = (sys.executable, "-m", "sims")

CRASH = ("run", "crash", "--nodes", "6", "--seed", "3")

LOST = ("--nodes", "4", "--loss", "0.9", "--duration", "20")
"""With nine of ten datagrams lost, four nodes that are well hold each other dead."""

WITHOUT_EXTRA = "import sys, runpy; sys.modules[{!r}] = None; sys.argv[:] = ['sims', 'list']; {}"


# --- list


def test_list_shows_each_scenario_with_its_nodes_and_parameters(sims: Sims) -> None:
    done = sims("list")
    assert done.code == 0
    table, _, hint = done.stdout.partition("\n\n")
    rows = {line.split()[0]: line for line in table.splitlines() if not line.startswith(" ")}
    assert set(rows) == {"SCENARIO", *SCENARIOS}
    for scenario in SCENARIOS.values():
        assert all(f"{each.name}={each.default}" in table for each in scenario.parameters)
    assert "--set victims=half" in hint
    assert "victims=one" in rows["crash"]
    assert rows["crash"].split()[1] == "32"
    assert "every_s=2.0" in rows["rolling-restart"]


def test_list_tells_programs_the_same_as_json(sims: Sims) -> None:
    listed = json.loads(sims("list", "--json").stdout)
    assert [each["name"] for each in listed] == list(SCENARIOS)
    churn = next(each for each in listed if each["name"] == "churn")
    assert churn == {
        "name": "churn",
        "summary": "Members come, crash, leave, restart and change all the time.",
        "nodes": 32,
        "parameters": {"per_s": 1.0, "for_s": 60.0},
    }


# --- run


def test_json_on_standard_output_is_the_outcome_and_nothing_else(sims: Sims) -> None:
    done = sims(*CRASH, "--json", "-")
    assert done.code == 0
    assert done.stderr == ""
    data = json.loads(done.stdout)
    assert list(data) == [
        "in_words", "scenario", "nodes", "seed", "profile", "virtual_s", "wall_s", "datagrams", "bytes", "trace_hash",
        "violations", "completed", "sometimes", "crashes", "updates", "leaves", "joins", "false_deaths", "suspicions",
        "suspicions_healthy_by_healthy", "heal_s",
        "per_node_s",
    ]  # fmt: skip
    (crash,) = data["crashes"]
    assert list(crash) == [
        "name", "at", "first_suspect_s", "first_dead_s", "p50_dead_s", "last_dead_s", "missing",
    ]  # fmt: skip
    assert list(data["false_deaths"]) == ["healthy_by_healthy", "healthy_by_impaired", "impaired"]
    assert list(data["per_node_s"]) == ["datagrams_sent", "bytes_sent"]
    assert data["joins"] is None


def test_updates_and_joins_have_their_keys_too(sims: Sims) -> None:
    update = json.loads(sims("run", "update", "--nodes", "4", "--json", "-").stdout)["updates"][0]
    assert list(update) == ["name", "at", "first_s", "p50_s", "p99_s", "last_s", "missing"]
    joins = json.loads(sims("run", "bootstrap", "--nodes", "4", "--json", "-").stdout)["joins"]
    assert list(joins) == ["all_see_all_s", "distinct_sizes_seen"]


def test_the_command_runs_what_its_options_say(sims: Sims) -> None:
    told = json.loads(
        sims("run", "crash", "--nodes", "6", "--seed", "4", "--loss", "0.05", "--duration", "3", "--profile", "local",
             "--set", "victims=2", "--set", "suspicion_max=4", "--json", "-").stdout
    )  # fmt: skip
    plan = find("crash").plan(
        nodes=6, seed=4, loss=0.05, duration_s=3.0, profile="local", changes={"victims": "2", "suspicion_max": "4"}
    )
    assert {**told, "wall_s": 0.0} == _as_data(Run(plan).run())


def test_json_goes_to_a_file_beside_the_summary(sims: Sims, tmp_path: Path) -> None:
    target = tmp_path / "outcome.json"
    done = sims(*CRASH, "--json", target)
    assert json.loads(target.read_text())["trace_hash"] in done.stdout


def test_the_summary_of_a_crash_names_the_victim_and_the_times(sims: Sims) -> None:
    done = sims(*CRASH)
    crash = Run(find("crash").plan(nodes=6, seed=3)).run().crashes[0]
    (row,) = (line for line in done.stdout.splitlines() if line.startswith(f"{crash.name} ") and line.endswith(" 0"))
    times = (crash.at, crash.first_suspect_s, crash.first_dead_s, crash.p50_dead_s, crash.last_dead_s)
    assert row.split() == [crash.name, *(part for time in times for part in (f"{time:.3f}", "s")), "0"]
    assert "all invariants held" in done.stdout
    assert "VIOLATED" not in done.stdout


def test_a_run_writes_its_report_and_its_trace(sims: Sims, tmp_path: Path) -> None:
    html, trace = tmp_path / "crash.html", tmp_path / "crash.trace"
    plain, done = sims(*CRASH), sims(*CRASH, "--html", html, "--trace", trace)
    assert done.code == 0
    (told_hash,) = (line.split()[-1] for line in done.stdout.splitlines() if line.startswith("trace hash"))
    assert told_hash in plain.stdout
    page = html.read_text(encoding="utf-8")
    assert page.startswith("<!DOCTYPE html>")
    assert told_hash in page
    assert "All invariants held." in page
    first, *_, last = map(json.loads, trace.read_text(encoding="utf-8").splitlines())
    assert Plan.from_json(json.dumps(first["plan"])) == find("crash").plan(nodes=6, seed=3)
    assert last["hash"] == told_hash
    again = sims("replay", trace)
    assert (again.code, again.stdout.startswith("The same run: ")) == (0, True)


def test_a_run_that_violates_something_writes_its_report_and_its_trace_too(sims: Sims, tmp_path: Path) -> None:
    html, trace = tmp_path / "lost.html", tmp_path / "lost.trace"
    assert sims("run", "steady", *LOST, "--html", html, "--trace", trace).code == 1
    assert "SparesTheLiving at 20.000 s" in html.read_text(encoding="utf-8")
    assert sims("replay", trace).code == 0


def test_false_deaths_are_told_in_words(sims: Sims) -> None:
    (none,) = (line for line in sims(*CRASH).stdout.splitlines() if line.startswith("false deaths"))
    assert none.split() == ["false", "deaths", "none"]
    wrongs = Run(find("steady").plan(nodes=4, loss=0.9, duration_s=20.0)).run().false_deaths
    assert f"{wrongs.healthy_by_healthy} of healthy members, by healthy ones" in sims("run", "steady", *LOST).stdout


def test_of_many_updates_the_first_few_are_shown_and_the_medians_of_all(sims: Sims) -> None:
    lines = sims("run", "update", "--nodes", "4", "--set", "updates=9").stdout.splitlines()
    assert sum(line.startswith("n") for line in lines) == 5
    assert any(line.startswith("and 4 more") for line in lines)
    assert any(line.startswith("medians of 9") for line in lines)


def test_a_violation_is_shown_with_its_last_events_and_exits_with_1(sims: Sims) -> None:
    done = sims("run", "steady", *LOST)
    assert done.code == 1
    assert "VIOLATED: SparesTheLiving at 20.000 s" in done.stdout
    assert "died n" in done.stdout.partition("The last events before it:")[2]
    assert "all invariants held" not in done.stdout


def test_a_violation_exits_with_1_when_programs_read_it(sims: Sims) -> None:
    done = sims("run", "steady", *LOST, "--json", "-")
    assert done.code == 1
    violation = json.loads(done.stdout)["violations"][0]
    assert list(violation) == ["invariant", "seed", "at", "nodes", "text", "last_events"]
    assert violation["last_events"]


# --- mistakes


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (("conquer",), "conquer"),
        (("run",), "SCENARIO"),
        (("run", "moon"), "there are steady, bootstrap,"),
        (("run", "crash", "--nodes", "1"), "--nodes"),
        (("run", "crash", "--nodes", "many"), "many"),
        (("run", "crash", "--seed", "-1"), "--seed"),
        (("run", "crash", "--loss", "1.5"), "--loss"),
        (("run", "crash", "--loss", "nan"), "loss"),
        (("run", "crash", "--duration", "0"), "--duration"),
        (("run", "crash", "--duration", "nan"), "--duration"),
        (("run", "crash", "--duration", "inf"), "--duration"),
        (("run", "crash", "--profile", "moon"), "moon"),
        (("run", "crash", "--set", "victims"), "KEY=VALUE"),
        (("run", "crash", "--set", "victims=1", "--set", "victims=2"), "twice"),
        (("run", "crash", "--set", "victims=everybody"), "everybody"),
        (("run", "crash", "--set", "heroes=3"), "heroes"),
        (("run", "crash", "--set", "suspicion_max=0.1"), "suspicion_max"),
        (("run", "crash", "--set", "suspicion_max=long"), "long"),
        (("run", "crash", "--json", "/nowhere/at all"), "/nowhere/at all"),
        (("run", "crash", "--html", "/nowhere/at all"), "/nowhere/at all"),
        (("run", "crash", "--trace", "/nowhere/at all"), "/nowhere/at all"),
        (("sweep", "crash"), "--seeds"),
        (("sweep", "crash", "--seeds", "7"), "A..B"),
        (("sweep", "crash", "--seeds", "9..1"), "empty"),
        (("sweep", "crash", "--seeds", "0..1000000"), "100000"),
        (("sweep", "moon", "--seeds", "0..1"), "moon"),
        (("sweep", "crash", "--seeds", "0..1", "--jobs", "0"), "--jobs"),
        (("sweep", "crash", "--seeds", "0..1", "--engine", "steam"), "steam"),
        (("sweep", "crash", "--seeds", "0..1", "--scheduler", "tcp://127.0.0.1:1"), "--engine dask"),
        (("sweep", "crash", "--seeds", "0..1", "--out", "/nowhere/at all"), "/nowhere/at all"),
        (("sweep", "crash", "--seeds", "0..1", "--out", "/dev/full"), "/dev/full is not a regular file"),
        (("sweep", "crash", "--seeds", "0..1", "--out", "/"), "/ is not a regular file"),
        (("sweep", "crash", "--seeds", "0..1", "--json", "/nowhere/at all"), "/nowhere/at all"),
        (("sweep", "crash", "--seeds", "0..1", "--set", "victims=everybody"), "everybody"),
    ],
)
def test_what_cannot_be_is_explained_in_one_line_and_exits_with_2(
    sims: Sims, monkeypatch: pytest.MonkeyPatch, arguments: tuple[str, ...], complaint: str
) -> None:
    def ran(*_: object) -> None:
        pytest.fail("something ran")

    monkeypatch.setattr(Run, "run", ran)
    monkeypatch.setattr(subprocess, "Popen", ran)
    done = sims(*arguments)
    assert done.code == 2
    assert complaint in done.complaint
    assert done.stdout == ""


def test_a_mistake_leaves_files_as_they_are(sims: Sims, tmp_path: Path) -> None:
    kept, new = tmp_path / "kept.json", tmp_path / "new.html"
    kept.write_text("precious")
    assert sims(*CRASH, "--json", kept, "--html", new, "--set", "heroes=3").code == 2
    assert kept.read_text() == "precious"
    assert not new.exists()


def test_help_lists_all_commands_each_with_a_whole_sentence(sims: Sims) -> None:
    done = sims("--help")
    assert done.code == 0
    told = dict(line.split(maxsplit=1) for line in done.stdout.partition("Commands:\n")[2].splitlines())
    assert list(told) == ["list", "run", "sweep", "replay", "shrink", "explain"]
    assert all(text.endswith(".") and not text.endswith("...") for text in told.values())


@pytest.mark.parametrize("command", ["list", "run", "sweep", "replay", "shrink", "explain"])
def test_help_explains_each_command_with_an_example(sims: Sims, command: str) -> None:
    done = sims(command, "--help")
    assert done.code == 0
    assert f"\n    python -m sims {command}" in done.stdout


@pytest.mark.parametrize(
    ("package", "start"),
    [
        ("click", "runpy.run_module('sims', run_name='__main__')"),
        ("rich", "from sims.cli import main; main()"),
        ("cattrs", "from sims.cli import main; main()"),
    ],
)
def test_without_the_extra_the_command_says_what_to_install(package: str, start: str) -> None:
    done = _run(sys.executable, "-c", WITHOUT_EXTRA.format(package, start))
    assert done.code == 2
    assert "pip install 'gossip-membership[sims]'" in done.complaint
    assert done.stdout == ""


def test_a_list_into_a_closed_pipe_is_quiet() -> None:
    read_end, write_end = os.pipe()
    os.close(read_end)
    done = subprocess.run(
        [*SIMS, "list"], stdout=write_end, stderr=subprocess.PIPE, timeout=COMMAND_LIMIT_S, check=False
    )
    os.close(write_end)
    assert done.stderr == b""


# --- progress


def test_on_a_terminal_a_bar_shows_how_far_it_is_and_the_output_stays_clean() -> None:
    ours, theirs = pty.openpty()
    arguments = ("sweep", "steady", *LOST, "--seeds", "0..3", "--jobs", "1", "--json", "-")
    environment = {**os.environ, "TERM": "xterm", "COLUMNS": "160"}
    with subprocess.Popen([*SIMS, *arguments], stdout=subprocess.PIPE, stderr=theirs, env=environment) as process:
        os.close(theirs)
        drawn = _read_terminal(ours)
        assert process.stdout is not None
        summary = json.loads(process.stdout.read())
    assert process.returncode == 1
    assert summary["runs"] == 4
    assert "of 4 runs" in drawn
    assert all(f"seed {seed}: " in drawn for seed in range(4))


@pytest.mark.parametrize("before", [0, 100])
def test_elsewhere_a_line_tells_count_violations_and_time_left(
    before: int, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """What was done before it began says nothing about how fast it goes."""
    now = 100.0
    monkeypatch.setattr("time.monotonic", lambda: now)
    with Progress("churn", before + 200, "runs", done=before) as progress:
        now = 110.0
        progress.update(before + 20, "0 with violations")
        now = 130.0
        progress.update(before + 50, "1 with violations")
        now = 140.0
        progress.update(before + 60, "1 with violations")
    told = capsys.readouterr().err
    assert told == f"churn: {before + 50} of {before + 200} runs, 1 with violations, about 90 s left\n"


# --- helpers


def _run(*command: str) -> Done:
    done = subprocess.run(
        command, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=COMMAND_LIMIT_S, check=False
    )
    return Done(done.returncode, done.stdout, done.stderr)


def _as_data(outcome: Outcome) -> dict[str, Any]:
    data: dict[str, Any] = json.loads(outcome.to_json())
    return {**data, "wall_s": 0.0}


def _read_terminal(descriptor: int) -> str:
    """All that is written to a terminal until nobody has it open any more."""
    parts = []
    try:
        while part := os.read(descriptor, 65_536):
            parts.append(part)
    except OSError:  # how Linux tells the end
        pass
    os.close(descriptor)
    return b"".join(parts).decode()


def test_the_delays_are_those_that_were_measured(sims: Sims, tmp_path: Path) -> None:
    """With one second each way, and nothing else in the file, no news arrives in less."""
    measured = tmp_path / "delays.csv"
    measured.write_text("1.0\n1.0\n")
    options = ("--nodes", "4", "--profile", "wan", "--json", "-")
    outcome = json.loads(sims("run", "update", *options, "--latency", str(measured)).stdout)
    assert 1.0 <= outcome["updates"][0]["first_s"] < 1.1
    same = json.loads(sims("run", "update", *options, "--latency", "0.01").stdout)
    assert same["updates"][0]["first_s"] < 0.1


def test_delays_that_cannot_be_read_are_refused_in_one_line(sims: Sims) -> None:
    done = sims("run", "update", "--latency", "/nowhere/delays.csv")
    assert done.code == 2
    assert "/nowhere/delays.csv cannot be read" in done.stderr
