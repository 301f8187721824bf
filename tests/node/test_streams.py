"""The TCP side: a peer that is slow, sends too much or is none at all is cut off, and the core hears of it once."""

from __future__ import annotations

import errno
import random
import socket
import struct
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from typing import Any

import pytest
import trio

from gossip import Address, Config, Node
from gossip.core.dissemination.outbox import CloseStream, OpenStream, SendFrame
from gossip.core.errors import WireError
from gossip.core.protocol import Protocol
from gossip.core.wire import MAX_FRAME_BYTES
from gossip.security.framing import FrameReader, pack_frame
from tests.node.nodes import PATIENCE_S, cluster, local_node, metadata_of, sockets_of, until


@pytest.fixture
def closed_streams(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[tuple[int, int]]]:
    """Note each ``stream_closed`` as protocol and stream; no stream may be closed twice."""
    closed: list[tuple[int, int]] = []
    told = Protocol.stream_closed

    def note(self: Protocol, stream: int, now: float) -> None:
        closed.append((id(self), stream))
        told(self, stream, now)

    monkeypatch.setattr(Protocol, "stream_closed", note)
    yield closed
    assert len(closed) == len(set(closed))


@asynccontextmanager
async def connected(node: Node, host: str | None = None) -> AsyncIterator[trio.SocketStream]:
    stream = await trio.open_tcp_stream(host or node.bound_address.host, node.bound_address.port)
    async with stream:
        yield stream


async def ends(stream: trio.SocketStream) -> bool:
    """Wait until the node closes the stream."""
    try:
        with trio.fail_after(PATIENCE_S):
            while await stream.receive_some(65_536):
                pass
    except trio.BrokenResourceError:
        pass
    return True


async def is_well(nodes: list[Node]) -> bool:
    nodes[1].update({"token": str(random.random())})
    await until(lambda: metadata_of(nodes[0], "node-1") == nodes[1].local.metadata)
    return True


async def test_garbage_on_a_stream_ends_it_and_is_counted(closed_streams: list[tuple[int, int]]) -> None:
    async with cluster(2) as nodes:
        failed = nodes[0].stats.streams_failed
        async with connected(nodes[0]) as stream:
            await stream.send_all(b"GET / HTTP/1.1\r\n\r\n")
            assert await ends(stream)
        await until(lambda: nodes[0].stats.streams_failed == failed + 1)
        assert await is_well(nodes)


async def test_well_framed_garbage_is_counted_by_the_core(closed_streams: list[tuple[int, int]]) -> None:
    async with cluster(2) as nodes:
        before = sum(nodes[0].stats.protocol.dropped.values())
        async with connected(nodes[0]) as stream:
            await stream.send_all(pack_frame(b"garbage"))
            await until(lambda: sum(nodes[0].stats.protocol.dropped.values()) > before)
        assert await is_well(nodes)


@pytest.mark.parametrize("length", [0, MAX_FRAME_BYTES + 1, 2**32 - 1])
async def test_a_frame_of_an_impossible_length_ends_the_stream(
    length: int, closed_streams: list[tuple[int, int]]
) -> None:
    async with local_node("a") as a:
        async with connected(a) as stream:
            await stream.send_all(struct.pack("!I", length))
            assert await ends(stream)
        await until(lambda: a.stats.streams_failed == 1 and a.stats.streams_active == 0)
        assert len(closed_streams) == 1


async def test_an_idle_stream_is_cut_and_counted(closed_streams: list[tuple[int, int]]) -> None:
    async with local_node("a", config=Config.local(stream_idle_timeout=0.1)) as a:
        async with connected(a) as stream:
            assert await ends(stream)
        await until(lambda: a.stats.streams_failed == 1)
        assert a.stats.protocol.dropped == {"stream out of time": 1}
        assert len(closed_streams) == 1


@pytest.mark.parametrize(
    ("config", "said"),
    [
        (Config.local(stream_timeout=60.0, stream_idle_timeout=0.3), b""),
        (Config.local(stream_timeout=0.6, stream_idle_timeout=0.6), pack_frame(b"anything")),
    ],
    ids=["as long as no message is whole, as if it were idle", "after a message, once its time is over"],
)
async def test_a_stream_that_trickles_is_cut_and_counted(
    config: Config, said: bytes, closed_streams: list[tuple[int, int]]
) -> None:
    async with local_node("a", config=config) as a, connected(a) as stream:
        await stream.send_all(said + struct.pack("!I", 60_000))
        with pytest.raises(trio.BrokenResourceError), trio.fail_after(PATIENCE_S):  # noqa: PT012
            while True:
                await stream.send_all(b"x")
                await trio.sleep(0.01)
        await until(lambda: a.stats.streams_failed == 1)
        assert a.stats.protocol.dropped["stream out of time"] == 1


