"""Messages and bytes: what is encoded is decoded to the same, and whatever else arrives is refused by name."""

from __future__ import annotations

from typing import Any
from zlib import crc32

import cbor2
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gossip.core.errors import WireError
from gossip.core.state.heartbeat import MAX_COUNTER
from gossip.core.state.member import (
    MAX_NAME_BYTES,
    MAX_VERSION,
    Identity,
    Record,
    encoded_metadata_bytes,
    is_valid_name,
)
from gossip.core.support.address import Address
from gossip.core.wire import (
    CHECKSUM_BYTES,
    KINDS,
    MAX_FRAME_BYTES,
    PROTOCOL_VERSION,
    Codec,
    Records,
    encode_fact,
)
from gossip.core.wire.messages import (
    MAX_ACCUSERS,
    MAX_ID,
    MAX_TOKEN,
    Ack,
    AliveFact,
    Body,
    Digest,
    Fact,
    Message,
    News,
    Ping,
    PingRequest,
    RecordFact,
)
from tests.core import strategies
from tests.core.worlds import examples

CODEC = Codec("default")
LIMIT = 60_000
SENDER, HEARTBEAT, FINGERPRINT = 7, 100, 12_345


def encoded(body: Body, facts: list[Fact], *, limit: int = LIMIT, sender: int = SENDER) -> bytes:
    """A message of the default cluster."""
    return CODEC.encode(sender, HEARTBEAT, FINGERPRINT, body, [encode_fact(fact) for fact in facts], limit)[0]


def sealed(content: bytes) -> bytes:
    """Any content with the checksum that belongs to it."""
    return content + crc32(content).to_bytes(4, "big")


def opened(data: bytes) -> bytes:
    """A message without its checksum."""
    return data[:-CHECKSUM_BYTES]


def encoded_again(message: Message) -> bytes:
    """A decoded message, encoded from its parts."""
    facts = [encode_fact(fact) for fact in message.facts]
    return CODEC.encode(message.sender, message.heartbeat, message.fingerprint, message.body, facts, 10**6)[0]


# --- what is valid


@given(
    strategies.bodies,
    st.lists(strategies.facts, max_size=6),
    st.integers(0, MAX_ID),
    strategies.counters,
    st.integers(0, MAX_ID),
)
def test_every_message_comes_back_as_it_was(
    body: Body, facts: list[Fact], sender: int, heartbeat: int, fingerprint: int
) -> None:
    data, fitting = CODEC.encode(sender, heartbeat, fingerprint, body, [encode_fact(fact) for fact in facts], LIMIT)
    assert fitting == len(facts)
    assert CODEC.decode(data) == Message(sender, heartbeat, fingerprint, body, tuple(facts))


@given(strategies.bodies, st.lists(strategies.facts, max_size=40), st.integers(576, 3000))
def test_a_message_takes_the_first_facts_that_fit_and_is_never_above_the_limit(
    body: Body, facts: list[Fact], limit: int
) -> None:
    parts = [encode_fact(fact) for fact in facts]
    data, fitting = CODEC.encode(SENDER, HEARTBEAT, FINGERPRINT, body, parts, limit)
    assert len(data) <= limit
    assert CODEC.decode(data).facts == tuple(facts[:fitting])
    if fitting < len(facts):
        assert len(data) + len(parts[fitting]) + 2 > limit, "there was room for one more"


@pytest.mark.parametrize("count", [0, 1, 23, 24, 255, 256, 257, 5_000])
def test_any_number_of_facts_is_counted_in_the_shortest_form(count: int) -> None:
    data = encoded(News(), [AliveFact(number + 1, 0) for number in range(count)])
    assert len(CODEC.decode(data).facts) == count


@given(strategies.metadata)
def test_the_size_of_metadata_is_what_it_adds_to_a_record(metadata: dict[str, str]) -> None:
    empty, full = (
        RecordFact(Record(Identity("n", 1, 1), 1, Address("10.0.0.1", 1), each), 1) for each in ({}, metadata)
    )
    assert len(encode_fact(full)) - len(encode_fact(empty)) == encoded_metadata_bytes(metadata) - 1


def test_a_record_that_is_heard_again_is_the_same_object() -> None:
    first, second = (CODEC.decode(sealed(record_with(7, heartbeat))).facts[0] for heartbeat in (50, 51))
    assert isinstance(first, RecordFact)
    assert isinstance(second, RecordFact)
    assert second.record is first.record
    assert (first.heartbeat, second.heartbeat) == (50, 51)


