"""Following the membership: a snapshot, then every change after it, for any number of readers.

This module decides what a slow reader gets. It never makes the protocol wait. A reader that falls behind loses the
events in between and continues from a new snapshot, so it ends up with the right picture. The node publishes events
between two steps of the protocol, so nothing can come between a snapshot and the first event after it.
"""

from __future__ import annotations

from collections import deque
from types import TracebackType
from typing import Protocol as Interface

import attrs
import trio

from gossip.core.events import MembershipEvent
from gossip.core.state.member import Member
from gossip.core.state.node_standing import NodeStanding
from gossip.core.support.arguments import wrong
from gossip.telemetry import ShellCounters


@attrs.frozen
class Snapshot:
    """All members at one moment. The events that follow in the subscription are changes to it.

    - ``members``: all known members sorted by name, including those that died or left. While the node is isolated,
      this is what they were when the isolation began.
    - ``standing``: what the node knows of its own place in the cluster, a :class:`NodeStanding`.
    - ``missed``: number of events since the previous item that the node discarded because the reader was too slow.

    >>> import gossip, trio
    >>> async def main():
    ...     async with gossip.open_node("ada", bind="127.0.0.1:0") as node:
    ...         with node.subscribe() as changes:
    ...             print(await anext(changes))
    >>> trio.run(main)
    <Snapshot of 1 members, 1 alive; connected, missed: 0>
    """

    members: tuple[Member, ...]
    standing: NodeStanding
    missed: int = 0

    def __repr__(self) -> str:
        alive = sum(member.status.is_living for member in self.members)
        standing = self.standing.standing.value
        return f"<Snapshot of {len(self.members)} members, {alive} alive; {standing}, missed: {self.missed}>"


class Backlog:
    """The events that one reader has not read yet.

    A reader that falls behind by more than the buffer loses all of them, and continues from a snapshot.
    """

    def __init__(self, buffer: int) -> None:
        """:param buffer: events kept.

        :raises ConfigurationError: if it is no whole number from 1 on.
        """
        if isinstance(buffer, bool) or not isinstance(buffer, int) or buffer < 1:
            raise wrong("buffer", "a number of events, at least 1", buffer)
        self._buffer = buffer
        self._events: deque[MembershipEvent] = deque()
        self.missed = 0
        """Events lost since the last snapshot."""

    def __len__(self) -> int:
        return len(self._events)

    def append(self, event: MembershipEvent) -> None:
        """Keep an event, or count it as missed."""
        if self.missed:
            self.missed += 1
        elif len(self._events) >= self._buffer:
            self.missed = len(self._events) + 1
            self._events.clear()
        else:
            self._events.append(event)

    def take(self) -> MembershipEvent | None:
        """The oldest event; None if there is none."""
        return self._events.popleft() if self._events else None


class Reader(Interface):
    """One that is told of events."""

    def publish(self, event: MembershipEvent) -> None:
        """Be told of an event."""

    def end(self) -> None:
        """Be told that no event follows."""


