"""Reading the project's own documents: their blocks of code and the rows of their tables."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Iterator
from pathlib import Path

import attrs

ROOT = Path(__file__).resolve().parent.parent


def document(name: str) -> str:
    """The text of a document, by its path in the repository."""
    return (ROOT / name).read_text(encoding="utf-8")


@attrs.frozen
class Block:
    """A block of code in a document."""

    text: str
    """Without its indentation, one line break at the end."""
    language: str = ""
    """As the document names it; empty for a block that only follows ``::``."""
    name: str = ""
    """The option ``:name:``."""
    line: int = 0
    """In the document, from 1; that of the line which begins the block."""


def blocks(text: str) -> list[Block]:
    """The blocks that follow a paragraph ending in ``::`` or are a ``code-block``."""
    return list(_blocks(text.splitlines()))


def literal_blocks(text: str) -> list[str]:
    """The texts of :func:`blocks`."""
    return [block.text for block in blocks(text)]


def _blocks(lines: list[str]) -> Iterator[Block]:
    for number, line in enumerate(lines, start=1):
        directive = re.match(r" *\.\. code-block::(.*)$", line)
        if directive is None and (not line.endswith("::") or line.lstrip().startswith("..")):
            continue
        indentation = len(line) - len(line.lstrip())
        inside = textwrap.dedent("\n".join(_indented(lines[number:], indentation))).strip("\n")
        options, name = re.match(r"(:\w+:.*\n)*", inside), re.search(r"\A(?::\w+:.*\n)*?:name: (.*)\n", inside)
        if directive is None or options is None:
            yield Block(inside + "\n", line=number)
        else:
            code = inside[options.end() :].strip("\n") + "\n"
            yield Block(code, directive[1].strip(), name[1] if name else "", number)


def _indented(lines: list[str], beyond: int) -> Iterator[str]:
    for line in lines:
        if line.strip() and len(line) - len(line.lstrip()) <= beyond:
            break
        yield line


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


def lines(cell: str) -> list[str]:
    """The lines of a cell of :func:`table` that is a line block."""
    return [line.strip() for line in f" {cell}".split(" | ")[1:]]
