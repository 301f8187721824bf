"""Sweeps: the same outcomes wherever runs are made, and nothing lost whatever is killed or interrupted."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Generator, Iterable, Iterator
from contextlib import closing
from pathlib import Path

import pytest

from gossip.core.errors import ConfigurationError
from sims.cli.main import run as run_command
from sims.plan import Plan
from sims.running import Outcome, Run
from sims.scenarios import find
from sims.sweep import DaskEngine, Ended, EngineLost, Failure, LocalEngine, Request, ResultsFile, Sweep, workers
from sims.sweep.answers import answer, read_answer

COMMAND_LIMIT_S = 30.0

SIMS = (sys.executable, "-m", "sims")

CRASH = Request(scenario="crash", nodes=5, duration_s=10.0)

SEEDS = range(3, 9)

LONG = find("steady").plan(nodes=8, duration_s=400.0)
"""Takes far longer than any run of CRASH, and yet not long."""

ENDLESS = find("steady").plan(nodes=8, duration_s=1e9)

DEADLY_WORKER = """
import os, signal, sys
from sims.sweep import worker
real = worker.answer
def deadly(plan, progress):
    if '"seed": 5' in plan:
        os.kill(os.getpid(), signal.SIGKILL)
    return real(plan, progress)
worker.answer = deadly
worker.main(int(sys.argv[1]))
"""

ABANDONED_SWEEP = """
import signal, sys
from sims.plan import Plan
from sims.sweep import LocalEngine
def plans():
    yield Plan.from_json(sys.argv[1])
    print("the first worker has its plan", flush=True)
    signal.pause()
list(LocalEngine(2).run(plans()))
"""


class InProcess:
    """An engine that runs plans here, one after the other, and knows which seeds they had."""

    lost_workers = 0

    def __init__(self) -> None:
        self.seeds: list[int] = []

    def run(self, plans: Iterable[Plan]) -> Generator[Ended, None, None]:
        """Run all plans."""
        for plan in plans:
            self.seeds.append(plan.seed)
            yield Run(plan).run()


def hashes(ended: Iterable[Ended]) -> dict[int, str]:
    """Trace hashes by seed; everything must have come to an outcome."""
    found = {}
    for each in ended:
        assert isinstance(each, Outcome), each
        found[each.seed] = each.trace_hash
    return found


@pytest.fixture(scope="module")
def expected() -> dict[int, str]:
    """Trace hashes of runs in this process."""
    return hashes(Run(CRASH.plan(seed)).run() for seed in SEEDS)


@pytest.fixture
def heeded_sigint() -> Iterator[None]:
    """A shell starts what it puts in the background with SIGINT ignored, and children inherit that."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


# --- the same outcomes everywhere


@pytest.mark.parametrize("jobs", [1, 3])
def test_any_order_and_number_of_jobs_gives_the_same_runs(expected: dict[int, str], jobs: int) -> None:
    plans = [CRASH.plan(seed) for seed in (SEEDS if jobs == 1 else reversed(SEEDS))]
    assert hashes(LocalEngine(jobs).run(plans)) == expected


def test_a_dask_cluster_gives_the_same_runs(expected: dict[int, str]) -> None:
    pytest.importorskip("distributed", reason="runs on a Dask cluster need the extra dask")
    assert hashes(DaskEngine(2).run(CRASH.plan(seed) for seed in SEEDS)) == expected


