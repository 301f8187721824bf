"""Each piece of news and who heard of it when, by the same rules as the measures.

What spreads is measured among the members that were there when it happened and still are at the end.
"""

from __future__ import annotations

from collections.abc import Iterable

import attrs

from gossip.core.events import EventKind, MembershipEvent
from gossip.core.member import Status

from ..world import SimulatedNode

MAX_NEWS = 256
"""Pieces of news followed: more than anybody looks at one by one."""

MAX_NEWS_AT_ONCE = 32
"""Joins followed of those at the very beginning: where a thousand start at once, some stand for all."""

MAX_LISTENERS = 300_000
"""Listeners of all the news followed, so 30 MB at most: 256 pieces among 1,000 members."""

HEARD_BY = {"crash": EventKind.DIED, "leave": EventKind.LEFT, "join": EventKind.JOINED, "restart": EventKind.JOINED}
"""The event by which somebody learns of each kind of news; of an update, by any event that shows the version."""


@attrs.define(eq=False)
class News:
    """One piece of news."""

    kind: str
    node: SimulatedNode
    """Whom it is about."""
    name: str
    at: float
    member_id: int
    version: int
    """Version of the record, if it is an update."""
    audience: int = 0
    """A bit for the number of each process that ought to hear of it."""
    heard: dict[int, float] = attrs.Factory(dict)
    """Seconds after it happened, by number of the process."""

    def is_heard_by(self, event: MembershipEvent) -> bool:
        """Whether somebody who tells this event knows of it."""
        if self.kind == "update":
            return event.member.version >= self.version
        return event.kind is HEARD_BY[self.kind]

    def is_lacking(self, listener: SimulatedNode) -> bool:
        """Whether somebody who has not heard of it should have.

        Somebody who knows a later bearer of the name has no use for it.
        """
        if HEARD_BY.get(self.kind) is EventKind.JOINED:
            is_there = self.node.is_member and self.node.id == self.member_id
            return is_there and listener.protocol.view.get(self.member_id) is None
        bearer = listener.protocol.view.named(self.name)
        return bearer is not None and bearer.id == self.member_id


@attrs.frozen
class Spread:
    """How a piece of news spread."""

    news: News
    times: tuple[float, ...]
    """Seconds after it happened, one for each member that heard of it, in order."""
    missing: int
    """Members that never heard of it."""


class NewsLog:
    """Follows news among processes, which have numbers."""

    def __init__(self) -> None:
        self.left_out = 0
        """Pieces of news that were too many to be followed, but for those at the beginning."""
        self._news: list[News] = []
        self._by_id: dict[int, list[News]] = {}
        self._listeners = 0

    def follow(self, kind: str, node: SimulatedNode, now: float, members: Iterable[tuple[int, SimulatedNode]],
               version: int = 0) -> None:  # fmt: skip
        """Follow how those who know a member come to know this of it; of a member that comes, all."""
        if len(self._news) >= (MAX_NEWS if now else MAX_NEWS_AT_ONCE) or self._listeners >= MAX_LISTENERS:
            self.left_out += now > 0
            return
        local = node.protocol.view.local.identity
        news = News(kind, node, local.name, now, local.id, version)
        for number, each in members:
            entry = each.protocol.view.get(local.id)
            status = None if entry is None else entry.status
            if each is not node and _ought_to_hear(kind, status):
                news.audience |= 1 << number
                if kind == "crash" and status is Status.DEAD:
                    news.heard[number] = 0.0
        self._listeners += news.audience.bit_count()
        self._news.append(news)
        self._by_id.setdefault(local.id, []).append(news)

    def listen(self, number: int, now: float) -> None:
        """A process begins: it ought to hear of those that came at the same moment, too."""
        for news in reversed(self._news):
            if news.at < now:
                break
            if news.kind == "join":
                news.audience |= 1 << number
                self._listeners += 1

    def happened(self, number: int, event: MembershipEvent, now: float) -> None:
        """A process learnt something of another member."""
        for news in self._by_id.get(event.member.id, ()):
            if news.audience >> number & 1 and news.is_heard_by(event):
                news.heard.setdefault(number, now - news.at)

    def spreads(self, members: Iterable[tuple[int, SimulatedNode]]) -> list[Spread]:
        """How each piece spread among these, who are the members at the end; without those that nobody needed."""
        listeners = list(members)
        spreads = []
        for news in self._news:
            audience = [(number, node) for number, node in listeners if news.audience >> number & 1]
            times = sorted(news.heard[number] for number, _ in audience if number in news.heard)
            missing = sum(number not in news.heard and news.is_lacking(node) for number, node in audience)
            if times or missing:
                spreads.append(Spread(news, tuple(times), missing))
        return spreads


def _ought_to_hear(kind: str, status: Status | None) -> bool:
    if HEARD_BY.get(kind) is EventKind.JOINED:
        return True
    return status is not None and (kind == "crash" or status.is_living)
