"""What holds for all tests: how often those are run whose outcome must not depend on luck, and what stays in memory."""

from __future__ import annotations

import gc
import os

import pytest
from hypothesis import HealthCheck, settings

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


def pytest_xdist_auto_num_workers() -> int:
    """One process more than there are processors: many a test waits for another process, or for time to pass."""
    return len(os.sched_getaffinity(0)) + 1 if hasattr(os, "sched_getaffinity") else (os.cpu_count() or 1) + 1


def pytest_configure(config: pytest.Config) -> None:
    """Set the seeds, and the ways of Hypothesis, before the modules of tests are imported, which read them."""
    worlds.SEEDS = range(config.getoption("seeds"))
    # How long an example takes says how busy the machine is, not whether a property holds.
    settings.register_profile("tests", deadline=None, suppress_health_check=[HealthCheck.too_slow])
    settings.load_profile("tests")
    # Else each process that is started compiles the package again, and each worker all tests.
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)


def pytest_collection_finish() -> None:
    """Let no search for cycles go through modules and tests, which stay; each simulated run begins with one."""
    gc.collect()
    gc.freeze()