@given(strategies.metadata)
def test_a_record_is_the_same_whatever_the_order_of_its_metadata(metadata: dict[str, str]) -> None:
    turned = dict(reversed(metadata.items()))
    one, other = (Record(Identity("n", 1, 1), 1, Address("10.0.0.1", 1), each) for each in (metadata, turned))
    assert list(one.metadata) == list(other.metadata)
    assert encode_fact(RecordFact(one, 1)) == encode_fact(RecordFact(other, 1))


# --- what is not


@settings(max_examples=examples(200))
@given(st.binary(max_size=300))
def test_arbitrary_bytes_are_refused_or_canonical(data: bytes) -> None:
    check_refused_or_canonical(data)
    check_refused_or_canonical(sealed(data))


MUTATIONS = st.lists(
    st.tuples(
        st.sampled_from(["flip", "cut", "insert", "delete", "double"]), st.integers(0, 10_000), st.integers(0, 255)
    ),
    min_size=1,
    max_size=4,
)


@settings(max_examples=examples(200))
@given(strategies.bodies, st.lists(strategies.facts, max_size=4), MUTATIONS)
def test_mutated_messages_are_refused_or_canonical(
    body: Body, facts: list[Fact], mutations: list[tuple[str, int, int]]
) -> None:
    data = bytearray(opened(encoded(body, facts)))
    for what, where, value in mutations:
        at = where % max(1, len(data))
        if what == "flip" and data:
            data[at] ^= 1 << value % 8
        elif what == "cut":
            del data[at:]
        elif what == "insert":
            data.insert(at, value)
        elif what == "delete" and data:
            del data[at]
        else:
            data += data[at : at + value]
    check_refused_or_canonical(bytes(data))
    check_refused_or_canonical(sealed(bytes(data)))


def check_refused_or_canonical(data: bytes) -> None:
    """Decoding raises nothing but a :class:`WireError`, and takes nothing that it would not itself have sent."""
    try:
        message = CODEC.decode(data)
    except WireError:
        return
    assert message.refused or encoded_again(message) == data


ACK = Ack(5, Address("10.0.0.1", 7946), 9)
ITEMS: list[Any] = cbor2.loads(opened(encoded(ACK, [AliveFact(9, 50)])))
RECORD_ITEMS: list[Any] = [0, 9, "name", 1000, 1, Address("10.0.0.1", 7946).to_wire(), {"a": "1", "b": "2"}, 50]


def message_with(index: int, value: object) -> bytes:
    """A good ping with one of its items replaced."""
    items = list(ITEMS)
    items[index] = value
    return cbor2.dumps(items)


def message_with_facts(*facts: object) -> bytes:
    """A good ping with these facts."""
    return message_with(-1, list(facts))


def record_with(index: int, value: object) -> bytes:
    """A good ping with a record fact one item of which is replaced."""
    items = list(RECORD_ITEMS)
    items[index] = value
    return message_with_facts(items)


def with_last_item(raw: bytes) -> bytes:
    """A good ping with these raw bytes in place of its facts."""
    return bytes((0x80 + len(ITEMS),)) + cbor2.dumps(ITEMS[:-1])[1:] + raw


def refused(content: bytes) -> str:
    """The reason for which these bytes are no message, though the checksum behind them is right."""
    return refused_as_it_is(sealed(content))


def refused_as_it_is(data: bytes) -> str:
    """The reason for which these bytes are no message, or the only fact in it is none."""
    try:
        message = CODEC.decode(data)
    except WireError as error:
        return str(error)
    assert message.facts == ()
    (reason,) = message.refused
    return reason


def test_the_parts_from_which_bad_messages_are_made_are_good() -> None:
    assert CODEC.decode(sealed(cbor2.dumps(ITEMS))).body == ACK
    assert CODEC.decode(sealed(message_with_facts(RECORD_ITEMS))).facts[0].id == 9


@pytest.mark.parametrize("trailing", [b"\x00", b"\xf6", b"\x80", b"\xff", bytes(1000)])
def test_trailing_bytes_are_refused(trailing: bytes) -> None:
    assert refused(cbor2.dumps(ITEMS) + trailing) in ("not canonical", "not CBOR")


