"""Processes that go on twice from one memory: no two datagrams or frames of theirs are sealed with one nonce."""

from __future__ import annotations

import os
import subprocess
import sys

import attrs
import pytest

from gossip import Key, Keyring, Node
from gossip.security.copies import JUMP_NS, Clocks
from gossip.security.envelope import SEQUENCE_AT, SESSION_AT
from tests.node.nodes import cluster, metadata_of, until
from tests.rst import ROOT

MINUTE_NS = 60 * 10**9

FORKED = """
import os
from gossip import Key, Keyring
from gossip.security.channel import Channel
from gossip.core.errors import WireError
from gossip.security.envelope import HEADER_BYTES, SESSION_AT, Envelope

ring = Keyring.of(Key.generate())
envelope = Envelope(ring, "default")
ours, theirs = Channel(ring, "default", connects=True), Channel(ring, "default", connects=False)
ours.greeted(theirs.greeted(ours.greeting()))
envelope.seal(b"before"), ours.pack(b"before")

reading, writing = os.pipe()
child = os.fork()
datagrams = [envelope.seal(b"after") for _ in range(3)]
frames = [ours.pack(b"after") for _ in range(3)]
if not child:
    os.write(writing, b"".join([*datagrams, *frames]))
    os._exit(0)
os.close(writing)
with open(reading, "rb") as pipe:
    of_child = pipe.read()
assert os.waitpid(child, 0)[1] == 0

size = len(datagrams[0])
all_datagrams = [*datagrams, *(of_child[at : at + size] for at in range(0, 3 * size, size))]
assert len({each[SESSION_AT:HEADER_BYTES] for each in all_datagrams}) == 6, "a number is used twice in one session"
receiver = Envelope(ring, "default")
assert [receiver.open(each) for each in all_datagrams] == [b"after"] * 6

assert len({*frames, of_child[3 * size :][: len(frames[0])]}) == 4, "a nonce is used twice for one message"
try:
    list(theirs.feed(of_child[3 * size :]))
except WireError:
    pass
else:
    raise AssertionError("the child writes on its parent's stream")
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="processes are not forked here")
def test_a_process_that_is_forked_and_its_child_never_use_one_nonce_under_one_subkey() -> None:
    done = subprocess.run([sys.executable, "-c", FORKED], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


@attrs.define
class Time:
    """What two clocks show."""

    wall_ns: int = 1_700_000_000 * 10**9
    local_ns: int = 0

    def passes(self, wall_ns: int, local_ns: int) -> None:
        self.wall_ns += wall_ns
        self.local_ns += local_ns

    def clocks(self) -> Clocks:
        return Clocks(lambda: self.wall_ns, lambda: self.local_ns)


@pytest.mark.parametrize(
    ("wall_ns", "local_ns", "jumped"),
    [
        (MINUTE_NS, MINUTE_NS, False),
        (MINUTE_NS + JUMP_NS, MINUTE_NS, False),
        (MINUTE_NS, 0, True),
        (0, MINUTE_NS, True),
        (-MINUTE_NS, 1, True),
    ],
)
def test_clocks_that_go_on_at_one_pace_have_not_jumped(wall_ns: int, local_ns: int, jumped: bool) -> None:
    time = Time()
    clocks = time.clocks()
    assert not clocks.have_jumped()
    for _ in range(3):
        time.passes(wall_ns, local_ns)
        assert clocks.have_jumped() == jumped
        assert not clocks.have_jumped()


async def test_where_time_has_jumped_not_a_single_datagram_more_is_of_the_same_session(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async with cluster(2, keyring=Keyring.of(Key.generate())) as nodes:
        time = Time()
        monkeypatch.setattr(nodes[0]._security, "_clocks", time.clocks())
        sent = sessions_sent(nodes[0], monkeypatch)
        await until(lambda: len(sent) >= 3)
        before = set(sent)
        sent.clear()
        time.passes(MINUTE_NS, 0)
        nodes[0].update({"since": "the jump"})
        await until(lambda: metadata_of(nodes[1], "node-0") == {"since": "the jump"} and len(sent) >= 3)
        assert len(before) == len(set(sent)) == 1
        assert before != set(sent)
        assert not nodes[1].stats.protocol.dropped


def sessions_sent(node: Node, monkeypatch: pytest.MonkeyPatch) -> list[bytes]:
    """The session of each datagram that the node sends from now on."""
    endpoint, sessions = node._driver._endpoint, list[bytes]()
    send = endpoint.send

    def note(data: bytes, *rest: object) -> None:
        sessions.append(data[SESSION_AT:SEQUENCE_AT])
        send(data, *rest)  # type: ignore[arg-type]

    monkeypatch.setattr(endpoint, "send", note)
    return sessions
