"""Rumours: which members there is news about, what is piggybacked on a message, and what is still to be pushed.

A rumour is only the id of a member and a note of what is news about it. Its text is made from the view when it is sent.
So there is at most one rumour per member, and it is always the newest. :mod:`gossip.core.dissemination.push` decides
when a rumour is pushed, and to whom.

Source: piggybacking on failure detection, SWIM (Das, Gupta and Motivala 2002, section 4.1).
"""

from __future__ import annotations

from collections.abc import Iterable

from gossip.core.config import Config
from gossip.core.dissemination.facts import liveness_fact, record_fact
from gossip.core.state.entry import Entry
from gossip.core.state.member import Status
from gossip.core.state.view import View
from gossip.core.support.drop_reasons import Drop
from gossip.core.support.drops import Drops

PIGGYBACK_ROUNDS = 4
"""Rounds for which a rumour is piggybacked: about eight exchanges. After these, almost everybody knows what the push
missed at 25 % loss. Reconciliation finds the rest."""


class Rumour:
    """What is news about one member, and how often it was piggybacked."""

    __slots__ = ("liveness", "record", "since", "source", "times_sent")

    def __init__(self, record: bool, liveness: bool, source: int, since: float) -> None:
        self.record = record
        """Whether its record is news."""
        self.liveness = liveness
        """Whether its liveness is news."""
        self.source = source
        """Id of the member that told this node, 0 if it is this node's own news."""
        self.since = since
        """Local time at which it was taken up."""
        self.times_sent = 0


class Rumours:
    """The rumours of one node."""

    def __init__(self, config: Config, view: View, drops: Drops) -> None:
        self._config = config
        self._view = view
        self._drops = drops
        self._rumours: dict[int, Rumour] = {}
        self.to_push: dict[int, None] = {}
        """Ids of the members with news that is still to be pushed, the oldest first."""

    def __len__(self) -> int:
        return len(self._rumours)

    def source(self, member_id: int) -> int:
        """Id of the member that told this node a rumour, 0 if it is this node's own news."""
        return self._rumours[member_id].source

    def take_up(self, entry: Entry, source: int, now: float, *, record: bool, liveness: bool) -> None:
        """Take up news about a member, which is piggybacked on messages from now on."""
        rumour = self._rumours.pop(entry.id, None)
        if rumour is not None:
            record, liveness = record or rumour.record, liveness or rumour.liveness
        while len(self._rumours) >= self._config.max_rumours:
            self._drop(next(iter(self._rumours)))
            self._drops.note(Drop.TOO_MANY_RUMOURS)
        self._rumours[entry.id] = Rumour(record, liveness, source, now)

    def piggybacked(self, recipient: int, agrees: bool, room: int, now: float) -> list[tuple[int, bytes]]:
        """Encoded rumours to piggyback on a message to ``recipient``, the least sent first, with their ids.

        :param agrees: whether its fingerprint equals this node's, so that only suspicions and their refutations can be
            news to it.
        :param room: bytes that they may take; once these are filled, no more rumours are looked at.
        """
        self._expire(now)
        chosen = [
            (member_id, rumour)
            for member_id, rumour in self._rumours.items()
            if rumour.source != recipient and not (agrees and self._is_settled(member_id, rumour))
        ]
        chosen.sort(key=lambda item: item[1].times_sent)
        piggybacked: list[tuple[int, bytes]] = []
        for member_id, _ in chosen:
            facts = self._facts(member_id)
            piggybacked += [(member_id, fact) for fact in facts]
            room -= sum(map(len, facts))
            if room <= 0:
                break
        return piggybacked

    def count_piggybacked(self, member_ids: Iterable[int]) -> None:
        """Count one use for each of these rumours."""
        for member_id in dict.fromkeys(member_ids):
            self._rumours[member_id].times_sent += 1

    def page(self) -> list[tuple[int, bytes]]:
        """Encoded news that is to be pushed, with its ids, the oldest first, at least as much as one datagram holds."""
        page: list[tuple[int, bytes]] = []
        room = self._config.max_datagram
        for each in list(self.to_push):
            facts = self._facts(each)
            if not facts:
                del self.to_push[each]
            page += [(each, fact) for fact in facts]
            room -= sum(map(len, facts))
            if room <= 0:
                break
        return page

    def _expire(self, now: float) -> None:
        """Drop the rumours that were piggybacked long enough; the oldest stand first."""
        piggyback_s = PIGGYBACK_ROUNDS * self._config.probe_interval
        while self._rumours:
            oldest = next(iter(self._rumours))
            if self._rumours[oldest].since + piggyback_s > now or oldest in self.to_push:
                return
            del self._rumours[oldest]
        self._rumours.clear()  # frees the memory that a burst took; deleting one by one does not

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
        if rumour.record and (is_living or entry.registers.left):  # a member that left may have announced news last
            facts.append(record_fact(entry))
        if rumour.liveness or not is_living:
            facts.append(liveness_fact(entry))
        return facts

    def _drop(self, member_id: int) -> None:
        del self._rumours[member_id]
        self.to_push.pop(member_id, None)
