"""The outcome of a run: its figures, and the violations of what must hold."""

from __future__ import annotations

import json

import attrs

from ..watching import CrashMeasure, FalseDeaths, UpdateMeasure


@attrs.frozen(kw_only=True)
class Violation:
    """A violation of something that must hold."""

    invariant: str
    seed: int
    at: float
    """Virtual seconds since the beginning."""
    nodes: int
    text: str
    last_events: tuple[str, ...]
    """The last events before it, oldest first."""

    def __str__(self) -> str:
        events = "".join(f"\n    {each}" for each in self.last_events)
        return f"{self.invariant} at {self.at:.3f} s, seed {self.seed}, {self.nodes} nodes: {self.text}{events}"


@attrs.frozen(kw_only=True)
class Joins:
    """How a cluster forms whose nodes all start at once."""

    all_see_all_s: float | None
    """Seconds until all saw all; None if that did not happen."""
    distinct_sizes_seen: int
    """Different sizes of the cluster that any member saw until then."""


@attrs.frozen(kw_only=True)
class PerNodeSecond:
    """Traffic per second that a process ran."""

    datagrams_sent: float
    bytes_sent: float
    """Payload bytes of datagrams."""


@attrs.frozen(kw_only=True)
class Outcome:
    """The outcome of a run. Times are virtual seconds. Times of news are counted from the event in question."""

    in_words: str = ""
    """What happened, who knew of it when, and who was falsely accused or held dead, in one line."""
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
    """None if the nodes know each other from the beginning."""
    false_deaths: FalseDeaths
    suspicions: int
    """Views of a running member as suspected."""
    suspicions_healthy_by_healthy: int = 0
    """Of these, views of a healthy member whom at least one healthy member accuses."""
    heal_s: float | None
    """Seconds from the end of the last fault until all agree for good. None if there was no fault, or if they do not
    agree."""
    per_node_s: PerNodeSecond

    @property
    def is_good(self) -> bool:
        """Whether nothing was violated."""
        return not self.violations

    def to_json(self, indent: int | None = None) -> str:
        """The outcome as JSON."""
        return json.dumps(attrs.asdict(self), indent=indent)
