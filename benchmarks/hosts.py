"""Processes that run the nodes of a system, as ``peers/README.rst`` describes them, seen from the benchmark's side."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import tempfile
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import IO, Any

import trio

from benchmarks.measuring import MeasurementFailed
from benchmarks.systems import ROOT

REPLY_WITHIN_S = 60.0
"""A host that has not replied by then is broken."""

ENDS_WITHIN_S = 5.0
"""Time for a host to end by itself, once nothing more is asked of it."""

CHUNK_BYTES = 65_536
TICKS_PER_S = os.sysconf("SC_CLK_TCK")
PAGE_KIB = os.sysconf("SC_PAGE_SIZE") / 1024


class Host:
    """One such process. Made by :func:`open_host`."""

    def __init__(self, process: trio.Process, errors: IO[bytes]) -> None:
        assert process.stdin is not None
        assert process.stdout is not None
        self._process = process
        self._requests, self._replies = process.stdin, process.stdout
        self._errors = errors
        self._received = bytearray()

    async def ask(self, do: str, *, within_s: float = REPLY_WITHIN_S, **arguments: Any) -> dict[str, Any]:
        """Have something done; returns the reply.

        :param within_s: how long it may take.
        :raises MeasurementFailed: if the host says that it cannot, does not reply, or has ended.
        """
        line = json.dumps({"do": do, **arguments}).encode() + b"\n"
        reply = None
        with trio.move_on_after(within_s):
            try:
                await self._requests.send_all(line)
                reply = json.loads(await self._line())
            except (trio.BrokenResourceError, ValueError):
                reply = {"error": f"ended\n{self._complaints()}"}
        if reply is None:
            raise MeasurementFailed(f"a host does not reply to {do!r}")
        if "error" in reply:
            raise MeasurementFailed(f"a host asked to {do!r}: {reply['error']}")
        assert isinstance(reply, dict)
        return reply

    def cpu_s(self) -> float:
        """Seconds of CPU time it has used so far."""
        fields = Path(f"/proc/{self._process.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / TICKS_PER_S

    def memory_kib(self) -> float:
        """Memory it occupies now."""
        return int(Path(f"/proc/{self._process.pid}/statm").read_text().split()[1]) * PAGE_KIB

    def stop(self) -> None:
        """Let nothing of it run until :meth:`go_on`."""
        self._process.send_signal(signal.SIGSTOP)

    def go_on(self) -> None:
        """Let it run again."""
        self._process.send_signal(signal.SIGCONT)

    async def close(self) -> None:
        """Let it end, or end it."""
        with trio.CancelScope(shield=True):
            with trio.move_on_after(ENDS_WITHIN_S):
                await self._requests.aclose()
                await self._process.wait()
            if self._process.poll() is None:
                self._process.kill()
                await self._process.wait()
            await self._replies.aclose()

    async def _line(self) -> bytes:
        while (end := self._received.find(b"\n")) < 0:
            chunk = await self._replies.receive_some(CHUNK_BYTES)
            if not chunk:
                raise trio.BrokenResourceError
            self._received += chunk
        line = bytes(self._received[:end])
        del self._received[: end + 1]
        return line

    def _complaints(self) -> str:
        self._errors.seek(0)
        return self._errors.read().decode(errors="replace").strip()[-2000:]


@asynccontextmanager
async def open_host(command: Sequence[str]) -> AsyncIterator[Host]:
    """A host that runs while the block does."""
    with tempfile.TemporaryFile() as errors:
        process = await trio.lowlevel.open_process(
            list(command), stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=errors, cwd=ROOT
        )
        host = Host(process, errors)
        try:
            yield host
        finally:
            host.go_on()
            await host.close()
