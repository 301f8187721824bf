"""Errors about arguments: one sentence that names the argument, says what to give, and shows what was given.

This module decides the wording of such errors. None is accepted only where it is the default of an argument. Where a
program means "nothing", the error says how to write that.
"""

from __future__ import annotations

from collections.abc import Iterable

from gossip.core.errors import ConfigurationError

_MAX_SHOWN = 60
"""Characters of a value that an error shows: enough to find the value in a program."""


def given(value: object, *, secret: bool = False) -> str:
    """Describe a value that a program gave; of a secret, only its type."""
    if value is None or isinstance(value, bool):
        return str(value)
    if isinstance(value, type):
        return f"the class {value.__name__} itself"
    name = getattr(value, "__qualname__", None)
    if callable(value) and isinstance(name, str):
        return f"{name} itself, which has to be called: {name}()"
    kind = type(value).__name__
    article = "an" if kind[:1] in "aeiouAEIOU" else "a"
    return f"{article} {kind}" if secret else f"{article} {kind}: {_shown(value)}"


def _shown(value: object) -> str:
    try:
        text = repr(value)
    except Exception:  # noqa: BLE001 - the repr of a program's object may raise anything
        return "it cannot be shown"
    return text if len(text) <= _MAX_SHOWN else text[: _MAX_SHOWN - 3] + "..."


def wrong(argument: str, expected: str, value: object, *, secret: bool = False) -> ConfigurationError:
    """The error to raise for ``argument``.

    :param expected: what to give, worded to follow "must be".
    :param secret: whether the value may hold a secret, so that it must not be shown.
    """
    return ConfigurationError(f"{argument} must be {expected}; this is {given(value, secret=secret)}")


def nearest(name: str, names: Iterable[str]) -> str:
    """A hint at the most similar of ``names``, in brackets; empty if none is similar."""
    from difflib import get_close_matches  # noqa: PLC0415  (needed after a mistake only)

    found = get_close_matches(name, list(names), n=1)
    return f" (did you mean {found[0]!r}?)" if found else ""


def require_seconds(argument: str, value: object) -> float:
    """Check that ``value`` is a time to wait: a number of seconds from 0 on, infinity included; returns it.

    :raises ConfigurationError: as :func:`wrong`.
    """
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not value >= 0:
        raise wrong(argument, "a number of seconds from 0 on", value)
    return value


def require(
    argument: str, value: object, kind: type | tuple[type, ...], expected: str, *, secret: bool = False
) -> None:
    """Check that ``value`` is an instance of ``kind``.

    :raises ConfigurationError: as :func:`wrong`.
    """
    if not isinstance(value, kind):
        raise wrong(argument, expected, value, secret=secret)
