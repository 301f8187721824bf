"""Counts, times and lists of names in words, for everything that people read."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import islice

from gossip.core.support.arguments import nearest

__all__ = ["counted", "nearest", "offered", "seconds"]

INSTANT_S = 0.1
"""Shorter times are shown in milliseconds."""

OFFERED = 10
"""Names listed to somebody who asked for one that does not exist."""


def counted(count: int, noun: str) -> str:
    """A number of things: ``1 crash``, ``2,000 crashes``."""
    plural = f"{noun}es" if noun.endswith("sh") else f"{noun}s"
    return f"{count:,} {noun if count == 1 else plural}"


def seconds(value: float) -> str:
    """A measured time: ``60 ms``, ``6.4 s``."""
    return f"{1000 * value:.0f} ms" if value < INSTANT_S else f"{value:.1f} s"


def offered(names: Iterable[str]) -> str:
    """The first names of a list that may be long."""
    first = list(islice(names, OFFERED + 1))
    return ", ".join(first[:OFFERED]) + (" ..." if len(first) > OFFERED else "")
