"""What programs make of the documents: pages that are current, and reports that the stories show."""

from __future__ import annotations

from pathlib import Path

import pytest

from docs.generate import pages, stages
from docs.generate.__main__ import main
from docs.generate.reports import REPORTS, write_reports
from tests.docs.pages import commands
from tests.rst import ROOT, blocks, document


def test_the_generated_pages_are_current() -> None:
    assert pages.outdated() == [], "write them again: python -m docs.generate"
    assert main(["--check"]) == 0


def test_a_page_that_is_outdated_is_named_and_written_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(pages, "ROOT", tmp_path)
    monkeypatch.setattr(pages, "PAGES", {"page.rst": lambda: "new\n"})
    for path, title in pages.PICTURES.items():
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_text(stages.source(title) + "<svg/>", encoding="utf-8")
    (tmp_path / "page.rst").write_text("old\n", encoding="utf-8")
    assert main(["--check"]) == 1
    assert "page.rst is outdated" in capsys.readouterr().err
    assert main([]) == 0
    assert (tmp_path / "page.rst").read_text(encoding="utf-8") == "new\n"
    assert main(["--check"]) == 0


def test_each_report_is_a_page_that_says_that_all_invariants_held(tmp_path: Path) -> None:
    write_reports(tmp_path)
    assert {file.stem for file in tmp_path.iterdir()} == set(REPORTS)
    for file in tmp_path.iterdir():
        assert "All invariants held." in file.read_text(encoding="utf-8")
        assert file.stat().st_size < 300_000, "a cluster this large makes the story slow to load"


@pytest.mark.parametrize("name", REPORTS)
def test_each_story_shows_its_report_and_the_command_that_writes_it(name: str) -> None:
    page, request = document(f"docs/happens/{name}.rst"), REPORTS[name]
    assert f'src="../reports/{name}.html"' in page
    changes = [word for key, value in request.changes.items() for word in ("--set", f"{key}={value}")]
    words = [
        "gossip",
        "sim",
        "run",
        request.scenario,
        "--nodes",
        str(request.nodes),
        *changes,
        "--html",
        f"{name}.html",
    ]
    assert [command for block in blocks(page) for command in commands(block)] == [" ".join(words)]


def test_every_story_has_a_report() -> None:
    stories = {path.stem for path in (ROOT / "docs" / "happens").glob("*.rst")} - {"index"}
    assert stories == set(REPORTS)
