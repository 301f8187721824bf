"""What holds for all tests: how often those are run whose outcome must not depend on luck, and what stays in memory."""

from __future__ import annotations

import gc

import pytest

from tests.core import worlds


def pytest_addoption(parser: pytest.Parser) -> None:
    """``--seeds N``."""
    parser.addoption(
        "--seeds",
        type=int,
        default=1,
        metavar="N",
        help="run each test whose outcome must not depend on luck with the seeds 0 to N-1 (default: 1)",
    )


def pytest_configure(config: pytest.Config) -> None:
    """Set the seeds before any module of tests is imported, which is when they are read."""
    worlds.SEEDS = range(config.getoption("seeds"))


def pytest_collection_finish() -> None:
    """Let no search for cycles go through modules and tests, which stay; each simulated run begins with one."""
    gc.collect()
    gc.freeze()
