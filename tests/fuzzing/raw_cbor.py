"""CBOR written by hand: also what no encoder would write."""

from __future__ import annotations

from collections.abc import Callable

UNSIGNED, NEGATIVE, BYTES, TEXT, ARRAY, MAP, TAG, SIMPLE = range(8)
"""The major types of CBOR."""

INDEFINITE = 31
BREAK = b"\xff"
NULL = b"\xf6"


def head(major: int, value: int) -> bytes:
    """The shortest head of an item: its type, and its value or length."""
    if value < 24:
        return bytes((major << 5 | value,))
    size = next(size for size in (1, 2, 4, 8) if value < 1 << 8 * size)
    return long_head(major, value, size)


def long_head(major: int, value: int, size: int) -> bytes:
    """A head whose value takes so many bytes, necessary or not."""
    return bytes((major << 5 | {1: 24, 2: 25, 4: 26, 8: 27}[size],)) + value.to_bytes(size, "big")


def tag(number: int, *items: bytes) -> bytes:
    """A tagged item; an array if it is not exactly one."""
    return head(TAG, number) + (items[0] if len(items) == 1 else array(*items))


def array(*items: bytes) -> bytes:
    """An array of encoded items."""
    return head(ARRAY, len(items)) + b"".join(items)


def indefinite(major: int, *items: bytes) -> bytes:
    """An item that says only at its end how long it is."""
    return bytes((major << 5 | INDEFINITE,)) + b"".join(items) + BREAK


def text(value: str | bytes) -> bytes:
    """A text, valid UTF-8 or not."""
    data = value.encode() if isinstance(value, str) else value
    return head(TEXT, len(data)) + data


def integer(value: int) -> bytes:
    """An integer, without a tag."""
    return head(UNSIGNED, value) if value >= 0 else head(NEGATIVE, -1 - value)


def mapping(*pairs: tuple[bytes, bytes]) -> bytes:
    """A map of encoded keys and values."""
    return head(MAP, len(pairs)) + b"".join(key + value for key, value in pairs)


def filled(item: bytes, room: int) -> bytes:
    """An array of as many of the same item as there is room for."""
    return head(ARRAY, (room - 5) // len(item)) + item * ((room - 5) // len(item))


def map_filled(key: Callable[[int], bytes], room: int, most: int = 65_536) -> bytes:
    """A map of as many keys as there is room for, each with the value null."""
    keys: list[bytes] = []
    room -= 5
    while len(keys) < most and (room := room - len(another := key(len(keys))) - 1) >= 0:
        keys.append(another)
    return mapping(*((each, NULL) for each in keys))


def repeated(unit: bytes, room: int) -> bytes:
    """A unit as often as there is room for it: heads of containers within containers."""
    return unit * (room // len(unit))
