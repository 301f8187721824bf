"""Following the membership in a program without an event loop."""

from __future__ import annotations

import threading
from types import TracebackType
from typing import Generic, TypeVar, cast

from gossip.blocking.waiting import wait
from gossip.core.events import MembershipEvent
from gossip.facade import EndOfChanges, Held, Relay
from gossip.node import Inside, Snapshot

Item = TypeVar("Item", bound="Snapshot | MembershipEvent | None")


class Subscription(Generic[Item]):
    """Changes of the membership, in order and without a gap. Made by :meth:`Node.subscribe`.

    The items are those of :class:`gossip.Subscription`: a :class:`gossip.Snapshot` first, then each
    :class:`gossip.MembershipEvent`, or again a snapshot after the reader fell behind by more than the buffer; with a
    timeout also None, each time that nothing came for so long. The iteration ends when the node is closed, or with
    :meth:`close`, which the end of a ``with`` block calls; what is kept by then is still delivered.

    >>> import gossip, gossip.blocking
    >>> with gossip.blocking.open_node("ada", bind="127.0.0.1:0") as node:
    ...     for item in node.subscribe(timeout=0.1):
    ...         if item is None:
    ...             print("nothing new")
    ...             break
    ...         print("now", [member.name for member in item.members])
    now ['ada']
    nothing new
    """

    def __init__(self, held: Held[Inside], buffer: int, timeout: float | None) -> None:
        self._held = held
        self._relay = Relay(held, buffer, self)
        self._timeout = timeout
        self._is_closed = False

    def __iter__(self) -> Subscription[Item]:
        return self

    def __next__(self) -> Item:
        """The next item; waits for one if there is none.

        :raises RuntimeError: if another thread is waiting for an item of this subscription.
        :raises Exception: what the node has failed of, if it has.
        """
        return cast("Item", self._next())

    def close(self) -> None:
        """Follow no longer. Any thread may call this, also while another one waits for an item."""
        self._is_closed = True
        self._relay.stop()

    def __enter__(self) -> Subscription[Item]:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    def _next(self) -> Snapshot | MembershipEvent | None:
        self._held.refuse_own_thread()
        ends_at = None if self._timeout is None else self._held.now() + self._timeout
        while True:
            has_more = threading.Event()
            wake = has_more.set
            try:
                item = self._relay.take(wake)
            except EndOfChanges:
                raise self._why_ended() from None
            if item is not None:
                return item
            try:
                if not self._held.wait(has_more, ends_at):
                    return None
            finally:
                self._relay.wait_no_longer(wake)

    def _why_ended(self) -> BaseException:
        """What the iteration ends with: what the node has failed of, if it has."""
        if not self._is_closed:
            wait(self._held, self._held.over)
        return self._held.failure or StopIteration()
