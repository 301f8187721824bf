"""A program that embeds one node: ``python -m benchmarks.peers.embedding SYSTEM``.

SYSTEM names a library, and what runs the program: trio, asyncio, or nothing but threads. The program follows the
changes of its node, and answers requests: one JSON object per line on its standard input, one reply per line on its
standard output. It ends when its input does.

``{"do": "wait"}``
    The reply comes once all modules are imported.
``{"do": "start", "name": "n1", "address": "127.1.0.2:7000", "seeds": ["127.1.0.1:7000"]}``
    Open the node; the reply is ``{"took_s": 0.01}``.
``{"do": "alive"}``
    ``{"alive": 5}``: living members that the node sees, itself included; suspects count as living.
``{"do": "block", "way": "sleep", "seconds": 5}``
    Do not let the program's loop run for so long, in one of the :data:`WAYS`; ``{"began": 123.4, "took_s": 5.0}``.
``{"do": "reset"}``, ``{"do": "report"}``
    Forget, and tell, what the changes were: ``{"deaths": [["n1", 123.5]], "suspicions": 1, "delays_s": [[0.0002,
    0.001], ...], "missed": 0}``: who was declared dead, and when the program knew; how often anybody was suspected; how
    long after the node read it (null: the library does not tell), and how long after it was sent, the program knew of
    what :mod:`.neighbours` sends; and how many events the program missed.
``{"do": "members", "calls": 1000}``
    Ask for all members so many times; ``{"members": 128, "took_s": 0.001}``.

Times are those of ``CLOCK_MONOTONIC``, in seconds.
"""

from __future__ import annotations

import asyncio
import ctypes
import json
import logging
import os
import sys
import threading
import time
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from itertools import repeat
from typing import Any, NamedTuple

import trio

from benchmarks.peers.libraries import LIBRARIES, Heard, Library, require_isolation
from gossip.cli.children import Lines

Request = Mapping[str, Any]
Reply = dict[str, Any]


# --- what the program notes and is asked, on whatever loop


class Program:
    """A program with an open node."""

    def __init__(self, library: Library, node: Any, clock_offset: float = 0.0) -> None:
        """:param clock_offset: how far the node's clock is behind :func:`time.monotonic`."""
        self._library = library
        self._node = node
        self._clock_offset = clock_offset
        self._forget()

    def _forget(self) -> None:
        self._deaths: list[tuple[str, float]] = []
        self._suspicions = 0
        self._delays_s: list[tuple[float | None, float]] = []
        self._missed = 0

    def take(self, item: Any) -> None:
        """Take in an item of the subscription."""
        now = time.monotonic()
        self._missed += self._library.missed(item)
        match self._library.heard(item):
            case Heard("told", _, read_at, str(sent)):
                since_read = None if read_at is None else now - read_at - self._clock_offset
                self._delays_s.append((since_read, now - float(sent)))
            case Heard("died", who):
                self._deaths.append((who, now))
            case Heard("suspected"):
                self._suspicions += 1

    def do(self, request: Request) -> Reply:
        """Do what is asked; returns the reply."""
        match request:
            case {"do": "alive"}:
                return {"alive": self._library.alive(self._node)}
            case {"do": "block", "way": way, "seconds": seconds}:
                began = time.monotonic()
                WAYS[way](seconds)
                return {"began": began, "took_s": time.monotonic() - began}
            case {"do": "reset"}:
                self._forget()
            case {"do": "report"}:
                return {"deaths": self._deaths, "suspicions": self._suspicions, "delays_s": self._delays_s,
                        "missed": self._missed}  # fmt: skip
            case {"do": "members", "calls": calls}:
                return self._members(calls)
            case _:
                raise ValueError(f"unknown request {request!r}")
        return {}

    def _members(self, calls: int) -> Reply:
        members = self._node.members
        began = time.perf_counter()
        for _ in repeat(None, calls):
            members()
        took_s = time.perf_counter() - began
        return {"members": len(members()), "took_s": took_s}


def _spin(seconds: float) -> None:
    ends = time.monotonic() + seconds
    while time.monotonic() < ends:
        pass


