"""The thread in which trio runs the nodes of programs that are not trio programs.

All nodes of one process share one thread, which begins with the first of them and ends with the last. A cluster in
memory has a thread of its own, which takes the place of the shared one while the cluster is open. This module decides
in which thread work runs, and how its outcome gets out. What the work is, is its caller's business.
"""

from __future__ import annotations

import contextlib
import functools
import threading
import time
from collections.abc import Awaitable, Callable
from concurrent.futures import Future
from typing import Any, Generic, Protocol, TypeVar

import trio

from gossip import forking
from gossip.net import MonotonicClock
from gossip.node import without_cancelled

T = TypeVar("T")

THREAD_NAME = "gossip"


class Call(Generic[T]):
    """One piece of work in the trio thread, and its outcome for other threads."""

    def __init__(self, work: Callable[[], Awaitable[T]]) -> None:
        self.future: Future[T] = Future()
        """The outcome, once the work has ended; cancelled if the work was."""
        self._work = work
        self._scope = trio.CancelScope()

    def cancel(self) -> None:
        """Cancel the work. To be called in the trio thread."""
        self._scope.cancel()

    def cut(self) -> None:
        """Let nobody wait for an outcome that will not come: the thread is over."""
        self.future.cancel()

    async def run(self) -> Callable[[], object]:
        """Do the work; returns the function that makes its outcome known."""
        tell: Callable[[], object] = self.future.cancel
        with self._scope:
            try:
                value = await self._work()
            except BaseException as error:
                if (failure := without_cancelled(error)) is None:
                    raise
                tell = functools.partial(self.future.set_exception, failure)
            else:
                tell = functools.partial(self.future.set_result, value)
        return tell


class Pace(Protocol):
    """Decides when time passes in a trio thread. A thread without one runs in real time."""

    @property
    def clock(self) -> trio.abc.Clock:
        """The clock of the thread."""

    async def run(self) -> None:
        """Run in the thread for as long as it lasts."""

    def begin(self, waiting: object) -> None:
        """Know that a task waits for the thread. It runs in the thread that calls this."""

    def end(self, waiting: object) -> None:
        """Know that it waits no longer. Any thread may call this."""

    def wait(self, done: threading.Event, ends_at: float | None) -> bool:
        """Block the thread that calls this until ``done`` is set; returns whether that was before ``ends_at``."""


