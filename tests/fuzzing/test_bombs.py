"""Bombs: each is refused for a reason that is counted, and takes no more memory than its size allows."""

from __future__ import annotations

import tracemalloc
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from random import Random

import pytest

from gossip.core.errors import WireError
from gossip.core.wire import MAX_FRAME_BYTES
from gossip.security.envelope import SESSION_BYTES, Envelope
from gossip.security.keyring import Keyring
from gossip.security.sealing import VERSION
from tests.core.worlds import STRANGER, Script, dropped
from tests.fuzzing import bombs, decoding, loads, streams
from tests.fuzzing.decoding import reason_of_refusal

MEMORY_PER_BYTE = 128
"""An empty map is one byte on the wire and 64 in memory, and a list that holds it has room for it and for others."""

MEMORY_PER_BYTE_REFUSED_AT_SIGHT = 4
"""What is not looked into is copied a few times at most: out of its piece, into a frame, and out of its envelope."""

MEMORY_OF_ITS_OWN = 64 << 10

GROUPS = [(name, reasons) for bombs_in, reasons in bombs.GROUPS.values() for name in (each.name for each in bombs_in)]

TAKEN = {("nothing", "the address")} | {
    (bomb.name, "a value of metadata")
    for bomb in bombs.GROUPS["texts"][0]
    if bomb.name.startswith("a text: ") and "UTF-8" not in bomb.name
    and reason_of_refusal(bombs.placed(bomb, "a name")) in ("bad name", None)
}  # fmt: skip
"""Where they do no harm: an acknowledgement need not say where it came from, and metadata may be any text."""


@contextmanager
def memory_within(size: int, per_byte: int) -> Iterator[None]:
    """Expect that what is done takes no more memory than that at any moment, beyond some of its own."""
    tracemalloc.start()
    try:
        yield
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak <= per_byte * size + MEMORY_OF_ITS_OWN, f"{peak:,} bytes of memory for {size:,} on the wire"


def test_no_two_bombs_have_one_name() -> None:
    assert len(bombs.BOMBS) == sum(len(group) for group, _ in bombs.GROUPS.values())


@pytest.mark.parametrize(("name", "reasons"), GROUPS, ids=[name for name, _ in GROUPS])
def test_a_bomb_with_a_right_checksum_is_refused_wherever_it_stands(name: str, reasons: frozenset[str]) -> None:
    for place in bombs.PLACES:
        data = bombs.placed(bombs.BOMBS[name], place)
        if (name, place) in TAKEN:
            decoding.fuzz_one(data)
        else:
            assert reason_of_refusal(data) in reasons, place


@pytest.mark.parametrize("name", bombs.BOMBS)
def test_a_bomb_takes_no_more_memory_than_its_size_allows(name: str) -> None:
    data = bombs.placed(bombs.BOMBS[name], "the facts")
    with memory_within(len(data), MEMORY_PER_BYTE):
        reason_of_refusal(data)


def test_a_bomb_is_counted_by_the_node_that_refuses_it() -> None:
    script = Script()
    for count, bomb in enumerate(bombs.BOMBS.values(), start=1):
        script.protocol.receive_datagram(bombs.placed(bomb, "the whole message"), STRANGER, 0.0)
        assert dropped(script.node) == count, bomb.name
    assert script.protocol.stats.dropped.keys() <= decoding.REASONS


def test_a_bomb_without_a_right_checksum_is_not_looked_into() -> None:
    for bomb in bombs.BOMBS.values():
        data = bombs.unsealed(bomb)
        with memory_within(len(data), MEMORY_PER_BYTE_REFUSED_AT_SIGHT):
            assert reason_of_refusal(data) == ("damaged" if len(data) <= MAX_FRAME_BYTES else "too large"), bomb.name


def envelope() -> Envelope:
    """That of a node with a key."""
    return Envelope(Keyring.of(streams.KEY), streams.CLUSTER, random_bytes=Random(1).randbytes)


def test_a_bomb_without_an_envelope_is_not_looked_into() -> None:
    node = envelope()
    for bomb in bombs.BOMBS.values():
        for head in (b"", bytes((VERSION,)) + streams.KEY.number + bytes(SESSION_BYTES)):
            data = head + bombs.unsealed(bomb)
            with memory_within(len(data), MEMORY_PER_BYTE_REFUSED_AT_SIGHT), pytest.raises(WireError):
                node.open(data)
    assert node.sessions == 0


@pytest.mark.parametrize("name", streams.STREAM_BOMBS)
def test_a_bomb_on_a_stream_is_read_as_far_as_it_is_right(name: str) -> None:
    bomb = streams.STREAM_BOMBS[name]
    stream = bomb.make()
    with memory_within(max(len(stream), MAX_FRAME_BYTES), MEMORY_PER_BYTE_REFUSED_AT_SIGHT):
        assert streams.read(bomb, stream) == (bomb.refusal, bomb.messages, bomb.is_cut)


@pytest.mark.parametrize("over_stream", [False, True], ids=["datagram", "stream"])
@pytest.mark.parametrize("name", loads.LOADS)
def test_a_message_full_of_what_is_right_leaves_a_node_within_its_bounds(name: str, over_stream: bool) -> None:
    node, data = loads.node(), loads.message(name)
    # Whatever its size: an answer may be larger. Over a stream it is the largest, and looking at memory takes time.
    with memory_within(MAX_FRAME_BYTES, MEMORY_PER_BYTE) if over_stream else nullcontext():
        loads.handled(node, data, over_stream=over_stream)
    assert node.load.members <= loads.CONFIG.max_members
    assert node.load.suspects <= node.load.members
    assert node.local.status.is_living
