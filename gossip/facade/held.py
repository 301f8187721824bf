"""A node in the trio thread, held by a thread that trio does not run.

This module decides when such a node is open and when it is over. How a program waits for that is decided by
:mod:`gossip.aio` and :mod:`gossip.blocking`.
"""

from __future__ import annotations

import threading
import weakref
from collections.abc import Awaitable, Callable
from concurrent.futures import Future
from contextlib import AbstractAsyncContextManager
from typing import Any, Generic, Protocol, TypeVar

import trio

from gossip import forking
from gossip.errors import ClosedError
from gossip.facade.trio_thread import Call, TrioThread, refuse_own_thread, start

H = TypeVar("H")
T = TypeVar("T")


class Cut(Protocol):
    """A reader or a call that waits for a node."""

    def cut(self) -> None:
        """Wait no longer."""


class Held(Generic[H]):
    """A node in the trio thread, or something else with a life of its own there."""

    def __init__(
        self,
        what: str,
        opening: Callable[[], AbstractAsyncContextManager[H]],
        closed: str,
        begin: Callable[[Call[None], str], TrioThread] = start,
    ) -> None:
        """Begin to open it.

        :param what: names it for people, such as ``node 'web-1'``.
        :param opening: makes the block in which it lives.
        :param closed: why it cannot be used any more once it is closed, for people.
        :param begin: begins a piece of work, such as its life, and returns the thread that does it.
        """
        self.what = what
        self.opened: Future[H] = Future()
        """What is held, once it is open; or why it could not be opened."""
        self._waiting: weakref.WeakSet[Cut] = weakref.WeakSet()
        self._lock = threading.Lock()
        """Of what waits: one thread may add to it while another one goes through it."""
        self._tell_first: Callable[[], object] | None = None
        self._opening = opening
        self._closed = closed
        self._closing = trio.Event()
        self._calls: trio.Nursery | None = None
        self._life: Call[None] = Call(self._live)
        self._thread = begin(self._life, what)
        self._thread.is_awaited(self.opened)
        self.over.add_done_callback(self._tell_that_it_is_over)
        forking.register(self, Held._become_unusable)

    @property
    def over(self) -> Future[None]:
        """Done once the node is closed and nothing is left of it; fails if the node has failed."""
        return self._life.future

    def _become_unusable(self) -> None:
        self._thread = self._life = self._lock = forking.unusable(self.what)

    @property
    def failure(self) -> BaseException | None:
        """What the node has failed of; None if it runs, or was closed."""
        return self.over.exception() if self.over.done() and not self.over.cancelled() else None

    @property
    def is_copy(self) -> bool:
        """Whether this is a forked child, where there is nothing to close."""
        return forking.is_unusable(self._life)

    def require_open(self) -> None:
        """Refuse the use of a node that runs no more, or not in this process.

        :raises ClosedError: if it is closed. If it has failed, this raises what it has failed of.
        :raises ForkedError: if it is the copy of a node in a forked child.
        """
        if self.over.done():
            raise self.why_over()

    def soon(self, function: Callable[..., object], *args: object) -> None:
        """Have the trio thread call a function that does not wait."""
        self._thread.soon(function, *args)

    def begin_wait(self, waiting: object) -> None:
        """Note that a task waits for the node, in the thread that calls this."""
        self._thread.begin_wait(waiting)

    def end_wait(self, waiting: object) -> None:
        """Note that it waits no longer."""
        self._thread.end_wait(waiting)

    def now(self) -> float:
        """The local time of the node, in seconds. Any thread may ask."""
        return self._thread.now()

    def wait(self, done: threading.Event, ends_at: float | None = None) -> bool:
        """Block the thread that calls this until ``done`` is set; returns whether that was in time.

        :param ends_at: in local time; None to wait for as long as it takes.
        """
        return self._thread.wait(done, ends_at)

    @property
    def inside(self) -> H:
        """What is held. It is open."""
        return self.opened.result()

    def tell_first_when_over(self, tell: Callable[[], object]) -> None:
        """Call ``tell()`` once the node is over, before anything that waits for it goes on; perhaps twice."""
        self._tell_first = tell
        if self.over.done():
            tell()

    def cut_when_over(self, waiting: Cut) -> None:
        """Call ``waiting.cut()`` once the node is over, if it still exists then."""
        with self._lock:
            self._waiting.add(waiting)
        if self.over.done():
            waiting.cut()

    def call(self, work: Callable[[], Awaitable[T]]) -> Call[T]:
        """Have the trio thread do something with the node.

        The call is cancelled when the node is closed or fails; :meth:`why_over` says which.

        :raises RuntimeError: in the trio thread itself, which must not wait for itself.
        """
        self.refuse_own_thread()
        call = Call(work)
        self._thread.is_awaited(call.future)
        self.soon(self._begin, call)
        self.cut_when_over(call)
        return call

    def begin_inside(self, call: Call[Any], what: str) -> TrioThread:
        """Begin a piece of work that this ends when it ends; returns the thread that does it.

        :param what: names the work for people.
        """
        refuse_own_thread(what)
        self.soon(self._begin, call)
        self.cut_when_over(call)
        return self._thread

    def cancel(self, call: Call[Any]) -> None:
        """Cancel a call."""
        self.soon(call.cancel)

    def why_over(self) -> BaseException:
        """Why a call was cancelled that nobody has cancelled."""
        return self.failure or ClosedError(f"{self.what} is closed: {self._closed}")

    def refuse_own_thread(self) -> None:
        """Refuse to wait for this node in the trio thread.

        :raises RuntimeError: there.
        """
        refuse_own_thread(self.what)

    def close(self) -> None:
        """Close the node, or stop opening it; :attr:`over` is done after that.

        :raises RuntimeError: in the trio thread itself, which must not wait for that.
        """
        self.refuse_own_thread()
        self._thread.is_awaited(self.over)
        self.soon(self._life.cancel if not self.opened.done() else self._closing.set)

    def wait_for_thread(self) -> None:
        """Wait until the trio thread is gone, if nothing else needs it. To be called once :attr:`over` is done."""
        self._thread.wait_if_over()

    async def _live(self) -> None:
        async with self._opening() as inside, trio.open_nursery() as calls:
            self._calls = calls
            self.opened.set_result(inside)
            try:
                await self._closing.wait()
            finally:
                self._calls = None
                calls.cancel_scope.cancel()

    def _begin(self, call: Call[Any]) -> None:
        if self._calls is not None:  # or else the node ends, and cuts the call when it is over
            self._calls.start_soon(_run, call)

    def _tell_that_it_is_over(self, over: Future[None]) -> None:
        if self._tell_first is not None:
            self._tell_first()
        with self._lock:
            waiting = list(self._waiting)
        for each in waiting:
            each.cut()
        if self.opened.done():
            return
        if over.cancelled():
            self.opened.cancel()
        else:
            self.opened.set_exception(over.exception())


async def _run(call: Call[Any]) -> None:
    (await call.run())()