class TrioThread:
    """One thread, for as long as it has work. Made by :func:`start` and :func:`start_apart`."""

    def __init__(self, pace: Pace | None = None) -> None:
        self._pace = pace
        self._calls: set[Call[Any]] = set()
        self._early: list[Callable[[], object]] = []
        """What was asked for before trio ran."""
        self._token: trio.lowlevel.TrioToken | None = None
        self._nursery: trio.Nursery | None = None
        self._tell_last: Callable[[], object] | None = None
        self._thread = threading.Thread(target=self._run, name=THREAD_NAME, daemon=True)

    def soon(self, function: Callable[..., object], *args: object) -> None:
        """Have the trio thread call a function that does not wait. Does nothing once the thread is over.

        Once trio runs, this takes no lock, so that what is called by the garbage collector can call this.
        """
        if self._token is None:
            with _shared.lock:
                if self._token is None:
                    self._early.append(functools.partial(function, *args))
                    return
        with contextlib.suppress(trio.RunFinishedError):
            self._token.run_sync_soon(function, *args)

    def wait_if_over(self) -> None:
        """Wait until the thread is gone if it has no work left. That takes microseconds: it does nothing any more."""
        if self._tell_last is not None:
            self._thread.join()

    def begin_wait(self, waiting: object) -> None:
        """Note that a task waits for this thread, in the thread that calls this."""
        if self._pace is not None:
            self._pace.begin(waiting)

    def end_wait(self, waiting: object) -> None:
        """Note that it waits no longer."""
        if self._pace is not None:
            self._pace.end(waiting)

    def is_awaited(self, future: Future[Any]) -> None:
        """Note that a task waits for an outcome of this thread, in the thread that calls this."""
        if self._pace is not None:
            self._pace.begin(future)
            future.add_done_callback(self._pace.end)

    def now(self) -> float:
        """The local time in this thread, in seconds. Any thread may ask."""
        return time.monotonic() if self._pace is None else self._pace.clock.current_time()

    def wait(self, done: threading.Event, ends_at: float | None = None) -> bool:
        """Block the thread that calls this until ``done`` is set; returns whether that was in time.

        :param ends_at: in the time of this thread; None to wait for as long as it takes.
        """
        if self._pace is not None:
            return self._pace.wait(done, ends_at)
        return done.wait(None if ends_at is None else max(0.0, ends_at - time.monotonic()))

    @classmethod
    def running(cls, pace: Pace | None = None) -> TrioThread:
        """A new one. It ends at once if nodes are not to be opened in it by the time at which it looks."""
        thread = cls(pace)
        thread._thread.start()
        return thread

    def take_in(self, call: Call[Any]) -> None:
        """Note a piece of work. The caller holds the lock."""
        self._calls.add(call)

    def begin(self, call: Call[Any]) -> None:
        """Begin a piece of work, in the trio thread."""
        assert self._nursery is not None
        self._nursery.start_soon(self._work, call)

    async def _work(self, call: Call[Any]) -> None:
        tell = await call.run()
        with _shared.lock:
            self._calls.remove(call)
            is_last = not self._calls
            if is_last:
                self._tell_last = tell
                _shared.drop(self)
        if not is_last:
            tell()
        elif self._nursery is not None:
            self._nursery.cancel_scope.cancel()

    async def _main(self) -> None:
        async with trio.open_nursery() as self._nursery:
            with _shared.lock:
                if self not in _shared.threads:
                    return  # somebody has interrupted the start
                self._token = trio.lowlevel.current_trio_token()
                early, self._early = self._early, []
            if self._pace is not None:
                self._nursery.start_soon(self._pace.run)
            for function in early:
                function()
            await trio.sleep_forever()

    def _run(self) -> None:
        _here.is_trio_thread = True
        try:
            clock = MonotonicClock() if self._pace is None else self._pace.clock
            trio.run(self._main, clock=clock, strict_exception_groups=True)
        except BaseException as error:  # noqa: BLE001 - an error inside trio ends all the work
            self._fail_all(error)
        if self._tell_last is not None:
            self._tell_last()

    def _fail_all(self, error: BaseException) -> None:
        with _shared.lock:
            _shared.drop(self)
        for call in self._calls:
            call.future.set_exception(error)


class _Shared:
    """What the threads of this process share."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.threads: list[TrioThread] = []
        """Those in which nodes may be opened; the last one is used."""
        forking.register(self, _Shared._begin_anew)

    def drop(self, thread: TrioThread) -> None:
        """Open no more nodes in a thread. The caller holds the lock."""
        if thread in self.threads:
            self.threads.remove(thread)

    def _begin_anew(self) -> None:
        """A forked child does not have the threads, and the lock may be held there by nobody for ever."""
        self.lock, self.threads = threading.Lock(), []


_shared = _Shared()
_here = threading.local()


def start(call: Call[Any], what: str) -> TrioThread:
    """Begin a piece of work; returns the thread that does it, a new one if there is none.

    :raises RuntimeError: as :func:`refuse_own_thread`.
    """
    refuse_own_thread(what)
    with _shared.lock:
        thread = _shared.threads[-1] if _shared.threads else TrioThread.running()
        thread.take_in(call)
        if not _shared.threads:
            _shared.threads.append(thread)
    thread.soon(thread.begin, call)
    return thread


def start_apart(pace: Pace, call: Call[Any], what: str) -> TrioThread:
    """Begin a piece of work in a new thread, which takes the place of the others until that work has ended.

    :raises RuntimeError: as :func:`refuse_own_thread`.
    """
    refuse_own_thread(what)
    with _shared.lock:
        thread = TrioThread.running(pace)
        thread.take_in(call)
        _shared.threads.append(thread)
    call.future.add_done_callback(lambda _: _step_aside(thread))
    thread.soon(thread.begin, call)
    return thread


def _step_aside(thread: TrioThread) -> None:
    with _shared.lock:
        _shared.drop(thread)


def refuse_own_thread(what: str) -> None:
    """Refuse what would have the trio thread wait for itself.

    :param what: names it for people.
    :raises RuntimeError: in the trio thread.
    """
    if getattr(_here, "is_trio_thread", False):
        raise RuntimeError(
            f"{what} is used in the thread in which the nodes themselves run, perhaps by a handler of their log; "
            "use another thread for what waits"
        )