def test_when_the_engine_is_lost_what_is_done_is_summed_up(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    class Lost(InProcess):
        def run(self, plans: Iterable[Plan]) -> Generator[Ended, None, None]:
            runs = super().run(plans)
            yield next(runs)
            raise EngineLost("the scheduler is gone")

    monkeypatch.setattr("sims.cli.many.LocalEngine", lambda _jobs: Lost())
    path = tmp_path / "crash.jsonl"
    arguments = ["sweep", "crash", "--nodes", "5", "--duration", "10", "--seeds", "3..8", "--out", str(path)]
    assert run_command(arguments) == 1
    captured = capsys.readouterr()
    assert "1 run, 5 missing" in captured.out
    assert (
        captured.err
        == "python -m sims: the scheduler is gone; 5 runs could not be made; repeat the command to make them\n"
    )
    assert swept(path, SEEDS)[1] == [4, 5, 6, 7, 8]


def test_without_dask_the_sweep_says_what_to_install(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setitem(sys.modules, "distributed", None)
    assert run_command(["sweep", "crash", "--seeds", "0..3", "--engine", "dask"]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert "pip install 'gossip-membership[dask]'" in line


def test_an_error_in_the_code_that_is_run_is_an_answer() -> None:
    ended = read_answer(7, answer('{"scenario": "none"}'))
    assert isinstance(ended, Failure)
    assert ended.seed == 7
    assert "Traceback" in ended.text
    assert ended.reason.startswith("gossip.core.errors.ConfigurationError: this is not a plan")


# --- killed workers


def test_a_worker_killed_in_the_middle_of_a_run_loses_nothing(expected: dict[int, str]) -> None:
    engine = LocalEngine(2)
    found = []
    with closing(engine.run([LONG, *(CRASH.plan(seed) for seed in SEEDS)])) as runs:
        found.append(next(runs))
        os.kill(engine.busy_workers[0], signal.SIGKILL)
        found += runs
    assert engine.lost_workers == 1
    assert hashes(found) == {**expected, LONG.seed: Run(LONG).run().trace_hash}


def test_a_seed_that_kills_every_worker_is_reported_and_the_others_are_run(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(workers, "WORKER_COMMAND", (sys.executable, "-c", DEADLY_WORKER))
    arguments = ["sweep", "crash", "--nodes", "5", "--duration", "10", "--seeds", "3..8", "--jobs", "2", "--json", "-"]
    assert run_command(arguments) == 1
    captured = capsys.readouterr()
    summary = json.loads(captured.out)
    assert summary["runs"] == 5
    assert [(each["seed"], each["text"]) for each in summary["failed"]] == [
        (5, "4 workers died of it; the last was killed by SIGKILL")
    ]
    assert "4 workers died in the middle of a run" in captured.err


def test_a_worker_ends_in_the_middle_of_a_run_when_its_sweep_is_killed() -> None:
    command = [sys.executable, "-c", ABANDONED_SWEEP, ENDLESS.to_json()]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as abandoned:
        assert abandoned.stdout is not None
        assert abandoned.stdout.readline() == "the first worker has its plan\n"
        abandoned.kill()
        _, told = abandoned.communicate(timeout=COMMAND_LIMIT_S)  # ends when the worker, too, has closed its output
    assert told == "the sweep that this run was part of is gone\n"


# --- resuming


def swept(path: Path, seeds: range, request: Request = CRASH) -> tuple[Sweep, list[int]]:
    """Run a sweep that keeps its outcomes in a file; also says which seeds it ran."""
    engine = InProcess()
    with ResultsFile(path, request, seeds.start) as results:
        sweep = Sweep(request=request, seeds=seeds, results=results)
        sweep.run(engine)
    return sweep, engine.seeds


def test_resuming_runs_only_what_is_missing(tmp_path: Path, expected: dict[int, str]) -> None:
    path = tmp_path / "crash.jsonl"
    swept(path, range(4, 6))
    sweep, ran = swept(path, SEEDS)
    assert ran == [3, 6, 7, 8]
    assert hashes(sweep.outcomes.values()) == expected
    assert swept(path, SEEDS)[1] == []


def test_seeds_that_were_not_asked_for_stay_in_the_file_and_out_of_the_sweep(tmp_path: Path) -> None:
    path = tmp_path / "crash.jsonl"
    swept(path, range(4))
    sweep, _ = swept(path, range(2, 3))
    assert list(sweep.outcomes) == [2]
    assert len(path.read_text().splitlines()) == 1 + 4


def test_kept_outcomes_are_the_outcomes(tmp_path: Path) -> None:
    sweep, _ = swept(tmp_path / "churn.jsonl", range(2), Request(scenario="churn", nodes=4, changes={"for_s": "20"}))
    again, ran = swept(tmp_path / "churn.jsonl", range(2), Request(scenario="churn", nodes=4, changes={"for_s": "20"}))
    assert ran == []
    assert again.outcomes == sweep.outcomes
    assert any(outcome.updates for outcome in again.outcomes.values())


def test_a_torn_last_line_is_dropped_and_its_seed_run_again(tmp_path: Path, expected: dict[int, str]) -> None:
    path = tmp_path / "crash.jsonl"
    swept(path, SEEDS)
    whole = path.read_bytes()
    for lost in (1, 100):
        path.write_bytes(whole[:-lost])
        sweep, ran = swept(path, SEEDS)
        assert ran == [SEEDS[-1]]
        assert hashes(sweep.outcomes.values()) == expected
        assert swept(path, SEEDS)[1] == []


def test_a_torn_first_line_is_begun_anew(tmp_path: Path) -> None:
    path = tmp_path / "crash.jsonl"
    swept(path, range(1))
    path.write_bytes(path.read_bytes()[:20])
    assert swept(path, range(1))[1] == [0]


@pytest.mark.parametrize("content", ["a letter", "a letter\nof two lines\n", '{"some": "json"}\n', "[]\n"])
def test_a_file_of_something_else_is_refused_and_left_alone(tmp_path: Path, content: str) -> None:
    path = tmp_path / "letter"
    path.write_text(content)
    with pytest.raises(ConfigurationError, match="not the file of a sweep"):
        ResultsFile(path, CRASH, 0)
    assert path.read_text() == content


@pytest.mark.parametrize(
    "other",
    [
        Request(scenario="crash", nodes=6, duration_s=10.0),
        Request(scenario="crash", nodes=5, duration_s=10.0, loss=0.1),
        Request(scenario="crash", nodes=5, duration_s=10.0, changes={"victims": "2"}),
        Request(scenario="leave", nodes=5, duration_s=10.0),
    ],
)
def test_different_sweeps_are_not_mixed_in_one_file(tmp_path: Path, other: Request) -> None:
    path = tmp_path / "crash.jsonl"
    swept(path, range(1))
    before = path.read_bytes()
    with pytest.raises(ConfigurationError, match="holds another sweep"):
        swept(path, range(1), other)
    assert path.read_bytes() == before


def test_a_damaged_line_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "crash.jsonl"
    swept(path, range(1))
    with path.open("a") as file:
        file.write('{"scenario": "crash"}\n')
    assert (
        run_command(["sweep", "crash", "--nodes", "5", "--duration", "10", "--seeds", "0..1", "--out", str(path)]) == 2
    )
    (line,) = capsys.readouterr().err.splitlines()
    assert f"{path}, line 3" in line


# --- interrupting


@pytest.mark.usefixtures("heeded_sigint")
def test_ctrl_c_keeps_what_is_done(tmp_path: Path) -> None:
    path = tmp_path / "crash.jsonl"
    engine = LocalEngine(2)

    def interrupt(_: Ended) -> None:
        if len(sweep.outcomes) == 2:
            signal.raise_signal(signal.SIGINT)

    with ResultsFile(path, CRASH, SEEDS.start) as results:
        sweep = Sweep(request=CRASH, seeds=SEEDS, results=results)
        sweep.run(engine, interrupt)
    assert sweep.was_interrupted
    assert len(sweep.outcomes) == 2
    assert len(sweep.missing) == 4
    assert engine.busy_workers == []
    assert sorted(swept(path, SEEDS)[1]) == sweep.missing


@pytest.mark.usefixtures("heeded_sigint")
def test_ctrl_c_in_a_terminal_ends_with_a_summary_of_what_is_done(tmp_path: Path) -> None:
    path = tmp_path / "steady.jsonl"
    arguments = ("sweep", "steady", "--nodes", "4", "--loss", "0.9", "--seeds", "0..50000", "--jobs", "2")
    command = [*SIMS, *arguments, "--out", str(path)]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True
    ) as sweeping:
        assert sweeping.stderr is not None
        assert sweeping.stderr.readline().startswith("seed ")
        os.killpg(sweeping.pid, signal.SIGINT)
        shown, told = sweeping.communicate(timeout=COMMAND_LIMIT_S)  # ends when all workers have ended, too
    assert sweeping.returncode == 130
    assert "Traceback" not in told
    assert "VIOLATED" in shown
    header, *outcomes = map(json.loads, path.read_text().splitlines())
    assert header["plan"]["scenario"] == "steady"
    assert outcomes
    assert f"{len(outcomes)} run" in shown.splitlines()[0]
    assert f"{50_001 - len(outcomes)} missing" in shown.splitlines()[1]
