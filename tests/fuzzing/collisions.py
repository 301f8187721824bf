"""Different values to which Python gives one hash.

Hashes of texts and bytes are keyed anew in each process; those of numbers, and of tuples of numbers, are the same
everywhere, and nothing is easier than to make many of one hash. A table of such values is gone through value by
value.
"""

from __future__ import annotations

from collections.abc import Iterator

NUMBER_MODULUS = 2**61 - 1
"""The hash of a whole number is its remainder by this."""

# The constants of xxHash, from which Python's hash of tuples is made: Objects/tupleobject.c.
_P1, _P2, _P5 = 11400714785074694791, 14029467366897019727, 2870177450012600261
_MASK = 2**64 - 1
_ONE_OVER_P2 = pow(_P2, -1, 2**64)


def _mixed(state: int, lane: int) -> int:
    state = (state + lane * _P2) & _MASK
    return ((state << 31 | state >> 33) & _MASK) * _P1 & _MASK


def pairs() -> Iterator[tuple[int, int]]:
    """Pairs of one hash."""
    goal = _mixed(_mixed(_P5, 1), 1)
    unmultiplied = goal * pow(_P1, -1, 2**64) & _MASK
    wanted = (unmultiplied >> 31 | unmultiplied << 33) & _MASK
    first = 0
    while True:
        first += 1
        second = (wanted - _mixed(_P5, first)) * _ONE_OVER_P2 & _MASK
        if second < NUMBER_MODULUS:
            yield first, second


def neighbours(first: int, second: int) -> Iterator[tuple[int, int]]:
    """Pairs that stand side by side in tuples of one hash, whatever else is in these, if it is always the same.

    What is added to the sum of one lane comes out of the rotation elsewhere, nearly always as a sum as well, and is
    taken back from the sum of the next lane.
    """
    step = 0
    while True:
        other = (first + step * _ONE_OVER_P2) & _MASK
        next_to_it = (second - (step << 31) * _P1 * _ONE_OVER_P2) & _MASK
        if other < NUMBER_MODULUS and 0 < next_to_it < NUMBER_MODULUS:
            yield other, next_to_it
        step += 1
