"""Log lines to standard error, from a thread of their own.

A write to a full pipe blocks. In the loop of the node it would stop the heartbeat, and a stuck log collector would look
like a dead member to the cluster. ``logging.handlers.QueueListener`` of the standard library does not fit: at its end,
it waits for its thread without a limit, so a stuck collector would keep the agent from ending.
"""

from __future__ import annotations

import logging
import os
import queue
import sys
import threading

from gossip.cli.output import NO_ROOM
from gossip.cli.rendering import printable

LEVELS = ("debug", "info", "warning", "error")

MAX_WAITING_LINES = 2_000
"""Lines kept for a slow reader. The handler drops and counts further lines."""

STANDARD_ERROR = 2


class EscapingFormatter(logging.Formatter):
    """Formats each message as one line, because names in it come from other machines."""

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802  (logging's name)
        """Escape letters that do not print. A traceback keeps its lines, because no peer wrote it."""
        record.message = printable(record.message)
        return super().formatMessage(record)


class BackgroundHandler(logging.Handler):
    """Passes formatted lines to a thread that writes them, and never waits for it."""

    def __init__(self, descriptor: int = STANDARD_ERROR) -> None:
        super().__init__()
        self.dropped = 0
        self._descriptor = descriptor
        self._encoding = getattr(sys.stderr, "encoding", None) or "utf-8"
        self._lines: queue.Queue[str | None] = queue.Queue(MAX_WAITING_LINES)
        self._thread = threading.Thread(target=self._write_lines, name="gossip-log", daemon=True)
        self._thread.start()

    def emit(self, record: logging.LogRecord) -> None:
        """Queue one record."""
        try:
            self._lines.put_nowait(self.format(record))
        except queue.Full:
            self.dropped += 1
        except Exception:  # noqa: BLE001  (logging's own rule: a bad log call must not stop the program)
            self.handleError(record)

    def finish(self, timeout: float) -> None:
        """Write the lines that still wait, for at most ``timeout`` seconds."""
        try:
            if self.dropped:
                self._lines.put_nowait(
                    f"dropped {self.dropped} log lines: nobody read them in time, or there was no room"
                )
            self._lines.put_nowait(None)
        except queue.Full:
            return
        self._thread.join(timeout)

    def _write_lines(self) -> None:
        while (line := self._lines.get()) is not None:
            data = f"{line}\n".encode(self._encoding, errors="backslashreplace")
            try:
                while data:
                    data = data[os.write(self._descriptor, data) :]
            except OSError as error:
                if error.errno not in NO_ROOM:
                    return  # nobody reads the log any more, which is no reason to stop the node
                self.dropped += 1


def start_logging(level: str) -> BackgroundHandler:
    """Send the log of this process to standard error; returns the handler, to be finished at exit."""
    handler = BackgroundHandler()
    handler.setFormatter(EscapingFormatter("%(asctime)s %(levelname)s %(name)s: %(message)s"))
    logging.basicConfig(level=level.upper(), handlers=[handler], force=True)
    return handler
