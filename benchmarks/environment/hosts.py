"""Processes that run the nodes of a system, as ``peers/README.rst`` describes them, seen from the benchmark's side."""

from __future__ import annotations

import json
import signal
import tempfile
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import IO, Any

import trio

from benchmarks.environment import usage
from benchmarks.environment.builds import ROOT
from benchmarks.environment.measuring import MeasurementFailed
from gossip.cli import children
from gossip.cli.children import EndlessLine, Lines

REPLY_WITHIN_S = 60.0
"""A host that does not reply by then is broken."""

ENDS_WITHIN_S = 5.0
"""How long a host may take to end by itself when its input has ended."""

MAX_REPLY_BYTES = 1 << 24
"""Longest reply: a report of 100,000 deaths, each with two names and a time, has less than half of it."""


class Host:
    """A process that runs nodes. Made by :func:`open_host`."""

    def __init__(self, process: trio.Process, errors: IO[bytes]) -> None:
        assert process.stdin is not None
        assert process.stdout is not None
        self._process = process
        self._requests, self._replies = process.stdin, process.stdout
        self._lines = Lines(process.stdout, MAX_REPLY_BYTES)
        self._errors = errors

    async def ask(self, do: str, *, within_s: float = REPLY_WITHIN_S, **arguments: Any) -> dict[str, Any]:
        """Send a request; returns the reply.

        :param within_s: how long the reply may take.
        :raises MeasurementFailed: if the host replies with an error, does not reply, or has ended.
        """
        line = json.dumps({"do": do, **arguments}).encode() + b"\n"
        reply = None
        with trio.move_on_after(within_s):
            try:
                await self._requests.send_all(line)
                reply = json.loads(await anext(self._lines))
            except (trio.BrokenResourceError, StopAsyncIteration, EndlessLine, ValueError):
                reply = {"error": f"ended\n{self._complaints()}"}
        if reply is None:
            raise MeasurementFailed(f"a host does not reply to {do!r}")
        if "error" in reply:
            raise MeasurementFailed(f"a host asked to {do!r}: {reply['error']}")
        assert isinstance(reply, dict)
        return reply

    @property
    def pid(self) -> int:
        """The process, for :mod:`benchmarks.environment.usage`."""
        return self._process.pid

    def cpu_s(self) -> float:
        """Seconds of CPU time it has used so far."""
        return usage.cpu_s(self._process.pid)

    def memory_kib(self) -> float:
        """Memory it occupies now."""
        return usage.memory_kib(self._process.pid)

    def stop(self) -> None:
        """Stop the process until :meth:`go_on`."""
        self._process.send_signal(signal.SIGSTOP)

    def go_on(self) -> None:
        """Let the process continue."""
        self._process.send_signal(signal.SIGCONT)

    def kill(self) -> None:
        """End the process at once."""
        self._process.kill()

    async def close(self) -> None:
        """Let the process end, or kill it."""
        with trio.CancelScope(shield=True):
            with trio.move_on_after(ENDS_WITHIN_S):
                await self._requests.aclose()
                await self._process.wait()
            if self._process.poll() is None:
                self._process.kill()
                await self._process.wait()
            await self._replies.aclose()

    def _complaints(self) -> str:
        self._errors.seek(0)
        return self._errors.read().decode(errors="replace").strip()[-2000:]


@asynccontextmanager
async def open_host(command: Sequence[str]) -> AsyncIterator[Host]:
    """A host that runs while the block lasts."""
    with tempfile.TemporaryFile() as errors:
        host = Host(await children.start(command, cwd=ROOT, errors=errors), errors)
        try:
            yield host
        finally:
            host.go_on()
            await host.close()
