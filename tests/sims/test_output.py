"""Where standard output lacks the letters of a name, or the room for it, the simulator says what it can."""

from __future__ import annotations

import io
import sys

import pytest

from sims.cli.main import run


@pytest.mark.parametrize("encoding", ["ascii", "latin-1"])
def test_figures_and_errors_are_printed_in_any_encoding(monkeypatch: pytest.MonkeyPatch, encoding: str) -> None:
    raw = io.BytesIO()
    for name in ("stdout", "stderr"):
        monkeypatch.setattr(sys, name, io.TextIOWrapper(raw, encoding, write_through=True))
    assert run(["run", "split-heal", "--nodes", "4", "--duration", "1", "--set", "cluster=数据"]) == 0
    assert run(["explain", "0", "数据"]) == 2
    assert "no member of this run has the name '\\u6570\\u636e'" in raw.getvalue().decode(encoding)


def test_a_full_disk_is_told_in_one_line(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    with open("/dev/full", "w", encoding="utf-8") as full:
        monkeypatch.setattr(sys, "stdout", full)
        assert run(["--help"]) == 1
    (line,) = capsys.readouterr().err.splitlines()
    assert "No space left on device" in line
