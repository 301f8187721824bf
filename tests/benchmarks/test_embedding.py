"""Programs that embed a node: what the quick measurements give, what they are held to, and what is told of them.

How fast anything is, no test says. Those that measure run with ``-m benchmark``.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Mapping
from importlib.util import find_spec
from pathlib import Path

import attrs
import pytest
from click.testing import CliRunner

from benchmarks.analysis.samples import Number, Results, Sample, load
from benchmarks.analysis.summary import summary_of
from benchmarks.embedding import systems
from benchmarks.embedding.__main__ import main
from benchmarks.report.layout import table_of
from benchmarks.report.targets import verdicts_of
from benchmarks.report.verdicts import Outcome
from tests.benchmarks.commands import LIMIT_S, why_no_network
from tests.rst import ROOT

OURS = ("ours-aio", "ours-aio-process")
WAYS = ("time.sleep", "pure Python", "C code that holds the GIL")
LEFT = ("threads_left", "tasks_left", "sockets_left", "descriptors_left", "processes_left", "unexpected_errors")


def measured(folder: Path, *arguments: str) -> Results:
    """What a quick measurement gives; skips the test where there can be no private network."""
    if (reason := why_no_network()) is not None:
        pytest.skip(reason)
    file = folder / "results.json"
    command = [sys.executable, "-m", "benchmarks.embedding", *arguments, "--quick", "--json", str(file)]
    done = subprocess.run(command, capture_output=True, text=True, cwd=ROOT, timeout=LIMIT_S, check=False)
    assert done.returncode == 0, done.stderr
    return load(file)


def of(results: Results, system: str) -> list[Mapping[str, Number]]:
    """The numbers of one system."""
    return [sample.numbers for sample in results.samples if sample.system == system]


def everybody(*names: str) -> set[str]:
    """These systems, without kinship where it cannot be used."""
    return {name for name in names if find_spec("kinship") is not None or not name.startswith("kinship")}


# --- quick measurements


@pytest.mark.benchmark
def test_a_blocked_program_is_dead_to_nobody_while_its_node_runs_elsewhere(tmp_path: Path) -> None:
    results = measured(tmp_path, "blocked", "--repeats", "1")
    assert {sample.system for sample in results.samples} == everybody("ours-trio", *OURS, "kinship")
    deaths = {(each.system, each.setting): each.numbers.get("false_deaths") for each in results.samples}
    assert not any(deaths["ours-aio-process", way] for way in WAYS)
    assert not any(deaths["ours-aio", way] for way in WAYS[:2])
    assert deaths["ours-trio", "time.sleep"], "the loop of the node was blocked, and nobody has noticed"


@pytest.mark.benchmark
def test_delays_are_measured_of_each_system(tmp_path: Path) -> None:
    results = measured(tmp_path, "latency")
    assert {sample.system for sample in results.samples} == everybody(*systems.SYSTEMS)
    for system in everybody(*systems.SYSTEMS):
        changes, members = of(results, system)
        assert changes["event_rate"]
        assert members["members_us"]
        assert ("from_node_median_s" in changes) == system.startswith("ours")


@pytest.mark.benchmark
def test_the_cost_of_a_node_is_measured_of_each_system(tmp_path: Path) -> None:
    results = measured(tmp_path, "embedded")
    assert {sample.system for sample in results.samples} == everybody(*systems.SYSTEMS)
    for sample in results.samples:
        assert sample.numbers["cpu_to_trio_ratio"]
        assert sample.numbers["opened_s"]


@pytest.mark.benchmark
def test_nothing_is_left_of_nodes_that_were_cancelled(tmp_path: Path) -> None:
    results = measured(tmp_path, "storm", "--systems", "ours-aio,ours-aio-process,ours-blocking")
    assert len(results.samples) == 3
    for sample in results.samples:
        assert sample.numbers["nodes_opened"]
        assert {name: sample.numbers[name] for name in LEFT} == dict.fromkeys(LEFT, 0), sample.system


# --- what is told


def sample(experiment: str, system: str, nodes: int, numbers: Mapping[str, Number]) -> Sample:
    return Sample(experiment=experiment, system=system, nodes=nodes, numbers=numbers)


def outcome(claim: str, *samples: Sample) -> Outcome:
    """What comes of the target whose claim begins so."""
    (found,) = [each for each in verdicts_of(summary_of(samples)) if each.claim.startswith(claim)]
    return found.outcome


def blocks(system: str, deaths: int, ways: tuple[str, ...] = WAYS) -> list[Sample]:
    """Two blocks in each way, of which the last has so many false deaths."""
    counted = [(way, repeat) for way in ways for repeat in range(2)]
    return [
        attrs.evolve(
            sample("blocked", system, 5, {"false_deaths": deaths if (way, repeat) == counted[-1] else 0}),
            setting=way, repeat=repeat,
        )
        for way, repeat in counted
    ]  # fmt: skip


def test_one_false_death_in_many_blocks_misses_the_target() -> None:
    claim = "blocked: false deaths, node in a process"
    assert outcome(claim, *blocks("ours-aio-process", 0)) is Outcome.MET
    assert outcome(claim, *blocks("ours-aio-process", 1)) is Outcome.MISSED
    assert outcome(claim, *blocks("ours-aio-process", 0, WAYS[:2])) is Outcome.NOT_MEASURED


def test_a_node_in_a_thread_is_not_held_to_code_that_holds_the_gil() -> None:
    assert outcome("blocked: false deaths, node in a thread", *blocks("ours-aio", 4)) is Outcome.MET
    assert outcome("blocked: false deaths, node in a thread", *blocks("ours-aio", 4, WAYS[:2])) is Outcome.MISSED


@pytest.mark.parametrize(("ratio", "expected"), [(1.3, Outcome.MET), (1.31, Outcome.MISSED)])
def test_medians_are_held_to_their_limits(ratio: float, expected: Outcome) -> None:
    samples = [sample("embedded", name, 5, {"cpu_to_trio_ratio": ratio}) for name in ("ours-aio", "ours-blocking")]
    assert outcome("embedded: CPU time", *samples) is expected


def test_whatever_is_left_of_a_storm_misses_the_target() -> None:
    def storms(**left: Number) -> list[Sample]:
        numbers: dict[str, Number] = {**dict.fromkeys(LEFT, 0), "nodes_asked_for": 10_000}
        names = ("ours-aio", "ours-aio-process")
        return [
            sample("storm", "ours-blocking", 1, numbers | left),
            *(sample("storm", name, 1, numbers) for name in names),
        ]

    assert outcome("storm:", *storms()) is Outcome.MET
    for name in LEFT:
        assert outcome("storm:", *storms(**{name: 1})) is Outcome.MISSED
    assert outcome("storm:", *storms(memory_left_kib=5000)) is Outcome.MET


def test_false_deaths_are_added_up_and_kinship_is_compared_with_its_counterpart() -> None:
    summary = summary_of([*blocks("ours-aio", 4), *blocks("kinship", 0)])
    table = table_of(summary, "blocked")
    assert table.rows[2][-2:] == ("4 in 2", "0 in 2")
    used = {"ours-aio": 2.0, "ours-blocking": 4.0, "kinship": 1.0, "kinship-blocking": 1.0}
    costs = [sample("embedded", name, 5, {"cpu_ms_per_node_s": ms}) for name, ms in used.items()]
    assert table_of(summary_of(costs), "embedded").rows[0][-2:] == ("1; 0.5 times ours", "1; 0.25 times ours")


# --- where kinship is missing


def test_without_kinship_the_command_says_how_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(systems, "_kinship_version", lambda: None)
    usable, skipped = systems.ready(systems.SYSTEMS)
    assert [each.name for each in usable] == [name for name in systems.SYSTEMS if name.startswith("ours")]
    assert {each.system for each in skipped} == {"kinship", "kinship-blocking"}
    assert all("pip install 'gossip-membership[bench]'" in each.reason for each in skipped)


def test_an_unknown_system_is_refused() -> None:
    done = CliRunner().invoke(main, ["blocked", "--systems", "ours-aio,serf"])
    assert done.exit_code == 2
    assert "'serf' is not one of ours-trio, ours-aio" in done.output
