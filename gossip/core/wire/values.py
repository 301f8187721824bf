"""Values: checks of the single items of a message. Each check refuses an invalid item with a reason."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from gossip.core.errors import WireError
from gossip.core.state.member import is_valid_name
from gossip.core.support.address import Address
from gossip.core.support.drop_reasons import Drop
from gossip.core.wire.messages import MAX_TOKEN


def number_of(value: object, high: int, low: int = 0) -> int:
    """The value, if it is a whole number from ``low`` to ``high``."""
    if type(value) is not int or not low <= value <= high:
        raise WireError(Drop.NUMBER_OUT_OF_RANGE)
    return value


def items_of(value: object, length: int | None = None) -> list[Any]:
    """The value, if it is an array, of this length if one is given."""
    if type(value) is not list or (length is not None and len(value) != length):
        raise WireError(Drop.WRONG_SHAPE)
    return value


def bytes_of(value: object, length: int) -> bytes:
    """The value, if it is a byte string of this length."""
    if type(value) is not bytes or len(value) != length:
        raise WireError(Drop.BAD_KEY_OR_SIGNATURE)
    return value


def address_of(value: object) -> Address:
    """The address in 6 or 18 bytes."""
    if type(value) is not bytes:
        raise WireError(Drop.BAD_ADDRESS)
    try:
        return Address.from_wire(value)
    except ValueError:
        raise WireError(Drop.BAD_ADDRESS) from None


def token_of(value: object) -> int:
    """The value, if it is a token."""
    if type(value) is not int or not 0 <= value <= MAX_TOKEN:
        raise WireError(Drop.NUMBER_OUT_OF_RANGE)
    return value


def name_of(value: object) -> str:
    """The value, if it may name a member."""
    if not isinstance(value, str) or not is_valid_name(value):
        raise WireError(Drop.BAD_NAME)
    return value


def metadata_of(items: tuple[tuple[Any, Any], ...]) -> Mapping[str, str]:
    """Metadata with these items, if they are texts in the order of their keys."""
    for key, text in items:
        if type(key) is not str or type(text) is not str:
            raise WireError(Drop.BAD_METADATA)
    found = dict(items)
    if list(found) != sorted(found):
        raise WireError(Drop.NOT_CANONICAL)
    return found
