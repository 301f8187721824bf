"""What the process of a node tells the program: the events, what has changed without one, and lines of the log.

The node never waits for the program. If the program does not read, the messages wait here, within bounds: events as for
any reader that falls behind (a snapshot takes their place in the end), lines of the log up to a number, and of
everything else the last value.
"""

from __future__ import annotations

import math
from typing import Any, NoReturn

import trio

from gossip.core.events import MembershipEvent
from gossip.core.state.member import Member
from gossip.core.state.node_standing import Standing
from gossip.node import Backlog, Inside, Snapshot, background_tasks
from gossip.remote.channel import Channel
from gossip.remote.lines import LineKeeper
from gossip.remote.messages import News, Reply

MAX_EVENTS = 4096
"""Events kept while the program does not read; its own readers may have buffers much larger than usual."""

LOOK_EVERY_S = 0.25
"""Seconds between two looks at what may change without an event, at least. Each follows a step of the protocol, because
to wake an idle process costs thirty times as much as the look; a node makes a step in each round of probes."""

STATS_EVERY_S = 2.0
"""Seconds between two messages with the counts, at least. They change all the time, and each wakes the program."""

_AT_ONCE = ("local", "address", "bound_address", "standing", "alive", "keyring")
"""Attributes of a node that are sent together with the events that tell of them."""

_LOOKED_AT = ("agreement", "health", "clock_dispute")
"""Attributes of a node that are looked at now and then."""


class Feed:
    """The messages to the program, one after the other. It reads the node's events like a subscription."""

    def __init__(self, inside: Inside, lines: LineKeeper) -> None:
        self._inside = inside
        self._broadcast = inside.broadcast
        self._node = inside.node
        self._lines = lines
        self._backlog = Backlog(MAX_EVENTS)
        self._first: Snapshot | None = inside.broadcast.snapshot()
        self._replies: list[Reply] = []
        self._sent: dict[str, Any] = {}
        """The fields that the program knows."""
        self._look_at = self._count_at = -math.inf
        """Local times in seconds of the next looks."""
        self._something = trio.Event()
        inside.broadcast.add(self)

    async def run(self, channel: Channel) -> None:
        """Send what there is to send until cancelled.

        :raises ChannelEnded: if nobody can receive it any more.
        """
        async with background_tasks() as nursery:
            nursery.start_soon(self._look)
            while True:
                self._something = trio.Event()
                news = self._news(trio.current_time())
                if news != News():
                    await channel.send(news)
                await self._something.wait()

    async def _look(self) -> NoReturn:
        """Have the looks taken after a step of the protocol, when the processor is awake anyway. A round of probes is a
        step, so one comes soon."""
        while True:
            await self._inside.step_after(self._inside.steps())
            if trio.current_time() >= self._look_at:
                self._something.set()

    def reply(self, reply: Reply) -> None:
        """Send a reply after everything that has happened so far."""
        self._replies.append(reply)
        self._something.set()

    def publish(self, event: MembershipEvent) -> None:
        """Send an event. Called by the node's broadcast."""
        self._backlog.append(event)
        self._something.set()

    def miss(self, events: int) -> None:
        """Send a snapshot in place of events. Called by the node's broadcast."""
        self._backlog.miss(events)
        self._something.set()

    def end(self) -> None:
        """Nothing: the process ends with its node."""

    def _news(self, now: float) -> News:
        """Everything that the program does not know yet. Nothing is awaited here, so it is the state of one moment."""
        replies, self._replies = tuple(self._replies), []
        return News(self._items(), self._changes(now), self._lines.take(), replies)

    def _items(self) -> tuple[Snapshot | MembershipEvent, ...]:
        if self._first is not None:
            first, self._first = self._first, None
            return (first, *iter(self._backlog.take, None))
        if self._backlog.missed:
            return (self._broadcast.snapshot_after(self._backlog),)
        return tuple(iter(self._backlog.take, None))

    def _changes(self, now: float) -> dict[str, Any]:
        fields = {name: getattr(self._node, name) for name in _AT_ONCE} | {"guess": self._guess()}
        if now >= self._look_at:
            self._look_at = now + LOOK_EVERY_S
            fields |= {name: getattr(self._node, name) for name in _LOOKED_AT}
            if now >= self._count_at:
                self._count_at = now + STATS_EVERY_S
                fields["stats"] = self._node.stats
        changes = {name: value for name, value in fields.items() if self._is_new(name, value)}
        self._sent |= changes
        return changes

    def _is_new(self, name: str, value: object) -> bool:
        if name not in self._sent or self._sent[name] != value or name == "stats":
            return True
        return name == "standing" and value is not self._sent[name]  # equal ones may differ in is_warning

    def _guess(self) -> tuple[Member, ...] | None:
        """The members as the node sees them; None if that is what the events have told."""
        if self._node.standing.standing is Standing.CONNECTED:  # then it withholds nothing
            return None
        members = self._node.members()
        return None if members == self._broadcast.snapshot().members else members
