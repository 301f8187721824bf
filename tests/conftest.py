"""How often the tests are run whose outcome must not depend on luck: by ``--seeds``."""

from __future__ import annotations

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
