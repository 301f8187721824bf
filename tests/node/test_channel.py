"""Sealed streams: both ends agree on subkeys of this stream alone, and notice whatever is not as it was written."""

from __future__ import annotations

import random
from collections.abc import Iterable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gossip import PLAIN, Key, Keyring
from gossip.core.errors import WireError
from gossip.core.wire import MAX_FRAME_BYTES
from gossip.security.channel import GREETING_BYTES, Channel
from gossip.security.keyring import AES_256_GCM, CHACHA20_POLY1305

DOES_NOT_OPEN = "of another cluster with this key, or forged"

KEY, OTHER_KEY = Key(AES_256_GCM, bytes(range(32))), Key(CHACHA20_POLY1305, bytes(range(1, 33)))
SEALED = Keyring.of(KEY)


def end(
    keyring: Keyring, *, connects: bool, seed: int = 0, cluster: str = "default", marks_end: bool = False
) -> Channel:
    """One end of a stream, with repeatable random numbers."""
    numbers = random.Random(f"{seed} {connects}").randbytes
    return Channel(keyring, cluster, connects=connects, marks_end=marks_end, random_bytes=numbers)


def greeted(ours: Keyring = SEALED, theirs: Keyring = SEALED, seed: int = 0) -> tuple[Channel, Channel]:
    """Both ends of a stream after the greetings: who connected, and who accepted."""
    connecting, accepting = end(ours, connects=True, seed=seed), end(theirs, connects=False, seed=seed)
    connecting.greeted(accepting.greeted(connecting.greeting()))
    return connecting, accepting


def said(channel: Channel, messages: Iterable[bytes]) -> bytes:
    """All that one end writes for these messages, and to end."""
    return b"".join(map(channel.pack, messages)) + channel.ending()


RINGS = st.sampled_from(
    [Keyring.of(PLAIN), Keyring.of(PLAIN, KEY), Keyring.of(KEY, PLAIN), SEALED, Keyring.of(OTHER_KEY)]
)


@given(RINGS, st.lists(st.binary(min_size=1, max_size=100), max_size=8), st.integers(1, 50))
def test_messages_arrive_whole_and_in_order_however_the_stream_is_cut(
    ring: Keyring, messages: list[bytes], size: int
) -> None:
    connecting, accepting = greeted(ring, ring)
    written = said(connecting, messages)
    pieces = [written[at : at + size] for at in range(0, len(written), size)]
    first, *others = pieces or [b""]
    if not accepting.is_open:
        assert accepting.greeted(first) == b""
        first = b""
    read = [message for piece in (first, *others) for message in accepting.feed(piece)]
    assert read == messages


def test_both_ends_may_speak_at_once() -> None:
    connecting, accepting = greeted()
    ours, theirs = connecting.pack(b"ping"), accepting.pack(b"pong")
    assert list(accepting.feed(ours)) == [b"ping"]
    assert list(connecting.feed(theirs)) == [b"pong"]


def test_the_largest_message_fits() -> None:
    connecting, accepting = greeted()
    largest = bytes(MAX_FRAME_BYTES)
    assert list(accepting.feed(connecting.pack(largest))) == [largest]


def test_what_comes_together_with_a_greeting_is_not_lost() -> None:
    connecting, accepting = end(SEALED, connects=True), end(SEALED, connects=False)
    answer = accepting.greeted(connecting.greeting())
    connecting.greeted(answer + accepting.pack(b"hello"))
    assert list(connecting.feed(b"")) == [b"hello"]


def test_a_greeting_may_come_in_pieces() -> None:
    connecting, accepting = end(SEALED, connects=True), end(SEALED, connects=False)
    greeting = connecting.greeting()
    answers = [accepting.greeted(greeting[at : at + 1]) for at in range(len(greeting))]
    assert len(greeting) == GREETING_BYTES
    assert [bool(answer) for answer in answers] == [False] * (GREETING_BYTES - 1) + [True]


def test_a_stream_recorded_is_of_no_use_again() -> None:
    connecting, accepting = end(SEALED, connects=True), end(SEALED, connects=False)
    greeting = connecting.greeting()
    connecting.greeted(accepting.greeted(greeting))
    recorded = connecting.pack(b"hello")
    again = end(SEALED, connects=False, seed=1)
    again.greeted(greeting)
    with pytest.raises(WireError, match=DOES_NOT_OPEN):
        list(again.feed(recorded))


