"""The tests of this folder that are async run in virtual time."""

from __future__ import annotations

from inspect import iscoroutinefunction
from pathlib import Path

import pytest

from gossip.testing import run


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Choose how pytest-trio runs each of them."""
    for item in items:
        if Path(__file__).parent in item.path.parents and iscoroutinefunction(getattr(item, "obj", None)):
            item.add_marker(pytest.mark.trio(run=run), append=False)
