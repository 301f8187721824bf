"""Measures of a run: how news of crashes, updates and joins spread, and whom members wronged.

All times are virtual seconds since the event in question. What spread is measured among the members that
were there when it happened and still are at the end.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence

import attrs

from gossip.core.address import Address
from gossip.core.events import EventKind, MembershipEvent
from gossip.core.member import Status

from ..world import Observer, SimulatedNode
from .truth import Truth


def percentile(values: Sequence[float], share: float) -> float | None:
    """The smallest value that at least this share of the values does not exceed; None if there are no values."""
    return sorted(values)[max(0, math.ceil(share * len(values)) - 1)] if values else None


@attrs.frozen(kw_only=True)
class CrashMeasure:
    """How one crash became known."""

    name: str
    at: float
    first_suspect_s: float | None
    first_dead_s: float | None
    p50_dead_s: float | None
    last_dead_s: float | None
    """None if somebody never learnt of it."""
    missing: int
    """Members that never learnt of it."""


@attrs.frozen(kw_only=True)
class UpdateMeasure:
    """How one update, restart or farewell became known."""

    name: str
    at: float
    first_s: float | None
    p50_s: float | None
    p99_s: float | None
    last_s: float | None
    """None if somebody never learnt of it."""
    missing: int


@attrs.frozen(kw_only=True)
class FalseDeaths:
    """Views of a member that ran as dead, by whose fault that may be."""

    healthy_by_healthy: int
    healthy_by_impaired: int
    impaired: int


@attrs.frozen(kw_only=True)
class Spread:
    """How far one piece of news came."""

    key: str
    """Of the node that it is about."""
    at: float
    heard: int
    """Members that learnt of it."""
    missing: int
    """Members that never did."""
    unaware: int
    """Members that did not know the node then, or not as living, and of which nothing is required."""
    last_s: float | None
    """When the last of those learnt of it that did."""


@attrs.define
class _News:
    """Something that becomes known: about whom, and who has heard when."""

    key: str
    name: str
    at: float
    member_id: int
    heard_by: EventKind
    """The event by which it is heard of; of an update, any event that shows its version."""
    version: int
    """Version of the record that is the news, if it is an update."""
    unaware: int = 0
    """Members that did not know it then, or not as living."""
    observers: dict[int, SimulatedNode] = attrs.Factory(dict)
    heard: dict[int, float] = attrs.Factory(dict)
    first_suspect: float | None = None

    def is_told_by(self, event: MembershipEvent) -> bool:
        """Whether who tells this event has heard of it."""
        if self.heard_by is EventKind.UPDATED:
            return event.member.version >= self.version
        return event.kind is self.heard_by

    def hear(self, node: SimulatedNode, now: float) -> None:
        """One of those who count has heard of it."""
        if id(node) in self.observers:
            self.heard.setdefault(id(node), now - self.at)

    def spread(self) -> tuple[list[float], int]:
        """When those heard of it who are members still, in order; and how many of them never did.

        Somebody who knows a later bearer of the name has no use for the news, and does not count.
        """
        times, missing = [], 0
        for each, node in self.observers.items():
            if each in self.heard:
                times += [self.heard[each]] if node.is_member else []
            elif node.is_member:
                bearer = node.protocol.view.named(self.name)
                missing += bearer is not None and bearer.id == self.member_id
        return sorted(times), missing


class Measures(Observer):
    """Follows each piece of news through the cluster."""

    def __init__(self, truth: Truth) -> None:
        self._truth = truth
        self._crashes: list[_News] = []
        self._updates: list[_News] = []
        self._leaves: list[_News] = []
        self._by_id: dict[int, list[_News]] = {}
        self._wrongs: Counter[str] = Counter()
        self._node_seconds = 0.0
        self._began: dict[int, float] = {}
        self.suspicions = 0
        """Views of a member that ran as suspected."""
        self.suspicions_healthy_by_healthy = 0
        """Of these, views of a healthy member whom at least one healthy member accuses."""
        self.accused: set[str] = set()
        """Keys of the nodes that somebody suspected, or held dead, while they ran."""
        self.accused_falsely: set[str] = set()
        """Keys of the healthy nodes that a healthy one accused while they ran."""
        self.wronged: set[str] = set()
        """Keys of the healthy nodes that a healthy one held dead while they ran."""
        self.held_dead: set[str] = set()
        """Keys of all nodes that somebody held dead while they ran."""

    def started(self, node: SimulatedNode) -> None:
        """One more node sends."""
        self._began[id(node)] = self.sim.now

    def stopped(self, node: SimulatedNode) -> None:
        """Follow how its end becomes known, unless it said farewell."""
        self._node_seconds += self.sim.now - self._began.pop(id(node))
        if node.protocol.view.local.registers.left:
            return
        self._follow(self._crashes, node, EventKind.DIED)

    def changed(self, node: SimulatedNode) -> None:
        """Follow how its farewell becomes known, if it has said that."""
        if node.entry.registers.left and not any(each.member_id == node.id for each in self._leaves):
            self._follow(self._leaves, node, EventKind.LEFT)

    def happened(self, node: SimulatedNode, event: MembershipEvent, cause: Address | None) -> None:
        """Somebody learnt something."""
        kind, member = event.kind, event.member
        if member.id == node.id:
            if kind is EventKind.UPDATED:
                self._follow(self._updates, node, kind, member.version)
            return
        for news in self._by_id.get(member.id, ()):
            if news.is_told_by(event):
                news.hear(node, self.sim.now)
            elif news.heard_by is EventKind.DIED and kind is EventKind.SUSPECTED and news.first_suspect is None:
                news.first_suspect = self.sim.now - news.at
        if kind is EventKind.DIED or kind is EventKind.SUSPECTED:
            self._judge(node, event)

    def _follow(self, kind: list[_News], node: SimulatedNode, heard_by: EventKind, version: int = 0) -> None:
        """Watch how those who know the member come to know this of it; those who do not are left out."""
        local = node.protocol.view.local.identity
        news = _News(node.key, local.name, self.sim.now, local.id, heard_by, version)
        for each in self.sim.members:
            entry = each.protocol.view.get(local.id)
            if each is node:
                continue
            if entry is None or (heard_by is not EventKind.DIED and not entry.status.is_living):
                news.unaware += 1
                continue
            news.observers[id(each)] = each
            if entry.status is Status.DEAD:
                news.heard[id(each)] = 0.0
        kind.append(news)
        self._by_id.setdefault(local.id, []).append(news)

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
        """How each crash became known, but for those whose victims were back before anybody noticed."""
        crashes = [self._crash(news) for news in self._crashes]
        return [each for each in crashes if each.missing or each.first_dead_s is not None]

    @property
    def updates(self) -> list[UpdateMeasure]:
        """How each update became known."""
        return [self._update(news) for news in self._updates]

    @property
    def leaves(self) -> list[UpdateMeasure]:
        """How each farewell became known."""
        return [self._update(news) for news in self._leaves]

    @property
    def spreads(self) -> dict[EventKind, list[Spread]]:
        """How far each piece of news came, by the event by which it is heard of."""
        return {
            EventKind.DIED: [self._spread(news) for news in self._crashes],
            EventKind.UPDATED: [self._spread(news) for news in self._updates],
            EventKind.LEFT: [self._spread(news) for news in self._leaves],
        }

    @property
    def false_deaths(self) -> FalseDeaths:
        """Whom members wronged."""
        kinds = (field.name for field in attrs.fields(FalseDeaths))
        return FalseDeaths(**{kind: self._wrongs[kind] for kind in kinds})

    @property
    def node_seconds(self) -> float:
        """Virtual seconds for which processes ran, all together."""
        return self._node_seconds + sum(self.sim.now - began for began in self._began.values())

    @staticmethod
    def _spread(news: _News) -> Spread:
        times, missing = news.spread()
        last = times[-1] if times else None
        return Spread(
            key=news.key, at=news.at, heard=len(times), missing=missing, unaware=news.unaware, last_s=last
        )  # fmt: skip

    def _crash(self, news: _News) -> CrashMeasure:
        times, missing = news.spread()
        return CrashMeasure(
            name=news.name,
            at=news.at,
            first_suspect_s=news.first_suspect,
            first_dead_s=times[0] if times else None,
            p50_dead_s=percentile(times, 0.5),
            last_dead_s=times[-1] if times and not missing else None,
            missing=missing,
        )

    def _update(self, news: _News) -> UpdateMeasure:
        times, missing = news.spread()
        return UpdateMeasure(
            name=news.name,
            at=news.at,
            first_s=times[0] if times else None,
            p50_s=percentile(times, 0.5),
            p99_s=percentile(times, 0.99),
            last_s=times[-1] if times and not missing else None,
            missing=missing,
        )
