"""The random source that the core receives from its caller. A seeded source makes every run repeatable."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol, TypeVar

T = TypeVar("T")


class RandomSource(Protocol):
    """The part of :class:`random.Random` that the protocol uses."""

    def random(self) -> float:
        """A number from 0 (inclusive) to 1 (exclusive)."""
        ...

    def getrandbits(self, k: int, /) -> int:
        """A whole number of ``k`` random bits."""
        ...

    def sample(self, population: Sequence[T], k: int) -> list[T]:
        """``k`` different items of ``population``."""
        ...
