"""Measures of a run: how news of crashes, updates and farewells spreads, and what members believe falsely.

All times are virtual seconds since the event in question. :mod:`sims.watching.news` says which members count.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence

import attrs

from gossip.core.events import EventKind, MembershipEvent
from gossip.core.support.address import Address

from ..world import Observer, SimulatedNode
from .news import NewsLog, Spread
from .truth import Truth


def percentile(values: Sequence[float], share: float) -> float | None:
    """The smallest value that at least this share of the values does not exceed; None if there are no values."""
    return sorted(values)[max(0, math.ceil(share * len(values)) - 1)] if values else None


@attrs.frozen(kw_only=True)
class CrashMeasure:
    """How one crash became known."""

    name: str
    """Key of the process, which is its name unless two processes have one name."""
    at: float
    first_suspect_s: float | None
    first_dead_s: float | None
    p50_dead_s: float | None
    last_dead_s: float | None
    """None if some member never learnt of it."""
    missing: int
    """Members that never learnt of it."""


@attrs.frozen(kw_only=True)
class UpdateMeasure:
    """How one update or farewell became known."""

    name: str
    """Key of the process, which is its name unless two processes have one name."""
    at: float
    first_s: float | None
    p50_s: float | None
    p99_s: float | None
    last_s: float | None
    """None if some member never learnt of it."""
    missing: int


@attrs.frozen(kw_only=True)
class FalseDeaths:
    """Views of a running member as dead, by whether a fault impaired that member or the one that held it dead."""

    healthy_by_healthy: int
    healthy_by_impaired: int
    impaired: int


class Measures(Observer):
    """Follows each piece of news through the cluster."""

    def __init__(self, truth: Truth) -> None:
        self._truth = truth
        self._news = NewsLog()
        self._has_left: set[int] = set()
        self._wrongs: Counter[str] = Counter()
        self._node_seconds = 0.0
        self._began: dict[int, float] = {}
        self.suspicions = 0
        """Views of a running member as suspected."""
        self.suspicions_healthy_by_healthy = 0
        """Of these, views of a healthy member whom at least one healthy member accuses."""
        self.accused: set[str] = set()
        """Keys of the nodes that any member suspected, or held dead, while they ran."""
        self.accused_falsely: set[str] = set()
        """Keys of the healthy nodes that a healthy member accused while they ran."""
        self.wronged: set[str] = set()
        """Keys of the healthy nodes that a healthy member held dead while they ran."""
        self.held_dead: set[str] = set()
        """Keys of all nodes that any member held dead while they ran."""

    def started(self, node: SimulatedNode) -> None:
        """One more process runs."""
        self._began[id(node)] = self.sim.now

    def stopped(self, node: SimulatedNode) -> None:
        """Follow how its end becomes known, unless it has left."""
        self._node_seconds += self.sim.now - self._began.pop(id(node))
        if node.protocol.view.local.registers.left:
            return
        self._news.follow("crash", node, self.sim.now, self.sim.members)

    def changed(self, node: SimulatedNode) -> None:
        """Follow how its farewell becomes known, if it has left."""
        if node.entry.registers.left and node.id not in self._has_left:
            self._has_left.add(node.id)
            self._news.follow("leave", node, self.sim.now, self.sim.members)

    def happened(self, node: SimulatedNode, event: MembershipEvent, cause: Address | None) -> None:
        """A member tells an event."""
        kind, member = event.kind, event.member
        if member.id == node.id:
            if kind is EventKind.UPDATED:
                self._news.follow("update", node, self.sim.now, self.sim.members, member.version)
            return
        self._news.happened(node, event, self.sim.now)
        if kind is EventKind.DIED or kind is EventKind.SUSPECTED:
            self._judge(node, event)

    def _judge(self, node: SimulatedNode, event: MembershipEvent) -> None:
        wronged = self._truth.member(event.member.id)
        if wronged is None:
            return
        self.accused.add(wronged.key)
        if event.kind is EventKind.SUSPECTED:
            self.suspicions += 1
            if self._is_false(wronged, event):
                self.suspicions_healthy_by_healthy += 1
                self.accused_falsely.add(wronged.key)
            return
        self.held_dead.add(wronged.key)
        if self._truth.is_impaired(wronged.key, self.sim.now):
            self._wrongs["impaired"] += 1
        elif self._truth.is_impaired(node.key, self.sim.now):
            self._wrongs["healthy_by_impaired"] += 1
        else:
            self._wrongs["healthy_by_healthy"] += 1
            self.wronged.add(wronged.key)

    def _is_false(self, accused: SimulatedNode, event: MembershipEvent) -> bool:
        """Whether no fault explains a suspicion: neither the accused nor some accuser is impaired."""
        now = self.sim.now
        return not self._truth.is_impaired(accused.key, now) and not all(
            self._truth.is_impaired(each, now) for each in event.accusers
        )

    # --- results

    @property
    def crashes(self) -> list[CrashMeasure]:
        """How each crash became known, except crashes whose victims were back before any member noticed."""
        spreads = self._news.spreads("crash")
        return [_crash(each) for each in spreads if each.missing or each.times]

    @property
    def updates(self) -> list[UpdateMeasure]:
        """How each update became known."""
        return [_update(each) for each in self._news.spreads("update")]

    @property
    def leaves(self) -> list[UpdateMeasure]:
        """How each farewell became known."""
        return [_update(each) for each in self._news.spreads("leave")]

    @property
    def spreads(self) -> list[Spread]:
        """How far each piece of news has spread: crashes first, then updates, then farewells."""
        return [each for kind in ("crash", "update", "leave") for each in self._news.spreads(kind)]

    @property
    def false_deaths(self) -> FalseDeaths:
        """Views of running members as dead."""
        kinds = (field.name for field in attrs.fields(FalseDeaths))
        return FalseDeaths(**{kind: self._wrongs[kind] for kind in kinds})

    @property
    def node_seconds(self) -> float:
        """Virtual seconds that processes ran, all together."""
        return self._node_seconds + sum(self.sim.now - began for began in self._began.values())


def _crash(spread: Spread) -> CrashMeasure:
    times = spread.times
    return CrashMeasure(
        name=spread.news.node.key,
        at=spread.news.at,
        first_suspect_s=spread.news.first_suspect_s,
        first_dead_s=times[0] if times else None,
        p50_dead_s=percentile(times, 0.5),
        last_dead_s=None if spread.missing else spread.last_s,
        missing=spread.missing,
    )


def _update(spread: Spread) -> UpdateMeasure:
    times = spread.times
    return UpdateMeasure(
        name=spread.news.node.key,
        at=spread.news.at,
        first_s=times[0] if times else None,
        p50_s=percentile(times, 0.5),
        p99_s=percentile(times, 0.99),
        last_s=None if spread.missing else spread.last_s,
        missing=spread.missing,
    )
