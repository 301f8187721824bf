"""Pieces of pages in reST: titles, paragraphs, tables, pictures, and parts that a reader can fold.

This is the only writer of reST. Folded parts are HTML (``<details>``) around ordinary reST, so that a page is complete
wherever raw HTML is not shown.
"""

from __future__ import annotations

import html
import re
import textwrap
from collections.abc import Sequence

import attrs

from benchmarks.report.table import Table
from benchmarks.report.verdicts import Outcome

WIDTH = 110
"""Columns of a page, as of all documents."""


@attrs.frozen
class Picture:
    """A plot that a page shows."""

    name: str
    """The name of its file, without the folder and ``.svg``."""
    text: str
    """What it shows, in one sentence."""
    experiment: str = ""
    """The experiment to which it belongs; empty for the overview."""


def joined(*parts: str) -> str:
    """A page or a piece of one: parts with empty lines between them."""
    return "\n\n".join(part for part in parts if part)


def title(text: str, line: str) -> str:
    """A title underlined with this character."""
    text = escaped(text)
    return f"{text}\n{line * len(text)}"


def paragraph(text: str) -> str:
    """Text in reST, broken into lines."""
    return "\n".join(wrapped(text, ""))


def items(texts: Sequence[str]) -> str:
    """A list with bullets, of texts in reST."""
    return "\n".join(line for text in texts for line in wrapped(text, "- "))


def list_table(table: Table, figures: bool = False) -> str:
    """A table.

    :param figures: whether its cells are figures, each on lines of its own: a semicolon ends a line.
    """
    lines = [f".. list-table:: {escaped(table.title)}".rstrip(), "   :header-rows: 1"]
    if table.widths:
        lines.append(f"   :widths: {' '.join(map(str, table.widths))}")
    if figures:
        lines.append("   :class: figures")
    lines.append("")
    for row in (table.heads, *table.rows):
        for place, text in enumerate(row):
            begin = "     - " if place else "   * - "
            if figures and "; " in text:
                lines += _line_block(text.split("; "), begin)
            else:
                lines += wrapped(f"**{text}**" if text == Outcome.MISSED.value else escaped(text), begin)
    return "\n".join(lines)


def _line_block(texts: Sequence[str], begin: str) -> list[str]:
    return [f"{' ' * len(begin) if place else begin}| {escaped(text)}" for place, text in enumerate(texts)]


def folded(summary: str, *parts: str) -> str:
    """Parts of a page of which a reader sees the summary alone, until he or she unfolds it."""
    return joined(
        _raw(f"<details><summary>{html.escape(summary)}</summary>"),
        *parts,
        _raw("</details>"),
    )


def image(file: str, text: str) -> str:
    """A picture, by its path from the page."""
    return "\n".join([f".. figure:: {file}", *wrapped(text, "   :alt: ")])


def toctree(documents: Sequence[str]) -> str:
    """The pages below this one, which the index of the documentation lists."""
    return "\n".join([".. toctree::", "   :maxdepth: 1", "   :hidden:", "", *(f"   {each}" for each in documents)])


def escaped(text: str) -> str:
    """Text on one line, in which reST finds no markup."""
    return re.sub(r"([\\*`|]|_(?!\w))", r"\\\1", " ".join(text.split()))


def wrapped(text: str, begin: str) -> list[str]:
    """Lines of which the first begins so, and the others are indented as far."""
    lines = textwrap.wrap(
        text,
        WIDTH,
        initial_indent=begin,
        subsequent_indent=" " * len(begin),
        break_long_words=False,
        break_on_hyphens=False,
    )
    return lines or [begin.rstrip()]


def _raw(text: str) -> str:
    return f".. raw:: html\n\n   {text}"
