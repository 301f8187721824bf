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
        """:param when_idle: for a program with an event loop, which waits only while all of its tasks do. The thread of
        another program does nothing else while it waits.
        """
        self.clock = MockClock()
        self._when_idle = when_idle
        self._program = threading.get_ident()
        self._waiting: set[object] = set()
        """What waits in the thread of the program."""
        self._waiting_elsewhere: set[object] = set()
        self._change = object()
        """Another one each time that something begins to wait, or waits no longer."""
        self._changed = trio.Event()
        self._token: trio.lowlevel.TrioToken | None = None
        self._nursery: trio.Nursery | None = None

    def begin(self, waiting: object) -> None:
        """Know that something waits for the thread. The thread that waits calls this."""
        is_program = threading.get_ident() == self._program
        (self._waiting if is_program else self._waiting_elsewhere).add(waiting)
        self._look_again()

    def end(self, waiting: object) -> None:
        """Know that it waits no longer. Any thread may call this."""
        self._waiting.discard(waiting)
        self._waiting_elsewhere.discard(waiting)
        self._look_again()

    def wait(self, done: threading.Event, ends_at: float) -> bool:
        """Wait in another thread until ``done`` is set; returns whether that was before ``ends_at``."""
        alarm = _Alarm(done, ends_at)
        self._soon(lambda: self._nursery and self._nursery.start_soon(alarm.run))
        done.wait()
        self._soon(alarm.scope.cancel)
        return not alarm.has_rung

    async def run(self) -> None:
        """Let time pass, until cancelled."""
        async with trio.open_nursery() as self._nursery:
            self._token = trio.lowlevel.current_trio_token()
            while True:
                if self._waiting:
                    self.clock.rate = 0.0
                    await self._jump()
                else:
                    self.clock.rate = 1.0 if self._waiting_elsewhere else 0.0
                    await self._something_changed()

    async def _jump(self) -> None:
        """Jump from one moment at which something is due to the next, until something changes."""
        change, turns = self._change, TURNS
        while self._change is change:
            if self._when_idle is not None:
                await self._is_idle(self._when_idle, turns)
            turns, ends_at = 1, time.perf_counter() + (math.inf if self._when_idle is None else SLICE_S)
            while self._change is change and time.perf_counter() < ends_at:
                await wait_all_tasks_blocked()
                if self._change is change and not self._jump_once():
                    await self._something_changed()

    def _jump_once(self) -> bool:
        """Jump to what is due next; returns whether anything is."""
        seconds = trio.lowlevel.current_statistics().seconds_to_next_deadline
        if math.isfinite(seconds):
            self.clock.jump(max(0.0, seconds))
        return math.isfinite(seconds)

    async def _is_idle(self, when_idle: WhenIdle, turns: int) -> None:
        idle = trio.Event()
        when_idle(turns, lambda: self._soon(idle.set))
        await idle.wait()

    async def _something_changed(self) -> None:
        self._changed = trio.Event()
        await self._changed.wait()

    def _look_again(self) -> None:
        self._change = object()
        self._soon(lambda: self._changed.set())

    def _soon(self, function: Callable[[], object]) -> None:
        if self._token is not None:
            with contextlib.suppress(trio.RunFinishedError):
                self._token.run_sync_soon(function)


@attrs.define
class _Alarm:
    """Ends a wait when its time has come."""

    done: threading.Event
    ends_at: float
    scope: trio.CancelScope = attrs.field(factory=trio.CancelScope)
    has_rung: bool = False

    async def run(self) -> None:
        with self.scope:
            await trio.sleep_until(self.ends_at)
            self.has_rung = True
            self.done.set()
