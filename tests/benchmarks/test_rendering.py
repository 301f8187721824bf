"""Tables: everything is in them, with sensible digits and units."""

from __future__ import annotations

import io
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner
from rich.console import Console

from benchmarks.analysis.samples import Number, Skipped
from benchmarks.analysis.summary import Kind, summary_of
from benchmarks.commands import report
from benchmarks.report.layout import cell_of, table_of, tables_of
from benchmarks.report.numbers import cell, label, times
from benchmarks.report.table import Table
from benchmarks.report.text import as_text
from tests.benchmarks.commands import report_of
from tests.benchmarks.made_up import SYSTEMS, results, sample
from tests.benchmarks.test_summary import stat_of

SUMMARY = summary_of(results().samples)
EXPERIMENTS = ("join", "update", "crash", "leave", "restart", "heal", "slow", "lossy", "idle", "limits", "micro")


# --- cells


@pytest.mark.parametrize(
    ("values", "text"),
    [
        ((1.5,), "1.50 s"),
        ((0.0021, 0.0018, 0.003), "2.10 ms; (1.80\N{EN DASH}3.00)"),
        ((0.00002,), "20.0 µs"),
        ((123.4, 122.6, 130.0), "123 s; (123\N{EN DASH}130)"),
        ((None, None), "never"),
        ((1.0, None, 2.0), "2.00 s; from 1.00; never: 1 of 3"),
        ((None, 1.0, None), "never: 2 of 3; else 1.00 s"),
    ],
)
def test_times_are_told_with_sensible_digits_and_units(values: tuple[Number, ...], text: str) -> None:
    assert cell(stat_of(*values)) == text


@pytest.mark.parametrize(
    ("number", "values", "text"),
    [
        ("false_deaths", (0.0, 0.0), "0"),
        ("false_deaths", (3.0, 0.0, 7.0), "3; (0\N{EN DASH}7)"),
        ("bytes_per_node_s", (12345.6,), "12,346"),
        ("datagrams_per_node_s", (1.98, 2.0, 2.03), "2.00; (1.98\N{EN DASH}2.03)"),
        ("datagrams_per_node", (-3.0, -2.0, 1.0), "-2; (-3 to 1)"),
        ("suspicions", (None,), "not told"),
    ],
)
def test_other_numbers_are_told_without_a_unit(number: str, values: tuple[Number, ...], text: str) -> None:
    assert cell(stat_of(*values, number=number)) == text


def test_how_long_was_waited_is_told_where_it_is_known() -> None:
    group = SUMMARY.groups[Kind("heal", "", 32, "memberlist-lan")]
    assert cell_of(group, "last_s") == "not within 120 s"


def test_names_of_numbers_are_words_with_a_unit() -> None:
    assert label("cpu_ms_per_node_s") == "CPU time, ms per node and second"
    assert label("hops_last") == "hops last"
    assert label("something_new_us") == "something new, µs"
    assert [times(each) for each in (458.2, 9.97, 4.0, 0.449)] == ["458", "10", "4.0", "0.45"]


# --- tables


def row_of(table: Table, *about: str) -> tuple[str, ...]:
    name = ""
    for row in table.rows:
        name = row[0] or name
        if (name, *row[1 : table.leading]) == about:
            return row[table.leading :]
    raise AssertionError(f"no row {about}")


def test_systems_stand_side_by_side_with_their_factors() -> None:
    table = table_of(SUMMARY, "update")
    assert table.heads == ("", "Nodes", *SYSTEMS)
    ours, processes, peer, swim = row_of(table, "last node knows", "8")
    assert ours == "2.20 ms; (2.00\N{EN DASH}2.40)"
    assert "times ours" not in processes
    assert peer.endswith("; 10 times ours")
    assert swim.endswith("; 25 times ours")


def test_a_number_below_zero_has_no_factor() -> None:
    samples = [sample("update", system, 8, datagrams_per_node=-2.0) for system in ("ours", "memberlist-lan", "other")]
    cells = row_of(table_of(summary_of(samples), "update"), "datagrams, per node", "8")
    assert not any("times" in cell for cell in cells)


def test_settings_have_a_column_where_there_are_some() -> None:
    table = table_of(SUMMARY, "crash")
    assert table.heads[:3] == ("", "Setting", "Nodes")
    assert row_of(table, "last node knows", "25 % loss", "32")


def test_rows_that_all_say_the_same_are_one() -> None:
    assert row_of(table_of(SUMMARY, "update"), "nodes that did not learn of it", "all") == ("0",) * 4


def test_what_was_left_out_is_told_from_what_was_not_asked_for() -> None:
    skipped = (Skipped(experiment="heal", system="swim-protocol", reason="no way"),)
    assert row_of(table_of(SUMMARY, "heal", skipped), "all see all again", "32")[-1] == "skipped"
    elsewhere = (Skipped(experiment="idle", system="b", reason="no way"),)
    lonely = summary_of([sample("join", "ours", 8, last_s=1.0), sample("join", "b", 9, last_s=1.0)])
    assert row_of(table_of(lonely, "join", elsewhere), "all see all", "8") == ("1.00 s", "not measured")


def test_where_nothing_is_compared_the_numbers_stand_side_by_side() -> None:
    micro = table_of(SUMMARY, "micro")
    assert micro.heads[0] == ""
    assert micro.rows[0][0] == "encode a ping"


def test_what_is_compared_with_limits_has_a_column_for_each_size() -> None:
    limits = table_of(SUMMARY, "limits")
    assert limits.heads == ("", "", "128 nodes", "1,000 nodes")
    assert limits.rows == (("update", "mean hops / limit", "1.33", "1.33"), ("", "limit: hops", "3", "3"))


def test_the_terminal_shows_every_experiment_and_every_system() -> None:
    console = Console(file=io.StringIO(), width=200)
    console.print(as_text(tables_of(SUMMARY), results().skipped))
    assert isinstance(console.file, io.StringIO)
    text = console.file.getvalue()
    titles = [table.title for table in tables_of(SUMMARY)]
    assert len(titles) == len(EXPERIMENTS)
    for each in (*titles, *SYSTEMS, "it has *no* way back"):
        assert each in text


# --- the command


def test_tables_alone_write_nothing(tmp_path: Path) -> None:
    result = report_of(tmp_path, "--text")
    assert result.exit_code == 0
    assert "memberlist-lan" in result.output
    assert not (tmp_path / "docs").exists()


def test_without_matplotlib_the_command_says_how_to_get_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(sys.modules, "benchmarks.report.plots", raising=False)
    monkeypatch.delattr("benchmarks.report.plots", raising=False)
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    result = report_of(tmp_path)
    assert result.exit_code == 2
    assert "pip install 'gossip-membership[bench]'" in result.output
    assert not (tmp_path / "docs").exists()


def test_a_long_table_is_cut_into_parts_that_keep_all_cells() -> None:
    table = table_of(SUMMARY, "update")
    parts = list(table.parts())
    assert [part.title for part in parts][:2] == ["last node knows", "half of the nodes know"]
    assert [row for part in parts for row in part.rows] == [row[1:] for row in table.rows]
    assert all(part.heads == table.heads[1:] for part in parts)


def test_a_file_that_is_not_there_is_an_error_with_code_2(tmp_path: Path) -> None:
    result = CliRunner().invoke(report, [str(tmp_path / "none.json"), "--text"])
    assert result.exit_code == 2
    assert "none.json" in result.output
