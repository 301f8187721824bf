"""What the repetitions of each measurement come to, and how much more one system needs than another.

A time that is None did not happen while the benchmark waited for it: it counts as longer than any other. Any other
number that is None was not told by the system, and is left out.
"""

from __future__ import annotations

import math
import statistics
from collections.abc import Iterable, Mapping
from functools import cached_property

import attrs

from benchmarks.analysis.samples import Number, Sample

OURS = "ours"
"""The system with which all others are compared."""

COUNTERPARTS = {"kinship": "ours-aio", "kinship-blocking": "ours-blocking"}
"""The variants of ours with which these systems are compared; all other systems are compared with :data:`OURS`."""

LIMIT = "limit"
"""Not a system, but the best that is possible."""


@attrs.frozen(order=True)
class Kind:
    """What samples have in common that differ only by chance."""

    experiment: str
    setting: str
    nodes: int
    system: str


@attrs.frozen
class Stat:
    """The values of one number in all repetitions."""

    name: str
    values: tuple[float, ...]
    """Those that are not None, sorted."""
    nulls: int = 0
    """How many are None."""

    @property
    def count(self) -> int:
        """Repetitions, those without a value included."""
        return len(self.values) + self.nulls

    @property
    def never(self) -> int:
        """Repetitions in which it did not happen; 0 for a number that is no time."""
        return self.nulls if is_time(self.name) else 0

    @property
    def is_told(self) -> bool:
        """Whether anything is known at all."""
        return bool(self.values or self.never)

    @property
    def median(self) -> Number:
        """None if it did not happen in half of the repetitions, or was not told in any."""
        return _number(statistics.median(self._ordered)) if self.is_told else None

    @property
    def least(self) -> Number:
        """The smallest value."""
        return _number(self._ordered[0]) if self.is_told else None

    @property
    def most(self) -> Number:
        """The largest value; None if there is a repetition in which it did not happen."""
        return _number(self._ordered[-1]) if self.is_told else None

    @property
    def total(self) -> float:
        """The sum of all values."""
        return math.fsum(self.values)

    @property
    def _ordered(self) -> tuple[float, ...]:
        return (*self.values, *(math.inf,) * self.never)


@attrs.frozen
class Group:
    """All samples of one kind."""

    kind: Kind
    stats: Mapping[str, Stat]
    """By name of the number."""
    times_s: tuple[float, ...] = ()
    """Those of all repetitions together, sorted."""

    @property
    def missing(self) -> int:
        """Nodes that never saw it, over all repetitions."""
        return int(self.stats["missing"].total) if "missing" in self.stats else 0


@attrs.frozen(slots=False)
class Summary:
    """All groups, by their kinds."""

    groups: Mapping[Kind, Group]

    def stat(self, experiment: str, system: str, nodes: int, number: str, setting: str = "") -> Stat | None:
        """The values of a number; None if none is known."""
        group = self.groups.get(Kind(experiment, setting, nodes, system))
        found = group.stats.get(number) if group else None
        return found if found and found.is_told else None

    @cached_property
    def experiments(self) -> tuple[str, ...]:
        """In the order in which they were made."""
        return tuple(dict.fromkeys(kind.experiment for kind in self.groups))

    def of(self, experiment: str) -> tuple[Group, ...]:
        """The groups of an experiment."""
        return tuple(group for kind, group in self.groups.items() if kind.experiment == experiment)

    def systems(self, experiment: str) -> tuple[str, ...]:
        """The systems that took part in an experiment; ours first, the others as they came."""
        found = dict.fromkeys(group.kind.system for group in self.of(experiment))
        return tuple(sorted(found, key=lambda system: not is_ours(system)))

    def settings(self, experiment: str) -> tuple[str, ...]:
        """Its settings, in the order in which they were made."""
        return tuple(dict.fromkeys(group.kind.setting for group in self.of(experiment)))

    def nodes(self, experiment: str, setting: str | None = None) -> tuple[int, ...]:
        """Its numbers of nodes, the smallest first."""
        kinds = (group.kind for group in self.of(experiment))
        return tuple(sorted({kind.nodes for kind in kinds if setting in (None, kind.setting)}))

    def numbers(self, experiment: str) -> tuple[str, ...]:
        """The names of its numbers."""
        return tuple(dict.fromkeys(name for group in self.of(experiment) for name in group.stats))


def summary_of(samples: Iterable[Sample]) -> Summary:
    """Group samples by what they have in common."""
    kept: dict[Kind, list[Sample]] = {}
    for sample in samples:
        kind = Kind(sample.experiment, sample.setting, sample.nodes, sample.system)
        kept.setdefault(kind, []).append(sample)
    return Summary({kind: _group(kind, each) for kind, each in kept.items()})


def ratio(ours: Stat | None, peer: Stat | None) -> Number:
    """The median of a peer divided by ours; None if that means nothing.

    It is infinite where something never happened with the peer but did with ours, and 0 the other way round.
    """
    if ours is None or peer is None or not (ours.is_told and peer.is_told):
        return None
    mine, theirs = or_never(ours.median), or_never(peer.median)
    if min(mine, theirs) < 0.0:
        return None
    if mine == theirs:
        return 1.0 if math.isfinite(mine) and mine else None
    return theirs / mine if mine else math.inf


def is_time(name: str) -> bool:
    """Whether a number is a time in seconds, not a rate by the second."""
    return name.endswith("_s") and not name.endswith("_per_node_s") and name != "given_s"


def is_ours(system: str) -> bool:
    """Whether a system is this library, in whatever variant."""
    return system == OURS or system.startswith(f"{OURS}-")


def is_peer(system: str) -> bool:
    """Whether a system is one with which ours is compared."""
    return not is_ours(system) and system != LIMIT


def _group(kind: Kind, samples: list[Sample]) -> Group:
    names = dict.fromkeys(name for sample in samples for name in sample.numbers)
    times = sorted(time for sample in samples for time in sample.times_s)
    return Group(kind, {name: _stat(name, samples) for name in names}, tuple(times))


def _stat(name: str, samples: list[Sample]) -> Stat:
    values = [sample.numbers[name] for sample in samples if name in sample.numbers]
    told = sorted(value for value in values if value is not None)
    return Stat(name, tuple(told), len(values) - len(told))


def or_never(number: Number) -> float:
    """A number in which infinity stands for what never happened."""
    return math.inf if number is None else number


def _number(value: float) -> Number:
    return value if math.isfinite(value) else None
