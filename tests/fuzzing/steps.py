"""Inputs that tell what to do one step after the other, and changes to them that keep the other steps as they were.

A step is a byte that says what is done, a byte that says how, a byte that says how many bytes follow, and these. What
is missing at the end is taken to be zero. What the bytes mean is each target's own affair.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from random import Random
from typing import NamedTuple

from tests.fuzzing.mutations import MutateBytes

HEAD_BYTES = 3
MAX_DETAILS = 255


class Step(NamedTuple):
    """One thing to do."""

    what: int
    how: int
    details: bytes = b""


def steps_in(data: bytes) -> list[Step]:
    """The steps of an input."""
    steps, at = [], 0
    while at < len(data):
        what, how, count = data[at : at + HEAD_BYTES].ljust(HEAD_BYTES, b"\0")
        at += HEAD_BYTES
        steps.append(Step(what, how, data[at : at + count]))
        at += count
    return steps


def packed(steps: Iterable[Step]) -> bytes:
    """The reverse of :func:`steps_in`; details that are too long are cut."""
    details = ((step, step.details[:MAX_DETAILS]) for step in steps)
    return b"".join(bytes((step.what, step.how, len(each))) + each for step, each in details)


def changed_steps(data: bytes, most: int, random: Random, mutate: MutateBytes) -> bytes:
    """Another input of at most so many bytes: a step more, less, elsewhere or otherwise."""
    steps = steps_in(data)
    if not steps or not random.randrange(8):
        return mutate(data, most)
    at = random.randrange(len(steps))
    match random.randrange(7):
        case 0:
            del steps[at]
        case 1:
            steps.insert(random.randrange(len(steps) + 1), steps[at])
        case 2:
            steps.insert(at, any_step(random))
        case 3:
            steps[at] = steps[at]._replace(how=random.randrange(256))
        case 4:
            steps[at] = steps[at]._replace(what=random.randrange(256))
        case _:
            steps[at] = steps[at]._replace(details=mutate(steps[at].details, len(steps[at].details) + 8))
    made = packed(steps)
    return made if len(made) <= most else data


def any_step(random: Random) -> Step:
    """A step by chance."""
    return Step(random.randrange(256), random.randrange(256), random.randbytes(random.randrange(17)))


class Details:
    """The bytes of a step, read one after the other; zeros after them."""

    def __init__(self, data: bytes) -> None:
        self.rest = data

    def __bool__(self) -> bool:
        return bool(self.rest)

    def byte(self) -> int:
        """The next byte."""
        value = self.rest[0] if self.rest else 0
        self.rest = self.rest[1:]
        return value

    def one_of(self, choices: Sequence[int]) -> int:
        """One of some numbers."""
        return choices[self.byte() % len(choices)]
