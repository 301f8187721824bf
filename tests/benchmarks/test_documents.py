"""Generated documents: everything is in them, Sphinx finds no fault, and those in the checkout are current."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Mapping
from functools import cache
from pathlib import Path

import pytest
from click.testing import CliRunner

from benchmarks import documents
from benchmarks.analysis.sources import Source
from benchmarks.commands import report
from benchmarks.report.pages import pages
from benchmarks.report.rst import escaped, folded, list_table
from benchmarks.report.table import Table
from tests.benchmarks.made_up import SYSTEMS, results
from tests.rst import ROOT, table

EXPERIMENTS = ("join", "update", "crash", "leave", "restart", "heal", "slow", "lossy", "idle", "limits", "micro")


@cache
def made_up_pages() -> Mapping[str, str]:
    return pages([Source("a.json", results()), Source("b/b.json", results())])


# --- the pages


def test_there_is_an_overview_and_a_page_for_each_experiment() -> None:
    assert list(made_up_pages()) == ["benchmarks.rst", *(f"benchmarks/{name}.rst" for name in EXPERIMENTS)]
    overview = made_up_pages()["benchmarks.rst"]
    for name in EXPERIMENTS:
        assert f"<benchmarks/{name}>`" in " ".join(overview.split())
        assert f"   benchmarks/{name}\n" in overview


def test_sphinx_builds_the_pages_without_a_warning(tmp_path: Path) -> None:
    pytest.importorskip("sphinx")
    source = tmp_path / "docs"
    documents.write(made_up_pages(), source)
    (source / "conf.py").write_text('project = "made up"\nexclude_patterns = []\n', encoding="utf-8")
    (source / "index.rst").write_text(
        "Index\n=====\n\n.. toctree::\n\n   benchmarks\n   evaluation\n", encoding="utf-8"
    )
    (source / "evaluation.rst").write_text("Evaluation\n==========\n", encoding="utf-8")
    for name in ("last", "update", "crash", "idle"):
        (source / "benchmarks" / f"{name}.svg").write_text('<svg xmlns="http://www.w3.org/2000/svg"/>')
    command = [sys.executable, "-m", "sphinx", "-q", "-W", "-b", "html", str(source), str(tmp_path / "html")]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    html = {path.stem: path.read_text(encoding="utf-8") for path in (tmp_path / "html").rglob("*.html")}
    assert "it has *no* way back | from a split" in html["benchmarks"]
    assert html["crash"].count("<details>") == html["crash"].count("</details>") > 1
    assert sum(html[name].count("<img") for name in ("benchmarks", *EXPERIMENTS)) == 4


def test_the_overview_says_where_the_figures_come_from() -> None:
    text = made_up_pages()["benchmarks.rst"]
    for each in ("cores: 2", "go 1.22", "commit: abc1234", "load before: 0.1, 0.2, 0.3", *SYSTEMS):
        assert each in text


def test_facts_that_differ_from_file_to_file_are_told_for_each() -> None:
    sources = [Source("a.json", results()), Source("b.json", results(commit="fffffff"))]
    text = pages(sources)["benchmarks.rst"]
    assert text.count("- cores: 2\n") == 1
    assert "- commit: abc1234\n" not in text
    assert "   * - a.json\n     - abc1234\n   * - b.json\n     - fffffff\n" in text


def test_no_line_of_a_page_is_too_long() -> None:
    for each in (*made_up_pages().values(), *documents.generated().values()):
        assert max(map(len, each.splitlines())) <= 110


def test_whatever_a_file_says_stays_a_text() -> None:
    assert escaped("*a* `b`_ |c|\n\\d e_f") == r"\*a\* \`b\`\_ \|c\| \\d e_f"
    assert "<summary>&lt;b&gt;</summary>" in folded("<b>")


def test_a_table_that_is_written_can_be_read() -> None:
    written = Table(title="Some", heads=("a", ""), rows=(("b" * 90 + " " + "c" * 30, "f_g"), ("d", "e")))
    assert [tuple(row) for row in table(list_table(written) + "\n", "Some")] == list(written.rows)


# --- the documents of this checkout


def test_what_is_generated_is_current() -> None:
    assert list(documents.outdated()) == [], "run: python -m benchmarks report"


def test_the_command_names_what_is_outdated(tmp_path: Path) -> None:
    documents.write(documents.generated(), tmp_path)
    changed, left_over = tmp_path / "security.rst", tmp_path / "benchmarks" / "gone.rst"
    changed.write_text(changed.read_text(encoding="utf-8").replace("4,000 a second", "5,000 a second"), "utf-8")
    left_over.write_text("Gone\n====\n", encoding="utf-8")
    done = CliRunner().invoke(report, ["--check", "--into", str(tmp_path)])
    assert done.exit_code == 1
    assert [line.split("/")[-1] for line in done.output.splitlines()] == [
        "gone.rst",
        "security.rst",
        "run: python -m benchmarks report",
    ]
    assert CliRunner().invoke(report, ["--check"]).exit_code == 0


def test_a_document_without_a_place_for_a_table_is_an_error() -> None:
    with pytest.raises(documents.NoMarkers, match="figures begin"):
        documents.between_markers("Title\n=====\n", "figures", "text")


def test_only_what_stands_between_the_markers_is_replaced() -> None:
    text = "before\n\n.. figures begin\n\nold\n\n.. figures end\n\nafter\n"
    assert documents.between_markers(text, "figures", "new") == text.replace("old", "new")


def test_every_kept_result_over_real_sockets_is_used() -> None:
    kept = {path.stem for path in (ROOT / "benchmarks" / "results" / "sockets").glob("*.json")}
    assert kept == set(documents.SOCKETS)


def test_every_kept_result_of_embedded_nodes_is_used() -> None:
    kept = {path.stem for path in (ROOT / "benchmarks" / "results" / "embedding").glob("*.json")}
    assert kept == set(documents.PROGRAMS)
