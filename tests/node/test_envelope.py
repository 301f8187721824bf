"""Sealed datagrams: who can read them, and what is let through once, twice or never."""

from __future__ import annotations

import itertools
import random
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gossip import PLAIN, Key, Keyring
from gossip.core.errors import WireError
from gossip.security import envelope as module
from gossip.security.envelope import HEADER_BYTES, OVERHEAD_BYTES, SEQUENCE_AT, SESSION_AT, WINDOW, Envelope
from gossip.security.keyring import AES_256_GCM, CHACHA20_POLY1305
from gossip.security.sealing import NONCE_BYTES, cipher, subkey

DOES_NOT_OPEN = "of another cluster with this key, or forged"

KEY, OTHER_KEY = Key(AES_256_GCM, bytes(range(32))), Key(AES_256_GCM, bytes(range(1, 33)))


def random_bytes(seed: int) -> Callable[[int], bytes]:
    """Repeatable session numbers."""
    return random.Random(seed).randbytes


def envelope(*keys: Key, cluster: str = "default", seed: int = 1) -> Envelope:
    """One node's envelope, which seals with the first of the keys."""
    return Envelope(Keyring.of(*keys or (KEY,)), cluster, random_bytes=random_bytes(seed))


def refused(receiver: Envelope, data: bytes) -> str:
    """The reason for which a datagram is not let through."""
    with pytest.raises(WireError) as caught:
        receiver.open(data)
    return str(caught.value)


@pytest.mark.parametrize("algorithm", [AES_256_GCM, CHACHA20_POLY1305])
def test_what_one_holder_of_a_key_seals_another_opens(algorithm: str) -> None:
    key = Key(algorithm, bytes(range(32)))
    data = envelope(key).seal(b"hello")
    assert envelope(key, seed=2).open(data) == b"hello"
    assert b"hello" not in data


def test_all_of_a_header_is_authenticated_and_its_end_is_the_nonce() -> None:
    sealed = envelope().seal(b"hello")
    header, session, number = sealed[:HEADER_BYTES], sealed[SESSION_AT:SEQUENCE_AT], sealed[SEQUENCE_AT:HEADER_BYTES]
    opening = cipher(KEY, subkey(KEY, "default", "datagrams", session))
    assert opening.decrypt(number.rjust(NONCE_BYTES, b"\0"), sealed[HEADER_BYTES:], header) == b"hello"


def test_an_envelope_costs_32_bytes() -> None:
    assert len(envelope().seal(b"x" * 100)) == 132
    assert OVERHEAD_BYTES == 32


def test_no_two_datagrams_look_alike() -> None:
    sender = envelope()
    assert sender.seal(b"hello")[HEADER_BYTES:] != sender.seal(b"hello")[HEADER_BYTES:]


@given(st.data(), st.binary(max_size=64))
def test_a_datagram_changed_anywhere_is_not_let_through(data: st.DataObject, content: bytes) -> None:
    sealed = envelope().seal(content)
    place = data.draw(st.integers(0, len(sealed) - 1))
    changed = bytearray(sealed)
    changed[place] ^= data.draw(st.integers(1, 255))
    reason = refused(envelope(seed=2), bytes(changed))
    assert reason in ("not sealed", "sealed with an unknown key", DOES_NOT_OPEN)


@given(st.binary(max_size=100))
def test_bytes_made_up_are_not_let_through(data: bytes) -> None:
    assert refused(envelope(), data) in (
        "not sealed",
        "sealed, but too short",
        "sealed with an unknown key",
        DOES_NOT_OPEN,
    )


def test_a_datagram_cut_short_is_not_let_through() -> None:
    sealed = envelope().seal(b"hello")
    receiver = envelope(seed=2)
    reasons = {refused(receiver, sealed[:length]) for length in range(len(sealed))}
    assert reasons == {"not sealed", "sealed, but too short", DOES_NOT_OPEN}


def test_another_key_opens_nothing() -> None:
    assert refused(envelope(OTHER_KEY, seed=2), envelope().seal(b"hello")) == "sealed with an unknown key"


