"""How streams end: one whose descriptor is closed behind our back ends alone, and who closes late has done no wrong."""

from __future__ import annotations

import logging
import os
from collections.abc import Awaitable, Callable

import pytest
import trio
from trio.testing import MockClock

from gossip import Address, Config, Node
from gossip.core.dissemination.outbox import CloseStream, OpenStream, SendFrame
from gossip.core.protocol import Protocol
from gossip.net import Connection
from gossip.net.streams import Streams
from gossip.security.framing import pack_frame
from tests.node.nodes import local_node, until
from tests.node.test_streams import _Scripted, connected

IDLE_S = 0.2


@pytest.fixture
def descriptors(monkeypatch: pytest.MonkeyPatch) -> dict[bool, int]:
    """The descriptor of the latest stream that a node has opened (True), and of the latest that one has accepted."""
    found: dict[bool, int] = {}
    converse = Streams._converse

    async def noted(self: Streams, stream: int, link: object, connection: Connection, host: str | None) -> None:
        assert isinstance(connection.stream, trio.SocketStream)
        found[host is not None] = connection.stream.socket.fileno()
        await converse(self, stream, link, connection, host)  # type: ignore[arg-type]

    monkeypatch.setattr(Streams, "_converse", noted)
    return found


async def _serve_another(node: Node) -> None:
    """See that a node still takes streams and answers datagrams."""
    async with connected(node):
        await until(lambda: node.stats.streams_active == 1)
    async with local_node("other", seeds=[node.address]) as other:
        await until(lambda: node.alive == other.alive == 2)


async def test_a_descriptor_closed_while_its_stream_is_read_ends_that_stream_only(descriptors: dict[bool, int]) -> None:
    async with local_node("a", config=Config.local(stream_idle_timeout=IDLE_S)) as a:
        async with connected(a):
            await until(lambda: False in descriptors)
            os.close(descriptors[False])
            await until(lambda: a.stats.streams_active == 0)
        assert a.stats.streams_failed == 1
        await _serve_another(a)


async def test_a_descriptor_closed_before_the_next_read_ends_that_stream_only(
    descriptors: dict[bool, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    def close_it(self: Protocol, stream: int, data: bytes, now: float) -> None:
        os.close(descriptors[False])

    async with local_node("a") as a:
        with monkeypatch.context() as patched:
            patched.setattr(Protocol, "receive_frame", close_it)
            async with connected(a) as stream:
                await stream.send_all(pack_frame(b"anything"))
                await until(lambda: a.stats.streams_failed == 1)
        await _serve_another(a)


async def test_a_descriptor_closed_before_the_next_write_ends_that_stream_only(
    descriptors: dict[bool, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    async with local_node("a", config=Config.local(stream_idle_timeout=IDLE_S)) as a, local_node("b") as b:
        with monkeypatch.context() as patched:
            script = _Scripted(a, patched)
            script.do(OpenStream(7, b.address))
            await until(lambda: len(descriptors) == 2)
            os.close(descriptors[True])
            script.do(SendFrame(7, b"x" * 1000))
            await until(lambda: script.closed == [7])
        assert a.stats.streams_failed == 1
        await _serve_another(a)


async def test_a_descriptor_closed_before_the_end_is_said_ends_that_stream_only(
    descriptors: dict[bool, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    async with local_node("a", config=Config.local(stream_idle_timeout=IDLE_S)) as a, local_node("b") as b:
        with monkeypatch.context() as patched:
            script = _Scripted(a, patched)
            script.do(OpenStream(7, b.address))
            await until(lambda: len(descriptors) == 2)
            os.close(descriptors[True])
            script.do(CloseStream(7))
            await until(lambda: script.closed == [7])
        await _serve_another(a)


async def _close_after(seconds: float, heard: list[bytes], stream: trio.SocketStream) -> None:
    """Read all that a node says, and close only so much later."""
    with trio.fail_after(100):
        while piece := await stream.receive_some():
            heard.append(piece)
        await trio.sleep(seconds)
        await stream.aclose()


def _say_and_close(heard: list[bytes], closes_after_s: float, monkeypatch: pytest.MonkeyPatch) -> Node:
    """Have a node say something to a peer and close first."""
    nodes: list[Node] = []

    async def main() -> None:
        async with trio.open_nursery() as nursery, local_node("a", config=Config.wan()) as a:
            nodes.append(a)
            serve: Callable[[trio.SocketStream], Awaitable[None]] = lambda stream: _close_after(  # noqa: E731
                closes_after_s, heard, stream
            )
            (listener,) = await trio.open_tcp_listeners(0, host="127.0.0.1")
            nursery.start_soon(trio.serve_listeners, serve, [listener])
            script = _Scripted(a, monkeypatch)
            script.do(OpenStream(1, Address(*listener.socket.getsockname())), SendFrame(1, b"hello"), CloseStream(1))
            await until(lambda: script.closed == [1])
            nursery.cancel_scope.cancel()

    trio.run(main, clock=MockClock(autojump_threshold=0.001))
    return nodes[0]


@pytest.mark.parametrize("closes_after_s", [0.0, 2.5, 60.0], ids=["at once", "late", "never"])
def test_a_peer_that_closes_late_after_us_has_not_failed(
    closes_after_s: float, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    heard: list[bytes] = []
    node = _say_and_close(heard, closes_after_s, monkeypatch)
    assert b"".join(heard) == pack_frame(b"hello")
    assert node.stats.streams_failed == 0
    assert node.stats.protocol.dropped == {}
    assert not [record for record in caplog.records if record.levelno >= logging.WARNING]
