"""Plans: everything that a run follows from. The same plan gives the same run, to the last bit.

This room decides what a plan holds, how it becomes JSON, and which nodes the words in its steps stand for: groups, and
choices such as ``2 of rack-a`` (``groups``, ``selection``). The steps themselves are in :mod:`sims.steps`.
"""

from __future__ import annotations

from .groups import MAX_NODES, group_of, labelled, sizes
from .plan import MIN_NODES, SPARED, Plan

__all__ = [
    "MAX_NODES",
    "MIN_NODES",
    "SPARED",
    "Plan",
    "group_of",
    "labelled",
    "sizes",
]
