"""Fuzzing without the fuzzer: all inputs that are committed, some changed ones, and what a run says of itself."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from random import Random

import pytest

from tests.fuzzing import attacks, cores, corpora, running, tables
from tests.fuzzing.steps import Step, packed, steps_in
from tests.fuzzing.targets import TARGETS
from tests.rst import document, table

CHANGED = {"decode": 3000, "frames": 1000, "envelope": 300, "channel": 500, "core": 40}
"""Changed inputs to try of each target: half a second each, at most."""


def one_byte(data: bytes, most: int, random: Random) -> bytes:
    """What stands for the fuzzer's own changes: another byte here or there, one more or one less."""
    at = random.randrange(len(data) + 1)
    return (data[:at] + random.choice((b"", random.randbytes(1))) + data[at + random.randrange(2) :])[:most]


@pytest.mark.parametrize("target", TARGETS)
def test_nothing_is_wrong_with_any_input_ever_found(target: str) -> None:
    for data in [*corpora.load(target), *TARGETS[target].seeds()]:
        TARGETS[target].fuzz_one(data)


@pytest.mark.parametrize("target", TARGETS)
def test_nothing_is_wrong_with_changed_inputs(target: str) -> None:
    random = Random(0)
    inputs = [*corpora.load(target), *TARGETS[target].seeds()]
    for _ in range(CHANGED[target]):
        at = random.randrange(len(inputs))
        inputs[at] = TARGETS[target].mutate(
            inputs[at], TARGETS[target].max_bytes, random, lambda data, most: one_byte(data, most, random)
        )
        assert len(inputs[at]) <= TARGETS[target].max_bytes
        TARGETS[target].fuzz_one(inputs[at])


@pytest.mark.parametrize("target", TARGETS)
def test_committed_inputs_are_few_sorted_and_each_there_once(target: str) -> None:
    inputs = corpora.load(target)
    assert inputs == sorted(set(inputs), key=lambda data: (len(data), data))
    assert corpora.file_of(target).stat().st_size <= corpora.MAX_CORPUS_BYTES
    assert len(inputs) >= 20


def test_what_an_attack_says_is_what_was_written_into_it() -> None:
    steps = [Step(1, 2, b"abc"), Step(3, 4), Step(255, 255, b"x" * 255)]
    assert steps_in(packed(steps)) == steps
    assert steps_in(packed(steps)[:-1])[-1].details == b"x" * 254


def test_an_attack_that_does_harm_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of a fuzzer that finds nothing one wants to know whether it would."""
    monkeypatch.setattr(attacks, "PAUSES_S", (300.0,))
    with pytest.raises(AssertionError, match="quiet after an attack"):
        cores.fuzz_one(b"\0" + packed([Step(11, 0)]))


def test_a_run_without_the_fuzzer_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    if running.is_available():
        pytest.skip("it is installed here")
    done = subprocess.run(
        [sys.executable, "-m", "tests.fuzzing", "decode"], cwd=running.ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 77
    assert "pip install 'gossip-membership[fuzz]'" in done.stderr


@pytest.mark.skipif(not running.is_available(), reason=running.MISSING)
def test_a_run_counts_what_it_did_and_leaves_its_inputs_behind(tmp_path: Path) -> None:
    result = running.run("decode", executions=2000, folder=tmp_path)
    assert result.executions >= 2000
    assert result.edges > 50
    assert result.crashes == []
    assert 0 < result.slowest_ms < 1000
    assert result.inputs <= len(list((tmp_path / "inputs").iterdir()))


def test_the_tables_in_the_documentation_are_made_of_what_was_recorded() -> None:
    """``python -m benchmarks report`` writes them."""
    security = document("docs/security.rst")
    assert table(security, "Fuzzing runs") == tables.runs()
    assert table(security, "Dearest bombs") == tables.bombs()


def test_an_input_is_replayed_from_a_file(tmp_path: Path) -> None:
    file = tmp_path / "input"
    file.write_bytes(TARGETS["decode"].seeds()[0])
    done = subprocess.run(
        [sys.executable, "-m", "tests.fuzzing", "decode", "--replay", str(file)],
        cwd=running.ROOT, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("decode: nothing wrong with it")
