"""The UDP side: garbage, errors and a dead socket are losses, not ends."""

from __future__ import annotations

import errno
import random
import socket
import sys
from typing import Any

import pytest
import trio

from gossip import Address
from gossip.net.datagrams import BATCH, ERRORS_IN_A_ROW, DatagramEndpoint
from gossip.net.sockets import SocketPair, open_sockets
from gossip.telemetry.stats import ShellCounters
from tests.node.nodes import cluster, local_node, metadata_of, sockets_of, until


async def test_garbage_datagrams_are_counted_and_stop_nothing() -> None:
    async with cluster(2) as nodes:
        before = sum(nodes[0].stats.protocol.dropped.values())
        with socket.socket(type=socket.SOCK_DGRAM) as stranger:
            for length in [0, 1, 2, 10, 100, 1000, 1200, 5000, 60_000]:
                stranger.sendto(random.Random(length).randbytes(length), nodes[0].bound_address)
        await until(lambda: sum(nodes[0].stats.protocol.dropped.values()) >= before + 8)
        nodes[1].update({"still": "here"})
        await until(lambda: metadata_of(nodes[0], "node-1") == {"still": "here"})


async def test_a_datagram_the_system_refuses_is_counted() -> None:
    with await open_sockets(Address("127.0.0.1", 0)) as sockets:
        counters = ShellCounters()
        endpoint = DatagramEndpoint(sockets, "a", counters)
        endpoint.send(b"x" * 70_000, Address("127.0.0.1", 9))
        endpoint.send(b"x", Address("::1", 9))
        endpoint.send(b"x", Address("127.0.0.1", 0))
        assert counters.send_errors == 3


only_on_linux = pytest.mark.skipif(sys.platform != "linux", reason="other systems do not tell of refused datagrams")


def _closed_port(host: str) -> Address:
    """A port that nobody listens on."""
    with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET, socket.SOCK_DGRAM) as opened:
        opened.bind((host, 0))
        return Address(host, opened.getsockname()[1])


@only_on_linux
@pytest.mark.parametrize(
    ("bound_to", "host"),
    [("127.0.0.1", "127.0.0.1"), ("0.0.0.0", "127.0.0.1"), ("::1", "::1"), ("::", "::1"), ("::", "127.0.0.1")],
)
async def test_it_is_told_where_a_datagram_was_refused(bound_to: str, host: str) -> None:
    closed, told = _closed_port(host), list[Address]()
    with await open_sockets(Address(bound_to, 0)) as sockets:
        endpoint = DatagramEndpoint(sockets, "a", ShellCounters())
        endpoint.send(b"x", closed)
        with trio.fail_after(5):
            while not told:
                await endpoint.wait_readable()
                endpoint.receive(_ignored, lambda address, _: told.append(address))
    assert told == [closed]


@only_on_linux
async def test_a_refusal_costs_nobody_else_a_datagram(pair: SocketPair) -> None:
    closed, told, counters = _closed_port("127.0.0.1"), list[Address](), ShellCounters()
    endpoint = DatagramEndpoint(pair, "a", counters)
    with socket.socket(type=socket.SOCK_DGRAM) as listener:
        listener.bind(("127.0.0.1", 0))
        listener.settimeout(5)
        for number in range(20):
            endpoint.send(b"x", closed)  # the refusal may be told by the next call, whatever that is for
            endpoint.send(b"%d" % number, Address(*listener.getsockname()))
        assert [int(listener.recv(10)) for _ in range(20)] == list(range(20))
    with trio.fail_after(5):
        while len(told) < 20:
            await endpoint.wait_readable()
            endpoint.receive(_ignored, lambda address, _: told.append(address))
    assert told == [closed] * 20
    assert not counters.send_errors


async def test_a_flood_keeps_neither_other_tasks_nor_timers_waiting() -> None:
    async with cluster(2) as nodes:
        with socket.socket(type=socket.SOCK_DGRAM) as stranger:
            for number in range(200):
                for _ in range(BATCH):
                    stranger.sendto(b"garbage", nodes[0].bound_address)
                if number == 100:
                    nodes[1].update({"number": str(number)})
                await trio.lowlevel.checkpoint()
        await until(lambda: metadata_of(nodes[0], "node-1") == {"number": "100"})
        assert nodes[0].alive == nodes[1].alive == 2


async def test_what_has_arrived_is_read_before_a_late_timer_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    calls: list[str] = []
    async with local_node("a") as a, local_node("b", seeds=[a.address]) as b:
        await until(lambda: a.alive == b.alive == 2)
        protocol = a._protocol
        handle_timer, receive_datagram = protocol.handle_timer, protocol.receive_datagram

        def note_timer(now: float) -> None:
            calls.append("timer")
            handle_timer(now)

        def note_datagram(data: bytes, source: Address, now: float) -> None:
            calls.append("datagram")
            receive_datagram(data, source, now)

        monkeypatch.setattr(protocol, "handle_timer", note_timer)
        monkeypatch.setattr(protocol, "receive_datagram", note_datagram)
        late = protocol.next_timer()
        with socket.socket(type=socket.SOCK_DGRAM) as stranger:
            for _ in range(2 * BATCH):
                stranger.sendto(b"garbage", a.bound_address)
        while trio.current_time() <= late:  # block the whole loop, as a busy program would
            pass
        await until(lambda: "timer" in calls)
        assert calls.index("timer") >= 2 * BATCH


