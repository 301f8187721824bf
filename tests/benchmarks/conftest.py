"""The order of tests that measure."""

from __future__ import annotations

import pytest


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The quick run of all experiments comes first: it waits for minutes, in which another process makes all others."""
    items.sort(key=lambda item: not item.nodeid.startswith("tests/benchmarks/test_quick.py"))
