"""How a thread waits for the trio thread, and can be interrupted meanwhile."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from concurrent.futures import Future
from typing import Any

from gossip.facade import Held


def wait(future: Future[Any], give_up: Callable[[], object] | None = None, ends_at: float | None = None) -> bool:
    """Wait for an outcome; returns whether it came in time.

    :param give_up: called if it did not, or if the wait was interrupted.
    :param ends_at: in the time of :func:`time.monotonic`.
    """
    is_done, done = False, threading.Event()
    future.add_done_callback(lambda _: done.set())
    try:
        is_done = done.wait(seconds_until(ends_at))
    finally:
        if not is_done and give_up is not None:
            give_up()
    return is_done


def seconds_until(ends_at: float | None) -> float | None:
    return None if ends_at is None else max(0.0, ends_at - time.monotonic())


def close(held: Held) -> None:
    """Close a node, and wait until nothing is left of it."""
    held.close()
    wait(held.over)
    held.wait_for_thread()
