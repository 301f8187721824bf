"""Nodes for programs without an event loop: scripts, threads, Flask, Django, Celery.

::

    import gossip.blocking

    with gossip.blocking.open_node("web-1", seeds=["gossip.example.org:7946"], keyring=keyring) as node:
        for item in node.subscribe():
            print(item)

The node runs on trio, in a thread of its own that all nodes of the process share, so a program that is busy does not
look dead. Names, values and items are those of :mod:`gossip`; what waits there blocks the calling thread here, and all
of it can be called from any thread. All times are those of :func:`time.monotonic`.

A process that forks, such as a server with several workers, opens its node in each child, after the fork.
"""

from __future__ import annotations

import atexit
import contextlib
import functools
import sys
import threading
from collections.abc import Awaitable, Callable, Iterable, Mapping
from concurrent.futures import Future
from contextlib import AbstractAsyncContextManager, AbstractContextManager
from types import TracebackType
from typing import Any, Generic, TypeVar, cast, final, overload

import gossip
from gossip import forking
from gossip.core.config import Config
from gossip.core.detection.evidence import Explanation
from gossip.core.events import MembershipEvent
from gossip.core.state.local import NO_METADATA
from gossip.core.state.member import Member
from gossip.core.support.address import Address
from gossip.core.support.arguments import require_seconds
from gossip.facade import Call, EndOfChanges, Held, Isolation, Reading, Relay, TrioThread, opening, start
from gossip.node import DEFAULT_BIND, Inside, Snapshot, holds
from gossip.security import Keyring, MutualTLS, SigningKey

if sys.version_info < (3, 11):
    from exceptiongroup import BaseExceptionGroup

__all__ = ["Node", "Opening", "Subscription", "explain_member", "open_node", "query_members"]

T = TypeVar("T")
Item = TypeVar("Item", bound="Snapshot | MembershipEvent | None")


def open_node(
    name: str,
    *,
    bind: str | Address = DEFAULT_BIND,
    advertise: str | Address | None = None,
    seeds: Iterable[str | Address] = (),
    metadata: Mapping[str, str] = NO_METADATA,
    config: Config | None = None,
    keyring: Keyring | None = None,
    tls: MutualTLS | None = None,
    insecure: bool = False,
    identity: SigningKey | None = None,
    allowed: Mapping[str, bytes] | None = None,
    isolation: Isolation = "thread",
) -> Opening:
    """Be a member of a cluster for as long as the ``with`` block runs, or from ``start()`` to ``close()``.

    The arguments, and the errors that they may cause, are those of :func:`gossip.open_node`; there is one more. Closing
    a node says no farewell, as on trio; call :meth:`Node.leave` before that. If the node fails, what is called next
    raises the failure, and so does the end of the block.

    :param isolation: where the node runs: in a ``"thread"`` of this process, or in a ``"process"`` of its own, which
        nothing that this program does can stop.
    """
    how = opening(
        name, isolation, bind=bind, advertise=advertise, seeds=seeds, metadata=metadata, config=config, keyring=keyring,
        tls=tls, insecure=insecure, identity=identity, allowed=allowed,
    )  # fmt: skip
    return Opening(name, how)


def query_members(
    address: str | Address,
    *,
    config: Config | None = None,
    timeout: float = 5.0,
    keyring: Keyring | None = None,
    tls: MutualTLS | None = None,
) -> tuple[Member, ...]:
    """The members that the node at ``address`` knows; see :func:`gossip.query_members`."""
    work = functools.partial(gossip.query_members, address, config=config, timeout=timeout, keyring=keyring, tls=tls)
    return _alone("query_members", work)


def explain_member(
    address: str | Address,
    name: str,
    *,
    config: Config | None = None,
    timeout: float = 5.0,
    keyring: Keyring | None = None,
    tls: MutualTLS | None = None,
) -> Explanation:
    """Where the member ``name`` stands for the node at ``address``, and why; see :func:`gossip.explain_member`."""
    ask = functools.partial(gossip.explain_member, address, name, config=config, timeout=timeout)
    return _alone("explain_member", functools.partial(ask, keyring=keyring, tls=tls))


