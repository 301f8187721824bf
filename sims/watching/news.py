"""News: something that happens to one member, and when each other member hears of it.

How far news spreads is measured among the members that were there when it happened and still are at the end. A member
that knows a later holder of the name does not need the news, and does not count as missing it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import attrs

from gossip.core.events import EventKind, MembershipEvent
from gossip.core.state.member import Status

from ..world import SimulatedNode

HEARD_BY = {"crash": EventKind.DIED, "leave": EventKind.LEFT, "join": EventKind.JOINED, "restart": EventKind.JOINED}
"""The event by which a member learns of each kind of news. Of an ``update`` it learns by any event that shows it."""


@attrs.define(eq=False)
class News:
    """One piece of news."""

    kind: str
    """``crash``, ``leave``, ``update``, ``join`` or ``restart``."""
    node: SimulatedNode
    """The member that it is about."""
    name: str
    at: float
    """Virtual time at which it happened."""
    member_id: int
    version: int
    """Version of the record, if it is an update."""
    audience: set[SimulatedNode] = attrs.Factory(set)
    """Members that ought to hear of it."""
    heard: dict[SimulatedNode, float] = attrs.Factory(dict)
    """Seconds after it happened at which each of them did."""
    unaware: int = 0
    """Members that did not know the node when it happened, or not as living. They need not hear of it."""
    first_suspect_s: float | None = None
    """Of a crash: seconds until the first member suspected it."""

    def take(self, node: SimulatedNode, event: MembershipEvent, now: float) -> None:
        """A member tells an event about the node."""
        if self._is_heard_by(event):
            if node in self.audience:
                self.heard.setdefault(node, now - self.at)
        elif self.kind == "crash" and event.kind is EventKind.SUSPECTED and self.first_suspect_s is None:
            self.first_suspect_s = now - self.at

    def is_lacking(self, listener: SimulatedNode) -> bool:
        """Whether a member that has not heard of it should have."""
        if HEARD_BY.get(self.kind) is EventKind.JOINED:
            is_there = self.node.is_member and self.node.id == self.member_id
            return is_there and listener.view.get(self.member_id) is None
        holder = listener.view.named(self.name)
        return holder is not None and holder.id == self.member_id

    def _is_heard_by(self, event: MembershipEvent) -> bool:
        if self.kind == "update":
            return event.member.version >= self.version
        return event.kind is HEARD_BY[self.kind]


@attrs.frozen
class Spread:
    """How far a piece of news has spread."""

    news: News
    times: tuple[float, ...]
    """Seconds after it happened, one for each member that heard of it, in order."""
    missing: int
    """Members that did not."""

    @property
    def last_s(self) -> float | None:
        """When the last of those that heard of it did."""
        return self.times[-1] if self.times else None


class NewsLog:
    """Follows news among the members of a simulation."""

    def __init__(self) -> None:
        self._news: list[News] = []
        self._by_id: dict[int, list[News]] = {}

    def __iter__(self) -> Iterator[News]:
        return iter(self._news)

    def follow(self, kind: str, node: SimulatedNode, now: float, members: Iterable[SimulatedNode],
               version: int = 0) -> News:  # fmt: skip
        """Follow a piece of news from now on.

        :param kind: as of :class:`News`.
        :param members: all members at this moment. All others ought to hear of a member that comes; of everything else,
            those that know the node.
        :param version: that of its record, if the news is an update.
        """
        local = node.view.local.identity
        news = News(kind, node, local.name, now, local.id, version)
        for each in members:
            if each is node:
                continue
            entry = each.view.get(local.id)
            if not _ought_to_hear(kind, None if entry is None else entry.status):
                news.unaware += 1
                continue
            news.audience.add(each)
            if kind == "crash" and entry is not None and entry.status is Status.DEAD:
                news.heard[each] = 0.0
        self._news.append(news)
        self._by_id.setdefault(local.id, []).append(news)
        return news

    def happened(self, node: SimulatedNode, event: MembershipEvent, now: float) -> None:
        """A member tells an event about another one."""
        for news in self._by_id.get(event.member.id, ()):
            news.take(node, event, now)

    def spreads(self, *kinds: str) -> list[Spread]:
        """How far each piece of news of these kinds has spread by now; of all kinds if none is given."""
        return [_spread(news) for news in self._news if not kinds or news.kind in kinds]


def _ought_to_hear(kind: str, status: Status | None) -> bool:
    if HEARD_BY.get(kind) is EventKind.JOINED:
        return True
    return status is not None and (kind == "crash" or status.is_living)


def _spread(news: News) -> Spread:
    audience = [node for node in news.audience if node.is_member]
    times = sorted(news.heard[node] for node in audience if node in news.heard)
    missing = sum(node not in news.heard and news.is_lacking(node) for node in audience)
    return Spread(news, tuple(times), missing)
