"""The time of imports: how it is measured, and what it is held to."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from benchmarks.embedding.imports import NEEDED, Import, ImportFailed, figures_of, imports_of, main


def test_the_target_is_the_ratio_of_the_medians() -> None:
    figures = figures_of({NEEDED: [50.0, 60.0, 900.0], "gossip": [10.0, 96.0, 100.0], "gossip.aio": [21.0]})
    assert [(figure.value, figure.is_met) for figure in figures] == [
        (60.0, None), (96.0, None), (1.6, False), (21.0, False)
    ]  # fmt: skip
    assert figures[3].name == "import gossip.aio, after gossip: median of 1"


def test_only_the_statement_counts() -> None:
    slow, quick = "sum(range(10**7))", "sum(range(10))"
    assert Import(quick, before=slow).seconds() < Import(slow, before=quick).seconds()


def test_an_import_that_fails_says_why() -> None:
    with pytest.raises(ImportFailed, match="import kinship_of_nobody: ModuleNotFoundError: No module named"):
        Import("import kinship_of_nobody").seconds()


def test_a_rival_is_timed_in_its_own_environment() -> None:
    assert imports_of(sys.executable)["kinship"].python == sys.executable
    assert "kinship" not in imports_of(None)


def test_the_command_prints_the_figures_and_keeps_every_sample(tmp_path: Path) -> None:
    file = tmp_path / "imports.json"
    done = CliRunner().invoke(main, ["--repeat", "2", "--json", str(file)])
    assert done.exit_code == 0, done.output
    assert f"import gossip, as a multiple of {NEEDED}" in done.output
    kept = json.loads(file.read_text("utf-8"))["figures"]
    assert [len(each["samples"]) for each in kept[:3]] == [2, 2, 0]