def test_the_cluster_is_bound_in() -> None:
    assert refused(envelope(cluster="green", seed=2), envelope(cluster="blue").seal(b"hello")) == DOES_NOT_OPEN


def test_a_key_is_not_used_for_another_algorithm_than_its_own() -> None:
    secret = bytes(range(32))
    sealed = envelope(Key(AES_256_GCM, secret)).seal(b"hello")
    assert refused(envelope(Key(CHACHA20_POLY1305, secret), seed=2), sealed) == "sealed with an unknown key"


def test_what_is_not_sealed_is_let_through_only_where_that_is_allowed() -> None:
    assert envelope(PLAIN).seal(b"\x80 a message") == b"\x80 a message"
    assert envelope(KEY, PLAIN).open(b"\x80 a message") == b"\x80 a message"
    assert refused(envelope(KEY), b"\x80 a message") == "not sealed"


def test_a_node_without_keys_says_that_it_cannot_open_what_is_sealed() -> None:
    assert refused(envelope(PLAIN, seed=2), envelope().seal(b"hello")) == "sealed with an unknown key"


def test_a_datagram_is_let_through_once() -> None:
    sender, receiver = envelope(), envelope(seed=2)
    sealed = [sender.seal(b"hello") for _ in range(10)]
    for each in sealed:
        receiver.open(each)
    assert {refused(receiver, each) for each in sealed} == {"replayed"}


@given(st.randoms(use_true_random=False), st.integers(1, 200))
def test_datagrams_that_overtake_each_other_are_let_through_once_each(shuffler: random.Random, count: int) -> None:
    sender, receiver = envelope(), envelope(seed=2)
    sealed = [sender.seal(str(number).encode()) for number in range(count)]
    arriving = sealed * 2
    shuffler.shuffle(arriving)
    opened = []
    for each in arriving:
        try:
            opened.append(receiver.open(each))
        except WireError as error:
            assert str(error) == "replayed"  # noqa: PT017 - half of them must be
    assert sorted(opened) == sorted(str(number).encode() for number in range(count))


@pytest.mark.parametrize(("behind", "is_let_in"), [(WINDOW - 1, True), (WINDOW, False)])
def test_the_window_has_an_end(behind: int, is_let_in: bool) -> None:
    sender, receiver = envelope(), envelope(seed=2)
    sealed = [sender.seal(b"hello") for _ in range(behind + 1)]
    receiver.open(sealed[-1])
    if is_let_in:
        assert receiver.open(sealed[0]) == b"hello"
    else:
        assert refused(receiver, sealed[0]) == "replayed"


def test_a_member_that_counts_to_the_end_and_begins_again_costs_no_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    """A holder of the key may seal with any number; a window as wide as all of them would take 128 GiB."""
    monkeypatch.setattr(module, "SESSION_DATAGRAMS", 2**40)
    sender, receiver = envelope(), envelope(seed=2)
    first = sender.seal(b"first")
    assert sender._sealer is not None
    sender._sealer.sequence = 2**40 - 1
    assert receiver.open(sender.seal(b"last")) == b"last"
    assert refused(receiver, first) == "replayed"


def test_a_forged_sequence_number_does_not_move_the_window() -> None:
    sender, receiver = envelope(), envelope(seed=2)
    first, second = sender.seal(b"first"), sender.seal(b"second")
    receiver.open(first)
    forged = second[:11] + (2**40 - 1).to_bytes(5, "big") + second[16:]
    assert refused(receiver, forged) == DOES_NOT_OPEN
    assert receiver.open(second) == b"second"


def test_forged_sessions_are_not_remembered() -> None:
    receiver = envelope(seed=2)
    sealed = envelope().seal(b"hello")
    for number in range(1000):
        refused(receiver, sealed[:3] + number.to_bytes(8, "big") + sealed[11:])
    assert receiver.sessions == 0


