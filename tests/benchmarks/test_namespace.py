"""The private network of the benchmarks: what it loses, cuts and counts."""

import subprocess
import sys
import textwrap

import pytest

from benchmarks.environment import namespace
from tests.benchmarks.commands import why_no_network
from tests.rst import ROOT

LIMIT_S = 60

INSIDE = """
import socket, subprocess, sys
from benchmarks.environment import namespace

namespace.enter()

def bound(address):
    found = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    found.bind((address, 7000))
    found.settimeout(0.2)
    return found

def answers(here, there):
    here.sendto(b"?", (there, 7000))
    try:
        return here.recv(10) == b"?"
    except TimeoutError:
        return False

ECHO = '''
import socket
echo = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
echo.bind(("10.2.0.1", 7000))
accepting = socket.create_server(("10.2.0.1", 7000))
print("ready", flush=True)
while True:
    data, source = echo.recvfrom(10)
    echo.sendto(data, source)
'''
"""


def inside(script: str) -> list[str]:
    """Run a script in a private network; what it prints, line by line."""
    if (reason := why_no_network()) is not None:
        pytest.skip(reason)
    command = [sys.executable, "-c", INSIDE + textwrap.dedent(script)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=LIMIT_S, cwd=ROOT, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()


def test_what_is_sent_is_counted_without_headers() -> None:
    told = inside("""
        here = bound("10.1.0.1")
        before = namespace.sent()
        for _ in range(5):
            here.sendto(b"0123456789", ("10.1.0.1", 7000))
        sent = namespace.sent() - before
        print(sent.datagrams, sent.datagram_bytes, sent.stream_bytes)
    """)
    assert told == ["5 50 0"]


def test_a_share_of_packets_is_lost_while_asked_for_and_the_sender_is_not_told() -> None:
    (told,) = inside("""
        here = bound("10.1.0.1")
        here.setblocking(False)

        def arrived():
            count = 0
            for _ in range(2000):
                here.sendto(b"x", ("10.1.0.1", 7000))
                try:
                    here.recv(10)
                    count += 1
                except BlockingIOError:
                    pass
            return count

        with namespace.loss(0.25):
            lossy = arrived()
        print(lossy, arrived())
    """)
    lossy, clean = map(int, told.split())
    assert 1350 < lossy < 1650
    assert clean == 2000


def test_packets_take_their_time_where_the_kernel_can_delay_them() -> None:
    (told,) = inside("""
        here = bound("10.1.0.1")

        def is_late():
            here.sendto(b"x", ("10.1.0.1", 7000))
            try:
                return not here.recv(10)
            except TimeoutError:
                return True

        with namespace.delay(5.0, 0.0) as can:
            late = is_late()
        print(can == late, is_late())
    """)
    assert told == "True False"


def test_while_there_is_silence_nobody_is_told_that_a_port_is_closed() -> None:
    told = inside("""
        here = socket.socket(type=socket.SOCK_DGRAM)
        here.bind(("10.1.0.1", 0))
        here.connect(("10.1.0.1", 7001))
        here.settimeout(0.2)

        def outcome():
            try:
                here.send(b"x")
                here.recv(10)
            except ConnectionRefusedError:
                return "refused"
            except TimeoutError:
                return "silence"

        def connection():
            try:
                socket.create_connection(("10.1.0.1", 7001), timeout=0.2)
            except ConnectionRefusedError:
                return "refused"
            except TimeoutError:
                return "silence"

        with namespace.silence():
            print(outcome(), connection())
        print(outcome(), connection())
    """)
    assert told == ["silence silence", "refused refused"]


def test_one_other_half_may_follow_another_at_once() -> None:
    told = inside("""
        for _ in range(5):
            namespace.OtherHalf().close()
        print("done")
    """)
    assert told == ["done"]


def test_the_other_half_is_reached_cut_off_and_reached_again() -> None:
    told = inside("""
        half = namespace.OtherHalf()
        other = subprocess.Popen(half.command([sys.executable, "-c", ECHO]), stdout=subprocess.PIPE)
        other.stdout.readline()
        here = bound("10.1.0.1")

        def connects():
            try:
                socket.create_connection(("10.2.0.1", 7000), timeout=0.2).close()
                return True
            except TimeoutError:
                return False

        print(answers(here, "10.2.0.1"), connects())
        with half.cut_off():
            print(answers(here, "10.2.0.1"), connects())
        print(answers(here, "10.2.0.1"), connects())
        other.kill()
        other.wait()
        half.close()
    """)
    assert told == ["True True", "False False", "True True"]


def test_nobody_else_is_in_that_network() -> None:
    (told,) = inside("""
        print(*sorted(name for _, name in socket.if_nameindex()))
    """)
    assert told == "lo"


def test_a_missing_tool_is_named_with_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("GOSSIP_BENCHMARKS_NAMESPACE", raising=False)
    monkeypatch.setattr(namespace, "_path", lambda tool: None if tool == "nft" else f"/bin/{tool}")
    with pytest.raises(namespace.NamespaceUnavailable, match="apt-get install nftables"):
        namespace.enter()
