"""Changes to messages that keep enough of their shape for what is behind the first checks to see them.

A random change of bytes nearly always ends at the checksum, or at the first byte of CBOR that does not fit. Here a
message is changed as a tree of items, encoded again and given its checksum; now and then only its bytes are. Nothing
here decides what is right: the targets do.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from random import Random
from typing import Any
from zlib import crc32

import cbor2

from gossip.core.state.heartbeat import MAX_COUNTER
from gossip.core.state.member import MAX_NAME_BYTES, MAX_VERSION
from gossip.core.support.address import Address
from gossip.core.wire import CHECKSUM_BYTES
from gossip.core.wire.messages import MAX_ID, MAX_TOKEN

MutateBytes = Callable[[bytes, int], bytes]
"""Given bytes and how many there may be, other bytes: libFuzzer's own mutations, or a substitute for them."""

_ADDRESS = Address("10.0.0.1", 7946).to_wire()

INTERESTING: tuple[Any, ...] = (
    *(0, 1, 23, 24, 255, 256, 65_535, 65_536, 2**31, 2**32, 2**61, 2**63, 2**64, -1, -(2**64)),
    *(MAX_TOKEN, MAX_ID, MAX_COUNTER, MAX_COUNTER + 1, MAX_VERSION, MAX_VERSION + 1),
    *(None, True, False, 0.0, 1.0, 1.5, float("nan"), float("inf"), cbor2.undefined, cbor2.CBORSimpleValue(19)),
    *("", "a", " ", "\n", "\u202e", "\u00e9", "x" * MAX_NAME_BYTES, "x" * (MAX_NAME_BYTES + 1)),
    *(b"", b"\x00", _ADDRESS, bytes(18), bytes(128), bytes(127)),
    *([], {}, [[]], {"a": "b"}, {"b": "a", "a": "b"}, {1: 2}),
    *(cbor2.CBORTag(tag, "1") for tag in (0, 2, 28, 35, 258)),
    *([1, 7, 50], [2, 7, 60, [8, 9], 50], [3, 7, 60, [8], 50], [4, 7, 50]),
    [0, 7, "g", 1000, 1, _ADDRESS, {"a": "b"}, 50],
)
"""Values at the edges of what is taken, and just beyond."""


class _NoTags(dict[int, Callable[..., object]]):
    """Nothing is built from tags, here neither: what some of them stand for is too large to be built."""

    def __missing__(self, tag: int) -> Callable[..., object]:
        raise ValueError("a tag")


_NO_TAGS = _NoTags()


def sealed(content: bytes) -> bytes:
    """Any content with the checksum that belongs to it."""
    return content + crc32(content).to_bytes(CHECKSUM_BYTES, "big")


def changed_message(data: bytes, most: int, random: Random, mutate: MutateBytes) -> bytes:
    """Another message of at most so many bytes; its checksum is right seven times out of eight."""
    room = most - CHECKSUM_BYTES
    if room <= 0 or not random.randrange(8):
        return mutate(data, most)
    content = data[:-CHECKSUM_BYTES]
    content = changed_content(content, random) if random.randrange(3) else mutate(content, room)
    return sealed(content) if len(content) <= room else data


def changed_content(content: bytes, random: Random) -> bytes:
    """The same CBOR with one item or a few changed; other CBOR if it was none."""
    try:
        tree = [cbor2.loads(content, semantic_decoders=_NO_TAGS, max_depth=16)]
    except Exception:  # noqa: BLE001 - whatever it raises: there are no items to be changed
        return cbor2.dumps(_interesting(random))
    for _ in range(1 + random.randrange(3)):
        slots = list(_slots(tree))
        if slots:
            _change(*random.choice(slots), slots, random)
    try:
        return b"".join(map(cbor2.dumps, tree))
    except (ValueError, cbor2.CBOREncodeError):  # a key that is no key any more
        return content


_Slot = tuple[Any, Any]
"""A list or a map, and an index or a key in it."""


def _slots(container: Any) -> Iterator[_Slot]:
    for key, value in enumerate(container) if type(container) is list else container.items():
        yield container, key
        if type(value) in (list, dict):
            yield from _slots(value)


def _change(container: Any, key: Any, slots: list[_Slot], random: Random) -> None:
    """Do one thing to one item."""
    what = random.randrange(8)
    if key not in range(len(container)) if type(container) is list else key not in container:
        return  # an earlier change took it away
    value = container[key]
    if what == 0:
        del container[key]
    elif what == 1 and type(container) is list:
        container[key:key] = [_copy(value)] * (1 + random.randrange(4))
    elif what <= 3:
        container[key] = _interesting(random)
    elif what == 4:
        other, its_key = random.choice(slots)
        container[key] = _copy(dict(_items(other)).get(its_key))
    else:
        container[key] = _nudged(value, random)


def _interesting(random: Random) -> Any:
    return _copy(random.choice(INTERESTING))


def _copy(value: Any) -> Any:
    """The same tree with lists and maps of its own, so that a change of one is no change of the other."""
    if type(value) is list:
        return [_copy(each) for each in value]
    return {key: _copy(each) for key, each in value.items()} if type(value) is dict else value


def _items(container: Any) -> Any:
    return enumerate(container) if type(container) is list else container.items()


def _nudged(value: Any, random: Random) -> Any:
    """Something close to a value."""
    match value:
        case bool() | float() | None:
            return _interesting(random)
        case int():
            return random.choice((value + 1, value - 1, 2 * value, -value, value ^ 1 << random.randrange(64)))
        case bytes() if value:
            at = random.randrange(len(value))
            return random.choice((value[:at], value + b"\0", value[:at] + random.randbytes(1) + value[at + 1 :]))
        case str() if value:
            at = random.randrange(len(value))
            return random.choice((value[:at], value + "a", value[:at] + random.choice(" \n\u200bz") + value[at:]))
        case list():
            return [*value, _interesting(random)]
        case dict():
            return value | {"c": "d"}
    return _interesting(random)
