"""A node, as a program without an event loop holds it: every thread may use it, and what waits blocks that thread."""

from __future__ import annotations

import atexit
import contextlib
import functools
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, TypeVar, overload

from gossip.blocking.subscription import Subscription
from gossip.blocking.waiting import close, outcome_of
from gossip.core.detection.evidence import Explanation
from gossip.core.events import MembershipEvent
from gossip.core.support.arguments import require_seconds
from gossip.facade import Held, Reading
from gossip.node import Inside, Snapshot, holds
from gossip.security import Keyring

T = TypeVar("T")


class Node(Reading):
    """A running member. Made by :func:`open_node`; every thread may use it.

    After it is closed, the properties still give the last state, and each method that waits raises
    :class:`gossip.ClosedError`.

    >>> import gossip.blocking
    >>> with gossip.blocking.open_node("ada", bind="127.0.0.1:0") as node:
    ...     node.update({"role": "db"})
    ...     node.until(lambda node: node.local.metadata == {"role": "db"}, timeout=10)
    ...     print([member.name for member in node.members()], node.standing.standing.name)
    ['ada'] CONNECTED
    """

    def __init__(self, held: Held[Inside]) -> None:
        super().__init__(held)
        self._is_closed = False
        atexit.register(self._close_at_exit)

    def close(self) -> None:
        """Close the node, and return once nothing is left of it; it says no farewell. Does nothing if it is closed.

        :raises Exception: what the node has failed of, once.
        """
        failure = self._end()
        if failure is not None:
            raise failure

    @overload
    def subscribe(self, buffer: int = 256) -> Subscription[Snapshot | MembershipEvent]: ...

    @overload
    def subscribe(
        self, buffer: int = 256, *, timeout: float | None
    ) -> Subscription[Snapshot | MembershipEvent | None]: ...

    def subscribe(self, buffer: int = 256, *, timeout: float | None = None) -> Subscription[Any]:
        """Follow the changes of the members and of this node's own standing, from now on; see :class:`Subscription`.

        :param buffer: events kept for a reader that is behind.
        :param timeout: seconds without an item after which the iteration yields None; None to wait for as long as it
            takes.
        :raises ConfigurationError: if ``buffer`` is no whole number from 1 on, or ``timeout`` no number of seconds.
        """
        if timeout is not None:
            require_seconds("timeout", timeout)
        return Subscription(self._held, buffer, timeout)

    def update(self, metadata: Mapping[str, str]) -> None:
        """Replace this node's metadata and tell the others; see :meth:`gossip.Node.update`."""
        self._ask(lambda: self._inside.update(metadata))

    def use_keyring(self, keyring: Keyring) -> None:
        """Replace the keys; see :meth:`gossip.Node.use_keyring`."""
        self._ask(lambda: self._inside.use_keyring(keyring))

    def explain(self, name: str) -> Explanation | None:
        """Where the newest holder of ``name`` stands, and why; see :meth:`gossip.Node.explain`."""
        return self._ask(lambda: self._inside.explain(name))

    def joined(self, timeout: float | None = None) -> None:
        """Wait until this node is connected; see :meth:`gossip.Node.joined`."""
        self._ask(lambda: self._inside.joined(timeout))

    def leave(self) -> tuple[str, ...]:
        """Say farewell, and return the names of those who acknowledged it; see :meth:`gossip.Node.leave`."""
        return self._ask(self._inside.leave)

    def until(self, condition: Callable[[Node], bool], timeout: float | None = None) -> None:
        """Wait until ``condition(node)`` is true. It is called at once, and after steps of the protocol, in this
        thread. ::

            node.until(lambda node: node.get("db-1") is not None, timeout=10)

        :param timeout: seconds to wait; None for as long as it takes.
        :raises ConfigurationError: if ``condition`` cannot be called or is an async function, or ``timeout`` is no
            number of seconds.
        :raises TimeoutError: if that is not enough.
        :raises ClosedError: if the node is closed before, or was.
        """
        ends_at = None if timeout is None else self._held.now() + require_seconds("timeout", timeout)
        while True:
            self._held.require_open()
            seen = self._inside.steps()
            if holds(condition, self):
                return
            self._ask(functools.partial(self._inside.step_after, seen), ends_at)

    def _ask(self, work: Callable[[], Awaitable[T]], ends_at: float | None = None) -> T:
        return outcome_of(self._held, work, ends_at)

    def _end(self) -> BaseException | None:
        """Close the node; returns what it has failed of, once."""
        if self._held.is_copy:
            return None
        close(self._held)
        atexit.unregister(self._close_at_exit)
        failure = None if self._is_closed else self._held.failure
        self._is_closed = True
        return failure

    def _close_at_exit(self) -> None:
        with contextlib.suppress(Exception):  # there is nobody left to tell
            self.close()
