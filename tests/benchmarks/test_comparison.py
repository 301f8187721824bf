"""Two files of results: what moved is told, noise is not."""

from __future__ import annotations

import json
from pathlib import Path

import attrs
import pytest
from click.testing import CliRunner, Result

from benchmarks.analysis.comparison import compared, has_moved
from benchmarks.analysis.samples import Number, Results, Sample, save
from benchmarks.commands import compare
from tests.benchmarks.made_up import results, sample, without
from tests.benchmarks.test_summary import stat_of


def changed(factor: float, experiment: str = "update", system: str = "ours", nodes: int = 32) -> Results:
    """The usual results, but for one kind."""

    def change(each: Sample) -> Sample:
        if (each.experiment, each.system, each.nodes) != (experiment, system, nodes):
            return each
        last = each.numbers["last_s"]
        assert last is not None
        return attrs.evolve(each, numbers={**each.numbers, "last_s": factor * last})

    return results([change(each) for each in results().samples])


@pytest.mark.parametrize(
    ("old", "new", "is_moved"),
    [
        ((1.0, 1.1, 1.2), (1.5, 1.6, 1.7), True),
        ((1.5, 1.6, 1.7), (1.0, 1.1, 1.2), True),
        ((1.0, 1.1, 1.2), (1.05, 1.15, 1.3), False),
        ((1.0, 1.1, 2.0), (1.5, 1.6, 1.7), False),
        ((1.5, 1.6, 1.7), (1.0, 1.1, 2.0), False),
        ((1.0, 1.0, 1.0), (1.04, 1.04, 1.04), False),
        ((1.0,), (None,), True),
        ((None,), (1.0,), True),
        ((1.0, 1.0, None), (None, None, 9.0), False),
        ((None,), (None,), False),
        ((0.0,), (3.0,), True),
        ((0.0,), (0.0,), False),
    ],
)
def test_a_number_has_moved_if_both_medians_are_outside_of_the_other_range(
    old: tuple[Number, ...], new: tuple[Number, ...], is_moved: bool
) -> None:
    assert has_moved(stat_of(*old), stat_of(*new)) is is_moved


def test_only_what_moved_is_told() -> None:
    found = compared(results(), changed(2.0))
    (change,) = found.changes
    assert (change.kind.experiment, change.kind.system, change.kind.nodes, change.number) == (
        "update",
        "ours",
        32,
        "last_s",
    )
    assert change.factor == pytest.approx(2.0)


def test_the_largest_movement_comes_first_up_or_down() -> None:
    old = results([sample("update", "ours", n, last_s=1.0) for n in (8, 16, 32, 64)])
    new = results(
        [sample("update", "ours", n, last_s=last) for n, last in ((8, 2.0), (16, 0.1), (32, 1.5), (64, None))]
    )
    assert [change.kind.nodes for change in compared(old, new).changes] == [64, 16, 8, 32]


def test_noise_is_not_told() -> None:
    assert compared(results(), changed(1.03)).changes == ()


def test_what_is_in_one_of_the_files_only_is_told() -> None:
    found = compared(results(), without(results(), "lossy"))
    assert "lossy, ours, 64 nodes, 25 % loss" in found.only_old
    assert found.only_new == ()
    added = compared(
        results([sample("update", "ours", 8, last_s=1.0)]), results([sample("update", "ours", 8, last_s=1.0, more=2.0)])
    )
    assert added.only_new == ("update, ours, 8 nodes: more",)


def test_another_machine_is_told_and_another_load_is_not() -> None:
    found = compared(results(), results(cores=4, load_before=[9.0, 9.0, 9.0], commit="fff"))
    assert found.machines == ("cores: 2 before, 4 now",)


def run(folder: Path, old: Results, new: Results) -> Result:
    for name, each in (("old.json", old), ("new.json", new)):
        save(each, folder / name)
    return CliRunner().invoke(compare, [str(folder / "old.json"), str(folder / "new.json")])


def test_the_command_prints_what_moved(tmp_path: Path) -> None:
    result = run(tmp_path, results(), changed(2.0))
    assert result.exit_code == 0
    (line,) = [line for line in result.output.splitlines() if "last node knows" in line]
    assert line.split()[:3] == ["update", "ours", "32"]
    assert line.split()[-1] == "2.00"


def test_the_command_says_that_nothing_moved(tmp_path: Path) -> None:
    assert "nothing moved by more than its spread" in run(tmp_path, results(), results()).output


def test_the_rule_is_in_the_help() -> None:
    assert "has moved if" in CliRunner().invoke(compare, ["--help"]).output


@pytest.mark.parametrize("content", ["not JSON", json.dumps({"format": 99})])
def test_a_file_that_cannot_be_used_is_an_error_with_code_2(tmp_path: Path, content: str) -> None:
    (tmp_path / "bad.json").write_text(content)
    save(results(), tmp_path / "good.json")
    result = CliRunner().invoke(compare, [str(tmp_path / "good.json"), str(tmp_path / "bad.json")])
    assert result.exit_code == 2
    assert "bad.json" in result.output
