"""Child processes: their output comes as whole lines, and they end whatever state they are in."""

from __future__ import annotations

import signal
import sys
from collections.abc import Sequence

import pytest
import trio

from gossip.cli import children
from gossip.cli.children import EndlessLine, ErrorTail, Lines


class Chunks(trio.abc.ReceiveStream):
    """A stream that brings these chunks and then ends."""

    def __init__(self, chunks: Sequence[bytes]) -> None:
        self._chunks = list(chunks)

    async def receive_some(self, max_bytes: int | None = None) -> bytes:
        """The next chunk."""
        await trio.lowlevel.checkpoint()
        return self._chunks.pop(0) if self._chunks else b""

    async def aclose(self) -> None:
        """Nothing is to be closed."""


async def lines_of(chunks: Sequence[bytes], longest: int = children.MAX_LINE_BYTES) -> list[bytes]:
    """The lines of a stream that brings these chunks."""
    return [line async for line in Lines(Chunks(chunks), longest)]


@pytest.mark.parametrize(
    ("chunks", "lines"),
    [
        ([], []),
        ([b"one\ntwo\n"], [b"one", b"two"]),
        ([b"o", b"ne\nt", b"wo\n"], [b"one", b"two"]),
        ([b"one\n\n", b"\n"], [b"one", b"", b""]),
        ([b"one\ncut off"], [b"one"]),
        ([b"cut off"], []),
    ],
)
async def test_lines_are_whole_however_they_arrive(chunks: list[bytes], lines: list[bytes]) -> None:
    assert await lines_of(chunks) == lines


async def test_a_line_without_end_is_not_kept() -> None:
    assert await lines_of([b"1234567890\n"], longest=10) == [b"1234567890"]
    with pytest.raises(EndlessLine):
        await lines_of([b"12345678901", b"x" * 100], longest=10)


async def test_lines_can_be_read_one_at_a_time() -> None:
    process = await children.start(
        [sys.executable, "-c", "for line in open(0): print(line.upper(), end='', flush=True)"]
    )
    assert process.stdin is not None
    assert process.stdout is not None
    lines = Lines(process.stdout)
    for word in (b"one", b"two"):
        await process.stdin.send_all(word + b"\n")
        assert await anext(lines) == word.upper()
    await process.stdin.aclose()
    with pytest.raises(StopAsyncIteration):
        await anext(lines)
    assert await process.wait() == 0


async def test_the_end_of_what_a_child_complains_about_is_kept() -> None:
    process = await children.start([sys.executable, "-c", "import sys; sys.exit('x' * 10_000 + '\\nlast words\\n')"])
    errors = ErrorTail()
    await errors.follow(process)
    assert await process.wait() == 1
    assert errors.last_line == "last words"
    assert len(errors.text) == children.KEPT_ERROR_BYTES


async def test_a_stopped_child_can_be_killed_and_killing_an_ended_one_does_nothing() -> None:
    process = await children.start([sys.executable, "-c", "input()"])
    process.send_signal(signal.SIGSTOP)
    children.kill(process)
    assert await process.wait() == -signal.SIGKILL
    children.kill(process)
