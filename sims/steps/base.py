"""What a step is, and what steps have in common."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Collection, Sequence
from typing import Any

import attrs

from ..world import NamesItsFields, Simulation, as_float, at_least


@attrs.frozen
class Subject:
    """Some nodes as the subject of a sentence."""

    text: str
    """``n3``, ``8``, or ``rack-a (8 members)``."""
    is_plural: bool

    @property
    def was(self) -> str:
        """``was`` or ``were``."""
        return "were" if self.is_plural else "was"

    @property
    def its(self) -> str:
        """``its`` or ``their``."""
        return "their" if self.is_plural else "its"


Naming = Callable[[Collection[str]], Subject]
"""Puts the nodes with these keys into words."""


def as_keys(names: Collection[str]) -> tuple[str, ...]:
    """A converter: one name or several become a tuple of names."""
    return (names,) if isinstance(names, str) else tuple(names)


@attrs.frozen(kw_only=True)
class Step(NamesItsFields, ABC):
    """Something that is done to the world at one moment."""

    at: float = attrs.field(converter=as_float, validator=at_least(0))
    """Virtual seconds since the beginning."""

    @property
    def until(self) -> float:
        """When it is over."""
        return self.at

    @property
    def nodes(self) -> tuple[str, ...]:
        """Keys of the nodes that it needs."""
        return ()

    @property
    def impairs(self) -> tuple[str, ...]:
        """Keys of the nodes that do not work normally while it lasts. What others believe of these nodes then, and
        what these nodes believe, does not count against the protocol."""
        return ()

    @property
    def category(self) -> str:
        """Steps of one category share one phrase in the first line of a report."""
        return type(self).__name__

    def without(self, keys: Collection[str]) -> Step | None:
        """The step in a world that lacks these nodes; None if nothing is left of it."""
        return None if set(self.nodes) & set(keys) else self

    @abstractmethod
    def begin(self, sim: Simulation) -> None:
        """Do it. Does nothing if a node that it needs is not there: any other step may have been left out."""

    def end(self, sim: Simulation) -> None:
        """Undo it, if it lasts."""

    @abstractmethod
    def describe(self, steps: Sequence[Any], named: Naming) -> str:
        """The phrase for all steps of this category in a plan, such as ``8 crashed``.

        :param steps: all of them, in order; this step is the first.
        """


@attrs.frozen(kw_only=True)
class Lasting(Step):
    """A step that lasts for a while."""

    for_s: float = attrs.field(converter=as_float, validator=at_least(0))
    """Virtual seconds that it lasts."""

    @property
    def until(self) -> float:
        """When it is over."""
        return self.at + self.for_s


def subject(steps: Sequence[Any], named: Naming) -> Subject:
    """The nodes of steps that each happen to one node."""
    return named([step.node for step in steps])


def duration(steps: Sequence[Lasting]) -> str:
    """How long steps last: `` for 8 s``, or `` for up to 8 s`` if their lengths differ."""
    lengths = [step.for_s for step in steps]
    return f" for {'up to ' if len(set(lengths)) > 1 else ''}{round(max(lengths), 1):g} s"
