"""Standard output of an agent: whole lines, written in a thread, and what it means when they cannot be.

A reader that is gone is told by an error, and the agent leaves. A disk that is full says nothing of the kind: then the
agent is to go on, and what it has to say waits. No line is ever left cut in two by that.
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
"""What writing fails with when a disk, a quota or the largest size of a file is used up."""

logger = logging.getLogger("gossip.agent")


class NoRoom(Exception):
    """What was to be written has no room; nothing is known of the reader. A part of it may stand there."""


class Output:
    """Writes lines past Python's buffers: a reader that stalls must not stall the node, nor its exit."""

    def __init__(self, descriptor: int = STANDARD_OUTPUT) -> None:
        self._descriptor = descriptor
        self._writing = trio.Lock()
        self._is_full = False
        self._rest = b""
        """The rest of the last line, if only its beginning has been written."""
        self._size = 0
        """Bytes in the file when that happened."""

    async def write(self, lines: str | Callable[[], str]) -> None:
        """Write one line, or several, in the encoding of standard output; what that lacks is escaped.

        :param lines: or what makes them, if that takes a while: it is called in the thread.
        :raises NoRoom: if there is no room. It is told in the log the first time, and when there is room again.
        :raises OSError: if it cannot be written for another reason.
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
                "standard output cannot be written: %s. The member goes on; it writes a snapshot when there is room",
                trouble,
            )
        elif trouble is None and self._is_full:
            logger.warning("standard output can be written again")
        self._is_full = trouble is not None

    def _write_all(self, lines: str | Callable[[], str]) -> None:
        encoding = getattr(sys.stdout, "encoding", None) or "utf-8"
        data = f"{lines if isinstance(lines, str) else lines()}\n".encode(encoding, errors="backslashreplace")
        # Whoever shares the descriptor with us, such as a terminal or a pipe, may have made it one that does not block.
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
        """Whether somebody made room by emptying the file, and with it the beginning of the last line."""
        if not self._rest:
            return False
        status = os.fstat(self._descriptor)
        return stat.S_ISREG(status.st_mode) and status.st_size < self._size
