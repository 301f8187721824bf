"""Dissemination: news is pushed at once by whoever hears it first, then rides on what is sent anyway.

A push goes to few members, fixed by the pusher's place on the ring so that all are reached after the
fewest hops there can be, and everybody by several. A rumour is only the id of a member and what of it is
news; its text is made from the view when it is sent, so there is at most one per member and it is always
the newest. A token bucket bounds what one node pushes; when it is empty, news waits and merges. What a node
says in its own defence is paid out of another one: accusations can be invented to provoke it, and must not
spend what news of others needs.

Sources: the graph of pushes, Imase and Itoh (1981); piggybacking on failure detection, SWIM (Das, Gupta
and Motivala 2002, section 4.1).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

import attrs

from gossip.core.budget import TokenBucket
from gossip.core.config import Config
from gossip.core.drops import Drops
from gossip.core.facts import liveness_fact, record_fact
from gossip.core.member import Status
from gossip.core.timers import Timer, Timers
from gossip.core.view import Entry, View

RIDING_ROUNDS = 4
"""Rounds for which a rumour rides on whatever is sent: about eight exchanges, after which what the push
missed at 25 % loss is known almost everywhere. Reconciliation finds the rest."""

CROWD = 32
"""Pieces of news within the rounds for which they ride, two datagrams of them or more, from which on only half as many
members are told of each; a third from twice as many pieces on. The budget then reaches for more of them."""

LEAST_SHARE = 3
"""To no less than one of so many members a piece is pushed, however much there is."""


@attrs.define(eq=False, weakref_slot=False)
class Rumour:
    """What is news about one member, and how often it may still ride."""

    record: bool
    """Whether its record is news."""
    liveness: bool
    """Whether its life is news."""
    source: int
    """Id of the member that told us, 0 if it is our own news."""
    since: float
    """Local time at which it was taken up."""
    rides: int = 0


class Dissemination:
    """The rumours of one node, those to push at once and those that ride."""

    def __init__(self, config: Config, view: View, timers: Timers, drops: Drops, now: float) -> None:
        self._config = config
        self._view = view
        self._timers = timers
        self._drops = drops
        self._bucket = TokenBucket(config.push_rate, config.push_burst, now)
        self._defence = TokenBucket(config.push_rate, config.push_burst, now)
        self._defence_timer: Timer | None = None
        self._rumours: dict[int, Rumour] = {}
        self._hot: dict[int, None] = {}
        self._push_timer: Timer | None = None
        self._pushed_at = float("-inf")
        self.send_news: Callable[[list[Entry], list[bytes], float], int] = lambda _targets, _facts, _now: 0
        """Set by the protocol: sends facts to members, and says how many fitted into the datagram."""

    def __len__(self) -> int:
        return len(self._rumours)

    def is_busy(self, now: float) -> bool:
        """Whether so much was pushed lately that news may be late: ours, and as all push the same, that of others."""
        return self._bucket.available(now) < self._config.push_burst // 2

    def spread(self, entry: Entry, source: int, now: float, *, record: bool, liveness: bool) -> None:
        """Take up news about a member: push it soon, and let it ride."""
        self._take_up(entry, source, now, record, liveness)
        self._hot[entry.id] = None
        if self._push_timer is None:
            self._push_timer = self._timers.at(self._next_push(now), self._push)

    def defend(self, now: float) -> None:
        """Tell everybody that this node, which was accused, lives: push it soon, and let it ride."""
        self._take_up(self._view.local, 0, now, record=False, liveness=True)
        if self._defence_timer is None:
            self._defence_timer = self._timers.at(now, self._push_defence)

    def _take_up(self, entry: Entry, source: int, now: float, record: bool, liveness: bool) -> None:
        rumour = self._rumours.pop(entry.id, None)
        if rumour is not None:
            record, liveness = record or rumour.record, liveness or rumour.liveness
        while len(self._rumours) >= self._config.max_rumours:
            self._drop(next(iter(self._rumours)))
            self._drops.note("too many rumours")
        self._rumours[entry.id] = Rumour(record, liveness, source, now)

    def riders(self, recipient: int, agrees: bool, room: int, now: float) -> list[tuple[int, bytes]]:
        """Encoded rumours to put on a message to ``recipient``, least sent first, with their ids.

        :param agrees: whether its fingerprint equals ours, so that only suspicions and their refutations
            can be news to it.
        :param room: bytes that they may take; no more are looked at once these are filled.
        """
        self._expire(now)
        chosen = [
            (member_id, rumour)
            for member_id, rumour in self._rumours.items()
            if rumour.source != recipient and not (agrees and self._is_settled(member_id, rumour))
        ]
        chosen.sort(key=lambda item: item[1].rides)
        riders: list[tuple[int, bytes]] = []
        for member_id, _ in chosen:
            facts = self._facts(member_id)
            riders += [(member_id, fact) for fact in facts]
            room -= sum(map(len, facts))
            if room <= 0:
                break
        return riders

    def rode(self, member_ids: Iterable[int]) -> None:
        """Count one ride for each of these rumours."""
        for member_id in dict.fromkeys(member_ids):
            self._rumours[member_id].rides += 1

    def _expire(self, now: float) -> None:
        """Drop the rumours that have ridden long enough; the oldest stand first."""
        riding_s = RIDING_ROUNDS * self._config.probe_interval
        while self._rumours:
            oldest = next(iter(self._rumours))
            if self._rumours[oldest].since + riding_s > now or oldest in self._hot:
                return
            del self._rumours[oldest]
        self._rumours.clear()  # gives back the room of a burst, as deleting one by one does not

    def _is_settled(self, member_id: int, rumour: Rumour) -> bool:
        """Whether two nodes with equal fingerprints surely agree about this rumour."""
        entry = self._view.get(member_id)
        status = None if entry is None else entry.registers.status
        return status is not Status.SUSPECT and not (status is Status.ALIVE and rumour.liveness)

    def _facts(self, member_id: int) -> list[bytes]:
        entry, rumour = self._view.get(member_id), self._rumours[member_id]
        if entry is None or entry.registers.record.address.is_unspecified:
            return []
        is_living = entry.registers.is_living
        facts = []
        if rumour.record and (is_living or entry.registers.left):  # of who left, the last words
            facts.append(record_fact(entry))
        if rumour.liveness or not is_living:
            facts.append(liveness_fact(entry))
        return facts

    def _drop(self, member_id: int) -> None:
        del self._rumours[member_id]
        self._hot.pop(member_id, None)

    def _next_push(self, now: float) -> float:
        """When news that has just come may be pushed: at once, unless there was a push a moment ago."""
        return max(now, self._pushed_at + self._config.push_delay)

    def _push(self, now: float) -> None:
        """Push a datagram's worth of hot news to everyone chosen, as long as the budget allows."""
        self._push_timer = None
        self._pushed_at = now
        while self._hot:
            targets = self._targets()
            if not targets:
                self._hot.clear()
                return
            if wait := self._bucket.wait(len(targets), now):
                self._push_timer = self._timers.at(now + wait, self._push)
                return
            page = self._page()
            if not page:
                self._hot.clear()
                return
            fitting = max(1, self.send_news(targets, [fact for _, fact in page], now))
            self._bucket.spend(len(targets))
            unsent = {member_id for member_id, _ in page[fitting:]}
            for each in {member_id for member_id, _ in page[:fitting]} - unsent:
                del self._hot[each]
        self._hot.clear()  # gives back the room of a burst

    def _push_defence(self, now: float) -> None:
        """Push what this node says in its own defence; whatever was said against it meanwhile is answered at once."""
        self._defence_timer = None
        targets = self._view.relays(self._config.push_fanout)
        if wait := self._defence.wait(len(targets), now):
            self._defence_timer = self._timers.at(now + wait, self._push_defence)
        elif targets and not self._view.is_displaced:
            self.send_news(targets, [liveness_fact(self._view.local)], now)
            self._defence.spend(len(targets))

    def _page(self) -> list[tuple[int, bytes]]:
        """Encoded hot news with their ids, oldest first, at least as much as one datagram holds."""
        page: list[tuple[int, bytes]] = []
        room = self._config.max_datagram
        for each in list(self._hot):
            facts = self._facts(each)
            if not facts:
                del self._hot[each]
            page += [(each, fact) for fact in facts]
            room -= sum(map(len, facts))
            if room <= 0:
                break
        return page

    def _targets(self) -> list[Entry]:
        """To whom to push. A single piece of news spares whoever told it, and whom it is about unless that is
        suspected and should hear of it."""
        spared: tuple[int, ...] = ()
        if len(self._hot) == 1:
            subject = next(iter(self._hot))
            entry = self._view.get(subject)
            spared = (self._rumours[subject].source,)
            if entry is None or entry.status is not Status.SUSPECT:
                spared = (*spared, subject)
        fanout = self._config.push_fanout // min(LEAST_SHARE, 1 + len(self._rumours) // CROWD)
        return [each for each in self._view.relays(fanout) if each.id not in spared]
