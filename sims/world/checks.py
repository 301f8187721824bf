"""Checks of the numbers that links, steps and plans are made of."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import attrs

from gossip.core.errors import ConfigurationError

from ..words import nearest


class NamesItsFields:
    """A base of attrs classes that people write by hand. A field that does not exist is an error that says which do."""

    __slots__ = ()

    def __new__(cls, *_: Any, **given: Any) -> Any:
        """Check the names of fields; attrs makes the rest.

        :raises ConfigurationError: if there is no such field.
        """
        attrs_class: Any = cls
        known = attrs.fields_dict(attrs_class)
        for name in given:
            if name not in known:
                raise ConfigurationError(
                    f"{cls.__name__} has no field {name!r}{nearest(name, known)}; it has {', '.join(known)}"
                )
        return super().__new__(cls)


def at_least(low: float) -> Callable[[Any, attrs.Attribute[Any], float], None]:
    """A validator: a finite number that is not below ``low``."""

    def check(_: Any, attribute: attrs.Attribute[Any], value: float) -> None:
        if not _is_number(value) or not low <= value < math.inf:
            raise ConfigurationError(f"{attribute.name} must be a number of at least {low:g}, not {value!r}")

    return check


def is_share(_: Any, attribute: attrs.Attribute[Any], value: float) -> None:
    """A validator: a number from 0 to 1."""
    if not _is_number(value) or not 0 <= value <= 1:
        raise ConfigurationError(f"{attribute.name} must be a share from 0 to 1, not {value!r}")


def as_float(value: float) -> float:
    """A converter: whole numbers become floats, as they do on the way to JSON and back; all else stays as it is."""
    return float(value) if type(value) is int else value


def _is_number(value: object) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)