def _hold_the_gil(seconds: float) -> None:
    """One call of C code that does not give up the global interpreter lock, as functions of ``PyDLL`` do not."""
    ctypes.PyDLL(None).usleep(int(seconds * 1e6))


WAYS: Mapping[str, Callable[[float], None]] = {"sleep": time.sleep, "spin": _spin, "gil": _hold_the_gil}
"""What keeps a loop from running: a blocking call, pure Python, and C code that holds the GIL."""


# --- what runs the program


def _reply(told: Reply) -> None:
    print(json.dumps(told), flush=True)


def _serve(program: Program, line: bytes | str) -> None:
    try:
        told = program.do(json.loads(line))
    except Exception as error:  # noqa: BLE001 - the benchmark is told of it
        told = {"error": f"{type(error).__name__}: {error}"}
    _reply(told)


class Opening(NamedTuple):
    """A node that is to be opened."""

    block: Any
    began: float
    system: str

    @classmethod
    def of(cls, library: Library, request: Request, system: str) -> Opening:
        """The one that is asked for."""
        block = library.open(request["name"], request["address"], request["seeds"])
        return cls(block, time.monotonic(), system)

    def done(self) -> None:
        """Tell that it is open."""
        took_s = time.monotonic() - self.began
        require_isolation(self.system)
        _reply({"took_s": took_s})


async def _until_start(lines: AsyncIterator[bytes]) -> Request | None:
    async for line in lines:
        request: Request = json.loads(line)
        if request["do"] == "start":
            return request
        _reply({})
    return None


async def _on_trio(library: Library, system: str) -> None:
    lines = Lines(trio.lowlevel.FdStream(os.dup(0)))
    if (request := await _until_start(lines)) is None:
        return
    opening = Opening.of(library, request, system)
    async with opening.block as node, trio.open_nursery() as nursery:
        program = Program(library, node, clock_offset=time.monotonic() - trio.current_time())
        nursery.start_soon(_follow_on_trio, program, library.changes(node))
        opening.done()
        async for line in lines:
            _serve(program, line)
        nursery.cancel_scope.cancel()


async def _follow_on_trio(program: Program, changes: Any) -> None:
    with changes:
        async for item in changes:
            program.take(item)


async def _on_asyncio(library: Library, system: str) -> None:
    lines = asyncio.StreamReader()
    protocol = asyncio.StreamReaderProtocol(lines)
    await asyncio.get_running_loop().connect_read_pipe(lambda: protocol, sys.stdin)
    if (request := await _until_start(lines)) is None:
        return
    opening = Opening.of(library, request, system)
    async with opening.block as node:
        program = Program(library, node)
        following = asyncio.create_task(_follow_on_asyncio(program, library.changes(node)))
        opening.done()
        async for line in lines:
            _serve(program, line)
        following.cancel()


async def _follow_on_asyncio(program: Program, changes: Any) -> None:
    async for item in changes:
        program.take(item)


def _on_threads(library: Library, system: str) -> None:
    request: Request = {"do": "wait"}
    for line in iter(sys.stdin.readline, ""):
        request = json.loads(line)
        if request["do"] == "start":
            break
        _reply({})
    else:
        return
    opening = Opening.of(library, request, system)
    with opening.block as node:
        program = Program(library, node)
        threading.Thread(target=_follow_on_threads, args=(program, library.changes(node)), daemon=True).start()
        opening.done()
        for line in iter(sys.stdin.readline, ""):
            _serve(program, line)


def _follow_on_threads(program: Program, changes: Iterator[Any]) -> None:
    for item in changes:
        program.take(item)


def main() -> None:
    """Be the program."""
    logging.disable(logging.CRITICAL)
    system = sys.argv[1]
    try:
        library = LIBRARIES[system]()
        if system == "ours-trio":
            trio.run(_on_trio, library, system)
        elif system.split("-")[1:2] == ["blocking"]:
            _on_threads(library, system)
        else:
            asyncio.run(_on_asyncio(library, system))
    except Exception as error:
        _reply({"error": f"{type(error).__name__}: {error}"})
        raise


if __name__ == "__main__":
    main()
