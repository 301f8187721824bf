"""Dissemination: news is pushed at once by whoever hears it first, then rides on what is sent anyway.

A push goes to few members, fixed by the pusher's place on the ring so that all are reached after the
fewest hops there can be, and everybody by several. What rides is in :mod:`gossip.core.dissemination.rumours`. A token
bucket bounds what one node pushes; when it is empty, news waits and merges. What a node
says in its own defence is paid out of another one: accusations can be invented to provoke it, and must not
spend what news of others needs.

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
"""Pieces of news within the rounds for which they ride, two datagrams of them or more, from which on only half as many
members are told of each; a third from twice as many pieces on. The budget then reaches for more of them."""

LEAST_SHARE = 3
"""To no less than one of so many members a piece is pushed, however much there is."""


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
        """Whether so much was pushed lately that news may be late: ours, and as all push the same, that of others."""
        return self._bucket.available(now) < self._config.push_burst // 2

    def spread(self, entry: Entry, source: int, now: float, *, record: bool, liveness: bool) -> None:
        """Take up news about a member: push it soon, and let it ride."""
        self._rumours.take_up(entry, source, now, record=record, liveness=liveness)
        self._rumours.to_push[entry.id] = None
        if self._push_timer is None:
            self._push_timer = self._timers.at(self._next_push(now), self._push)

    def defend(self, now: float) -> None:
        """Tell everybody that this node, which was accused, lives: push it soon, and let it ride."""
        self._rumours.take_up(self._view.local, 0, now, record=False, liveness=True)
        if self._defence_timer is None:
            self._defence_timer = self._timers.at(now, self._push_defence)

    def _next_push(self, now: float) -> float:
        """When news that has just come may be pushed: at once, unless there was a push a moment ago."""
        return max(now, self._pushed_at + self._config.push_delay)

    def _push(self, now: float) -> None:
        """Push a datagram's worth of hot news to everyone chosen, as long as the budget allows."""
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
        self._rumours.to_push.clear()  # gives back the room of a burst

    def _push_defence(self, now: float) -> None:
        """Push what this node says in its own defence; whatever was said against it meanwhile is answered at once."""
        self._defence_timer = None
        targets = self._view.push_targets(self._config.push_fanout)
        if wait := self._defence.wait(len(targets), now):
            self._defence_timer = self._timers.at(now + wait, self._push_defence)
        elif targets and not self._view.is_displaced:
            self._outbox.send_news(targets, [liveness_fact(self._view.local)], now)
            self._defence.spend(len(targets))

    def _targets(self) -> list[Entry]:
        """To whom to push. A single piece of news spares whoever told it, and whom it is about unless that is
        suspected and should hear of it."""
        spared: tuple[int, ...] = ()
        if len(self._rumours.to_push) == 1:
            subject = next(iter(self._rumours.to_push))
            entry = self._view.get(subject)
            spared = (self._rumours.source(subject),)
            if entry is None or entry.status is not Status.SUSPECT:
                spared = (*spared, subject)
        fanout = self._config.push_fanout // min(LEAST_SHARE, 1 + len(self._rumours) // CROWD)
        return [each for each in self._view.push_targets(fanout) if each.id not in spared]
