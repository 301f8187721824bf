"""Reading the project's own documents: their literal blocks and the rows of their tables."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent


def document(name: str) -> str:
    """The text of a document, by its path in the repository."""
    return (ROOT / name).read_text(encoding="utf-8")


def literal_blocks(text: str) -> list[str]:
    """The blocks that follow a paragraph ending in ``::``, without their indentation."""
    return list(_literal_blocks(text.splitlines()))


def _literal_blocks(lines: list[str]) -> Iterator[str]:
    for number, line in enumerate(lines, start=1):
        if line.endswith("::") and not line.lstrip().startswith(".."):
            block = []
            for following in lines[number:]:
                if following and not following.startswith(" "):
                    break
                block.append(following)
            yield textwrap.dedent("\n".join(block)).strip("\n") + "\n"


def table(text: str, title: str) -> list[list[str]]:
    """The rows of the ``list-table`` with this title, the header left out; each cell on one line."""
    rows: list[list[str]] = []
    begin = text.index(f".. list-table:: {title}\n")
    for line in text[begin:].splitlines()[1:]:
        if line and not line.startswith("   "):
            break
        item = line.strip()
        if item.startswith("* - "):
            rows.append([item[4:]])
        elif line.startswith("     - "):
            rows[-1].append(item[2:])
        elif rows and item:
            rows[-1][-1] += f" {item}"
    assert len(rows) > 1, f"no rows in the table {title!r}"
    return rows[1:]
