"""The news that a report follows, within bounds."""

from __future__ import annotations

from collections.abc import Collection

from ..watching import NewsLog
from ..world import SimulatedNode

MAX_NEWS = 256
"""The most pieces of news: more than anybody looks at one by one."""

MAX_NEWS_AT_ONCE = 32
"""The most joins at the very beginning. Where a thousand nodes start at once, some stand for all."""

MAX_LISTENERS = 300_000
"""The most listeners of all news together: 256 pieces among 1,000 members, in some 50 MB."""


class BoundedNewsLog(NewsLog):
    """Follows news until there is too much of it."""

    def __init__(self) -> None:
        super().__init__()
        self.left_out = 0
        """Pieces of news that were not followed, except those at the very beginning."""
        self._count = 0
        self._listeners = 0

    def follow_some(self, kind: str, node: SimulatedNode, now: float, members: Collection[SimulatedNode],
                    version: int = 0) -> None:  # fmt: skip
        """Follow a piece of news as :meth:`NewsLog.follow` does, if there is room for it."""
        if self._count >= (MAX_NEWS if now else MAX_NEWS_AT_ONCE) or self._listeners >= MAX_LISTENERS:
            self.left_out += now > 0
            return
        self._count += 1
        self._listeners += len(self.follow(kind, node, now, members, version).audience)

    def listen(self, node: SimulatedNode, now: float) -> None:
        """A process begins. It ought to hear of nodes that joined at the same moment, too."""
        for news in self:
            if news.at == now and news.kind == "join" and news.node is not node:
                news.audience.add(node)
                self._listeners += 1
