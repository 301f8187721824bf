"""The page ``docs/reference/settings.rst``: every field of ``Config``, as its docstring explains it."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Iterator
from typing import Any

import attrs

from gossip.core.config import PROFILES, Config

WIDTH = 110
PROFILE_NAMES = ("local", "lan", "wan")

HEAD = """\
.. This page is generated. Change gossip/core/config.py, then run: python -m docs.generate

.. _settings:

Settings
========

Every field of :class:`gossip.Config`. All nodes of a cluster should have the same profile. All times are in
seconds. A value that is out of range, or contradicts another one, raises a :exc:`~gossip.ConfigurationError`
that names the field. :doc:`/howto/tune` says which settings to change first.

.. code-block:: python

   from gossip import Config

   config = Config.lan(cluster="blue", max_metadata=256)

"""


def explanations() -> dict[str, str]:
    """What the docstring of :class:`Config` says of each setting, on one line each, by its name."""
    parts = re.split(r"^ *:(?:param (\w+)|raises \w+):", Config.__doc__ or "", flags=re.MULTILINE)
    return {name: " ".join(text.split()) for name, text in zip(parts[1::2], parts[2::2], strict=True) if name}


def page() -> str:
    """The page as reStructuredText."""
    return HEAD + "\n".join(_table()) + "\n\n" + "\n".join(_explained())


def _table() -> Iterator[str]:
    yield ".. list-table:: Settings and profiles"
    yield "   :header-rows: 1"
    yield "   :widths: 34 22 22 22"
    yield ""
    yield from _row("Setting", *(f"``{name}``" for name in PROFILE_NAMES))
    profiles = [PROFILES[name]() for name in PROFILE_NAMES]
    for field in attrs.fields(Config):
        yield from _row(field.name, *(written(getattr(profile, field.name)) for profile in profiles))


def _row(*cells: str) -> Iterator[str]:
    for number, cell in enumerate(cells):
        yield f"   {' ' if number else '*'} - {cell}"


def written(value: Any) -> str:
    """A value of a setting as the table shows it: texts as code, large numbers in groups of three digits."""
    if isinstance(value, str):
        return f"``{value}``"
    return f"{value:,}" if isinstance(value, int) else f"{value:g}"


def _explained() -> Iterator[str]:
    yield "What each one does"
    yield "------------------"
    yield ""
    for name, text in explanations().items():
        yield f"``{name}``"
        yield from textwrap.wrap(text, WIDTH - 3, initial_indent="   ", subsequent_indent="   ",
                                 break_long_words=False, break_on_hyphens=False)  # fmt: skip
        yield ""
