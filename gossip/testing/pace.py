"""Time in the trio thread of a test that trio does not run: it passes while the program waits, and stands still
while it works.

This module decides when time passes in a cluster for asyncio or for blocking programs. What happens then is decided by
the nodes.
"""

from __future__ import annotations

import contextlib
import math
import threading
import time
from collections.abc import Callable

import attrs
import trio
from trio.testing import MockClock, wait_all_tasks_blocked

TURNS = 20
"""Turns that an event loop has after something has changed, before time passes: a chain of so many tasks of which each
wakes the next one comes to its end first."""

SLICE_S = 0.001
"""Real seconds after which the pace looks again whether an event loop has something to do."""

WhenIdle = Callable[[int, Callable[[], object]], object]
"""Has a function called once the program's event loop has had so many turns, from any thread."""


class VirtualPace:
    """Lets the time of a trio thread pass for the program in the thread that makes this.

    While that program waits for the nodes, the clock jumps to what is due next. While only other threads wait for them,
    the clock goes as real ones do. Otherwise it stands still.
    """

    def __init__(self, when_idle: WhenIdle | None = None) -> None:
        """:param when_idle: for a program with an event loop, which waits only while all of its tasks do."""
        self.clock = MockClock()
        self._when_idle = when_idle
        self._program = threading.get_ident()
        self._awaited: set[object] = set()
        """What tasks of the event loop wait for."""
        self._blocking: set[threading.Event] = set()
        """What the thread of the program waits for, if it has no event loop. What is set lets it go on."""
        self._blocking_others: set[threading.Event] = set()
        """The same for all other threads."""
        self._change = object()
        """Another one each time that somebody begins to wait, or waits no longer."""
        self._changed = trio.Event()
        self._token: trio.lowlevel.TrioToken | None = None
        self._nursery: trio.Nursery | None = None

    # --- for other threads

    def begin(self, waiting: object) -> None:
        """Know that a task waits for the thread. It runs in the thread that calls this.

        A thread without an event loop does not wait before it calls :meth:`wait`.
        """
        if self._when_idle is not None and threading.get_ident() == self._program:
            self._awaited.add(waiting)
            self._look_again()

    def end(self, waiting: object) -> None:
        """Know that it waits no longer. Any thread may call this."""
        self._awaited.discard(waiting)
        self._look_again()

    def wait(self, done: threading.Event, ends_at: float | None) -> bool:
        """Block the thread that calls this until ``done`` is set; returns whether that was before ``ends_at``."""
        alarm = _Alarm(math.inf if ends_at is None else ends_at, done)
        self._soon(lambda: self._start(alarm))
        blocking = self._blocking if threading.get_ident() == self._program else self._blocking_others
        blocking.add(done)
        self._look_again()
        try:
            done.wait()
        finally:
            blocking.remove(done)
            self._look_again()
            self._soon(alarm.scope.cancel)
        return not alarm.has_rung

    # --- in the trio thread

    async def run(self) -> None:
        """Let time pass, until cancelled."""
        async with trio.open_nursery() as self._nursery:
            self._token = trio.lowlevel.current_trio_token()
            while True:
                change = self._change
                if self._program_waits():
                    self.clock.rate = 0.0
                    await self._jump(change)
                else:
                    self.clock.rate = 1.0 if _has_any_to_wait_for(self._blocking_others) else 0.0
                    await self._something_changed()

    async def _jump(self, change: object) -> None:
        """Jump from one moment at which something is due to the next, until something changes."""
        turns = TURNS
        while self._change is change:
            ends_at = math.inf
            if self._when_idle is not None:
                await self._is_idle(self._when_idle, turns)
                turns, ends_at = 1, time.perf_counter() + SLICE_S
            while self._change is change and time.perf_counter() < ends_at:
                await wait_all_tasks_blocked()
                if self._change is not change or not self._program_waits():
                    return
                if not self._jump_once():
                    await self._something_changed()

    def _jump_once(self) -> bool:
        """Jump to what is due next; returns whether anything is."""
        seconds = trio.lowlevel.current_statistics().seconds_to_next_deadline
        if math.isfinite(seconds):
            self.clock.jump(max(0.0, seconds))
        return math.isfinite(seconds)

    def _program_waits(self) -> bool:
        return bool(self._awaited) or _has_any_to_wait_for(self._blocking)

    async def _is_idle(self, when_idle: WhenIdle, turns: int) -> None:
        idle = trio.Event()
        when_idle(turns, lambda: self._soon(idle.set))
        await idle.wait()

    async def _something_changed(self) -> None:
        self._changed = trio.Event()
        await self._changed.wait()

    def _notice(self) -> None:
        self._changed.set()

    def _start(self, alarm: _Alarm) -> None:
        if self._nursery is not None:
            self._nursery.start_soon(alarm.run)

    # --- from one to the other

    def _look_again(self) -> None:
        self._change = object()
        self._soon(self._notice)

    def _soon(self, function: Callable[[], object]) -> None:
        if self._token is not None:
            with contextlib.suppress(trio.RunFinishedError):
                self._token.run_sync_soon(function)


@attrs.define
class _Alarm:
    """Ends a wait when its time has come."""

    ends_at: float
    done: threading.Event
    scope: trio.CancelScope = attrs.field(factory=trio.CancelScope)
    has_rung: bool = False

    async def run(self) -> None:
        with self.scope:
            await trio.sleep_until(self.ends_at)
            self.has_rung = True
            self.done.set()


def _has_any_to_wait_for(blocking: set[threading.Event]) -> bool:
    return any(not done.is_set() for done in tuple(blocking))
