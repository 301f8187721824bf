"""How a loop of asyncio waits for the trio thread, and which loop may."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from concurrent.futures import Future
from typing import Any, TypeVar

from gossip.facade import Held, refuse_own_thread
from gossip.node import in_trio

T = TypeVar("T")


async def done(future: Future[Any]) -> None:
    """Wait for an outcome. Cancelling this does not change it."""
    loop = asyncio.get_running_loop()
    waiter: asyncio.Future[None] = loop.create_future()
    future.add_done_callback(lambda _: soon(loop, wake, waiter))
    await waiter


async def done_whatever_comes(future: Future[Any]) -> asyncio.CancelledError | None:
    """Wait for an outcome, even if this is cancelled; returns what cancelled it."""
    cancelled = None
    while not future.done():
        try:
            await done(future)
        except asyncio.CancelledError as error:
            cancelled = error
    return cancelled


async def outcome_of(held: Held[Any], work: Callable[[], Awaitable[T]]) -> T:
    """Have the trio thread do something with what it holds."""
    call = held.call(work)
    try:
        await done(call.future)
    except asyncio.CancelledError:
        held.cancel(call)
        raise
    if call.future.cancelled():
        raise held.why_over()
    return call.future.result()


def soon(loop: asyncio.AbstractEventLoop, function: Callable[..., object], *args: object) -> None:
    """Have a loop call a function; called from any thread. Does nothing once the loop is closed."""
    try:
        loop.call_soon_threadsafe(function, *args)
    except RuntimeError:
        if not loop.is_closed():
            raise


def wake(waiter: asyncio.Future[None]) -> None:
    """Let the task go on that waits for this, if it still does."""
    if not waiter.done():
        waiter.set_result(None)


def running_loop(what: str) -> asyncio.AbstractEventLoop:
    """The loop that runs the code that calls this.

    :raises RuntimeError: if asyncio does not run it; says what to do.
    """
    try:
        return asyncio.get_running_loop()
    except RuntimeError:
        refuse_own_thread(f"{what} of gossip.aio")
        if in_trio():
            instead = "trio runs this code: use gossip"
        else:
            instead = "no event loop runs this code: start the program with asyncio.run(main), or use gossip.blocking"
        raise RuntimeError(f"{what} of gossip.aio needs asyncio, but {instead}") from None


def require_loop(loop: asyncio.AbstractEventLoop, what: str) -> None:
    """Make sure that this loop runs the code that calls this.

    :raises RuntimeError: if it does not.
    """
    if running_loop(what) is not loop:
        raise RuntimeError(
            f"{what} belongs to the loop that opened the node, but another loop runs this code: open a node in each "
            "loop, or call it with asyncio.run_coroutine_threadsafe(...); members() and the like can be read here"
        )
