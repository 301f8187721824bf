"""Streams (TCP): which ones are open, to which peers, and how many there may be.

A stream carries the same messages as datagrams, one per frame. It is used where a datagram is too small (a newcomer's
first copy of the view) or does not get through. The driver connects, reads and writes.
"""

from __future__ import annotations

import itertools
from collections import Counter
from typing import NamedTuple

from gossip.core.config import Config
from gossip.core.dissemination.outbox import CloseStream, OpenStream, Outbox, Path
from gossip.core.support.address import Address
from gossip.core.support.drop_reasons import Drop
from gossip.core.support.drops import Drops

INCOMING_SHARE = 0.75
"""The share of all permitted streams that others may open: 192 of 256, one for each of a hundred newcomers and as many
last-resort probes. So this node always finds a place for its own streams."""


class Stream(NamedTuple):
    """One open stream."""

    number: int
    path: Path
    incoming: bool
    copies_view: bool = False
    """Whether this node opened it to get its first copy of the view."""


class Streams:
    """The open streams of one node, by number."""

    def __init__(self, config: Config, outbox: Outbox, drops: Drops) -> None:
        self._config = config
        self._outbox = outbox
        self._drops = drops
        self._numbers = itertools.count(1)
        self._open: dict[int, Stream] = {}
        self._incoming: Counter[str] = Counter()

    def __len__(self) -> int:
        return len(self._open)

    def get(self, number: int) -> Stream | None:
        """The stream with this number; None if it is not open."""
        return self._open.get(number)

    def open(self, address: Address, *, copies_view: bool = False) -> int:
        """Have the driver connect to ``address``; frames may be sent at once."""
        number = next(self._numbers)
        self._open[number] = Stream(number, Path(address, number), False, copies_view)
        self._outbox.act(OpenStream(number, address))
        return number

    def accept(self, source: Address) -> int | None:
        """Accept a stream that a peer opened. Returns its number; None, and counts the refusal, if there are too
        many."""
        if self._incoming.total() >= int(INCOMING_SHARE * self._config.max_streams):
            self._drops.note(Drop.TOO_MANY_STREAMS, source)
            return None
        if self._incoming[source.host] >= self._config.max_streams_per_source:
            self._drops.note(Drop.TOO_MANY_STREAMS_OF_ONE_SOURCE, source)
            return None
        number = next(self._numbers)
        self._open[number] = Stream(number, Path(source, number), True)
        self._incoming[source.host] += 1
        return number

    def close(self, number: int) -> None:
        """Have the driver close the stream once everything is sent."""
        if number in self._open:
            self._outbox.act(CloseStream(number))

    def closed(self, number: int) -> Stream | None:
        """Forget a stream that has ended, and return it."""
        stream = self._open.pop(number, None)
        if stream is not None and stream.incoming:
            self._incoming[stream.path.address.host] -= 1
            self._incoming = +self._incoming  # drops hosts without streams
        return stream