async def test_a_stream_that_brings_too_much_is_cut_and_counted(closed_streams: list[tuple[int, int]]) -> None:
    config = Config.local(max_stream_bytes=200_000)
    async with local_node("a", config=config) as a, connected(a) as stream:
        with pytest.raises(trio.BrokenResourceError), trio.fail_after(PATIENCE_S):  # noqa: PT012
            while True:
                await stream.send_all(pack_frame(b"x" * 50_000))
        await until(lambda: a.stats.streams_failed == 1)
        assert a.stats.protocol.dropped["stream too long"] == 1


@pytest.mark.parametrize("timeouts", [(60.0, 0.3), (0.3, 0.3)], ids=["idle", "in all"])
async def test_a_peer_that_does_not_read_is_cut_and_costs_no_memory(
    timeouts: tuple[float, float], monkeypatch: pytest.MonkeyPatch, closed_streams: list[tuple[int, int]]
) -> None:
    frames = 0

    def answer_at_length(self: Protocol, stream: int, data: bytes, now: float) -> None:
        nonlocal frames
        frames += 1
        replies.extend([SendFrame(stream, b"x" * MAX_FRAME_BYTES)] * 8)

    def take(self: Protocol) -> list[SendFrame]:
        taken = list(replies)
        replies.clear()
        return taken

    replies: list[SendFrame] = []
    monkeypatch.setattr(Protocol, "receive_frame", answer_at_length)
    monkeypatch.setattr(Protocol, "stream_actions", take)
    config = Config.local(stream_timeout=timeouts[0], stream_idle_timeout=timeouts[1])
    async with local_node("a", config=config) as a, connected(a) as stream:
        await stream.send_all(pack_frame(b"?") * 1000)
        await until(lambda: a.stats.streams_failed == 1)
        assert a.stats.protocol.dropped == {"stream out of time": 1}
        assert frames < 100


async def test_streams_beyond_what_others_may_open_are_closed_at_once() -> None:
    async with local_node("a", config=Config.local(max_streams=4)) as a, connected(a), connected(a), connected(a):
        await until(lambda: a.stats.streams_active == 3)
        async with connected(a) as fourth:
            assert await ends(fourth)
        assert a.stats.protocol.dropped == {"too many streams": 1}
        assert a.stats.streams_refused == 1
        assert a.stats.streams_accepted == 3


