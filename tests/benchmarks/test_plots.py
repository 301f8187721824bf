"""The plots: everything is in them, and they are drawn alike each time. Run with ``-m benchmark``: they need the extra
``bench``, and seconds."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from benchmarks.analysis.samples import Sample
from benchmarks.analysis.sources import Source
from benchmarks.analysis.summary import summary_of
from benchmarks.report.findings import pictures_of
from benchmarks.report.pages import pages
from tests.benchmarks.commands import report_of
from tests.benchmarks.made_up import SIZES, SYSTEMS, results, sample

pytestmark = pytest.mark.benchmark

SUMMARY = summary_of(results().samples)


@pytest.fixture
def plots() -> Any:
    """The module that draws; imported here, because it needs matplotlib."""
    return pytest.importorskip("benchmarks.report.plots", reason="the extra bench is not installed")


def test_when_nodes_know_is_a_panel_for_each_size_and_a_line_for_each_system(plots: Any) -> None:
    figure = plots.when_figure(SUMMARY, "update")
    assert [axes.get_title(loc="left") or axes.get_title() for axes in figure.axes] == [f"{n} nodes" for n in SIZES]
    for axes in figure.axes:
        assert sum((line.get_gid() or "").startswith("line-") for line in axes.lines) == len(SYSTEMS)
        assert axes.get_xscale() == "log"


def test_nodes_that_did_not_learn_of_it_keep_the_line_down(plots: Any) -> None:
    some = summary_of([sample("update", "ours", 5, times_s=(0.1, 0.2), missing=2.0, last_s=None)])
    (axes,) = plots.when_figure(some, "update").axes
    (line,) = axes.lines
    assert max(line.get_ydata()) == pytest.approx(0.5)


def test_larger_clusters_have_a_panel_for_each_experiment(plots: Any) -> None:
    figure = plots.last_figure(SUMMARY)
    assert len(figure.axes) == 4
    for axes in figure.axes:
        assert len(axes.containers) == len(SYSTEMS)
        assert (axes.get_xscale(), axes.get_yscale()) == ("log", "log")


def test_what_never_happened_is_told_in_words(plots: Any) -> None:
    some = summary_of([sample("join", name, n, last_s=None if n > 8 else 1.0) for name in ("ours", "b") for n in SIZES])
    (axes,) = plots.last_figure(some).axes
    assert "ours at 32, 64, 128; b at 32, 64, 128" in axes.get_xlabel().replace("\n", " ")


@pytest.mark.parametrize(
    "samples",
    [
        [],
        [sample("crash", "ours", 8, "5 % loss", times_s=(1.0,), last_s=1.0)],
        [sample("crash", "ours", 8, times_s=(0.0, 0.0), last_s=0.0)],
        [sample("join", "ours", 8, last_s=None), sample("join", "b", 8, last_s=None)],
        [sample("idle", "ours", 8, memory_kib_per_node=None, datagrams_per_node_s=0.0)],
        [sample("idle", "b", 8)],
    ],
)
def test_however_little_there_is_it_can_be_drawn(plots: Any, samples: list[Sample], tmp_path: Path) -> None:
    plots.write(summary_of(samples), tmp_path)
    assert pages([Source("few.json", results(samples))])


def test_costs_have_a_panel_each(plots: Any) -> None:
    figure = plots.cost_figure(SUMMARY)
    assert [axes.get_ylabel() for axes in figure.axes] == [
        "per node and second",
        "per node and second",
        "ms per node and second",
        "KiB per node",
    ]


def test_plots_are_the_same_bytes_each_time_and_their_texts_are_texts(plots: Any, tmp_path: Path) -> None:
    small = summary_of(sample for sample in results().samples if sample.nodes == 8)
    plots.write(small, tmp_path / "one")
    plots.write(small, tmp_path / "two")
    assert {each.name for each in pictures_of(small)} == {"last", "update", "crash", "idle"}
    for name in ("last.svg", "update.svg", "crash.svg", "idle.svg"):
        drawn = (tmp_path / "one" / name).read_bytes()
        assert drawn == (tmp_path / "two" / name).read_bytes()
        assert re.search(rb"<text[^>]*>memberlist-lan</text>", drawn)
        assert b"<dc:date>" not in drawn


@pytest.mark.usefixtures("plots")
def test_the_command_writes_the_pages_and_their_plots(tmp_path: Path) -> None:
    result = report_of(tmp_path)
    assert result.exit_code == 0, result.output
    pages = list((tmp_path / "docs").rglob("*.rst"))
    named = [(page, name) for page in pages for name in re.findall(r"\.\. figure:: (\S+)", page.read_text("utf-8"))]
    assert len(named) == 4
    assert all((page.parent / name).is_file() for page, name in named)
