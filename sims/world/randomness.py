"""Random streams: one for each node, each directed link and each other purpose, all from one seed.

A stream follows from the seed and its purpose, never from the order in which streams are made. So a fault that is added
to a run changes only the draws of the nodes and links that it touches.
"""

from __future__ import annotations

from hashlib import blake2b
from random import Random

SEED_BYTES = 8
_MASK = 2**64 - 1
_TO_UNIT = 2.0**-53


def derived_seed(seed: int, *purpose: object) -> int:
    """A seed of 64 bits that follows from another seed and a purpose. It is the same in every process and every
    Python."""
    text = "\x00".join((str(seed), *map(str, purpose)))
    return int.from_bytes(blake2b(text.encode(errors="surrogatepass"), digest_size=SEED_BYTES).digest(), "big")


def mixed_seed(first: int, second: int) -> int:
    """A seed of 64 bits that follows from two derived seeds and their order. It is faster than deriving it from a text.
    The multipliers are those of :class:`Draws`."""
    mixed = (first * 0xBF58476D1CE4E5B9 + second) & _MASK
    mixed = (mixed ^ mixed >> 27) * 0x94D049BB133111EB & _MASK
    return mixed ^ mixed >> 31


def derived_random(seed: int, *purpose: object) -> Random:
    """A full random source for one purpose."""
    return Random(derived_seed(seed, *purpose))


class Draws:
    """A random stream whose state is a single number. A large run has one for each of a hundred thousand links.

    Source: SplitMix64, Steele, Lea and Flood, "Fast Splittable Pseudorandom Number Generators" (OOPSLA 2014), figure
    16.
    """

    __slots__ = ("_state",)

    def __init__(self, seed: int) -> None:
        self._state = seed

    def random(self) -> float:
        """A number from 0 (inclusive) to 1 (exclusive)."""
        self._state = state = (self._state + 0x9E3779B97F4A7C15) & _MASK
        mixed = (state ^ state >> 30) * 0xBF58476D1CE4E5B9 & _MASK
        mixed = (mixed ^ mixed >> 27) * 0x94D049BB133111EB & _MASK
        return ((mixed ^ mixed >> 31) >> 11) * _TO_UNIT
