"""Running: one plan becomes one run, and the run becomes an outcome.

This room decides in which order a run builds its world, does its steps, checks its invariants and ends (``run``), what
an outcome holds (``outcome``), and how the first line of a report puts it into words (``headline``).
"""

from __future__ import annotations

from .headline import headline_of_many
from .outcome import Joins, Outcome, PerNodeSecond, Violation
from .run import Run

__all__ = [
    "Joins",
    "Outcome",
    "PerNodeSecond",
    "Run",
    "Violation",
    "headline_of_many",
]