@final
class Opening(AbstractContextManager["Node"]):
    """A node that is to be opened, by ``with`` or by :meth:`start`. Made by :func:`open_node`."""

    def __init__(self, name: str, opening: Callable[[], AbstractAsyncContextManager[Inside]]) -> None:
        self._name = name
        self._opening = opening
        self._node: Node | None = None
        self._lock = threading.Lock()
        forking.register(self, Opening._take_new_lock)

    def _take_new_lock(self) -> None:
        """In a forked child, the lock may be held by a thread that is not there."""
        self._lock = threading.Lock()

    def start(self) -> Node:
        """Open the node, and return it once it runs. Called again, it returns the same node.

        For code without a ``with`` block. A node that is still open when the program ends is closed then.
        """
        with self._lock:
            if self._node is None:
                held = Held(f"node {self._name!r}", self._opening, "close() was called, or its with block has ended")
                wait_until_open(held)
                self._node = Node(held)
            return self._node

    def close(self) -> None:
        """Close the node, and return once nothing is left of it. Does nothing if there is none, or it is closed.

        :raises Exception: what the node has failed of, once.
        """
        with self._lock:
            if self._node is not None:
                self._node.close()

    def __enter__(self) -> Node:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        assert self._node is not None
        raise_failure(self._node._end(), error)


class Node(Reading):
    """A running member. Made by :func:`open_node`; every thread may use it.

    After it is closed, the properties still give the last state, and each method that would change something raises
    :class:`gossip.ClosedError`.
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


class Subscription(Generic[Item]):
    """Changes of the membership, in order and without a gap. Made by :meth:`Node.subscribe`.

    The items are those of :class:`gossip.Subscription`: a :class:`gossip.Snapshot` first, then each
    :class:`gossip.MembershipEvent`, or again a snapshot after the reader fell behind by more than the buffer; with a
    timeout also None, each time that nothing came for so long. The iteration ends when the node is closed, or with
    :meth:`close`, which the end of a ``with`` block calls; what is kept by then is still delivered. ::

        for item in node.subscribe(timeout=1.0):
            ...
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
            _wait(self._held, self._held.over)
        return self._held.failure or StopIteration()


def wait_until_open(held: Held[Any]) -> None:
    """Wait until the trio thread holds what it is to hold.

    :raises Exception: why it could not be opened.
    """
    try:
        _wait(held, held.opened)
        held.opened.result()
    except BaseException:
        close(held)
        raise


def close(held: Held[Any]) -> None:
    """Close what the trio thread holds, and return once nothing is left of it."""
    held.close()
    _wait(held, held.over)
    held.wait_for_thread()


def raise_failure(failure: BaseException | None, error: BaseException | None) -> None:
    """At the end of a block, raise what has failed in the trio thread, if anything has.

    :param error: what the block itself raises.
    """
    if failure is None or failure is error:
        return
    if error is not None:
        raise BaseExceptionGroup("the block and its node failed", [failure, error])
    raise failure


def outcome_of(held: Held[Any], work: Callable[[], Awaitable[T]], ends_at: float | None = None) -> T:
    """Have the trio thread do something with what it holds.

    :param ends_at: when the condition that a program waits for must be true, in local time.
    :raises TimeoutError: if it is not.
    """
    call = held.call(work)
    if not _wait(held, call.future, lambda: held.cancel(call), ends_at):
        raise TimeoutError(f"the condition on {held.what} has not become true in time")
    if call.future.cancelled():
        raise held.why_over()
    return call.future.result()


def _alone(what: str, work: Callable[[], Awaitable[T]]) -> T:
    """Do something in the trio thread that needs no node."""
    call = Call(work)
    thread = start(call, what)
    _wait(thread, call.future, lambda: thread.soon(call.cancel))
    thread.wait_if_over()
    return call.future.result()


def _wait(
    where: Held[Any] | TrioThread,
    future: Future[Any],
    give_up: Callable[[], object] | None = None,
    ends_at: float | None = None,
) -> bool:
    """Wait for an outcome; returns whether it is there.

    :param give_up: called if it is not, or if the wait was interrupted.
    :param ends_at: in local time.
    """
    is_done, done = False, threading.Event()
    future.add_done_callback(lambda _: done.set())
    try:
        is_done = where.wait(done, ends_at) or future.done()
    finally:
        if not is_done and give_up is not None:
            give_up()
    return is_done
