"""Tables that the commands which run agents have in common."""

from __future__ import annotations

from collections.abc import Mapping

from rich import box
from rich.table import Table

from benchmarks.agents.judge import Spread
from benchmarks.agents.truth import Deed
from sims.watching import percentile


def known_table(spreads: Mapping[Deed, Spread]) -> Table:
    """How soon deeds became known."""
    table = table_of("Until an agent that ran knew of it", "Deed", "Times", "Agents", "Median", "99 %", "Last", "Never")
    for deed, spread in spreads.items():
        if spread.deeds:
            table.add_row(deed.value, f"{spread.deeds:,}", f"{len(spread.times_s):,}", *_times(spread))
    return table


def _times(spread: Spread) -> tuple[str, ...]:
    shares = (percentile(spread.times_s, share) for share in (0.5, 0.99, 1.0))
    return (*("" if time is None else f"{time:.3f} s" for time in shares), f"{len(spread.missing):,}")


def table_of(title: str, *heads: str) -> Table:
    """A table without rows; only its first column is text."""
    table = Table(title=title, title_justify="left", title_style="bold", box=box.SIMPLE_HEAD)
    for number, head in enumerate(heads):
        table.add_column(head, justify="right" if number else "left")
    return table
