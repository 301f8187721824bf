"""Programs that the documents show, as processes of their own."""

from __future__ import annotations

import os
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from subprocess import PIPE

import trio

from tests.rst import ROOT


class Output:
    """The lines that a process has written so far."""

    def __init__(self) -> None:
        self.text = ""

    def has_line(self, line: str) -> Callable[[], bool]:
        return lambda: line in self.text.splitlines()

    async def collect(self, stream: trio.abc.ReceiveStream) -> None:
        async for piece in stream:
            self.text += piece.decode()


@asynccontextmanager
async def running(folder: Path, code: str, name: str, *arguments: str) -> AsyncIterator[tuple[trio.Process, Output]]:
    """A program as the member ``name``, a process of its own, with warnings as errors; killed if it is still there.

    Each has a file of its own, because a file that is written again is empty for a moment.
    """
    script = folder / f"{name}.py"
    script.write_text(code, encoding="utf-8")
    output = Output()
    async with trio.open_nursery() as nursery:
        process = await trio.lowlevel.open_process(
            [sys.executable, "-u", "-W", "error", str(script), name, *arguments],
            stdout=PIPE,
            env=os.environ | {"PYTHONPATH": str(ROOT)},
        )
        assert process.stdout is not None
        nursery.start_soon(output.collect, process.stdout)
        try:
            yield process, output
        finally:
            if process.returncode is None:
                process.kill()
            with trio.CancelScope(shield=True):
                await process.wait()
        nursery.cancel_scope.cancel()