def test_a_node_does_not_listen_to_itself() -> None:
    node = envelope()
    assert refused(node, node.seal(b"hello")) == "our own message"


def test_a_restarted_node_is_another_session() -> None:
    receiver = envelope(seed=2)
    assert receiver.open(envelope(seed=3).seal(b"before")) == b"before"
    assert receiver.open(envelope(seed=4).seal(b"after")) == b"after"
    assert receiver.sessions == 2


def test_sessions_are_forgotten_when_there_are_too_many_those_unheard_for_longest_first(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(module, "MAX_SESSIONS", 3)
    receiver, senders = envelope(seed=9), [envelope(seed=seed) for seed in range(4)]
    old = [sender.seal(b"hello") for sender in senders]
    for each in (old[0], old[1], old[2], senders[0].seal(b"again"), old[3]):
        receiver.open(each)
    assert receiver.sessions == 3
    assert refused(receiver, old[0]) == "replayed"


def test_recordings_of_other_sessions_push_one_out_which_then_counts_once_more_each_time(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(module, "MAX_SESSIONS", 3)
    receiver, others = envelope(seed=9), [envelope(seed=seed).seal(b"recorded") for seed in range(3)]
    recorded = envelope(seed=4).seal(b"hello")
    for _ in range(2):
        assert receiver.open(recorded) == b"hello"
        assert refused(receiver, recorded) == "replayed"
        for each in others:
            receiver.open(each)


def test_a_session_ends_before_its_numbers_do(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "SESSION_DATAGRAMS", 2)
    sender, receiver = envelope(), envelope(seed=2)
    sealed = [sender.seal(b"hello") for _ in range(4)]
    assert [receiver.open(each) for each in sealed] == [b"hello"] * 4
    assert len({each[3:11] for each in sealed}) == 2


def test_sessions_of_its_own_that_a_node_remembers_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MAX_SESSIONS", 3)
    node = envelope()
    for _ in range(10):
        sealed = node.seal(b"hello")
        assert refused(node, sealed) == "our own message"
        node.begin_anew()
    assert len(node._own) == 3


def test_keys_are_changed_step_by_step_with_nobody_left_out() -> None:
    steps = [Keyring.of(KEY), Keyring.of(KEY, OTHER_KEY), Keyring.of(OTHER_KEY, KEY), Keyring.of(OTHER_KEY)]
    for before, after in itertools.pairwise(steps):
        early, late = envelope(), envelope(seed=2)
        early.use_keyring(after)
        late.use_keyring(before)
        assert late.open(early.seal(b"hello")) == b"hello"
        assert early.open(late.seal(b"hello")) == b"hello"


def test_sealing_is_turned_on_step_by_step_with_nobody_left_out() -> None:
    steps = [Keyring.of(PLAIN), Keyring.of(PLAIN, KEY), Keyring.of(KEY, PLAIN), Keyring.of(KEY)]
    for before, after in itertools.pairwise(steps):
        early, late = envelope(), envelope(seed=2)
        early.use_keyring(after)
        late.use_keyring(before)
        assert late.open(early.seal(b"\x80hello")) == b"\x80hello"
        assert early.open(late.seal(b"\x80hello")) == b"\x80hello"


def test_a_dropped_key_opens_nothing_any_more() -> None:
    sender, receiver = envelope(), envelope(seed=2)
    receiver.open(sender.seal(b"hello"))
    receiver.use_keyring(Keyring.of(OTHER_KEY))
    assert refused(receiver, sender.seal(b"hello")) == "sealed with an unknown key"
    assert receiver.sessions == 0


def test_it_is_counted_which_keys_are_in_use() -> None:
    receiver = Envelope(Keyring.of(KEY, OTHER_KEY, PLAIN), "default")
    for sender in (envelope(), envelope(OTHER_KEY), envelope(OTHER_KEY, seed=2), envelope(PLAIN)):
        receiver.open(sender.seal(b"\x80"))
    assert receiver.opened == {KEY.id: 1, OTHER_KEY.id: 2, "plain": 1}