@pytest.mark.parametrize("length", range(len(cbor2.dumps(ITEMS))))
def test_a_message_cut_short_is_refused(length: int) -> None:
    assert refused(cbor2.dumps(ITEMS)[:length]) == "not CBOR"


@pytest.mark.parametrize(
    "longer", [b"\x18\x05", b"\x19\x00\x05", b"\x1a\x00\x00\x00\x05", b"\x1b" + bytes(7) + b"\x05"]
)
def test_numbers_in_a_longer_form_than_necessary_are_refused(longer: bytes) -> None:
    good = cbor2.dumps(ITEMS)
    at = good.index(b"\x05\x46")
    assert refused(good[:at] + longer + good[at + 1 :]) == "not canonical"


def test_lengths_in_a_longer_form_than_necessary_are_refused() -> None:
    good = cbor2.dumps(ITEMS)
    assert refused(bytes((0x98, len(ITEMS))) + good[1:]) == "not canonical"


@pytest.mark.parametrize(
    "raw", [b"\x9f\xff", b"\x5f\x41a\xff", b"\x7f\x61a\xff", b"\xbf\xff"], ids=["array", "bytes", "text", "map"]
)
def test_indefinite_lengths_are_refused(raw: bytes) -> None:
    assert refused(with_last_item(raw)) in ("not CBOR", "not canonical")
    assert refused(b"\x9f" + cbor2.dumps(ITEMS)[1:] + b"\xff") in ("not CBOR", "not canonical")


TAGS = [0, 1, 2, 3, 4, 5, 24, 25, 28, 29, 30, 35, 36, 37, 43, 100, 256, 258, 260, 261, 1004, 43_000, 55_799, 2**32]


TAGGED = [b"\x00", b"\x80", b"\x41a", b"\x60", b"\xa0", b"\x82\x01\x02", b"\x6a2020-01-01"]


@pytest.mark.parametrize("tag", TAGS)
def test_tags_of_any_kind_are_refused_wherever_they_stand(tag: int) -> None:
    head = cbor2.dumps(cbor2.CBORTag(tag, 0))[:-1]
    for content in TAGGED:
        assert refused(head + content)
        assert refused(with_last_item(head + content))
    assert refused(head + cbor2.dumps(ITEMS))


def test_a_tag_is_counted_as_one() -> None:
    assert refused(with_last_item(b"\xc0\x00")) == "tag"


@pytest.mark.parametrize(
    "value", [5.0, 0.0, float("nan"), float("inf"), True, False, None, "5", b"5", [5], {}, -1, -(2**70)]
)
@pytest.mark.parametrize("index", [3, 4, 5, 6], ids=["sender", "heartbeat", "fingerprint", "token"])
def test_where_a_number_belongs_nothing_else_is_taken(index: int, value: object) -> None:
    assert refused(message_with(index, value)) in ("number out of range", "tag", "not CBOR")


@pytest.mark.parametrize(("index", "largest"), [(3, MAX_ID), (4, MAX_COUNTER), (5, MAX_ID), (6, MAX_TOKEN)])
def test_numbers_are_taken_up_to_their_limit(index: int, largest: int) -> None:
    CODEC.decode(sealed(message_with(index, largest)))
    CODEC.decode(sealed(message_with(index, 0)))
    assert refused(message_with(index, largest + 1)) in ("number out of range", "tag", "not CBOR")


@pytest.mark.parametrize("version", [0, 2, 255, True, 1.0, "1", None, [1]])
def test_other_versions_are_refused(version: object) -> None:
    assert PROTOCOL_VERSION == 1, "adapt the versions of this test"
    assert refused(message_with(0, version)) == "unknown version"


@pytest.mark.parametrize("value", [[], [1], [1, 2, 3, 4, 5, 6], {}, {1: 1}, 1, "text", b"bytes", None, True])
def test_what_is_no_message_at_all_is_refused(value: object) -> None:
    assert refused(cbor2.dumps(value)) in ("wrong shape", "unknown version", "not CBOR")


@pytest.mark.parametrize("tag", [b"", b"1234", b"12345", "abcd", 5, None])
def test_messages_of_another_cluster_are_refused(tag: object) -> None:
    assert refused(message_with(1, tag)) == "other cluster"
    with pytest.raises(WireError, match="other cluster"):
        Codec("other").decode(sealed(cbor2.dumps(ITEMS)))


@pytest.mark.parametrize("kind", [0, 12, 255, 2**40, -1, True, "1", None, 1.0, [], b"\x01"])
def test_unknown_kinds_are_refused(kind: object) -> None:
    assert refused(message_with(2, kind)) == "unknown kind"


