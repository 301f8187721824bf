"""A program that reads late, or not at all: its node goes on, and in the end the program knows what the node knows."""

from __future__ import annotations

import logging
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import attrs
import pytest
import trio

from gossip import Config, MembershipEvent, Node, Snapshot
from gossip.node import Inside
from gossip.remote import RemoteNode, feed, lines
from gossip.remote.calls import Calls
from gossip.remote.channel import Channel
from gossip.remote.feed import Feed
from gossip.remote.messages import News
from tests.node.nodes import first_snapshot, local_node


@attrs.define
class Both:
    """A node and its mirror in one process, with a channel between them that is read when the test says so."""

    node: Node
    remote: RemoteNode
    keeper: lines.LineKeeper
    channel: Channel

    async def read(self) -> News:
        """Hand one message to the mirror."""
        news: News = await self.channel.receive()
        self.remote._take(news)
        return news

    async def read_all(self) -> list[News]:
        """Hand all messages to the mirror, up to one that says nothing about members."""
        read = []
        with trio.move_on_after(1):
            while True:
                read.append(await self.read())
        return read


@asynccontextmanager
async def both(*, sends_bytes: int = 0) -> AsyncIterator[Both]:
    """A node whose messages nobody reads yet but the first."""
    ends = socket.socketpair()
    if sends_bytes:
        ends[0].setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, sends_bytes)
    there, here = (trio.SocketStream(trio.socket.from_stdlib_socket(end)) for end in ends)
    async with there, here, local_node("a") as node, trio.open_nursery() as nursery:
        keeper = lines.LineKeeper("a")
        nursery.start_soon(Feed(Inside.of(node), keeper).run, Channel(there))
        channel = Channel(here)
        remote = RemoteNode(Config.local(), 1, Calls(), await channel.receive(), logging.WARNING)
        yield Both(node, remote, keeper, channel)
        nursery.cancel_scope.cancel()


async def test_a_program_that_falls_behind_continues_from_a_snapshot(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(feed, "MAX_EVENTS", 10)
    async with both(sends_bytes=1) as pair:
        with pair.remote.subscribe() as changes, pair.remote.subscribe() as unread:
            await first_snapshot(changes)
            for number in range(100):
                pair.node.update({"number": str(number)})
                if number < 50:
                    await trio.testing.wait_all_tasks_blocked()
            assert pair.remote.members() != pair.node.members(), "nothing has been read"
            read = await pair.read_all()
            assert pair.remote.members() == pair.node.members()
            missed = sum(item.missed for news in read for item in news.items if isinstance(item, Snapshot))
            events = sum(isinstance(item, MembershipEvent) for news in read for item in news.items)
            assert missed >= 50
            assert missed + events == 100
            fresh = await anext(changes)
            assert isinstance(fresh, Snapshot)
            assert fresh.missed == 100
            assert fresh.members == pair.node.members()
            assert (await first_snapshot(unread)).missed == 0
            assert (await first_snapshot(unread)).missed == 100
            assert pair.remote.stats.events_missed == 200


async def test_lines_that_nobody_reads_are_counted_and_the_program_is_told(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(lines, "MAX_LINES", 5)
    async with both() as pair:
        for number in range(12):
            pair.keeper.handle(logging.makeLogRecord({"name": "gossip.net", "levelno": 40, "msg": f"line {number}"}))
        await pair.read()
    assert caplog.messages == [
        *(f"line {number}" for number in range(5)),
        "7 lines of the log of node 'a' are lost, because the program did not read them in time",
    ]


async def test_nothing_is_sent_about_a_node_at_which_nothing_happens(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(feed, "STATS_EVERY_S", 0.1)
    async with both() as pair:
        for _ in range(3):
            news = await pair.read()
            assert (news.items, set(news.changes), news.lines, news.replies) == ((), {"stats"}, (), ())
