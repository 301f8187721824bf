"""Bombs: small inputs that are made to cost their receiver much, or to pass for something else.

Each is one CBOR item, which stands in turn for a whole message and for parts of a good one, with the checksum that a
holder of the key can make; or it is a whole message, or the bytes of a stream. The table names them all. What must
become of them is for the tests to say, and what they cost for :mod:`tests.fuzzing.measure`.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterator
from functools import cache, partial
from itertools import islice

import attrs
import cbor2

from gossip.core.support.address import Address
from gossip.core.wire import CHECKSUM_BYTES, MAX_FRAME_BYTES, Codec, encode_fact
from gossip.core.wire.messages import Ack
from tests.fuzzing import collisions, honest
from tests.fuzzing.mutations import sealed
from tests.fuzzing.raw_cbor import (
    ARRAY,
    BREAK,
    BYTES,
    MAP,
    NULL,
    TEXT,
    UNSIGNED,
    array,
    filled,
    head,
    indefinite,
    integer,
    long_head,
    map_filled,
    mapping,
    repeated,
    tag,
    text,
)

# --- the table


@attrs.frozen
class Bomb:
    """One hostile CBOR item."""

    name: str
    item: Callable[[int], bytes]
    """Makes it, given how many bytes there are for it."""


def _fixed(item: bytes) -> Callable[[int], bytes]:
    return lambda _room: item


def _nested() -> Iterator[Bomb]:
    units = {
        "arrays": b"\x81",
        "maps": b"\xa1\x60",
        "maps as keys": b"\xa1",
        "arrays as keys": b"\xa1\x81",
        "tags": b"\xc1",
        "unknown tags": b"\xd9\xff\xff",
        "tags and arrays": b"\xc1\x81",
        "indefinite arrays": b"\x9f",
        "indefinite maps": b"\xbf\x60",
        "indefinite texts": b"\x7f",
        "sets": b"\xd9\x01\x02\x81",
        "self-described CBOR": b"\xd9\xd9\xf7",
        "arrays of two": b"\x82\x80",
    }
    for name, unit in units.items():
        yield Bomb(f"nested {name}, as deep as there is room", partial(repeated, unit))
        yield Bomb(f"nested {name}, 100,000 deep", _fixed(unit * 100_000))
        yield Bomb(f"nested {name}, 6 deep and well-formed", _fixed(_closed(unit, 6)))


def _closed(unit: bytes, depth: int) -> bytes:
    end = BREAK * depth if unit[:1] in (b"\x9f", b"\xbf", b"\x7f") else NULL * depth
    return unit * depth + (b"\x60" if unit in (b"\x7f", b"\xbf\x60") else NULL) + end


def _lengths() -> Iterator[Bomb]:
    for major, name in ((BYTES, "bytes"), (TEXT, "text"), (ARRAY, "array"), (MAP, "map")):
        for size, length in ((2, 2**16 - 1), (4, 2**32 - 1), (8, 2**63), (8, 2**64 - 1)):
            yield Bomb(f"{name} of {length:,}, and nothing in it", _fixed(long_head(major, length, size)))
        yield Bomb(f"{name} of 2^32 - 1, and as much in it as there is room for", partial(_long, major))
    yield Bomb("arrays of 2^32 - 1 in each other", partial(repeated, long_head(ARRAY, 2**32 - 1, 4)))
    yield Bomb("an array of texts of 2^32 - 1", partial(filled, long_head(TEXT, 2**32 - 1, 4)))
    yield Bomb("a head and nothing behind it", _fixed(b"\x1b"))
    for reserved in (28, 29, 30):
        yield Bomb(f"reserved additional information {reserved}", _fixed(bytes((ARRAY << 5 | reserved,)) + bytes(16)))


def _long(major: int, room: int) -> bytes:
    return long_head(major, 2**32 - 1, 4) + bytes(room - 5)


def _tags() -> Iterator[Bomb]:
    yield Bomb("a positive integer as large as there is room for", lambda room: tag(2, _big(room)))
    yield Bomb("a negative integer as large as there is room for", lambda room: tag(3, _big(room)))
    yield Bomb("a large integer in chunks", lambda room: tag(2, indefinite(BYTES, *[b"\x41\xff"] * ((room - 4) // 2))))
    yield Bomb("a small integer as a large one", _fixed(tag(2, b"\x41\x05")))
    yield Bomb("many large integers", partial(filled, tag(2, head(BYTES, 9) + b"\xff" * 9)))
    yield Bomb("a regular expression that backtracks", _fixed(tag(35, text("(a+)+$" + "(a|aa)+" * 20 + "!"))))
    yield Bomb("a regular expression of brackets", lambda room: tag(35, text("(" * (room - 8))))
    yield Bomb("a regular expression with a large repetition", _fixed(tag(35, text("(?:a{1,65535}){1,65535}"))))
    yield Bomb("a MIME message", lambda room: tag(36, text("A: b\n" * ((room - 8) // 5))))
    for number, name in ((0, "date and time"), (1004, "date")):
        yield Bomb(f"a {name}", _fixed(tag(number, text("2020-01-01T00:00:00Z"[: 20 if number == 0 else 10]))))
        yield Bomb(f"a {name} of digits", partial(_digits, number))
        yield Bomb(f"a {name} that is none", _fixed(tag(number, text("\u0662\u0660\u0662\u0660-99-99T99:99:99Z"))))
    for number, name in ((1, "seconds since 1970"), (100, "days since 1970")):
        for whole in (0, 2**64 - 1, -(2**64)):
            yield Bomb(f"{whole} {name}", _fixed(tag(number, integer(whole))))
        for double in (float("nan"), float("inf"), 1e308):
            yield Bomb(f"{double} {name}", _fixed(tag(number, b"\xfb" + struct.pack(">d", double))))
    for number, name in ((4, "decimal fraction"), (5, "bigfloat"), (264, "decimal fraction, large exponent")):
        for exponent in (2**62, -(2**62), 2**64 - 1, -(2**64)):
            yield Bomb(f"a {name} with exponent {exponent}", _fixed(tag(number, integer(exponent), integer(3))))
        yield Bomb(f"a {name} with large parts", partial(_large_parts, number))
    yield Bomb("a rational with denominator 0", _fixed(tag(30, b"\x01", b"\x00")))
    yield Bomb("a rational of large numbers", lambda room: tag(30, *[tag(2, _big(room // 2 - 8))] * 2))
    yield Bomb("a complex number", _fixed(tag(43_000, b"\xf9\x7e\x00", b"\x01")))
    yield Bomb("a UUID of too many bytes", lambda room: tag(37, _big(room)))
    yield Bomb("a network address", _fixed(tag(260, b"\x44\x7f\x00\x00\x01")))
    yield Bomb("a network of a long prefix", _fixed(tag(261, mapping((b"\x44\x7f\x00\x00\x01", integer(2**63))))))
    yield Bomb("a set", lambda room: tag(258, filled(b"\x01", room - 8)))
    yield Bomb("a set of what cannot be in one", _fixed(tag(258, array(b"\x80", b"\xa0"))))
    yield Bomb("CBOR in CBOR", lambda room: tag(24, _big(room)))
    yield Bomb("the largest tag", _fixed(tag(2**64 - 1, b"\x00")))
    yield Bomb("many tags", partial(filled, b"\xc1\x00"))
    yield Bomb("a tag around nothing", _fixed(b"\xc1"))


def _big(room: int) -> bytes:
    return head(BYTES, room - 8) + b"\xff" * (room - 8)


def _digits(number: int, room: int) -> bytes:
    return tag(number, text("9" * (room - 8)))


def _large_parts(number: int, room: int) -> bytes:
    return tag(number, b"\x05", tag(2, _big(room - 8)))


def _references() -> Iterator[Bomb]:
    shared, reference = b"\xd8\x1c", b"\xd8\x1d"
    yield Bomb("an array that holds itself", _fixed(shared + array(reference + b"\x00")))
    yield Bomb("a map that holds itself", _fixed(shared + mapping((b"\x60", reference + b"\x00"))))
    yield Bomb("a tag shared with itself", _fixed(shared + reference + b"\x00"))
    yield Bomb("a reference to nothing", _fixed(reference + integer(2**64 - 1)))
    yield Bomb("a reference to a negative index", _fixed(reference + integer(-1)))
    layers = [shared + array(*[b"\x00"] * 10)]
    layers += [shared + array(*[reference + integer(depth)] * 10) for depth in range(30)]
    yield Bomb("an array ten times in an array, 30 times over", _fixed(array(*layers)))
    yield Bomb("many shared items", partial(filled, shared + b"\x80"))
    texts = [text("x" * 1000)] + [tag(25, b"\x00")] * 10_000
    yield Bomb("one long text 10,000 times by reference", _fixed(tag(256, array(*texts))))
    yield Bomb("a reference to a text outside of any list of them", _fixed(tag(25, b"\x00")))
    yield Bomb("lists of texts in each other", partial(repeated, b"\xd9\x01\x00\x81"))


def _keys() -> Iterator[Bomb]:
    yield Bomb("whole numbers of one hash as keys", lambda room: map_filled(_whole_number_of_hash_0, room, 16))
    yield Bomb("doubles of one hash as keys", lambda room: map_filled(_double_of_hash_1, room, 16))
    pairs = [array(integer(first), integer(second)) for first, second in islice(collisions.pairs(), 3000)]
    yield Bomb("arrays of one hash as keys", lambda room: map_filled(lambda at: pairs[at], room, len(pairs)))
    yield Bomb("arrays of one hash in a set", _fixed(tag(258, array(*pairs))))
    yield Bomb("whole numbers of one place in the table", lambda room: map_filled(lambda at: integer(at << 40), room))
    yield Bomb("many texts as keys", lambda room: map_filled(lambda at: text(f"{at:x}"), room))
    yield Bomb("many whole numbers as keys", lambda room: map_filled(integer, room))
    yield Bomb("one long text as key", lambda room: mapping((text("k" * (room - 10)), NULL)))
    for name, key in {
        "a text": b"\x61a", "bytes": b"\x41a", "a number": b"\x01", "nothing": b"\xf6", "NaN": b"\xf9\x7e\x00"
    }.items():  # fmt: skip
        yield Bomb(f"{name} as key twice", _fixed(mapping((key, b"\x61a"), (key, b"\x61b"))))
    yield Bomb("one text as key as often as there is room", lambda room: map_filled(lambda _: b"\x60", room))
    yield Bomb("1, true and 1.0 as keys", _fixed(mapping((b"\x01", NULL), (b"\xf5", NULL), (b"\xf9\x3c\x00", NULL))))
    for name, key in {"an array": b"\x80", "a map": b"\xa0", "a set": tag(258, b"\x80"), "a break": BREAK}.items():
        yield Bomb(f"{name} as key", _fixed(mapping((key, NULL))))
    yield Bomb("keys in another order than the texts'", _fixed(mapping((b"\x61b", b"\x60"), (b"\x61a", b"\x60"))))
    yield Bomb("a key without its value", _fixed(b"\xa1\x61a"))


def _whole_number_of_hash_0(at: int) -> bytes:
    return integer((at // 2 + 1) * collisions.NUMBER_MODULUS * (1 if at % 2 else -1))


def _double_of_hash_1(at: int) -> bytes:
    return b"\xfb" + struct.pack(">d", 2.0 ** (61 * (at - 8)))


def _indefinite() -> Iterator[Bomb]:
    for major, name, part in ((BYTES, "bytes", b"\x40"), (TEXT, "text", b"\x60"), (ARRAY, "array", b"\x00"),
                              (MAP, "map", b"\x60\x60")):  # fmt: skip
        yield Bomb(f"indefinite {name}, empty", _fixed(indefinite(major)))
        yield Bomb(f"indefinite {name}, as long as there is room", partial(_long_indefinite, major, part))
        yield Bomb(f"indefinite {name} without an end", partial(_endless, major, part))
    yield Bomb("an indefinite text in an indefinite text", _fixed(indefinite(TEXT, indefinite(TEXT, b"\x61a"))))
    yield Bomb("bytes in an indefinite text", _fixed(indefinite(TEXT, b"\x41a")))
    yield Bomb("half a character in each chunk", _fixed(indefinite(TEXT, text(b"\xc3"), text(b"\xa9"))))
    yield Bomb("an indefinite number", _fixed(b"\x1f"))
    yield Bomb("an indefinite tag", _fixed(b"\xdf\x00"))
    yield Bomb("a break where an item belongs", _fixed(array(BREAK)))
    yield Bomb("a break alone", _fixed(BREAK))
    yield Bomb("breaks", lambda room: BREAK * room)


def _long_indefinite(major: int, part: bytes, room: int) -> bytes:
    return indefinite(major, *[part] * ((room - 2) // len(part)))


def _endless(major: int, part: bytes, room: int) -> bytes:
    return _long_indefinite(major, part, room)[:-1]


def _numbers() -> Iterator[Bomb]:
    for name, value in {"NaN": "f97e00", "NaN with a payload": "f97e01", "NaN as a double": "fb7ff8000000000000",
                        "a signalling NaN": "fa7f800001", "infinity": "f97c00", "-infinity": "faff800000",
                        "a half": "f93800", "the smallest half": "f90001", "-0.0": "f98000", "1.0 for 1": "f93c00",
                        "7.0 as a double": "fb401c000000000000", "true for 1": "f5", "false for 0": "f4",
                        "nothing": "f6", "undefined": "f7", "a simple value": "f0", "a long simple value": "f8ff",
                        "a simple value in a longer form than necessary": "f814", "a negative number": "20",
                        "the least number without a tag": "3bffffffffffffffff"}.items():  # fmt: skip
        yield Bomb(name, _fixed(bytes.fromhex(value)))
    for size in (1, 2, 4, 8):
        yield Bomb(f"7 in {size} bytes more than necessary", _fixed(long_head(UNSIGNED, 7, size)))
    yield Bomb("many doubles", partial(filled, b"\xfb\x7f\xf8" + bytes(6)))


def _texts() -> Iterator[Bomb]:
    for name, data in {"no UTF-8": b"\xff\xfe", "an overlong slash": b"\xc0\xaf", "a surrogate": b"\xed\xa0\x80",
                       "both halves of a surrogate": b"\xed\xa0\xbd\xed\xb8\x80", "beyond Unicode": b"\xf5\x80\x80\x80",
                       "half a character": b"\xc3"}.items():  # fmt: skip
        yield Bomb(f"a text: {name}", _fixed(text(data)))
    yield Bomb("a text: no UTF-8, as long as there is room", lambda room: text(b"\xff" * (room - 5)))
    yield Bomb("a text: no UTF-8 at its end", lambda room: text(b"a" * (room - 6) + b"\xff"))
    for name, letters in {"nothing": "", "a zero": "a\0b", "a line break": "a\nb", "an escape sequence": "\x1b[2Ja",
                          "a control character of Latin-1": "a\x85b", "right to left": "a\u202eb",
                          "isolated directions": "\u2066a\u2069", "no width": "a\u200bb", "a line separator": "a\u2028",
                          "a byte order mark": "\ufeffa", "a space at its end": "a ", "no character": "\uffff",
                          "private use": "\ue000", "too many bytes": "\u00e9" * 65,
                          "no letter but marks": "\u0301" * 65}.items():  # fmt: skip
        yield Bomb(f"a text: {name}", _fixed(text(letters)))
    yield Bomb("a text: as long as there is room", lambda room: text("n" * (room - 5)))
    yield Bomb("a text: many characters of four bytes", lambda room: text("\U0001f600" * ((room - 5) // 4)))


def _crowds() -> Iterator[Bomb]:
    for name, item in {"numbers": b"\x00", "arrays": b"\x80", "maps": b"\xa0", "texts": b"\x60", "nothings": NULL,
                       "arrays of an array": b"\x81\x80", "maps of a map": b"\xa1\x60\xa0",
                       "largest numbers": b"\x1b" + b"\xff" * 8, "undefineds": b"\xf7",
                       "simple values": b"\xf8\xff", "facts of no kind": array(b"\x05"),
                       "facts that are short of an item": array(b"\x01", b"\x01")}.items():  # fmt: skip
        yield Bomb(f"{name}, as many as there is room for", partial(filled, item))
    yield Bomb(
        "too many accusers", lambda room: array(array(b"\x02", b"\x07", b"\x09", filled(b"\x01", room - 8), b"\x01"))
    )
    yield Bomb("metadata of numbers", partial(filled, b"\x01"))
    yield Bomb("zeros", bytes)
    yield Bomb("nothing at all", _fixed(b""))
    yield Bomb("a good item and a byte more", _fixed(array() + b"\x00"))
    yield Bomb("a good item and 30,000 more", lambda room: array() * min(room, 30_000))


_MISPLACED = frozenset(
    {"bad address", "bad metadata", "bad name", "number out of range", "other cluster", "too many accusers",
     "too many bad facts", "unknown fact", "unknown version", "wrong shape"}
)  # fmt: skip
"""For which a well-formed item is refused that is not what belongs there."""

_NOT_CBOR, _TAG, _NOT_CANONICAL, _TOO_LARGE = (
    frozenset({reason}) for reason in ("not CBOR", "tag", "not canonical", "too large")
)

GROUPS: dict[str, tuple[tuple[Bomb, ...], frozenset[str]]] = {
    "nesting": (tuple(_nested()), _NOT_CBOR | _TOO_LARGE),
    "lengths": (tuple(_lengths()), _NOT_CBOR | _NOT_CANONICAL),
    "tags": (tuple(_tags()), _TAG | _NOT_CBOR),
    "references": (tuple(_references()), _TAG | _NOT_CBOR),
    "keys": (tuple(_keys()), _NOT_CBOR | _TAG | _NOT_CANONICAL | _MISPLACED),
    "indefinite lengths": (tuple(_indefinite()), _NOT_CBOR),
    "numbers": (tuple(_numbers()), _NOT_CBOR | _NOT_CANONICAL | _MISPLACED),
    "texts": (tuple(_texts()), _NOT_CBOR | _MISPLACED),
    "crowds": (tuple(_crowds()), _NOT_CBOR | _NOT_CANONICAL | _MISPLACED),
}
"""All bombs by what they are about, with the reasons for which each of a group may be refused."""

BOMBS: dict[str, Bomb] = {bomb.name: bomb for bombs, _ in GROUPS.values() for bomb in bombs}
"""By name."""


# --- where a bomb is put

_CODEC = Codec("default")
_GOOD: list[object] = cbor2.loads(
    _CODEC.encode(9, 50, 12_345, Ack(7, None), [encode_fact(honest.FACTS[0])], MAX_FRAME_BYTES)[0][:-CHECKSUM_BYTES]
)
_RECORD: list[object] = [0, 9, "ada", 1000, 1, Address("10.0.0.1", 7946).to_wire(), {}, 50]
_PLACEHOLDER = "the place of the bomb"
_OVERHEAD = 64
"""More bytes than a good message takes beside the bomb in it."""


def _around(message: object) -> tuple[bytes, bytes]:
    before, after = cbor2.dumps(message).split(cbor2.dumps(_PLACEHOLDER))
    return before, after


def _replaced(items: list[object], index: int) -> list[object]:
    return [*items[:index], _PLACEHOLDER, *items[index:][1:]]


PLACES: dict[str, tuple[bytes, bytes]] = {
    "the whole message": (b"", b""),
    "the sender": _around(_replaced(_GOOD, 3)),
    "the address": _around(_replaced(_GOOD, 7)),
    "the facts": _around([*_GOOD[:-1], _PLACEHOLDER]),
    "a fact": _around([*_GOOD[:-1], [_PLACEHOLDER]]),
    "a name": _around([*_GOOD[:-1], [_replaced(_RECORD, 2)]]),
    "metadata": _around([*_GOOD[:-1], [_replaced(_RECORD, 6)]]),
    "a value of metadata": _around([*_GOOD[:-1], [[*_RECORD[:6], {"k": _PLACEHOLDER}, 50]]]),
}
"""What stands before and behind the bomb."""


@cache
def _made(bomb: Bomb, room: int) -> bytes:
    """The bomb alone, made once: some take long."""
    return bomb.item(room)


def placed(bomb: Bomb, place: str, most: int = MAX_FRAME_BYTES) -> bytes:
    """A message of so many bytes with the bomb in it, and the checksum that belongs to it."""
    before, after = PLACES[place]
    return sealed(before + _made(bomb, most - CHECKSUM_BYTES - _OVERHEAD) + after)


def unsealed(bomb: Bomb) -> bytes:
    """The bomb alone, as somebody without a key can send it: what should be its checksum is wrong."""
    data = _made(bomb, MAX_FRAME_BYTES - CHECKSUM_BYTES)
    return data + bytes(byte ^ 0xFF for byte in sealed(data)[-CHECKSUM_BYTES:])
