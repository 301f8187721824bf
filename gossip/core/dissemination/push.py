"""Push: a node that hears news first pushes it at once to a few members; after that the news is piggybacked on
messages.

The targets of a push are fixed by the pusher's place on the ring. So everybody is reached after the fewest possible
hops, and by several members. :mod:`gossip.core.dissemination.rumours` holds the piggybacked news. A token bucket bounds
how much one node pushes; when it is empty, news waits and merges. A second bucket pays for what a node says in its own
defence: an attacker can invent accusations to provoke it, and must not spend the budget of other news.

Source: the graph of pushes, Imase and Itoh (1981).
"""

from __future__ import annotations

from gossip.core.config import Config
from gossip.core.dissemination.facts import liveness_fact
from gossip.core.dissemination.outbox import Outbox
from gossip.core.dissemination.rumours import Rumours
from gossip.core.state.entry import Entry
from gossip.core.state.member import Status
from gossip.core.state.view import View
from gossip.core.support.budget import TokenBucket
from gossip.core.support.timers import Timer, Timers

CROWD = 32
"""Pieces of news within the rounds for which they are piggybacked (two datagrams of them or more) from which on each
piece goes to only half as many members; from twice as many pieces on, to a third. The budget then covers more
pieces."""

LEAST_SHARE = 3
"""However much news there is, a piece is pushed to at least one out of this many of the usual targets."""


class Dissemination:
    """Pushes the news of one node."""

    def __init__(self, config: Config, view: View, timers: Timers, rumours: Rumours, outbox: Outbox,
                 now: float) -> None:  # fmt: skip
        self._config = config
        self._view = view
        self._timers = timers
        self._rumours = rumours
        self._outbox = outbox
        self._bucket = TokenBucket(config.push_rate, config.push_burst, now)
        self._defence = TokenBucket(config.push_rate, config.push_burst, now)
        self._defence_timer: Timer | None = None
        self._push_timer: Timer | None = None
        self._pushed_at = float("-inf")

    def is_busy(self, now: float) -> bool:
        """Whether this node pushed so much lately that news may be late: its own news, and, as all push the same, that
        of others."""
        return self._bucket.available(now) < self._config.push_burst // 2

    def spread(self, entry: Entry, source: int, now: float, *, record: bool, liveness: bool) -> None:
        """Take up news about a member: push it soon, and piggyback it."""
        self._rumours.take_up(entry, source, now, record=record, liveness=liveness)
        self._rumours.to_push[entry.id] = None
        if self._push_timer is None:
            self._push_timer = self._timers.at(self._next_push(now), self._push)

    def defend(self, now: float) -> None:
        """Tell everybody that this node, which was accused, lives: push it soon, and piggyback it."""
        self._rumours.take_up(self._view.local, 0, now, record=False, liveness=True)
        if self._defence_timer is None:
            self._defence_timer = self._timers.at(now, self._push_defence)

    def _next_push(self, now: float) -> float:
        """When news that has just come may be pushed: at once, unless there was a push a moment ago."""
        return max(now, self._pushed_at + self._config.push_delay)

    def _push(self, now: float) -> None:
        """Push datagrams of pending news to all targets, as long as the budget allows."""
        self._push_timer = None
        self._pushed_at = now
        while self._rumours.to_push:
            targets = self._targets()
            if not targets:
                self._rumours.to_push.clear()
                return
            if wait := self._bucket.wait(len(targets), now):
                self._push_timer = self._timers.at(now + wait, self._push)
                return
            page = self._rumours.page()
            if not page:
                self._rumours.to_push.clear()
                return
            fitting = max(1, self._outbox.send_news(targets, [fact for _, fact in page], now))
            self._bucket.spend(len(targets))
            unsent = {member_id for member_id, _ in page[fitting:]}
            for each in {member_id for member_id, _ in page[:fitting]} - unsent:
                del self._rumours.to_push[each]
        self._rumours.to_push.clear()  # frees the memory that a burst took

    def _push_defence(self, now: float) -> None:
        """Push this node's defence. Further accusations that came before the push are answered by the same one."""
        self._defence_timer = None
        targets = self._view.push_targets(self._config.push_fanout)
        if wait := self._defence.wait(len(targets), now):
            self._defence_timer = self._timers.at(now + wait, self._push_defence)
        elif targets and not self._view.is_displaced:
            self._outbox.send_news(targets, [liveness_fact(self._view.local)], now)
            self._defence.spend(len(targets))

    def _targets(self) -> list[Entry]:
        """The members to push to. A single piece of news is not pushed to the member that told it. Nor is it pushed to
        the member that it is about, unless that member is suspected and should hear of it."""
        spared: tuple[int, ...] = ()
        if len(self._rumours.to_push) == 1:
            subject = next(iter(self._rumours.to_push))
            entry = self._view.get(subject)
            spared = (self._rumours.source(subject),)
            if entry is None or entry.status is not Status.SUSPECT:
                spared = (*spared, subject)
        fanout = self._config.push_fanout // min(LEAST_SHARE, 1 + len(self._rumours) // CROWD)
        return [each for each in self._view.push_targets(fanout) if each.id not in spared]
