"""One subscription, filled by the trio thread and read by another.

The rules are those of :mod:`gossip.node.subscription`: a snapshot first, then each event, and a new snapshot after the
reader fell behind. The trio thread never waits for the reader: the lock is held only to put or take one item. Snapshots
are made in the trio thread, between two steps of the protocol, so that no event is missing or told twice.
"""

from __future__ import annotations

import functools
import threading
import weakref
from collections import deque
from collections.abc import Callable
from typing import Any

from gossip import forking
from gossip.core.events import MembershipEvent
from gossip.facade.held import Held
from gossip.node import Backlog, Inside, Snapshot


class EndOfChanges(Exception):
    """The node is closed, or the reader has stopped following it, and everything before that was read."""


class Relay:
    """What one reader has not read yet."""

    def __init__(self, held: Held[Inside], buffer: int, reader: object) -> None:
        """Begin to follow the changes of a node.

        :param reader: follows them no longer once it is garbage.
        :raises ConfigurationError: if ``buffer`` is no whole number from 1 on.
        """
        self._held = held
        self._broadcast = held.inside.broadcast
        self._backlog = Backlog(buffer)
        self._lock = threading.Lock()
        self._snapshots: deque[Snapshot] = deque()
        self._wake: Callable[[], Any] | None = None
        self._has_begun = self._has_ended = False
        held.cut_when_over(self)
        held.soon(self._begin)
        weakref.finalize(reader, self.stop).atexit = False
        forking.register(self, Relay._become_unusable)

    def _become_unusable(self) -> None:
        self._lock = forking.unusable(self._held.what)

    # --- for the reader

    def take(self, wake: Callable[[], Any]) -> Snapshot | MembershipEvent | None:
        """The next item. If there is none, ``wake`` is called once there is, from any thread, unless the reader waits
        no longer.

        :raises EndOfChanges: if none will come any more.
        :raises RuntimeError: if another task or thread waits for an item already.
        """
        with self._lock:
            if self._wake is not None:
                raise RuntimeError("another task or thread is reading this subscription; give each its own")
            if self._snapshots:
                return self._snapshots.popleft()
            if (event := self._backlog.take()) is not None:
                return event
            if self._has_ended:
                raise EndOfChanges
            self._wake = wake
            self._held.begin_wait(self)
        if self._backlog.missed:
            self._held.soon(self._refresh)
        return None

    def require_usable(self) -> None:
        """Refuse to wait in a forked child.

        :raises ForkedError: there.
        """
        forking.require_usable(self._lock)

    def wait_no_longer(self, wake: Callable[[], Any]) -> None:
        """Do not call ``wake`` any more, if it is still to be called."""
        with self._lock:
            if self._wake is wake:
                self._wake = None
                self._held.end_wait(self)

    def stop(self) -> None:
        """Follow no longer. Does nothing in a forked child.

        The garbage collector may call this in a thread that holds any lock, so this takes none.
        """
        if not self._held.is_copy:
            self._held.soon(self._stop)

    # --- for the trio thread

    def publish(self, event: MembershipEvent) -> None:
        """Keep an event for the reader, or count it as missed."""
        self._change(functools.partial(self._backlog.append, event))

    def miss(self, events: int) -> None:
        """Let the reader continue from a snapshot."""
        self._change(functools.partial(self._backlog.miss, events))

    def end(self) -> None:
        """Let the reader stop after what is kept, and after a snapshot in place of what it missed."""
        self._refresh()
        self._change(self._end)

    def _begin(self) -> None:
        if not self._has_begun:
            self._has_begun = True
            self._change(functools.partial(self._snapshots.append, self._broadcast.snapshot()))
            self._broadcast.add(self)

    def _stop(self) -> None:
        self._broadcast.remove(self)
        self.end()

    def _refresh(self) -> None:
        if self._backlog.missed:
            self._change(functools.partial(self._snapshots.append, self._broadcast.snapshot_after(self._backlog)))

    def cut(self) -> None:
        """Let the reader stop; called in any thread when the node is over, so that nothing changes it any more."""
        self._begin()
        self.end()

    def _change(self, change: Callable[[], None]) -> None:
        """Change something that the reader may wait for."""
        with self._lock:
            change()
            wake, self._wake = self._wake, None
        if wake is not None:
            self._held.end_wait(self)
            wake()

    def _end(self) -> None:
        self._has_ended = True