@pytest.mark.parametrize("notice", [True, False], ids=["closed", "closed-behind-our-back"])
async def test_a_closed_udp_socket_is_opened_again_on_the_same_port(notice: bool) -> None:
    async with cluster(2) as nodes:
        udp, address = sockets_of(nodes[0]).udp, nodes[0].bound_address
        if notice:
            trio.lowlevel.notify_closing(udp)
        udp.close()
        await until(lambda: nodes[0].stats.sockets_reopened == 1)
        assert sockets_of(nodes[0]).udp.getsockname() == address
        nodes[1].update({"still": "here"})
        await until(lambda: metadata_of(nodes[0], "node-1") == {"still": "here"})


async def test_a_socket_that_cannot_be_opened_again_is_tried_until_it_can(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    async with cluster(2) as nodes:
        reopen, failures = sockets_of(nodes[0]).reopen_udp, 0

        def fail_at_first() -> None:
            nonlocal failures
            if failures < 2:
                failures += 1
                raise OSError(errno.ENETDOWN, "Network is down")
            reopen()

        monkeypatch.setattr(sockets_of(nodes[0]), "reopen_udp", fail_at_first)
        sockets_of(nodes[0]).udp.close()
        await until(lambda: nodes[0].stats.sockets_reopened == 1)
        assert failures == 2
        nodes[1].update({"still": "here"})
        await until(lambda: metadata_of(nodes[0], "node-1") == {"still": "here"})
    assert any("cannot be opened again: [Errno 100] Network is down" in line for line in caplog.messages)


def _ignored(*_: Any) -> None:
    pass


class _FailingSocket:
    """Fails each read, and the first write, with one error, as a socket on a lost interface does."""

    def __init__(self, code: int) -> None:
        self._code = code
        self._has_failed = False
        self.sent: list[bytes] = []

    def sendto(self, data: bytes, _: Any) -> None:
        if not self._has_failed:
            self._has_failed = True
            raise OSError(self._code, "made up")
        self.sent.append(data)

    def recvfrom(self, _: int) -> Any:
        raise OSError(self._code, "made up")

    def recvmsg(self, *_: int) -> Any:
        raise OSError(self._code, "made up")

    def close(self) -> None:
        pass

    def fileno(self) -> int:
        return -1


@pytest.fixture
async def pair() -> Any:
    with await open_sockets(Address("127.0.0.1", 0)) as sockets:
        yield sockets


ICMP_ERRORS = (
    "ECONNREFUSED", "EHOSTUNREACH", "ENETUNREACH", "EMSGSIZE", "ENOPROTOOPT", "EOPNOTSUPP", "EHOSTDOWN", "ENONET",
    "EPROTO", "EACCES",
)  # fmt: skip
"""What Linux makes of ICMP and ICMPv6 messages, which anybody can forge."""


@pytest.mark.parametrize("error", [each for each in ICMP_ERRORS if hasattr(errno, each)])
async def test_errors_about_peers_never_condemn_the_socket(pair: SocketPair, error: str) -> None:
    pair.udp.close()
    pair.udp = _FailingSocket(getattr(errno, error))  # type: ignore[assignment]
    counters = ShellCounters()
    endpoint = DatagramEndpoint(pair, "a", counters)
    assert endpoint.receive(_ignored, _ignored)
    assert counters.receive_errors == BATCH
    assert endpoint.reopen_at > trio.current_time() + 1000


@pytest.mark.parametrize("error", [each for each in ICMP_ERRORS if hasattr(errno, each) and each != "EMSGSIZE"])
async def test_an_error_about_a_peer_costs_no_other_a_datagram(pair: SocketPair, error: str) -> None:
    pair.udp.close()
    pair.udp = failing = _FailingSocket(getattr(errno, error))  # type: ignore[assignment]
    counters = ShellCounters()
    DatagramEndpoint(pair, "a", counters).send(b"x", Address("127.0.0.1", 9))
    assert failing.sent == [b"x"]
    assert counters.send_errors == 0


async def test_an_error_that_persists_condemns_the_socket(pair: SocketPair) -> None:
    pair.udp.close()
    pair.udp = _FailingSocket(errno.ENETDOWN)  # type: ignore[assignment]
    counters = ShellCounters()
    endpoint = DatagramEndpoint(pair, "a", counters)
    assert not endpoint.receive(_ignored, _ignored)
    assert counters.receive_errors == ERRORS_IN_A_ROW
    assert endpoint.reopen_at < trio.current_time() + 1
