"""One scenario for the three flavours of a node, and what a facade may leave behind."""

from __future__ import annotations

import asyncio
import gc
import inspect
import threading
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine
from contextlib import AbstractAsyncContextManager, AbstractContextManager, AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any, TypeVar

import attrs
import pytest
import trio

import gossip
import gossip.aio
import gossip.blocking
from gossip import Config
from gossip.facade.trio_thread import THREAD_NAME

try:
    import uvloop

    new_uvloop: Callable[[], asyncio.AbstractEventLoop] | None = uvloop.new_event_loop
except ImportError:  # it is not there for each Python and system
    new_uvloop = None

T = TypeVar("T")

PATIENCE_S = 20.0
"""Far more than anything here takes; a test that waits this long has failed."""

LOCAL: dict[str, Any] = {"bind": "127.0.0.1:0", "config": Config.local()}
"""Arguments of a node on this machine with the quick profile."""

LOOPS = [
    pytest.param(asyncio.new_event_loop, id="asyncio"),
    pytest.param(
        new_uvloop,
        id="uvloop",
        marks=pytest.mark.skipif(new_uvloop is None, reason="uvloop is not installed"),
    ),
]
"""What makes the event loops under which ``gossip.aio`` works."""


def run_on(new_loop: Callable[[], asyncio.AbstractEventLoop], main: Coroutine[Any, Any, T]) -> T:
    """Like :func:`asyncio.run`, on a loop of this kind."""
    loop = new_loop()
    try:
        return loop.run_until_complete(main)
    finally:
        loop.run_until_complete(loop.shutdown_asyncgens())
        loop.close()


def run_blocking(main: Callable[[], Coroutine[Any, Any, T]]) -> T:
    """Run an async function that awaits nothing, so that a scenario can be written once."""
    coroutine = main()
    try:
        coroutine.send(None)
    except StopIteration as stop:
        return stop.value  # type: ignore[no-any-return]
    coroutine.close()
    raise AssertionError("a blocking scenario has awaited something")


@attrs.frozen
class Flavour:
    """Where nodes are taken from, and how a program that uses them is run."""

    name: str
    module: Any
    run: Callable[[Callable[[], Coroutine[Any, Any, Any]]], Any]
    arguments: dict[str, Any] = attrs.field(factory=dict)
    """Further arguments of its nodes."""

    def __str__(self) -> str:
        return self.name

    @asynccontextmanager
    async def open_node(self, name: str, **arguments: Any) -> AsyncIterator[Any]:
        """The block of a node, in which any flavour is entered by ``async with``."""
        opening = self.module.open_node(name, **{**LOCAL, **self.arguments, **arguments})
        async with AsyncExitStack() as stack:
            if isinstance(opening, AbstractAsyncContextManager):
                yield await stack.enter_async_context(opening)
            else:
                assert isinstance(opening, AbstractContextManager)
                yield stack.enter_context(opening)


TRIO = Flavour("trio", gossip, trio.run)
AIO = Flavour("aio", gossip.aio, lambda main: asyncio.run(main()))
BLOCKING = Flavour("blocking", gossip.blocking, run_blocking)
PROCESS = {"isolation": "process"}
AIO_PROCESS = Flavour("aio, a process of its own", gossip.aio, AIO.run, PROCESS)
BLOCKING_PROCESS = Flavour("blocking, a process of its own", gossip.blocking, BLOCKING.run, PROCESS)

FLAVOURS = [TRIO, AIO, BLOCKING, AIO_PROCESS, BLOCKING_PROCESS]


async def outcome(answer: Awaitable[T] | T) -> T:
    """What a method returns that has to be awaited in some flavours."""
    if inspect.isawaitable(answer):
        return await answer
    return answer


async def next_item(changes: Any) -> Any:
    """The next item of a subscription of any flavour.

    :raises StopAsyncIteration: if none will come any more.
    """
    if hasattr(changes, "__anext__"):
        return await changes.__anext__()
    try:
        return next(changes)
    except StopIteration:
        raise StopAsyncIteration from None


def wait_until(condition: Callable[[], bool]) -> None:
    """Return as soon as ``condition`` holds."""
    ends_at = time.monotonic() + PATIENCE_S
    while not condition():
        assert time.monotonic() < ends_at, "it takes too long"
        time.sleep(0.002)


async def until(condition: Callable[[], bool]) -> None:
    """Return as soon as ``condition`` holds, in asyncio."""
    async with timeout(PATIENCE_S):
        while not condition():  # noqa: ASYNC110 - nothing tells when it changes
            await asyncio.sleep(0.002)


@asynccontextmanager
async def timeout(seconds: float) -> AsyncIterator[None]:
    """Like :func:`asyncio.timeout`, which Python 3.10 does not have."""
    task, expired = asyncio.current_task(), False
    assert task is not None

    def expire() -> None:
        nonlocal expired
        expired = True
        task.cancel()

    timer = asyncio.get_running_loop().call_later(seconds, expire)
    try:
        yield
    except asyncio.CancelledError:
        if expired:
            raise AssertionError("it takes too long") from None
        raise
    finally:
        timer.cancel()


def trio_threads() -> list[threading.Thread]:
    """The threads in which nodes run."""
    return [thread for thread in threading.enumerate() if thread.name == THREAD_NAME]


def open_descriptors() -> int:
    """How many descriptors this process has open."""
    return len(list(Path("/dev/fd").iterdir()))


@attrs.frozen
class Left:
    """What is open, and must be closed again."""

    descriptors: int
    threads: int

    @classmethod
    def now(cls) -> Left:
        """What is open at this moment."""
        gc.collect()  # a socket that was not closed would warn now, and warnings are errors
        return cls(open_descriptors(), len(trio_threads()))
