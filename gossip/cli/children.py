"""Child processes: starting them, and reading their output line by line.

Every program of this project that starts processes uses this module. Each child has a process group of its own in the
session of this process. If this process is killed, the standard input of the child ends, and a well-behaved child ends,
too. Even a stopped child wakes up: the system continues a stopped process group that becomes an orphan (POSIX,
``_exit``).
"""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
from collections import deque
from collections.abc import Sequence
from pathlib import Path
from typing import IO, Any

import attrs
import trio

MAX_LINE_BYTES = 1 << 20
"""Longest line that a child may write: a hundred times the longest event with ordinary limits."""

KEPT_ERROR_BYTES = 4096
"""Bytes kept of a child's standard error, to show them if it fails."""

_OWN_GROUP: dict[str, Any]
if sys.platform == "win32":
    _OWN_GROUP = {}  # there are no process groups of this kind
elif sys.version_info >= (3, 11):
    _OWN_GROUP = {"process_group": 0}
else:
    _OWN_GROUP = {"preexec_fn": os.setpgrp}


class EndlessLine(Exception):
    """A line on a stream is longer than allowed."""


async def start(
    command: Sequence[str], *, cwd: Path | None = None, errors: IO[bytes] | int | None = subprocess.PIPE
) -> trio.Process:
    """Start a process with pipes to its standard streams.

    :param errors: where its standard error goes; None for that of this process.
    """
    return await trio.lowlevel.open_process(
        list(command), stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=errors, cwd=cwd, **_OWN_GROUP
    )


class Lines:
    """The lines of a stream, without their line feeds. Bytes after the last line feed are no line.

    ``async for`` reads them to the end of the stream, ``await anext(lines)`` reads one.
    """

    def __init__(self, stream: trio.abc.ReceiveStream, longest: int = MAX_LINE_BYTES) -> None:
        """:param longest: the most bytes in a line."""
        self._stream = stream
        self._longest = longest
        self._complete: deque[bytes] = deque()
        self._rest = bytearray()

    def __aiter__(self) -> Lines:
        return self

    async def __anext__(self) -> bytes:
        """
        :raises StopAsyncIteration: at the end of the stream.
        :raises EndlessLine: if a line is too long.
        """
        while not self._complete:
            if len(self._rest) > self._longest:
                raise EndlessLine
            chunk = await self._stream.receive_some()
            if not chunk:
                raise StopAsyncIteration
            first, *others = bytes(chunk).split(b"\n")
            self._rest += first
            if others:
                self._complete.append(bytes(self._rest))
                self._complete.extend(others[:-1])
                self._rest = bytearray(others[-1])
        return self._complete.popleft()


@attrs.define
class ErrorTail:
    """The end of what a child writes to standard error."""

    text: bytes = b""

    async def follow(self, process: trio.Process) -> None:
        """Read standard error to its end."""
        assert process.stderr is not None
        async with process.stderr as stream:
            async for chunk in stream:
                self.text = (self.text + chunk)[-KEPT_ERROR_BYTES:]

    @property
    def last_line(self) -> str:
        """The last line that is not blank."""
        return (self.text.decode(errors="replace").strip().splitlines() or ["(it said nothing)"])[-1]


def kill(process: trio.Process) -> None:
    """Send SIGKILL to a process that may have ended. It works on a stopped process, too."""
    if process.poll() is None:
        with contextlib.suppress(ProcessLookupError):
            process.kill()
