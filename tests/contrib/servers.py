"""Real HTTP servers: in a thread of this process, or as processes of their own; and reading their streams of events."""

from __future__ import annotations

import functools
import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any

import attrs
import h11
import httpx
import trio
import uvicorn

from tests.node.nodes import until
from tests.rst import ROOT

PATIENCE_S = 30.0
"""Far more than a server takes to start, answer or stop; a test that waits this long has failed."""


@asynccontextmanager
async def serving(app: Any) -> AsyncIterator[httpx.AsyncClient]:
    """An application under uvicorn in a thread, and a client for it. Leaving stops the server in order."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        server = uvicorn.Server(uvicorn.Config(app, log_config=None, lifespan="on"))
        async with trio.open_nursery() as nursery:
            nursery.start_soon(trio.to_thread.run_sync, functools.partial(server.run, [listening]))
            try:
                await until(lambda: server.started)
                async with client_of(listening) as client:
                    yield client
            finally:
                server.should_exit = True


def client_of(listening: socket.socket) -> httpx.AsyncClient:
    """A client of what listens there."""
    url = f"http://127.0.0.1:{listening.getsockname()[1]}"
    return httpx.AsyncClient(base_url=url, timeout=PATIENCE_S, trust_env=False)


@attrs.frozen
class Server:
    """A server that is a process."""

    process: trio.Process
    client: httpx.AsyncClient

    async def stopped(self) -> int:
        """Wait until it has stopped; returns its exit code."""
        with trio.fail_after(PATIENCE_S):
            return await self.process.wait()


@asynccontextmanager
async def server(folder: Path, *command: str) -> AsyncIterator[Server]:
    """A server that is a process, in a folder, killed with its workers if it is still there at the end.

    :param command: a module and its arguments; ``FD`` in them stands for the descriptor to listen at.
    """
    with socket.create_server(("127.0.0.1", 0)) as listening:
        client = client_of(listening)
        words = [word.replace("FD", str(listening.fileno())) for word in command]
        async with running(folder, words, pass_fds=[listening.fileno()]) as process, client:
            listening.close()  # so that a server that did not start refuses connections
            yield Server(process, client)


@asynccontextmanager
async def running(folder: Path, words: Sequence[str], pass_fds: Sequence[int] = ()) -> AsyncIterator[trio.Process]:
    """A Python module as a process and the first of a group; the whole group is killed at the end. Its output is shown
    if the test fails."""
    log = folder / "output.log"
    environment = os.environ | {"PYTHONPATH": f"{folder}:{ROOT}", "PYTHONUNBUFFERED": "1"}
    with log.open("w") as output:
        process = await trio.lowlevel.open_process(
            [sys.executable, "-m", *words], cwd=folder, env=environment, pass_fds=pass_fds, start_new_session=True,
            stdin=subprocess.DEVNULL, stdout=output, stderr=output,
        )  # fmt: skip
    try:
        yield process
    finally:
        _kill_group(process.pid)
        with trio.CancelScope(shield=True):
            await process.wait()
        print(log.read_text("utf-8"))  # noqa: T201


def _kill_group(first: int) -> None:
    with suppress(ProcessLookupError):
        os.killpg(first, signal.SIGKILL)


@attrs.frozen
class Item:
    """An item of a stream of events."""

    id: str
    data: dict[str, Any]

    @property
    def told(self) -> tuple[str, str]:
        """What happened, and to whom."""
        return self.data["event"], self.data["name"]


class Stream:
    """A stream of events, read as it comes. httpx has no way to end one on trio without warnings."""

    def __init__(self, socket: trio.SocketStream) -> None:
        self._socket = socket
        self._http = h11.Connection(h11.CLIENT)
        self._text = b""
        self._id = ""

    async def begin(self, path: str, headers: Mapping[str, str]) -> None:
        """Ask for the stream, and read the head of the answer."""
        host = [("Host", "127.0.0.1")]
        await self._send(h11.Request(method="GET", target=path, headers=[*host, *headers.items()]))
        await self._send(h11.EndOfMessage())
        response = await self._next()
        assert isinstance(response, h11.Response)
        assert response.status_code == 200
        assert (b"content-type", b"text/event-stream; charset=utf-8") in response.headers

    def __aiter__(self) -> Stream:
        return self

    async def __anext__(self) -> Item:
        """The next item."""
        while True:
            field, _, value = (await self.line()).partition(": ")
            if field == "id":
                self._id = value
            elif field == "data":
                return Item(self._id, json.loads(value))

    async def line(self) -> str:
        """The next line.

        :raises StopAsyncIteration: at the end of the stream.
        """
        while b"\n" not in self._text:
            event = await self._next()
            if isinstance(event, h11.EndOfMessage):
                raise StopAsyncIteration
            assert isinstance(event, h11.Data)
            self._text += event.data
        line, _, self._text = self._text.partition(b"\n")
        return line.decode("ascii")

    async def _send(self, event: h11.Request | h11.EndOfMessage) -> None:
        await self._socket.send_all(self._http.send(event) or b"")

    async def _next(self) -> object:
        while (event := self._http.next_event()) is h11.NEED_DATA:
            with trio.fail_after(PATIENCE_S):
                self._http.receive_data(await self._socket.receive_some())
        return event


@asynccontextmanager
async def following(
    client: httpx.AsyncClient, path: str = "/events", last_id: str | None = None, **headers: str
) -> AsyncIterator[Stream]:
    """A stream of events; leaving closes the connection."""
    if last_id is not None:
        headers["Last-Event-ID"] = last_id
    assert client.base_url.port is not None
    async with await trio.open_tcp_stream("127.0.0.1", client.base_url.port) as connection:
        stream = Stream(connection)
        await stream.begin(path, headers)
        yield stream


async def until_told(items: Stream, event: str, name: str) -> Item:
    """Read until this event comes; returns it."""
    async for item in items:
        if item.told == (event, name):
            return item
    raise AssertionError(f"the stream has ended without {event} of {name}")