@pytest.mark.parametrize("how", ["repeated", "left out", "exchanged", "sent back", "changed"])
def test_frames_out_of_place_are_noticed(how: str) -> None:
    connecting, accepting = greeted()
    first, second, third = (connecting.pack(text) for text in (b"first", b"second", b"third"))
    receiver = connecting if how == "sent back" else accepting
    frames = {
        "repeated": [first, first],
        "left out": [first, third],
        "exchanged": [second, first],
        "sent back": [first],
        "changed": [first[:-1] + bytes((first[-1] ^ 1,))],
    }
    with pytest.raises(WireError, match=DOES_NOT_OPEN):
        list(receiver.feed(b"".join(frames[how])))


@given(st.integers(0, 200))
def test_a_stream_cut_short_is_noticed(kept: int) -> None:
    connecting, accepting = greeted()
    written = said(connecting, [b"first", b"second"])
    list(accepting.feed(written[:kept]))
    assert accepting.was_cut == (kept < len(written))


def test_a_stream_that_ends_before_the_greeting_was_cut() -> None:
    assert end(SEALED, connects=True).was_cut
    assert end(SEALED, connects=False).was_cut


def test_nothing_may_follow_the_last_frame() -> None:
    connecting, accepting = greeted()
    written = said(connecting, [b"first"])
    with pytest.raises(WireError, match="frames after the last one"):
        list(accepting.feed(written + connecting.pack(b"second")))


def test_inside_tls_the_end_is_marked_without_a_key() -> None:
    ends = [end(Keyring.of(PLAIN), connects=connects, marks_end=True) for connects in (True, False)]
    assert list(ends[1].feed(ends[0].pack(b"hello"))) == [b"hello"]
    assert ends[1].was_cut
    assert list(ends[1].feed(ends[0].ending())) == []
    assert not ends[1].was_cut


@pytest.mark.parametrize(
    ("connecting", "accepting", "reason"),
    [
        (Keyring.of(OTHER_KEY), SEALED, "sealed with an unknown key"),
        (Keyring.of(PLAIN), SEALED, "not sealed"),
    ],
)
def test_whoever_has_no_key_of_ours_gets_no_further(connecting: Keyring, accepting: Keyring, reason: str) -> None:
    theirs, ours = end(connecting, connects=True), end(accepting, connects=False)
    opening = theirs.greeting() or theirs.pack(b"hello")
    with pytest.raises(WireError, match=reason):
        ours.greeted(opening)
    assert not ours.is_open


def test_an_answer_that_is_not_sealed_is_not_taken_for_one() -> None:
    connecting = end(Keyring.of(KEY, PLAIN), connects=True)
    with pytest.raises(WireError, match="not sealed"):
        connecting.greeted(b"\0\0\0\x05hello")


def test_a_greeting_sent_back_opens_a_channel_on_which_nobody_can_speak() -> None:
    connecting = end(SEALED, connects=True)
    connecting.greeted(connecting.greeting())
    with pytest.raises(WireError, match=DOES_NOT_OPEN):
        list(connecting.feed(connecting.pack(b"hello")))


def test_clusters_that_share_a_key_do_not_understand_each_other() -> None:
    blue, green = end(SEALED, connects=True, cluster="blue"), end(SEALED, connects=False, cluster="green")
    blue.greeted(green.greeted(blue.greeting()))
    with pytest.raises(WireError, match=DOES_NOT_OPEN):
        list(green.feed(blue.pack(b"hello")))


def test_streams_are_sealed_by_whichever_key_the_one_who_connects_uses() -> None:
    for ours, theirs in [
        (Keyring.of(KEY), Keyring.of(OTHER_KEY, KEY)),
        (Keyring.of(PLAIN, KEY), Keyring.of(KEY, PLAIN)),
        (Keyring.of(KEY, PLAIN), Keyring.of(PLAIN, KEY)),
    ]:
        connecting, accepting = greeted(ours, theirs)
        written = connecting.pack(b"hello")
        if not accepting.is_open:
            accepting.greeted(written)
            written = b""
        assert list(accepting.feed(written)) == [b"hello"]
        assert list(connecting.feed(accepting.pack(b"hello"))) == [b"hello"]
