"""``python -m benchmarks.hostile.tables``: the table "Rates borne" of ``docs/security.rst``, as it was measured."""

from __future__ import annotations

import json
from pathlib import Path

from benchmarks.hostile.bombs import BOMBS
from benchmarks.hostile.borne import borne_name, late_name
from tests.fuzzing.tables import rst

RESULTS = Path(__file__).parents[1] / "results" / "hostile-bombs.json"
HEADER = ("What", "Bytes", "Borne", "Loop late by, ms")


def rates_borne() -> list[list[str]]:
    """Of each bomb, how much a node bore, and how late it then was."""
    told = json.loads(RESULTS.read_text(encoding="utf-8"))["figures"]
    values = {figure["name"]: figure["value"] for figure in told}
    rows = []
    for bomb in BOMBS:
        borne, unit = values[borne_name(bomb)], "streams" if bomb.on_streams else "a second"
        all_of_it = "" if borne < bomb.steps[-1] else ", the most that was tried"
        late = f"{values[late_name(bomb)]:.0f}" if borne else "-"
        rows.append([bomb.name, f"{bomb.message_bytes:,}", f"{borne:,} {unit}{all_of_it}", late])
    return rows


if __name__ == "__main__":
    print(rst("Rates borne", "40 12 34 14", HEADER, rates_borne()), end="")
