"""The outcome of a run: its figures, and whether everything held that must hold."""

from __future__ import annotations

import json

import attrs

from ..watching import CrashMeasure, FalseDeaths, UpdateMeasure


@attrs.frozen(kw_only=True)
class Violation:
    """Something that must hold, and did not."""

    invariant: str
    seed: int
    at: float
    """Virtual seconds since the beginning."""
    nodes: int
    text: str
    last_events: tuple[str, ...]
    """The last things that happened before it, oldest first."""

    def __str__(self) -> str:
        events = "".join(f"\n    {each}" for each in self.last_events)
        return f"{self.invariant} at {self.at:.3f} s, seed {self.seed}, {self.nodes} nodes: {self.text}{events}"


@attrs.frozen(kw_only=True)
class Joins:
    """How a cluster that starts all at once comes together."""

    all_see_all_s: float | None
    """Seconds until all saw all; None if that did not happen."""
    distinct_sizes_seen: int
    """Different sizes of the cluster that anybody saw until then."""


@attrs.frozen(kw_only=True)
class PerNodeSecond:
    """Traffic divided by the seconds for which processes ran."""

    datagrams_sent: float
    bytes_sent: float
    """Payload bytes of datagrams."""


@attrs.frozen(kw_only=True)
class Outcome:
    """What came of a run. Times are virtual seconds, those of news since the event in question."""

    in_words: str = ""
    """What happened, who knew of it when, and whether anybody was wronged, in a line."""
    scenario: str
    nodes: int
    seed: int
    profile: str
    virtual_s: float
    wall_s: float
    datagrams: int
    bytes: int
    trace_hash: str
    violations: tuple[Violation, ...]
    completed: bool = True
    """Whether the run came to its end. A run stops at its first violation, and later steps do not happen then."""
    sometimes: dict[str, int]
    crashes: tuple[CrashMeasure, ...]
    updates: tuple[UpdateMeasure, ...]
    leaves: tuple[UpdateMeasure, ...] = ()
    joins: Joins | None
    """None unless the nodes join at the beginning."""
    false_deaths: FalseDeaths
    suspicions: int
    """Views of a running member as suspected."""
    suspicions_healthy_by_healthy: int = 0
    """Of these, views of a healthy member whom at least one healthy member accuses."""
    heal_s: float | None
    """From the end of the last fault until all agree for good; None if there was no fault, or they do not."""
    per_node_s: PerNodeSecond

    @property
    def is_good(self) -> bool:
        """Whether everything held."""
        return not self.violations

    def to_json(self, indent: int | None = None) -> str:
        """The outcome as JSON."""
        return json.dumps(attrs.asdict(self), indent=indent)