@pytest.mark.parametrize(
    "items", [ITEMS[:-1], [*ITEMS, []], [*ITEMS[:-1], 0, []]], ids=["short", "long", "longer body"]
)
def test_messages_of_the_wrong_length_are_refused(items: list[object]) -> None:
    assert refused(cbor2.dumps(items)) == "wrong shape"


@pytest.mark.parametrize("address", [b"", b"12345", b"1234567", b"1" * 17, b"1" * 19, "1.2.3.4:5", 5, [1, 2], True])
def test_bad_addresses_are_refused(address: object) -> None:
    assert refused(message_with(7, address)) == "bad address"
    assert refused(record_with(5, address)) == "bad address"
    assert refused(record_with(5, None)) == "bad address"


@pytest.mark.parametrize(
    "name",
    [
        "",
        " ",
        " a",
        "a ",
        "a\n",
        "\ta",
        "a\x00b",
        "a\x1b[31mb",
        "a\x7fb",
        "a\x85b",
        "a\u200bb",
        "a\u202eb",
        "a\u2028b",
        "a\ufeffb",
        "a\u00a0",
        "x" * (MAX_NAME_BYTES + 1),
        "\u00e9" * (MAX_NAME_BYTES // 2 + 1),
        5,
        b"name",
        None,
        True,
        [],
    ],
)
def test_bad_names_are_refused(name: object) -> None:
    assert refused(record_with(2, name)) == "bad name"
    assert not is_valid_name(name)


@pytest.mark.parametrize(
    "name", ["a", "web-1.example.org", "x" * MAX_NAME_BYTES, "\u00e9" * (MAX_NAME_BYTES // 2), "節点", "a b"]
)
def test_good_names_are_taken(name: str) -> None:
    assert is_valid_name(name)
    CODEC.decode(sealed(record_with(2, name)))


def test_invalid_utf_8_is_refused() -> None:
    good = record_with(2, "name")
    for bad in (b"\xff\xfe\xfd\xfc", b"\xed\xa0\x80a", b"\xc0\xafab", b"\xf5\x80\x80\x80"):
        assert refused(good.replace(b"name", bad)) == "not CBOR"


def test_lone_surrogates_are_no_names() -> None:
    assert not is_valid_name("a\ud800")
    assert refused(record_with(2, "abc").replace(b"abc", b"\xed\xa0\x80")) == "not CBOR"


@pytest.mark.parametrize(
    "metadata",
    [
        None,
        [],
        "a",
        5,
        {"a": 1},
        {1: "a"},
        {"a": None},
        {b"a": "b"},
        {"a": b"b"},
        {"a": ["b"]},
        {"a": {}},
        {True: "a"},
        {"a": 1.5},
    ],
)
def test_metadata_other_than_text_to_text_is_refused(metadata: object) -> None:
    assert refused(record_with(6, metadata)) in ("bad metadata", "not CBOR")


def test_metadata_keys_given_twice_are_refused() -> None:
    good = record_with(6, {"a": "1", "b": "2"})
    assert refused(good.replace(b"\x61b", b"\x61a")) == "not CBOR"


def test_metadata_keys_out_of_order_are_refused() -> None:
    assert refused(record_with(6, {"b": "2", "a": "1"}))


def test_unhashable_map_keys_are_refused() -> None:
    good = record_with(6, {"a": "1"})
    assert refused(good.replace(b"\x61a\x61" + b"1", b"\x80\x61" + b"1"))
    assert refused(good.replace(b"\x61a\x61" + b"1", b"\xa0\x61" + b"1"))


@pytest.mark.parametrize("index", [1, 3, 4, 7], ids=["id", "generation", "version", "heartbeat"])
@pytest.mark.parametrize("value", [-1, 2**64, 1.0, True, None, "1", b"1"])
def test_numbers_of_a_record_are_numbers_within_bounds(index: int, value: object) -> None:
    assert refused(record_with(index, value)) in ("number out of range", "tag", "not CBOR")


@pytest.mark.parametrize(
    ("index", "value"), [(1, 0), (3, MAX_VERSION + 1), (4, 0), (4, MAX_VERSION + 1), (7, MAX_COUNTER + 1)]
)
def test_numbers_of_a_record_just_out_of_bounds_are_refused(index: int, value: int) -> None:
    assert refused(record_with(index, value)) == "number out of range"


@pytest.mark.parametrize(
    ("fact", "reason"),
    [
        ([], "unknown fact"),
        ([5, 1, 1], "unknown fact"),
        ([-1, 1, 1], "unknown fact"),
        ([True, 1, 1], "unknown fact"),
        ([1.0, 1, 1], "unknown fact"),
        (["1", 1, 1], "unknown fact"),
        ([None], "unknown fact"),
        ([[1], 1, 1], "unknown fact"),
        (1, "wrong shape"),
        ({}, "wrong shape"),
        (None, "wrong shape"),
        (b"", "wrong shape"),
        ([1, 1], "wrong shape"),
        ([1, 1, 1, 1], "wrong shape"),
        ([0, 1], "wrong shape"),
        ([*RECORD_ITEMS, 1], "wrong shape"),
        ([2, 1, 1, []], "wrong shape"),
        ([2, 1, 1, 5, 0], "wrong shape"),
        ([2, 1, 1, {}, 0], "wrong shape"),
        ([3, 1, 1, [], 1, 1], "wrong shape"),
        ([4, 1], "wrong shape"),
        ([1, 0, 1], "number out of range"),
        ([1, 1, MAX_COUNTER + 1], "number out of range"),
        ([1, MAX_ID, -1], "number out of range"),
        ([2, 1, 0, [], 0], "number out of range"),
        ([2, 1, 1, [0], 0], "number out of range"),
        ([2, 1, 1, ["a"], 0], "number out of range"),
        ([2, 1, 1, [True], 0], "number out of range"),
        ([2, 1, 1, [*range(1, MAX_ACCUSERS + 2)], 0], "too many accusers"),
        ([3, 1, 0, [], 0], "number out of range"),
        ([3, 1, MAX_COUNTER + 1, [], 0], "number out of range"),
        ([3, 1, 1, [], MAX_COUNTER + 1], "number out of range"),
        ([3, 1, 1, [*range(1, MAX_ACCUSERS + 2)], 0], "too many accusers"),
        ([4, 1, 0], "number out of range"),
        ([4, 0, 1], "number out of range"),
        ([4, 1, True], "number out of range"),
    ],
    ids=str,
)
def test_bad_facts_are_refused(fact: object, reason: str) -> None:
    assert refused(message_with_facts(fact)) == reason


@pytest.mark.parametrize("facts", [None, {}, 5, "facts", b"facts", True])
def test_facts_that_are_no_list_are_refused(facts: object) -> None:
    assert refused(message_with(-1, facts)) == "wrong shape"


@pytest.mark.parametrize("depth", [6, 7, 100, 1_000, 60_000])
@pytest.mark.parametrize(
    "opening", [b"\x81", b"\xa1\x00", b"\xc0", b"\x81\xa1\x00"], ids=["arrays", "maps", "tags", "both"]
)
def test_deep_nesting_is_refused(depth: int, opening: bytes) -> None:
    assert refused((opening * depth)[:65_000] + b"\x00") in ("not CBOR", "tag")


@pytest.mark.parametrize("major", [0x40, 0x60, 0x80, 0xA0], ids=["bytes", "text", "array", "map"])
@pytest.mark.parametrize("length", [2**16, 2**31 - 1, 2**32, 2**63 - 1, 2**63, 2**64 - 1])
def test_huge_declared_lengths_are_refused_before_anything_is_built(major: int, length: int) -> None:
    head = bytes((major + 27,)) + length.to_bytes(8, "big")
    assert refused(head) == "not CBOR"
    assert refused(with_last_item(head)) == "not CBOR"


@pytest.mark.parametrize(
    "raw", [b"\xf7", b"\xf0", b"\xf8\xff", b"\xff", b"\xfc", b"\x1c", b"\x5c", b"\xdc\x00", b"\xf8\x10"]
)
def test_simple_values_breaks_and_reserved_heads_are_refused(raw: bytes) -> None:
    assert refused(raw)
    assert refused(with_last_item(raw))


@pytest.mark.parametrize("rest", [[None], [None, None], [b"", 9], [9], [9, None], [True, 9], [None, b"9"]])
def test_an_ack_has_an_address_or_a_cookie_or_both_and_says_so_in_one_way(rest: list[object]) -> None:
    assert refused(cbor2.dumps([*ITEMS[:7], *rest, []])) in ("bad address", "number out of range")


@pytest.mark.parametrize("padding", [b"", b"\x01", b"\x00\x01\x00", "\x00", 0, None, []])
@pytest.mark.parametrize("kind", [Ping, PingRequest])
def test_padding_is_zeros_and_never_empty(kind: type[Body], padding: object) -> None:
    header = [*ITEMS[:2], KINDS[kind], *ITEMS[3:6]]
    target = [7] if kind is PingRequest else []
    assert CODEC.decode(sealed(cbor2.dumps([*header, 5, *target, bytes(3), []])))
    assert refused(cbor2.dumps([*header, 5, *target, padding, []])) in ("not canonical", "wrong shape")


@given(st.integers(0, 400), st.integers(0, 500))
def test_a_question_is_padded_to_what_it_has_to_be(least: int, token: int) -> None:
    def size(body: Body, least: int = 0) -> int:
        return len(CODEC.encode(SENDER, HEARTBEAT, FINGERPRINT, body, [], LIMIT, least)[0])

    for question in (Ping(token), PingRequest(token, 7)):
        assert 0 <= size(question, least) - max(least, size(question)) <= 1


@pytest.mark.parametrize("heartbeat", [1, 100, 1000, 70_000, 2**33])
def test_a_question_padded_to_any_size_is_understood_and_not_larger_than_the_limit(heartbeat: int) -> None:
    for question in (Ping(MAX_TOKEN), PingRequest(MAX_TOKEN, MAX_ID)):
        for least in range(30, 401):
            for limit in (least, LIMIT):
                data, _ = CODEC.encode(MAX_ID, heartbeat, MAX_ID, question, [], limit, least)
                assert isinstance(CODEC.decode(data).body, type(question))
                assert len(data) <= max(limit, len(CODEC.encode(MAX_ID, heartbeat, MAX_ID, question, [], LIMIT)[0]))


@pytest.mark.parametrize(
    ("low", "high"), [(1, 0), (MAX_ID, 0), (0, MAX_ID + 1), (-1, 5), (None, 5), (0, None), (True, 5), (0.0, 1)]
)
def test_ranges_out_of_order_or_bounds_are_refused(low: object, high: object) -> None:
    header = ITEMS[:6]
    for kind, more in ((7, [bytes(128), 0]), (8, [])):
        header[2] = kind
        assert refused(cbor2.dumps([*header, low, high, *more, []])) in ("number out of range", "tag", "not CBOR")


@pytest.mark.parametrize("hashes", [b"", bytes(127), bytes(129), bytes(8), "x" * 128, None, [0] * 16])
def test_digests_of_the_wrong_size_are_refused(hashes: object) -> None:
    header = ITEMS[:6]
    header[2] = KINDS[Digest]
    assert refused(cbor2.dumps([*header, 0, 5, hashes, 0, []])) == "wrong shape"


def test_a_message_above_the_largest_frame_is_refused_unread() -> None:
    assert refused_as_it_is(bytes(MAX_FRAME_BYTES + 1)) == "too large"
    assert refused_as_it_is(bytes(MAX_FRAME_BYTES)) == "damaged"


@given(strategies.bodies, st.lists(strategies.facts, max_size=4), st.data())
def test_a_message_with_up_to_three_flipped_bits_is_known_as_damaged(
    body: Body, facts: list[Fact], data: st.DataObject
) -> None:
    good = encoded(body, facts)
    flipped = bytearray(good)
    for bit in data.draw(st.sets(st.integers(0, 8 * len(good) - 1), min_size=1, max_size=3)):
        flipped[bit // 8] ^= 1 << bit % 8
    assert refused_as_it_is(bytes(flipped)) == "damaged"


@pytest.mark.parametrize("length", range(len(encoded(ACK, []))))
def test_a_message_that_lost_its_end_is_known_as_damaged(length: int) -> None:
    assert refused_as_it_is(encoded(ACK, [])[:length]) == "damaged"


@pytest.mark.parametrize(("size", "is_shared"), [(500, True), (5000, False)])
def test_a_record_that_is_met_again_is_one_object_unless_it_is_so_large_that_liars_could_fill_memory(
    size: int, is_shared: bool
) -> None:
    items = (7, "ada", 1, 1, Address("10.0.0.1", 7946).to_wire(), {"text": "x" * size})
    records = Records()
    first, second = records.checked(*items), records.checked(*items)
    assert first == second
    assert (first is second) == is_shared
