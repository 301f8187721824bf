"""Watching: what a run measures. Observers that follow what members believe, and compare it with the truth.

This room decides who counts as impaired (``truth``), when all agree (``agreement``), how fast news spreads and whom
members wrong (``measures``), which rare paths a run took (``sometimes``), and the hash that tells runs apart
(``trace_hash``). None of them judges a run: :mod:`sims.invariants` does.
"""

from __future__ import annotations

from .agreement import Agreement
from .measures import CrashMeasure, FalseDeaths, Measures, UpdateMeasure, percentile
from .message_kinds import kind_name, kind_of
from .news import News, NewsLog, Spread
from .sometimes import POINTS, Sometimes
from .trace_hash import TraceHash
from .truth import Truth

__all__ = [
    "POINTS",
    "Agreement",
    "CrashMeasure",
    "FalseDeaths",
    "Measures",
    "News",
    "NewsLog",
    "Sometimes",
    "Spread",
    "TraceHash",
    "Truth",
    "UpdateMeasure",
    "kind_name",
    "kind_of",
    "percentile",
]
