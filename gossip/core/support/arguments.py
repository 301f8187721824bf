"""What is wrong with an argument, in one sentence: which one it is, what to give, and what was given instead.

This module decides how such errors read. None is accepted only where it is the default of an argument; where it would
stand for "nothing", the error says how to write that.
"""

from __future__ import annotations

from gossip.core.errors import ConfigurationError

_MAX_SHOWN = 60
"""Letters of a value that an error shows: enough to find it in a program."""


def given(value: object, *, secret: bool = False) -> str:
    """A value that somebody gave, in words; of a secret only what kind of thing it is."""
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
    except Exception:  # noqa: BLE001 - of whatever a program has given us
        return "it cannot be shown"
    return text if len(text) <= _MAX_SHOWN else text[: _MAX_SHOWN - 3] + "..."


def wrong(argument: str, expected: str, value: object, *, secret: bool = False) -> ConfigurationError:
    """The error to raise for ``argument``.

    :param expected: what to give, as it follows on the words "must be".
    :param secret: whether the value may hold a secret, and so is not shown.
    """
    return ConfigurationError(f"{argument} must be {expected}; this is {given(value, secret=secret)}")


def require_seconds(argument: str, value: object) -> None:
    """Make sure that ``value`` is a time to wait: a number of seconds from 0 on, infinity included.

    :raises ConfigurationError: as :func:`wrong`.
    """
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not value >= 0:
        raise wrong(argument, "a number of seconds from 0 on", value)


def require(
    argument: str, value: object, kind: type | tuple[type, ...], expected: str, *, secret: bool = False
) -> None:
    """Make sure that ``value`` is an instance of ``kind``.

    :raises ConfigurationError: as :func:`wrong`.
    """
    if not isinstance(value, kind):
        raise wrong(argument, expected, value, secret=secret)