class Subscription:
    """Changes of the membership, in order and without a gap. :meth:`gossip.Node.subscribe` makes it.

    ::

        with node.subscribe() as changes:
            async for item in changes:
                ...

    The first item is a :class:`Snapshot`. The others are :class:`MembershipEvent`, or again a :class:`Snapshot` after
    the reader fell behind by more than the buffer. The iteration ends when the node closes or the ``with`` block
    ends; the reader still gets what is buffered by then.

    >>> import gossip, trio
    >>> async def main():
    ...     async with gossip.open_node("ada", bind="127.0.0.1:0") as node:
    ...         with node.subscribe() as changes:
    ...             await node.leave()
    ...             async for item in changes:
    ...                 print(type(item).__name__)
    ...                 if isinstance(item, gossip.MembershipEvent):
    ...                     break
    >>> trio.run(main)
    Snapshot
    MembershipEvent
    """

    def __init__(self, broadcast: Broadcast, buffer: int) -> None:
        self._broadcast = broadcast
        self._backlog = Backlog(buffer)
        self._first: Snapshot | None = None
        self._entered = False
        self._ended = False
        self._waiting: trio.Event | None = None
        self._is_read = False

    def __repr__(self) -> str:
        state = "ended" if self._ended else "open" if self._entered else "not entered yet"
        missed = self._backlog.missed
        waiting = len(self._backlog) + (self._first is not None) + (missed > 0)
        return f"<gossip.Subscription of {self._broadcast.node_name!r}, {state}, waiting: {waiting}, missed: {missed}>"

    def __enter__(self) -> Subscription:
        if self._entered:
            raise RuntimeError("a subscription can be entered only once; call subscribe() again")
        self._entered = True
        self._first = self._broadcast.snapshot()
        self._broadcast.add(self)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._broadcast.remove(self)
        self.end()

    def __aiter__(self) -> Subscription:
        return self

    async def __anext__(self) -> Snapshot | MembershipEvent:
        """The next item; waits for one if there is none.

        :raises trio.BusyResourceError: if another task is waiting for an item of this subscription.
        """
        if not self._entered:
            raise RuntimeError("a subscription must be entered first: with node.subscribe() as changes: ...")
        if self._is_read:
            raise trio.BusyResourceError("another task is reading this subscription; give each its own")
        self._is_read = True
        try:
            await trio.lowlevel.checkpoint()  # before taking an item: a cancelled reader loses none
            while (item := self._take()) is None:
                if self._ended:
                    raise StopAsyncIteration
                self._waiting = trio.Event()
                await self._waiting.wait()
            return item
        finally:
            self._is_read = False
            self._waiting = None

    def publish(self, event: MembershipEvent) -> None:
        """Keep ``event`` for the reader, or count it as missed. Called by :class:`Broadcast`."""
        self._backlog.append(event)
        self._wake()

    def end(self) -> None:
        """Let the reader stop after what is buffered. Called by :class:`Broadcast`."""
        self._ended = True
        self._wake()

    def _wake(self) -> None:
        if self._waiting is not None:
            self._waiting.set()

    def _take(self) -> Snapshot | MembershipEvent | None:
        if self._first is not None:
            first, self._first = self._first, None
            return first
        if self._backlog.missed:
            return self._broadcast.snapshot_after(self._backlog)
        return self._backlog.take()


class Source(Interface):
    """What snapshots are made of: the core of a node."""

    def told_members(self) -> tuple[Member, ...]:
        """The members as the events have told of them so far."""

    @property
    def local(self) -> Member:
        """The node itself as a member."""

    @property
    def standing(self) -> NodeStanding:
        """What the node knows of its own place."""


class Broadcast:
    """The subscriptions of one node."""

    def __init__(self, source: Source, counters: ShellCounters) -> None:
        self._source = source
        self._counters = counters
        self._subscriptions: dict[Reader, None] = {}
        self._closed = False

    @property
    def node_name(self) -> str:
        """Whose subscriptions these are."""
        return self._source.local.name

    def snapshot(self, missed: int = 0) -> Snapshot:
        """All members at this moment, for a reader that has missed so many events."""
        return Snapshot(self._source.told_members(), self._source.standing, missed)

    def snapshot_after(self, backlog: Backlog) -> Snapshot:
        """The snapshot that takes the place of the events that a reader has missed, which are counted."""
        missed, backlog.missed = backlog.missed, 0
        self._counters.events_missed += missed
        return self.snapshot(missed)

    def add(self, subscription: Reader) -> None:
        """Publish to it from now on; if the node is closed already, it gets its snapshot and nothing more."""
        if self._closed:
            subscription.end()
        else:
            self._subscriptions[subscription] = None

    def remove(self, subscription: Reader) -> None:
        """Stop publishing to it."""
        self._subscriptions.pop(subscription, None)

    def publish(self, event: MembershipEvent) -> None:
        """Hand an event to all subscriptions. A slow reader does not make this slower."""
        for subscription in self._subscriptions:
            subscription.publish(event)

    def close(self) -> None:
        """End all subscriptions."""
        self._closed = True
        for subscription in self._subscriptions:
            subscription.end()
        self._subscriptions.clear()
