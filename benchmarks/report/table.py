"""The one kind of table: texts in rows and columns. :mod:`.text` prints it, :mod:`.rst` writes it into a page."""

from __future__ import annotations

from collections.abc import Iterator

import attrs


@attrs.frozen(kw_only=True)
class Table:
    """Texts in rows and columns."""

    title: str = ""
    heads: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    leading: int = 1
    """How many columns on the left say what a row is about."""
    widths: tuple[int, ...] = ()
    """Relative widths of the columns in a page; empty if the content decides."""

    def column(self, place: int) -> tuple[str, ...]:
        """All cells of a column, without its head."""
        return tuple(row[place] for row in self.rows)

    def parts(self) -> Iterator[Table]:
        """The table cut at each row whose first cell is not empty. That cell is the title of the part, and the first
        column is left out."""
        starts = [place for place, row in enumerate(self.rows) if row[0] or not place]
        for start, end in zip(starts, [*starts[1:], len(self.rows)], strict=True):
            rows = tuple(row[1:] for row in self.rows[start:end])
            yield Table(title=self.rows[start][0], heads=self.heads[1:], rows=rows, leading=self.leading - 1)
