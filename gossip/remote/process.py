"""The process of a node, seen from the program: how it is started, how it ends, and what is said if it ends too early.

It gets one end of a socket and nothing else of the program's descriptors. Nothing secret is in its arguments or its
environment. It is in a session of its own, so that neither Ctrl-C nor a closed terminal reaches it. Nothing of it is
left when the block of :func:`child_process` has ended, however that happens.
"""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import trio

from gossip import forking
from gossip.core.errors import ConfigurationError
from gossip.errors import NodeProcessError
from gossip.remote.channel import Channel

CLOSING_S = 3.0
"""Seconds that a process has to close its node and to end. Then it is killed."""

KEPT_ERROR_BYTES = 4096
"""Bytes that are kept of what it writes to standard error."""

LAST_WORDS_S = 1.0
"""Seconds to wait for the rest of them after its end; something that it started may hold the pipe open."""

_PROGRAM = """\
import sys
sys.path[:] = sys.argv[3:]
from gossip.remote.child import main
main(int(sys.argv[1]), int(sys.argv[2]))"""
"""What the process runs. It looks for modules where the program does, and so never in its current directory."""


class Child:
    """A running process."""

    def __init__(self, node_name: str, process: trio.Process, stream: trio.SocketStream) -> None:
        self._node_name = node_name
        self._process = process
        self._stream = stream
        self._said = b""
        self._said_all = trio.Event()
        self.channel = Channel(stream)
        """The way to it."""
        self.is_open = False
        """Whether its node is open, so that there is something to close in order."""

    @property
    def pid(self) -> int:
        """The id of the process."""
        return self._process.pid

    async def follow(self) -> None:
        """Keep the end of what it writes to standard error."""
        assert self._process.stderr is not None
        async for data in self._process.stderr:
            self._said = (self._said + data)[-KEPT_ERROR_BYTES:]
        self._said_all.set()

    async def failure(self) -> NodeProcessError:
        """Wait for its end, which comes too early; returns the error that says so."""
        code = await self._process.wait()
        with trio.move_on_after(LAST_WORDS_S):
            await self._said_all.wait()
        said = self._said.decode(errors="replace").strip()
        ended = f"ended with exit code {code}" if code >= 0 else f"was ended by {_signal(-code)}"
        then = "; peers see a crash" if self.is_open else ", before its node was open"
        last = said.splitlines()[-1] if said else "nothing"
        return NodeProcessError(
            f"the process of node {self._node_name!r} (pid {self.pid}) {ended}{then}. Its last line on standard error: "
            f"{last}",
            code,
            said,
        )

    def kill(self) -> None:
        """End it at once, even if it is stopped."""
        with contextlib.suppress(ProcessLookupError):
            self._process.kill()

    async def end(self) -> None:
        """Have it close its node and end; kill it if it does not end in time."""
        with contextlib.suppress(OSError):
            self._stream.socket.shutdown(socket.SHUT_RDWR)  # closing is not enough while a forked child has a copy
        if not self.is_open:
            self.kill()
        with trio.move_on_after(CLOSING_S) as patience:
            await self._process.wait()
        if patience.cancelled_caught:
            self.kill()
            await self._process.wait()

    async def aclose(self) -> None:
        """Let go of what this process has of it."""
        await trio.aclose_forcefully(self._stream)
        if self._process.stderr is not None:
            await trio.aclose_forcefully(self._process.stderr)


@asynccontextmanager
async def child_process(node_name: str) -> AsyncIterator[Child]:
    """A process that waits for a node to open, and lives as long as the block.

    :raises ConfigurationError: if this system, or this kind of program, cannot have one.
    :raises NodeProcessError: if it cannot be started.
    """
    _check_system()
    ours, theirs = socket.socketpair()
    for end in (ours, theirs):
        forking.close_copy_of(end)
    with theirs:
        try:
            stream = trio.SocketStream(trio.socket.from_stdlib_socket(ours))
            process = await _start(theirs)
        except BaseException:
            ours.close()
            raise
    child = Child(node_name, process, stream)
    try:
        yield child
    finally:
        with trio.CancelScope(shield=True):
            await child.end()
            await child.aclose()


def _check_system() -> None:
    """
    :raises ConfigurationError: if the process of a node cannot be started here.
    """
    if os.name != "posix":
        raise ConfigurationError(
            "isolation: a node in a process of its own needs a system of the POSIX family, such as Linux or macOS; "
            "open it in this process"
        )
    if not sys.executable or getattr(sys, "frozen", False):
        raise ConfigurationError(
            "isolation: a node in a process of its own needs a Python interpreter (sys.executable), which a program "
            "that is frozen into one file does not have; open the node in this process"
        )


def _command(descriptor: int) -> list[str]:
    flags = ["-I"] if sys.flags.isolated else []
    path = [os.path.abspath(each) for each in sys.path]
    return [sys.executable, *flags, "-c", _PROGRAM, str(descriptor), str(os.getpid()), *path]


async def _start(theirs: socket.socket) -> trio.Process:
    """
    :raises NodeProcessError: if the system does not start it.
    """
    if sys.platform == "win32":
        raise NotImplementedError("a node in a process of its own is refused on Windows before this is called")
    try:
        return await trio.lowlevel.open_process(
            _command(theirs.fileno()),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            pass_fds=[theirs.fileno()],
            start_new_session=True,
        )
    except OSError as error:
        raise NodeProcessError(f"the process of the node cannot be started: {error}") from error


def _signal(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:  # a real-time signal
        return f"signal {number}"
