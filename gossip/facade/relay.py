"""One subscription, filled by the trio thread and read by another.

The rules are those of :mod:`gossip.node.subscription`: a snapshot first, then each event, and a new snapshot after the
reader fell behind. The trio thread never waits for the reader: the lock is held only to put or take one item. Snapshots
are made in the trio thread, between two steps of the protocol, so that no event is missing or told twice.
"""

from __future__ import annotations

import functools
import threading
from collections.abc import Callable
from typing import Any

from gossip.core.events import MembershipEvent
from gossip.facade.held import Held
from gossip.node import Backlog, Snapshot


class EndOfChanges(Exception):
    """The node is closed, or the reader has stopped following it, and everything before that was read."""


class Relay:
    """What one reader has not read yet."""

    def __init__(self, held: Held, buffer: int) -> None:
        """Begin to follow the changes of a node.

        :raises ConfigurationError: if ``buffer`` is no whole number from 1 on.
        """
        self._held = held
        self._broadcast = held.inside.broadcast
        self._backlog = Backlog(buffer)
        self._lock = threading.Lock()
        self._snapshot: Snapshot | None = None
        self._wake: Callable[[], Any] | None = None
        self._has_ended = False
        held.cut_when_over(self)
        held.soon(self._begin)

    # --- for the reader

    def take(self, wake: Callable[[], Any]) -> Snapshot | MembershipEvent | None:
        """The next item. If there is none, ``wake`` is called once there is, from any thread.

        :raises EndOfChanges: if none will come any more.
        """
        with self._lock:
            if self._snapshot is not None:
                item, self._snapshot = self._snapshot, None
                return item
            if (event := self._backlog.take()) is not None:
                return event
            if self._has_ended:
                raise EndOfChanges
            self._wake = wake
            if self._backlog.missed:
                self._held.soon(self._refresh)
            return None

    def stop(self) -> None:
        """Follow no longer."""
        self.cut()
        if not self._held.is_copy:
            self._held.soon(self._broadcast.remove, self)

    # --- for the trio thread

    def publish(self, event: MembershipEvent) -> None:
        """Keep an event for the reader, or count it as missed."""
        self._change(functools.partial(self._backlog.append, event))

    def end(self) -> None:
        """Let the reader stop after what is kept, and after a snapshot in place of what it missed."""
        self._refresh()
        self.cut()

    def _begin(self) -> None:
        if not self._has_ended:
            self._change(functools.partial(self._put, self._broadcast.snapshot()))
            self._broadcast.add(self)

    def _refresh(self) -> None:
        if self._backlog.missed:
            self._change(functools.partial(self._put, self._broadcast.snapshot_after(self._backlog)))

    # --- for any thread

    def cut(self) -> None:
        """Let the reader stop after what is kept."""
        self._change(self._end)

    def _change(self, change: Callable[[], None]) -> None:
        """Change something that the reader may wait for."""
        with self._lock:
            change()
            wake, self._wake = self._wake, None
        if wake is not None:
            wake()

    def _put(self, snapshot: Snapshot) -> None:
        self._snapshot = snapshot

    def _end(self) -> None:
        self._has_ended = True
