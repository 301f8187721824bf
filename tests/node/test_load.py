"""A flood at a node on real sockets, in virtual time: to handle a datagram takes as long as the test says."""

from __future__ import annotations

import socket
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
import trio
from trio.testing import MockClock

from gossip import Address, Config, Node
from gossip.core.detection.health import STALL_S
from gossip.core.protocol import Protocol
from gossip.net.datagrams import BATCH_S
from gossip.net.driver import HELD_BACK_S
from tests.core.worlds import crash_bound_s
from tests.node.nodes import cluster, until

DEAR_S = 0.0007
"""What a datagram full of new members takes."""

CHEAP_S = 0.00005
DEAR = b"x"
"""A dear datagram; nothing that a node sends begins with this byte."""


class Flooded:
    """Two nodes, whose time passes only while they handle datagrams and while nothing happens; the first is flooded."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.clock = MockClock(autojump_threshold=0)
        self._monkeypatch = monkeypatch
        self.longest_hold_s = 0.0
        """For how long at most the program had to wait for its turn."""

    def run(self, story: Callable[[list[Node]], Awaitable[None]]) -> None:
        """Let a story happen to two nodes that know each other."""
        handle, clock = Protocol.receive_datagram, self.clock

        def handle_slowly(protocol: Protocol, data: bytes, source: Address, now: float) -> None:
            clock.jump(DEAR_S if data == DEAR else CHEAP_S)
            handle(protocol, data, source, now)

        self._monkeypatch.setattr(Protocol, "receive_datagram", handle_slowly)

        async def main() -> None:
            async with cluster(2, Config.lan()) as nodes, trio.open_nursery() as nursery:
                nursery.start_soon(self._be_a_program)
                await story(nodes)
                nursery.cancel_scope.cancel()

        trio.run(main, clock=clock)

    async def _be_a_program(self) -> None:
        while True:
            due = trio.current_time() + 0.005
            await trio.sleep_until(due)
            self.longest_hold_s = max(self.longest_hold_s, trio.current_time() - due)


def pour(node: Node, count: int) -> None:
    """Send dear datagrams, as many of so many as its socket holds."""
    with socket.socket(type=socket.SOCK_DGRAM) as stranger:
        for _ in range(count):
            stranger.sendto(DEAR, node.bound_address)


@pytest.fixture
def flooded(monkeypatch: pytest.MonkeyPatch) -> Flooded:
    return Flooded(monkeypatch)


def test_a_flood_is_no_stall_and_puts_off_no_death(flooded: Flooded, monkeypatch: pytest.MonkeyPatch) -> None:
    async def story(nodes: list[Node]) -> None:
        async def bursts() -> None:
            while True:
                pour(nodes[0], 1024)
                await trio.sleep(0.8)

        async with trio.open_nursery() as nursery:
            nursery.start_soon(bursts)
            await trio.sleep(4)
            monkeypatch.setattr(nodes[1]._protocol, "datagrams_to_send", lambda _: [])
            monkeypatch.setattr(nodes[1]._protocol, "stream_actions", list)
            crashed = trio.current_time()
            await until(lambda: nodes[0].alive == 1)
            assert trio.current_time() - crashed < crash_bound_s(Config.lan())
            assert nodes[0].stats.protocol.stalls == 0
            nursery.cancel_scope.cancel()

    flooded.run(story)


def test_a_flood_holds_up_the_embedding_program_for_some_milliseconds_at_a_time(flooded: Flooded) -> None:
    async def story(nodes: list[Node]) -> None:
        pour(nodes[0], 1024)
        await trio.sleep(2)

    flooded.run(story)
    assert flooded.longest_hold_s < 3 * BATCH_S


def test_a_flood_that_never_ends_holds_back_no_timer_for_long(
    flooded: Flooded, monkeypatch: pytest.MonkeyPatch
) -> None:
    late: list[float] = []

    async def story(nodes: list[Node]) -> None:
        protocol = nodes[0]._protocol
        handle_timer, receive = protocol.handle_timer, protocol.receive_datagram
        with socket.socket(type=socket.SOCK_DGRAM) as stranger:

            def timed(now: float) -> None:
                late.append(now - protocol.next_timer())
                handle_timer(now)

            def receive_and_get_more(data: bytes, *rest: Any) -> None:
                stranger.sendto(DEAR, nodes[0].bound_address)
                receive(data, *rest)

            monkeypatch.setattr(protocol, "handle_timer", timed)
            monkeypatch.setattr(protocol, "receive_datagram", receive_and_get_more)
            pour(nodes[0], 8)
            await trio.sleep(5)
            monkeypatch.setattr(protocol, "receive_datagram", receive)

    flooded.run(story)
    assert len(late) > 2
    assert STALL_S < max(late) < HELD_BACK_S + 3 * BATCH_S
