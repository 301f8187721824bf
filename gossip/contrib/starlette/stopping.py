"""When a server has been told to stop.

A server that is told to stop first waits for its responses to end, and only then tells the application. A stream of
events would never end, and the server would never stop. So this module listens beside the server's own handlers of
signals. It decides nothing about how the server stops.
"""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType

STOP_SIGNALS = (signal.SIGINT, signal.SIGTERM)
"""Signals that tell a server to stop."""

Handler = Callable[[int, "FrameType | None"], object]


@contextmanager
def telling_of_stop_signals(tell: Callable[[], object]) -> Iterator[None]:
    """Call ``tell()`` for each stop signal, and then the handler that was there before.

    Does nothing for a signal that has no handler, and nothing in a thread other than the main thread, where Python
    allows no handlers.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before: dict[int, Handler] = {}

    def handle(number: int, frame: FrameType | None) -> None:
        tell()
        before[number](number, frame)

    for stop_signal in STOP_SIGNALS:
        handler = signal.getsignal(stop_signal)
        if callable(handler):
            before[stop_signal] = handler
            signal.signal(stop_signal, handle)
    try:
        yield
    finally:
        for number, handler in before.items():
            if signal.getsignal(number) is handle:
                signal.signal(number, handler)
