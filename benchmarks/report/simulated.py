"""The tables of simulated clusters: figures beside their targets, and what each choice in the protocol is worth."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import attrs

from benchmarks.analysis.figures import Figure
from benchmarks.report.table import Table
from benchmarks.report.verdicts import Outcome, Verdict, verdicts_table

Cell = Mapping[str, Any]
"""What one ablation did under one condition, as ``choices-301e6f2.json`` keeps it."""

OUTCOMES = {None: Outcome.NO_TARGET, True: Outcome.MET, False: Outcome.MISSED}

ABLATION_HEADS = ("Choice", "Crash known", "Update known", "Missed", "False deaths", "Suspicions", "Traffic")


def figures_table(figures: Iterable[Figure]) -> Table:
    """Figures beside their targets."""
    verdicts = [
        Verdict(
            claim=each.name, measured=each.value_text, held_to=each.target_text, outcome=OUTCOMES[each.is_met]
        )
        for each in figures
    ]  # fmt: skip
    return attrs.evolve(verdicts_table(verdicts, "Figure"), widths=(60, 16, 14, 10))


def ablation_tables(cells: Sequence[Cell]) -> list[Table]:
    """A table for each condition, with a row for each ablation."""
    titles = dict.fromkeys(cell["condition"] for cell in cells)
    return [_ablation_table(title, [cell for cell in cells if cell["condition"] == title]) for title in titles]


def _ablation_table(title: str, cells: Sequence[Cell]) -> Table:
    rows = tuple(
        (
            cell["ablation"],
            _pair(cell["crash_p50_s"], cell["crash_p99_s"], 1.0, "s"),
            _pair(cell["update_p50_s"], cell["update_p99_s"], 1000.0, "ms"),
            str(cell["missing"]),
            str(cell["false_deaths"]),
            f"{cell['suspicions']:,}",
            f"{cell['datagrams']:.1f}; {cell['bytes']:,.0f}",
        )
        for cell in cells
    )
    return Table(title=title, heads=ABLATION_HEADS, rows=rows, widths=(32, 14, 14, 8, 10, 10, 12))


def _pair(median: float | None, rare: float | None, factor: float, unit: str) -> str:
    if median is None or rare is None:
        return ""

    def text(value: float) -> str:
        return "never" if math.isinf(value) else f"{value * factor:.{2 if unit == 's' else 0}f}"

    return f"{text(median)} / {text(rare)} {unit}"
