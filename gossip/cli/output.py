"""Standard output of an agent: whole lines, written in a thread.

This module distinguishes two failures. If the reader is gone, writing is an error, and the agent leaves. If a disk is
full, the agent goes on, and its lines wait. No line stays cut in two.
"""

from __future__ import annotations

import errno
import logging
import os
import select
import stat
import sys
from collections.abc import Callable

import trio

STANDARD_OUTPUT = 1

NO_ROOM = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})
"""Errors of a write if a disk or a quota is full, or a file has its largest size."""

logger = logging.getLogger("gossip.agent")


class NoRoom(Exception):
    """There is no room for the lines; a part of them may be written. The reader may still be there."""


class Output:
    """Writes lines without Python's buffers, so that a slow reader stalls neither the node nor its exit."""

    def __init__(self, descriptor: int = STANDARD_OUTPUT) -> None:
        self._descriptor = descriptor
        self._writing = trio.Lock()
        self._is_full = False
        self._rest = b""
        """The rest of the last line, if only its beginning is written."""
        self._size = 0
        """Bytes in the file when that happened."""

    async def write(self, lines: str | Callable[[], str]) -> None:
        """Write one line, or several, in the encoding of standard output. Letters that it lacks become escapes.

        :param lines: the lines; or a function that makes them in the thread, if that takes a while.
        :raises NoRoom: if there is no room. The log says so the first time, and when there is room again.
        :raises OSError: if writing fails for another reason.
        """
        async with self._writing:
            try:
                await trio.to_thread.run_sync(self._write_all, lines, abandon_on_cancel=True)
            except OSError as error:
                if error.errno not in NO_ROOM:
                    raise
                self._tell(error.strerror)
                raise NoRoom from None
            self._tell(None)

    def _tell(self, trouble: str | None) -> None:
        if trouble is not None and not self._is_full:
            logger.warning(
                "cannot write to standard output: %s. The member goes on, and writes a snapshot when there is room",
                trouble,
            )
        elif trouble is None and self._is_full:
            logger.warning("standard output has room again")
        self._is_full = trouble is not None

    def _write_all(self, lines: str | Callable[[], str]) -> None:
        encoding = getattr(sys.stdout, "encoding", None) or "utf-8"
        data = f"{lines if isinstance(lines, str) else lines()}\n".encode(encoding, errors="backslashreplace")
        # Another process that shares the descriptor, for example of a terminal, may have made it non-blocking.
        rest = b"" if self._was_emptied() else self._rest
        waiting, is_cut = rest + data, bool(rest)
        while waiting:
            try:
                count = os.write(self._descriptor, waiting)
            except BlockingIOError:
                select.select([], [self._descriptor], [])
            except OSError:
                self._rest = waiting[: waiting.index(b"\n") + 1] if is_cut else b""
                self._size = os.fstat(self._descriptor).st_size
                raise
            else:
                is_cut = not waiting[:count].endswith(b"\n")
                waiting = waiting[count:]
        self._rest = b""

    def _was_emptied(self) -> bool:
        """Whether somebody emptied the file to make room, so that the beginning of the last line is gone."""
        if not self._rest:
            return False
        status = os.fstat(self._descriptor)
        return stat.S_ISREG(status.st_mode) and status.st_size < self._size
