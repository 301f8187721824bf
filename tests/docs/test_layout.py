"""What a reader of the site sees: code that fits its box, colours for Python alone, pictures that a phone can show."""

from __future__ import annotations

import pytest

from tests.docs.pages import PAGES, is_python
from tests.rst import ROOT, blocks, document

BOX = 90
"""Columns of code that a page has room for."""

SITE = [path.relative_to(ROOT).as_posix() for path in sorted((ROOT / "docs").rglob("*.rst"))]


@pytest.mark.parametrize("page", PAGES)
def test_code_that_does_not_wrap_fits_its_box(page: str) -> None:
    scrolling = [block for block in blocks(document(page)) if block.language in ("python", "none")]
    assert not [line for block in scrolling for line in block.text.splitlines() if len(line) > BOX]


@pytest.mark.parametrize("page", [page for page in PAGES if page.startswith("docs/")])
def test_python_says_that_it_is_python_because_other_blocks_have_no_colours(page: str) -> None:
    assert not [block.line for block in blocks(document(page)) if is_python(block) and block.language != "python"]


@pytest.mark.parametrize("page", SITE)
def test_a_picture_is_a_figure_because_figures_scroll_on_a_phone_and_are_dark_in_the_dark(page: str) -> None:
    assert ".. image::" not in document(page)
