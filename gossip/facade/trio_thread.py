"""The thread in which trio runs the nodes of programs that are not trio programs.

All nodes of one process share one thread, which begins with the first of them and ends with the last. This module
decides in which thread work runs, and how its outcome gets out. What the work is, is its caller's business.
"""

from __future__ import annotations

import contextlib
import functools
import threading
from collections.abc import Awaitable, Callable
from concurrent.futures import Future
from typing import Any, Generic, TypeVar

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


class TrioThread:
    """One thread, for as long as it has work. Made by :func:`start`."""

    def __init__(self) -> None:
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

    @classmethod
    def running(cls) -> TrioThread:
        """A new one. It ends at once if it has not become the shared one by the time at which it looks."""
        thread = cls()
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
                _shared.thread = None
        if not is_last:
            tell()
        elif self._nursery is not None:
            self._nursery.cancel_scope.cancel()

    async def _main(self) -> None:
        async with trio.open_nursery() as self._nursery:
            with _shared.lock:
                if _shared.thread is not self:
                    return  # somebody has interrupted the start
                self._token = trio.lowlevel.current_trio_token()
                early, self._early = self._early, []
            for function in early:
                function()
            await trio.sleep_forever()

    def _run(self) -> None:
        _here.is_trio_thread = True
        try:
            trio.run(self._main, clock=MonotonicClock(), strict_exception_groups=True)
        except BaseException as error:  # noqa: BLE001 - an error inside trio ends all the work
            self._fail_all(error)
        if self._tell_last is not None:
            self._tell_last()

    def _fail_all(self, error: BaseException) -> None:
        with _shared.lock:
            if _shared.thread is self:
                _shared.thread = None
        for call in self._calls:
            call.future.set_exception(error)


class _Shared:
    """What the threads of this process share."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.thread: TrioThread | None = None
        forking.register(self, _Shared._begin_anew)

    def _begin_anew(self) -> None:
        """A forked child does not have the thread, and the lock may be held there by nobody for ever."""
        self.lock, self.thread = threading.Lock(), None


_shared = _Shared()
_here = threading.local()


def start(call: Call[Any], what: str) -> TrioThread:
    """Begin a piece of work; returns the thread that does it, a new one if there is none.

    :raises RuntimeError: as :func:`refuse_own_thread`.
    """
    refuse_own_thread(what)
    with _shared.lock:
        thread = _shared.thread or TrioThread.running()
        thread.take_in(call)
        _shared.thread = thread
    thread.soon(thread.begin, call)
    return thread


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
