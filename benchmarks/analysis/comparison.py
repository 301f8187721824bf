"""What moved between two files of results by more than its spread."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from typing import Any

import attrs

from benchmarks.analysis.samples import Results
from benchmarks.analysis.sources import machine_facts
from benchmarks.analysis.summary import Group, Kind, Stat, Summary, or_never, summary_of

LEAST_CHANGE = 0.05
"""Share by which a median has to change, however narrow the ranges are. Smaller changes come from other work on the
machine."""

CHANGING = ("commit", "load", "date", "began", "ended", "before", "after")
"""Words in names of facts about a machine that differ between any two measurements on it."""

RULE = (
    "A number has moved if its new median is outside the old range (smallest to largest), its old median outside the "
    f"new range, and the two differ by more than {LEAST_CHANGE:.0%}. The range of a single repetition is its value "
    "alone: with so few, a movement says little."
)


@attrs.frozen(kw_only=True)
class Change:
    """A number that moved."""

    kind: Kind
    number: str
    old: Stat
    new: Stat

    @property
    def factor(self) -> float:
        """New median divided by old one; infinite if the old one was 0, or if it no longer happens."""
        return factor_of(self.old, self.new)

    @property
    def size(self) -> float:
        """How far it moved, up or down alike."""
        return abs(math.log(self.factor)) if self.factor else math.inf


@attrs.frozen(kw_only=True)
class Comparison:
    """Two files of results, compared."""

    changes: tuple[Change, ...]
    """The largest first."""
    compared: int
    """Numbers that are in both."""
    only_old: tuple[str, ...]
    only_new: tuple[str, ...]
    """What is in only one of the files."""
    machines: tuple[str, ...]
    """How the machines differ."""


def compared(old: Results, new: Results) -> Comparison:
    """Compare two files of results."""
    before, after = summary_of(old.samples), summary_of(new.samples)
    pairs = list(_pairs(before, after))
    changes = [change for change in pairs if has_moved(change.old, change.new)]
    return Comparison(
        changes=tuple(sorted(changes, key=lambda change: -change.size)),
        compared=len(pairs),
        only_old=tuple(_only_in(before, after)),
        only_new=tuple(_only_in(after, before)),
        machines=tuple(_differences(old.machine, new.machine)),
    )


def has_moved(old: Stat, new: Stat) -> bool:
    """Whether two medians differ by more than chance: see :data:`RULE`."""
    mine, theirs = or_never(old.median), or_never(new.median)
    if mine == theirs or _is_within(theirs, old) or _is_within(mine, new):
        return False
    return not math.isclose(mine, theirs, rel_tol=0.0, abs_tol=LEAST_CHANGE * abs(mine))


def factor_of(old: Stat, new: Stat) -> float:
    """The new median divided by the old one."""
    mine, theirs = or_never(old.median), or_never(new.median)
    if math.isinf(mine):
        return 0.0
    return theirs / mine if mine else math.inf


def kind_text(kind: Kind) -> str:
    """A kind of sample, for people."""
    setting = f", {kind.setting}" if kind.setting else ""
    return f"{kind.experiment}, {kind.system}, {kind.nodes} nodes{setting}"


def _pairs(before: Summary, after: Summary) -> Iterator[Change]:
    for kind, group in before.groups.items():
        later = after.groups.get(kind)
        for number, stat in group.stats.items():
            if later and number in later.stats and stat.is_told and later.stats[number].is_told:
                yield Change(kind=kind, number=number, old=stat, new=later.stats[number])


def _only_in(one: Summary, other: Summary) -> Iterator[str]:
    for kind, group in one.groups.items():
        there = other.groups.get(kind)
        if there is None:
            yield kind_text(kind)
        elif numbers := _told(group) - _told(there):
            yield f"{kind_text(kind)}: {', '.join(sorted(numbers))}"


def _told(group: Group) -> set[str]:
    return {name for name, stat in group.stats.items() if stat.is_told}


def _differences(old: Mapping[str, Any], new: Mapping[str, Any]) -> Iterator[str]:
    before, after = machine_facts(old), machine_facts(new)
    for name in dict.fromkeys((*before, *after)):
        one, other = before.get(name, "unknown"), after.get(name, "unknown")
        if one != other and not set(name.split()) & set(CHANGING):
            yield f"{name}: {one} before, {other} now"


def _is_within(median: float, stat: Stat) -> bool:
    return or_never(stat.least) <= median <= or_never(stat.most)
