"""``python -m benchmarks.tables DOCUMENT RESULTS...``: kept results as tables, between the markers of a document.

Results are what ``benchmarks.simulated --json`` and ``benchmarks.evaluation --results`` write. The tables are reST.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import attrs
import click

from benchmarks.figures import Figure

FIGURES = "figures"
ABLATIONS = "ablations"

Cell = Mapping[str, Any]


def figures_table(figures: Sequence[Mapping[str, Any]]) -> str:
    """Figures beside their targets."""
    names = {field.name for field in attrs.fields(Figure)}
    rows = []
    for told in figures:
        figure = Figure(**{name: value for name, value in told.items() if name in names})
        met = {None: "", True: "met", False: "**missed**"}[figure.is_met]
        rows.append((figure.name, figure.value_text, figure.target_text, met))
    return _list_table("", (60, 16, 14, 10), [("Figure", "Measured", "Held to", ""), *rows])


def ablation_tables(cells: Sequence[Cell]) -> str:
    """A table for each condition, one ablation a row."""
    titles = dict.fromkeys(cell["condition"] for cell in cells)
    return "\n".join(_ablation_table(title, [cell for cell in cells if cell["condition"] == title]) for title in titles)


def _ablation_table(title: str, cells: Sequence[Cell]) -> str:
    heads = ("Choice", "Crash known", "Update known", "Missed", "False deaths", "Suspicions", "Traffic")
    rows = [
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
    ]
    return _list_table(title, (32, 14, 14, 8, 10, 10, 12), [heads, *rows])


def _list_table(title: str, widths: Sequence[int], rows: Sequence[Sequence[str]]) -> str:
    lines = [f".. list-table:: {title}".rstrip(), "   :header-rows: 1"]
    lines += [f"   :widths: {' '.join(map(str, widths))}", ""]
    for row in rows:
        lines += [f"   {'*' if not number else ' '} - {text}".rstrip() for number, text in enumerate(row)]
    return "\n".join(lines) + "\n"


def _pair(median: float | None, rare: float | None, factor: float, unit: str) -> str:
    if median is None or rare is None:
        return ""

    def text(value: float) -> str:
        return "never" if math.isinf(value) else f"{value * factor:.{2 if unit == 's' else 0}f}"

    return f"{text(median)} / {text(rare)} {unit}"


def between_markers(document: str, name: str, text: str) -> str:
    """The document with what stands between the markers ``.. NAME begin`` and ``.. NAME end`` replaced.

    :raises click.UsageError: if it has no such markers.
    """
    begin, end = f".. {name} begin\n", f".. {name} end\n"
    if begin not in document or end not in document:
        raise click.UsageError(f"the document has no lines {begin.strip()!r} and {end.strip()!r} to write between")
    head, rest = document.split(begin, 1)
    return f"{head}{begin}\n{text}\n{end}{rest.split(end, 1)[1]}"


@click.command()
@click.argument("document", type=click.Path(path_type=Path, exists=True, dir_okay=False))
@click.argument("results", type=click.Path(path_type=Path, exists=True, dir_okay=False), nargs=-1, required=True)
def main(document: Path, results: tuple[Path, ...]) -> None:
    """Put kept results as tables into a document."""
    found = [json.loads(path.read_text(encoding="utf-8")) for path in results]
    text = document.read_text(encoding="utf-8")
    if figures := [figure for each in found for figure in each.get("figures", ())]:
        text = between_markers(text, FIGURES, figures_table(figures))
    if cells := [cell for each in found for cell in each.get("cells", ())]:
        text = between_markers(text, ABLATIONS, ablation_tables(cells))
    document.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
