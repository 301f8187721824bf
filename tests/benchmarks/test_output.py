"""Where standard output lacks letters that the tables have."""

from __future__ import annotations

import io
import sys
from pathlib import Path

import pytest

from benchmarks.__main__ import main
from tests.rst import ROOT

MEASURED = ROOT / "benchmarks" / "results" / "sockets" / "crash.json"


@pytest.mark.parametrize("encoding", ["ascii", "latin-1"])
def test_tables_are_printed_in_any_encoding(monkeypatch: pytest.MonkeyPatch, encoding: str, tmp_path: Path) -> None:
    raw = io.BytesIO()
    monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(raw, encoding, write_through=True))
    monkeypatch.chdir(tmp_path)
    main(["report", "--text", str(MEASURED)], standalone_mode=False)
    assert "\\u2013" in raw.getvalue().decode(encoding)
