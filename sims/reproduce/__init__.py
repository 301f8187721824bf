"""Reproducing: a run as a trace that can be replayed, and a violation as a small plan and a test.

This room decides what a trace holds (``trace``), whether a new run repeats it (``replaying``), which parts of a plan a
violation needs (``shrinking``), and how a plan becomes a test (``regression_test``).
"""

from __future__ import annotations

from .regression_test import as_pytest
from .replaying import Replay, replay, run_twice
from .shrinking import MAX_TRIALS, Shrunk, shrink
from .trace import TraceWriter

__all__ = [
    "MAX_TRIALS",
    "Replay",
    "Shrunk",
    "TraceWriter",
    "as_pytest",
    "replay",
    "run_twice",
    "shrink",
]
