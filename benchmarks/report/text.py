"""Tables on a terminal."""

from __future__ import annotations

import re
from collections.abc import Sequence

from rich import box
from rich.console import Group, RenderableType
from rich.table import Table as RichTable
from rich.text import Text

from benchmarks.analysis.samples import Skipped
from benchmarks.report.table import Table
from benchmarks.report.verdicts import Outcome

STYLES = {
    Outcome.MET.value: "green",
    Outcome.MISSED.value: "bold red",
    Outcome.NOT_MEASURED.value: "dim",
    "LEAK": "bold red",
}

NUMBER = re.compile(r"(?:[-\d.,]+(?: \w+)?)?")
"""What stands on the right of its column: a number and a unit, or nothing."""


def as_text(tables: Sequence[Table], skipped: Sequence[Skipped]) -> RenderableType:
    """All tables, and what was skipped and why."""
    lines = [Text(f"skipped: {skipped_text(each)}") for each in skipped]
    return Group(*map(rich_table, tables), *lines)


def rich_table(table: Table) -> RichTable:
    """A table in the colours of the terminal. Columns of numbers are aligned on the right."""
    title = Text(table.title) if table.title else None
    shown = RichTable(title=title, title_justify="left", title_style="bold", box=box.SIMPLE_HEAD)
    for place, head in enumerate(table.heads):
        is_number = bool(place) and all(map(NUMBER.fullmatch, table.column(place)))
        shown.add_column(Text(head), justify="right" if is_number else "left", no_wrap=0 < place < table.leading)
    for row in table.rows:
        shown.add_row(*(Text(text.replace("; ", "\n"), style=STYLES.get(text, "")) for text in row))
    return shown


def skipped_text(skipped: Skipped) -> str:
    """What was not measured, and why."""
    size = f", {skipped.nodes} nodes" if skipped.nodes else ""
    return f"{skipped.system or 'all systems'}, {skipped.experiment or 'all experiments'}{size}: {skipped.reason}"
