"""The pages in the repository that are made by programs: what makes each, and whether it is current.

The benchmarks write their page and their plots themselves (``python -m benchmarks report``), because these need
matplotlib; the tables of ``docs/security.rst`` are checked beside what measures them.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from docs.generate import drops, settings, stages

ROOT = Path(__file__).resolve().parents[2]

PAGES: dict[str, Callable[[], str]] = {
    "docs/reference/settings.rst": settings.page,
    "docs/reference/drops.rst": drops.page,
    "docs/protocol/stages.rst": stages.page,
}
"""Each page by its path in the repository, with the function that makes its text."""

PICTURES = {f"docs/protocol/{stages.file_of(title)}": title for title in stages.PARTS}
"""Each picture by its path, with the part of the page about stages that it shows. Graphviz draws them. A picture holds
the graph from which it was drawn, which tells whether it is current."""


def outdated() -> list[str]:
    """The paths of the pages that are missing, or are not what their function makes."""
    old = [path for path, made in PAGES.items() if not _is_current(ROOT / path, made())]
    return old + [path for path, title in PICTURES.items() if not _is_drawn(ROOT / path, title)]


def _is_current(path: Path, text: str) -> bool:
    return path.is_file() and path.read_text(encoding="utf-8") == text


def _is_drawn(path: Path, title: str) -> bool:
    return path.is_file() and path.read_text(encoding="utf-8").startswith(stages.source(title))


def write() -> list[str]:
    """Write the pages that are not current; returns their paths.

    :raises OSError: if one cannot be written, or a picture cannot be drawn because Graphviz (``dot``) is missing.
    """
    written = outdated()
    for path in written:
        text = stages.picture(PICTURES[path]) if path in PICTURES else PAGES[path]()
        (ROOT / path).write_text(text, encoding="utf-8")
    return written
