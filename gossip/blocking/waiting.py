"""How a thread waits for the trio thread, and can be interrupted meanwhile."""

from __future__ import annotations

import threading
from collections.abc import Awaitable, Callable
from concurrent.futures import Future
from typing import Any, TypeVar

from gossip.facade import Held, TrioThread

T = TypeVar("T")


def wait(
    where: Held[Any] | TrioThread,
    future: Future[Any],
    give_up: Callable[[], object] | None = None,
    ends_at: float | None = None,
) -> bool:
    """Wait for an outcome; returns whether it is there.

    :param where: the thread that it comes from, or what that thread holds.
    :param give_up: called if it is not there, or if the wait was interrupted.
    :param ends_at: in the time of that thread.
    """
    is_done, done = False, threading.Event()
    future.add_done_callback(lambda _: done.set())
    try:
        is_done = where.wait(done, ends_at) or future.done()
    finally:
        if not is_done and give_up is not None:
            give_up()
    return is_done


def outcome_of(held: Held[Any], work: Callable[[], Awaitable[T]], ends_at: float | None = None) -> T:
    """Have the trio thread do something with what it holds.

    :param ends_at: when the condition that a program waits for must be true, in local time.
    :raises TimeoutError: if it is not.
    """
    call = held.call(work)
    if not wait(held, call.future, lambda: held.cancel(call), ends_at):
        raise TimeoutError(f"the condition on {held.what} has not become true in time")
    if call.future.cancelled():
        raise held.why_over()
    return call.future.result()


def wait_until_open(held: Held[Any]) -> None:
    """Wait until the trio thread holds what it is to hold.

    :raises Exception: why it could not be opened.
    """
    try:
        wait(held, held.opened)
        held.opened.result()
    except BaseException:
        close(held)
        raise


def close(held: Held[Any]) -> None:
    """Close what the trio thread holds, and wait until nothing is left of it."""
    held.close()
    wait(held, held.over)
    held.wait_for_thread()
