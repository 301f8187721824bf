"""The log about what is dropped: one line per kind and second, with the reason, the source and a count."""

from __future__ import annotations

import logging
import re

import pytest
import trio

from gossip.core.support.address import Address
from gossip.core.support.drop_reasons import Drop
from gossip.core.support.drops import Drops
from gossip.security.framing import pack_frame
from gossip.telemetry.drops import LONGEST_PERIOD_S, PERIOD_S, DropLog
from tests.node.nodes import cluster, local_node, until

HERE = Address("192.0.2.1", 7946)
THERE = Address("2001:db8::1", 9)


class Log:
    """A log of drops, and what it has written since it was last asked."""

    def __init__(self, caplog: pytest.LogCaptureFixture) -> None:
        self.drops = Drops()
        self._log = DropLog("ada", self.drops)
        self._caplog = caplog
        caplog.set_level(logging.DEBUG)

    def at(self, now: float) -> list[str]:
        """Look at this time; the lines that come of it."""
        self._caplog.clear()
        self._log.look(now)
        return self._caplog.messages


@pytest.fixture
def log(caplog: pytest.LogCaptureFixture) -> Log:
    return Log(caplog)


def test_where_nothing_is_dropped_nothing_is_written(log: Log) -> None:
    assert log.at(0.0) == log.at(5.0) == []


def test_a_drop_is_told_at_once_with_reason_and_source(log: Log, caplog: pytest.LogCaptureFixture) -> None:
    log.drops.note(Drop.DAMAGED, HERE)
    assert log.at(7.0) == ["'ada': dropped 1: damaged, last from 192.0.2.1:7946"]
    assert caplog.records[0].levelno == logging.WARNING
    assert log.at(7.0) == log.at(100.0) == []


def test_what_comes_within_a_second_waits_for_one_line_with_the_number_and_the_last_source(log: Log) -> None:
    log.drops.note(Drop.DAMAGED, HERE)
    assert len(log.at(0.0)) == 1
    for _ in range(500):
        log.drops.note(Drop.DAMAGED, HERE)
    log.drops.note(Drop.DAMAGED, THERE)
    assert log.at(0.99 * PERIOD_S) == []
    assert log.at(PERIOD_S) == ["'ada': dropped 501: damaged, last from [2001:db8::1]:9"]
    assert log.at(9.0) == []


def test_each_kind_has_a_line_of_its_own(log: Log) -> None:
    log.drops.note(Drop.DAMAGED, HERE)
    assert len(log.at(0.0)) == 1
    log.drops.note(Drop.DAMAGED, HERE)
    log.drops.note(Drop.VIEW_IS_FULL, THERE)
    assert log.at(0.5) == ["'ada': dropped 1: view is full, last from [2001:db8::1]:9"]
    assert log.at(1.0) == ["'ada': dropped 1: damaged, last from 192.0.2.1:7946"]


def test_what_is_nobodys_message_is_told_without_a_source(log: Log) -> None:
    log.drops.note(Drop.DAMAGED, HERE)
    log.at(0.0)
    log.drops.note(Drop.DAMAGED)
    assert log.at(2.0) == ["'ada': dropped 1: damaged"]


@pytest.mark.parametrize("reason", [each for each in Drop if each.level == logging.INFO])
def test_what_happens_in_healthy_clusters_is_no_warning(
    reason: Drop, log: Log, caplog: pytest.LogCaptureFixture
) -> None:
    log.drops.note(reason, HERE)
    assert len(log.at(0.0)) == 1
    assert caplog.records[0].levelno == logging.INFO


def test_what_goes_on_for_hours_is_told_ever_more_seldom_and_all_of_it(log: Log) -> None:
    written = {}
    for second in range(5 * 3600):
        log.drops.note(Drop.UNKNOWN_KEY, HERE)
        if lines := log.at(float(second)):
            (written[second],) = lines
    doubling = [2**step - 1 for step in range(13)]
    assert list(written) == [*doubling, *(doubling[-1] + 3600 * hour for hour in (1, 2, 3))]
    numbers = [int(re.findall(r"dropped (\d+)", line)[0]) for line in written.values()]
    assert sum(numbers) == max(written) + 1


def test_after_an_hour_of_silence_a_drop_is_news_again(log: Log) -> None:
    for second in range(600):
        log.drops.note(Drop.DAMAGED, HERE)
        log.at(float(second))
    log.at(1200.0)
    for start in (2300.0 + LONGEST_PERIOD_S, 2400.0 + 2 * LONGEST_PERIOD_S):
        for step in (0.0, PERIOD_S):
            log.drops.note(Drop.DAMAGED, HERE)
            assert log.at(start + step) == ["'ada': dropped 1: damaged, last from 192.0.2.1:7946"]


def test_a_reason_that_says_little_is_explained(log: Log) -> None:
    log.drops.note(Drop.STREAM_OUT_OF_TIME, HERE)
    (line,) = log.at(0.0)
    said = "stream out of time (a peer opened a stream and did not send or read everything in time)"
    assert line == f"'ada': dropped 1: {said}, last from 192.0.2.1:7946"


# --- a node with sockets


def lines(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [record.getMessage() for record in caplog.records if record.name == "gossip.telemetry.drops"]


async def test_garbage_sent_to_a_node_is_told_with_where_it_came_from(caplog: pytest.LogCaptureFixture) -> None:
    async with local_node("a") as a:
        with trio.socket.socket(trio.socket.AF_INET, trio.socket.SOCK_DGRAM) as sender:
            await sender.bind(("127.0.0.1", 0))
            await sender.sendto(b"'x': dropped 1: nothing\r\n\x1b[31m", tuple(a.bound_address))
            await until(lambda: bool(lines(caplog)))
            assert lines(caplog) == [f"'a': dropped 1: damaged, last from {Address(*sender.getsockname())}"]


async def test_a_flood_of_garbage_writes_few_lines_and_the_cluster_lives(caplog: pytest.LogCaptureFixture) -> None:
    async with cluster(2) as nodes:
        began = trio.current_time()
        with trio.socket.socket(trio.socket.AF_INET, trio.socket.SOCK_DGRAM) as sender:
            for _ in range(30):
                for _ in range(100):
                    await sender.sendto(b"garbage", tuple(nodes[0].bound_address))
                await trio.testing.wait_all_tasks_blocked()
        count = nodes[0].stats.protocol.dropped["damaged"]
        assert count > 100
        pattern = r"'node-0': dropped (\d+): damaged, last from .*"
        told = [int(match[1]) for line in lines(caplog) if (match := re.fullmatch(pattern, line))]
        assert 1 <= len(told) <= 1 + (trio.current_time() - began) / PERIOD_S
        await until(lambda: _told(caplog, pattern) == nodes[0].stats.protocol.dropped["damaged"])
        assert all(node.alive == 2 for node in nodes)


def _told(caplog: pytest.LogCaptureFixture, pattern: str) -> int:
    return sum(int(match[1]) for line in lines(caplog) if (match := re.fullmatch(pattern, line)))


async def test_a_bad_message_on_a_stream_is_told_and_so_is_a_stream_that_is_cut(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async with local_node("a") as a, await trio.open_tcp_stream(*a.bound_address) as stream:
        source = Address(*stream.socket.getsockname())
        await stream.send_all(pack_frame(b"garbage"))
        await until(lambda: f"'a': dropped 1: damaged, last from {source}" in lines(caplog))
        await stream.send_all(b"\xff" * 4)
        await until(lambda: f"'a': dropped 1: frame of impossible length, last from {source}" in lines(caplog))