async def test_whoever_says_nothing_gives_way_where_no_place_is_left(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gossip.net.streams.SILENT_FOR_S", 0.0)
    config = Config.local(max_streams=4, stream_timeout=60.0, stream_idle_timeout=60.0)
    async with local_node("a", config=config) as a, connected(a) as speaks, connected(a) as silent, connected(a):
        await speaks.send_all(pack_frame(b"anything"))
        await until(lambda: a.stats.streams_active == 3 and len(a.stats.protocol.dropped) == 1)
        async with connected(a) as fourth:
            assert await ends(fourth)
            assert await ends(silent)
        async with connected(a):
            await until(lambda: a.stats.streams_accepted == 4)
        assert a.stats.protocol.dropped["too many streams"] == 2


async def test_a_host_that_holds_too_many_streams_takes_no_place_from_others(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gossip.net.streams.SILENT_FOR_S", 0.0)
    config = Config.local(max_streams_per_source=2, stream_timeout=60.0, stream_idle_timeout=60.0)
    async with (
        local_node("a", bind="[::]:0", config=config) as a,
        connected(a, "::1"),
        connected(a, "127.0.0.1"),
        connected(a, "127.0.0.1"),
    ):
        await until(lambda: a.stats.streams_active == 3)
        async with connected(a, "127.0.0.1") as third:
            assert await ends(third)
        assert a.stats.streams_active == 3
        assert a.stats.protocol.dropped == {"too many streams of one source": 1}


async def test_streams_of_the_nodes_own_count_among_all_there_may_be(monkeypatch: pytest.MonkeyPatch) -> None:
    config = Config.local(max_streams=4)
    async with local_node("a", config=config) as a, local_node("b") as b, connected(a), connected(a):
        script = _Scripted(a, monkeypatch)
        script.do(OpenStream(91, b.address), OpenStream(92, b.address))
        await until(lambda: a.stats.streams_active == 4)
        async with connected(a) as fifth:
            assert await ends(fifth)
        assert a.stats.protocol.dropped == {"too many streams": 1}
        script.do(OpenStream(93, b.address))
        await until(lambda: script.closed == [93])
        assert a.stats.streams_refused == 2


async def test_whoever_takes_all_the_streams_it_can_leaves_room_for_others() -> None:
    config = Config.local(max_streams_per_source=2)
    async with local_node("a", bind="[::]:0", config=config) as a:
        async with connected(a, "127.0.0.1"), connected(a, "127.0.0.1") as second:
            await until(lambda: a.stats.streams_active == 2)
            async with connected(a, "127.0.0.1") as third:
                assert await ends(third)
            assert a.stats.protocol.dropped == {"too many streams of one source": 1}
            async with connected(a, "::1"):
                await until(lambda: a.stats.streams_active == 3)
            await second.aclose()
            await until(lambda: a.stats.streams_active == 1)
            async with connected(a, "127.0.0.1"):
                await until(lambda: a.stats.streams_accepted == 4)
        assert a.stats.streams_refused == 1


async def test_whoever_holds_streams_as_long_as_it_can_keeps_no_member_from_joining() -> None:
    """Places that it holds come free at the total deadline; a member that finds none joins without a stream."""
    config = Config.local(max_streams=8, max_streams_per_source=4, stream_timeout=0.5, stream_idle_timeout=0.5)
    async with trio.open_nursery() as nursery, cluster(2, config) as nodes:
        for _ in range(6):
            nursery.start_soon(_hold_streams, nodes[0].bound_address)
        await until(lambda: nodes[0].stats.protocol.dropped.get("too many streams of one source", 0) > 0)
        async with local_node("late", seeds=[nodes[0].address], config=config) as late:
            await until(lambda: late.alive == nodes[0].alive == nodes[1].alive == 3)
        await until(lambda: nodes[0].stats.protocol.dropped.get("stream out of time", 0) > 6)
        assert await is_well(nodes)
        nursery.cancel_scope.cancel()


async def _hold_streams(address: Address) -> None:
    """Open a stream again and again, and send as little on it as keeps it from being idle."""
    while True:
        await trio.sleep(0.01)
        with suppress(OSError, trio.BrokenResourceError):
            async with await trio.open_tcp_stream(*address) as stream:
                await stream.send_all(struct.pack("!I", 1000))
                while True:
                    await stream.send_all(b"x")
                    await trio.sleep(0.05)


async def test_however_many_streams_bring_messages_others_run_between_two_of_them(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    turns = 0
    handled_in_turn: Counter[int] = Counter()

    async def be_others() -> None:
        nonlocal turns
        while True:
            await trio.lowlevel.checkpoint()
            turns += 1

    async with local_node("a") as node, AsyncExitStack() as stack, trio.open_nursery() as nursery:
        nursery.start_soon(be_others)
        monkeypatch.setattr(node._protocol, "receive_frame", lambda *_: handled_in_turn.update([turns]))
        for _ in range(16):
            stream = await stack.enter_async_context(connected(node))
            await stream.send_all(pack_frame(b"message") * 64)
        await until(lambda: handled_in_turn.total() == 16 * 64)
        assert max(handled_in_turn.values()) <= 2  # at the end of one turn, and at the beginning of the next
        nursery.cancel_scope.cancel()


async def test_a_frame_cut_short_counts_as_a_failure(closed_streams: list[tuple[int, int]]) -> None:
    async with local_node("a") as a:
        async with connected(a) as stream:
            await stream.send_all(struct.pack("!I", 10) + b"half")
        await until(lambda: a.stats.streams_failed == 1)


async def test_a_process_without_descriptors_goes_on_accepting_later(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    failures = 0
    async with cluster(2) as nodes:
        kind = type(trio.socket.from_stdlib_socket(sockets_of(nodes[0]).tcp))
        accept = kind.accept

        async def fail_at_first(self: Any) -> Any:
            nonlocal failures
            if failures < 3:
                failures += 1
                raise OSError(errno.EMFILE, "Too many open files")
            return await accept(self)

        monkeypatch.setattr(kind, "accept", fail_at_first)
        for node in nodes:  # each is in accept() already, and fails from its next turn on
            async with connected(node):
                pass
        await until(lambda: sum(node.stats.accept_errors for node in nodes) == 3)
        async with connected(nodes[0]):
            await until(lambda: nodes[0].stats.streams_active == 1)
        assert await is_well(nodes)
    assert sum("cannot accept TCP streams" in line for line in caplog.messages) <= 2


async def test_a_closed_listener_is_opened_again_on_the_same_port() -> None:
    async with local_node("a") as a:
        tcp, address = sockets_of(a).tcp, a.bound_address
        trio.lowlevel.notify_closing(tcp)
        tcp.close()
        await until(lambda: a.stats.sockets_reopened == 1)
        assert sockets_of(a).tcp.getsockname() == address
        async with connected(a):
            await until(lambda: a.stats.streams_active == 1)


async def test_a_listener_that_cannot_be_opened_again_is_tried_until_it_can(monkeypatch: pytest.MonkeyPatch) -> None:
    async with local_node("a") as a:
        reopen, failures = sockets_of(a).reopen_tcp, 0

        def fail_at_first() -> None:
            nonlocal failures
            if failures < 2:
                failures += 1
                raise OSError(errno.EADDRINUSE, "Address already in use")
            reopen()

        monkeypatch.setattr(sockets_of(a), "reopen_tcp", fail_at_first)
        trio.lowlevel.notify_closing(sockets_of(a).tcp)
        sockets_of(a).tcp.close()
        await until(lambda: a.stats.sockets_reopened == 1)
        assert failures == 2
        async with connected(a):
            await until(lambda: a.stats.streams_active == 1)


class _Scripted:
    """Has a node's core ask for stream actions, and notes what comes back."""

    def __init__(self, node: Node, monkeypatch: pytest.MonkeyPatch) -> None:
        self._node = node
        self._actions: list[object] = []
        self.frames: list[bytes] = []
        self.closed: list[int] = []
        monkeypatch.setattr(node._protocol, "stream_actions", self._take)
        monkeypatch.setattr(node._protocol, "receive_frame", lambda stream, data, now: self.frames.append(data))
        monkeypatch.setattr(node._protocol, "stream_closed", lambda stream, now: self.closed.append(stream))

    def do(self, *actions: object) -> None:
        self._actions += actions
        self._node._driver.pump()

    def _take(self) -> list[object]:
        taken, self._actions = self._actions, []
        return taken


async def test_a_connection_nobody_accepts_is_reported_closed_once(monkeypatch: pytest.MonkeyPatch) -> None:
    async with local_node("a") as a, local_node("b") as b:
        nowhere = b.bound_address
        sockets_of(b).tcp.close()
        script = _Scripted(a, monkeypatch)
        monkeypatch.setattr(sockets_of(b), "reopen_tcp", lambda: None)
        script.do(OpenStream(7, nowhere), SendFrame(7, b"hello"), CloseStream(7))
        await until(lambda: script.closed == [7])
        assert a.stats.streams_failed == 1
        script.do(SendFrame(7, b"too late"), CloseStream(7))
        await trio.testing.wait_all_tasks_blocked(0.01)
        assert script.closed == [7]


async def test_everything_said_before_closing_arrives(monkeypatch: pytest.MonkeyPatch) -> None:
    async with local_node("a") as a, local_node("b") as b:
        sender, receiver = _Scripted(a, monkeypatch), _Scripted(b, monkeypatch)
        frames = [bytes([number]) * 60_000 for number in range(50)]
        sender.do(OpenStream(1, b.address), *(SendFrame(1, frame) for frame in frames), CloseStream(1))
        await until(lambda: len(sender.closed) == len(receiver.closed) == 1)
        assert receiver.frames == frames
        assert a.stats.streams_failed == b.stats.streams_failed == 0


async def test_too_much_to_say_cuts_the_stream(monkeypatch: pytest.MonkeyPatch) -> None:
    async with local_node("a", config=Config.local(max_stream_bytes=150_000)) as a, local_node("b") as b:
        script = _Scripted(a, monkeypatch)
        script.do(OpenStream(1, b.address), *[SendFrame(1, b"x" * 60_000)] * 3)
        await until(lambda: script.closed == [1])
        assert a.stats.streams_failed == 1


async def test_connecting_has_a_time_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gossip.net.streams.CONNECT_TIMEOUT_S", 0.1)
    with socket.socket() as deaf:  # a full backlog lets further connections hang
        deaf.bind(("127.0.0.1", 0))
        deaf.listen(0)
        with socket.socket() as first, socket.socket() as second:
            for filler in (first, second):
                filler.setblocking(False)
                filler.connect_ex(deaf.getsockname())
            async with local_node("a") as a:
                script = _Scripted(a, monkeypatch)
                script.do(OpenStream(1, Address(*deaf.getsockname())))
                await until(lambda: script.closed == [1])
                assert a.stats.streams_failed == 1
                assert a.stats.streams_opened == 0


def test_frames_are_put_together_from_any_pieces() -> None:
    messages = [b"a", b"bc" * 1000, b"d"]
    data = b"".join(map(pack_frame, messages))
    for size in (1, 3, 1000, len(data)):
        reader = FrameReader()
        pieces = [data[start : start + size] for start in range(0, len(data), size)]
        assert [message for piece in pieces for message in reader.feed(piece)] == messages
        assert not reader.in_frame


def test_frames_before_a_bad_one_are_still_given() -> None:
    feed = FrameReader().feed(pack_frame(b"good") + struct.pack("!I", 0))
    assert next(feed) == b"good"
    with pytest.raises(WireError, match="impossible length"):
        next(feed)
