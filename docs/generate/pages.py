"""The pages in the repository that are made by programs: what makes each, and whether it is current.

The benchmarks write their page and their plots themselves (``python -m benchmarks report``), because these need
matplotlib; the tables of ``docs/security.rst`` are checked beside what measures them.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from docs.generate import settings

ROOT = Path(__file__).resolve().parents[2]

PAGES: dict[str, Callable[[], str]] = {"docs/reference/settings.rst": settings.page}
"""Each page by its path in the repository, with the function that makes its text."""


def outdated() -> list[str]:
    """The paths of the pages that are missing, or are not what their function makes."""
    return [path for path, made in PAGES.items() if not _is_current(ROOT / path, made())]


def _is_current(path: Path, text: str) -> bool:
    return path.is_file() and path.read_text(encoding="utf-8") == text


def write() -> list[str]:
    """Write the pages that are not current; returns their paths."""
    written = outdated()
    for path in written:
        (ROOT / path).write_text(PAGES[path](), encoding="utf-8")
    return written
