"""A fake node as the facades hold one: no thread runs it, so what it does is done by those who ask for it.

This module decides in which order that is done, and when a program that waits for a fake node goes on.
"""

from __future__ import annotations

import functools
import threading
import weakref
from collections import deque
from collections.abc import Awaitable, Callable, Generator, Iterable, Mapping
from concurrent.futures import Future
from typing import Any, TypeVar

from gossip.core.events import MembershipEvent
from gossip.core.state.member import Member
from gossip.facade import Call, Held, TrioThread
from gossip.node import Inside, awaited, require_joined
from gossip.testing.faked import Faked

T = TypeVar("T")


class FakeHeld(Held[Inside]):
    """Stands for a trio thread with one node. Things are done in turns, as in a thread: never two at a time."""

    def __init__(self, what: str, close: Callable[[], None]) -> None:
        """:param close: closes the node."""
        # Not that of Held, which begins a life in a thread.
        self.what = what
        self.opened: Future[Inside] = Future()
        self._waiting = weakref.WeakSet()
        self._lock = threading.Lock()
        self._tell_first = None
        self._closed = "the test has closed it"
        self._life: Call[None] = Call(_live)
        self._thread = TrioThread()  # never runs, and has no other time than the real one
        self._close = close
        self._turn = threading.Lock()
        self._due: deque[Callable[[], object]] = deque()
        self._steps = 0
        self._parked: list[tuple[Call[Any], Generator[int, None, Any]]] = []
        """Calls that wait for the next step."""
        self.over.add_done_callback(self._tell_that_it_is_over)

    def steps(self) -> int:
        """How many changes there have been."""
        return self._steps

    async def step_after(self, seen: int) -> None:
        """Wait until there have been more changes than so many."""
        await _Step(seen)

    def do(self, action: Callable[[], T]) -> T:
        """Do something in a turn, now."""
        with self._turn:
            result = action()
        self._do_what_is_due()
        return result

    def step(self) -> None:
        """Let those go on who wait for a change. To be called in a turn."""
        self._steps += 1
        parked, self._parked = self._parked, []
        for call, work in parked:
            self._go_on(call, work)

    # --- as a real one

    def soon(self, function: Callable[..., object], *args: object) -> None:
        """Have a function called in a turn, by this thread or by the one whose turn it is."""
        self._due.append(functools.partial(function, *args))
        self._do_what_is_due()

    def call(self, work: Callable[[], Awaitable[T]]) -> Call[T]:
        """Do something with the node that may wait for a change."""
        call = Call(work)
        self.cut_when_over(call)
        if not call.future.done():
            self._go_on(call, work().__await__())
        return call

    def cancel(self, call: Call[Any]) -> None:
        """Cancel a call."""
        self.soon(call.cut)

    def close(self) -> None:
        """Close the node."""
        self.do(self._end)

    # --- inside

    def _end(self) -> None:
        if not self.over.done():
            self._close()
            self.over.set_result(None)

    def _do_what_is_due(self) -> None:
        while self._due and self._turn.acquire(blocking=False):
            try:
                while self._due:
                    self._due.popleft()()
            finally:
                self._turn.release()

    def _go_on(self, call: Call[T], work: Generator[Any, None, T]) -> None:
        if call.future.done():
            return
        try:
            seen: int = next(work)
        except StopIteration as stop:
            call.future.set_result(stop.value)
        except Exception as error:  # noqa: BLE001 - it is raised where the outcome is awaited
            call.future.set_exception(error)
        else:
            self.soon(self._park, seen, call, work)

    def _park(self, seen: int, call: Call[Any], work: Generator[int, None, Any]) -> None:
        if self._steps > seen:
            self._go_on(call, work)
        else:
            self._parked.append((call, work))


class HeldFake(Faked):
    """A fake node of a facade. Any thread may use it."""

    def __init__(
        self,
        name: str,
        members: Mapping[str, Mapping[str, str]] | Iterable[str],
        metadata: Mapping[str, str],
    ) -> None:
        self._turns = FakeHeld(f"node {name!r}", self._close)
        super().__init__(name, members, metadata=metadata)
        inside = Inside(
            self,
            self._broadcast,
            self._turns.steps,
            self._turns.step_after,
            awaited(self._update),
            awaited(self._use_keyring),
            awaited(self._explain),
            awaited(lambda timeout: require_joined(self.standing, name, timeout)),
            awaited(self._leave),
        )
        self._turns.opened.set_result(inside)

    def close(self) -> None:
        """The node is over, as if its block had ended."""
        self._turns.close()

    def _tell(self, change: Callable[[], MembershipEvent]) -> Member:
        return self._turns.do(functools.partial(super()._tell, change))

    def _stepped(self) -> None:
        self._turns.step()


class _Step:
    """A change after so many."""

    def __init__(self, seen: int) -> None:
        self._seen = seen

    def __await__(self) -> Generator[int, None, None]:
        yield self._seen


async def _live() -> None:
    """The life of a fake node takes place in no thread."""
