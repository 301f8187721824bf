"""Groups of nodes, such as racks: the names of their nodes, and the words in steps that stand for several nodes."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from itertools import islice

from gossip.core.errors import ConfigurationError
from gossip.core.state.member import is_valid_name

ALL = "all"
"""The group of all nodes that start at the beginning."""

MAX_NODES = 100_000
"""The most nodes of a plan. No machine has the memory for so many."""

_CHOICE = re.compile(r"(\d+) of (.+)")

_NAME = re.compile(r"[^\s,]+")
"""A name has no spaces and commas, because these separate names in steps and reports."""


def named(given: Mapping[str, int | Sequence[str]]) -> dict[str, tuple[str, ...]]:
    """Resolve groups to the names of their nodes.

    :param given: by the name of a group, either a number of nodes or their names. A number of nodes for ``rack-a``
        makes ``rack-a-0``, ``rack-a-1`` and so on.
    :raises ConfigurationError: if a name is not valid, or if two names are equal.
    """
    if not isinstance(given, Mapping):
        raise ConfigurationError(f"groups must be a mapping, such as {{'rack-a': 8, 'rack-b': 8}}, not {given!r}")
    groups = {group: _names(group, nodes) for group, nodes in given.items()}
    holders: dict[str, str] = {}
    for group, names in groups.items():
        for name in names:
            if name in holders:
                raise ConfigurationError(f"two nodes are called {name!r}: one in {holders[name]}, one in {group}")
            holders[name] = group
            if name in groups and groups[name] != (name,):
                raise ConfigurationError(
                    f"{name!r} is the name of a group and of a node in {group}; rename one of them"
                )
    return groups


def _names(group: str, nodes: int | Sequence[str]) -> tuple[str, ...]:
    _check(group, "group")
    if group == ALL:
        raise ConfigurationError(f"a group cannot be called {ALL!r}, because that stands for all nodes; rename it")
    if isinstance(nodes, int) and not isinstance(nodes, bool):
        if not 1 <= nodes <= MAX_NODES:
            raise ConfigurationError(f"the group {group} must have from 1 to {MAX_NODES} nodes, not {nodes}")
        return tuple(f"{group}-{number}" for number in range(nodes))
    if not isinstance(nodes, Sequence) or isinstance(nodes, str) or not nodes:
        raise ConfigurationError(f"the group {group} must be a number of nodes or a list of their names, not {nodes!r}")
    for name in nodes:
        _check(name, "node")
    return tuple(nodes)


def _check(name: object, what: str) -> None:
    if not isinstance(name, str) or not _NAME.fullmatch(name) or not is_valid_name(name):
        raise ConfigurationError(
            f"the name of a {what} must be 1 to 128 bytes of printable text without spaces and commas, not {name!r}"
        )


def first(groups: Mapping[str, Sequence[str]], count: int) -> dict[str, tuple[str, ...]]:
    """The groups cut to the first ``count`` nodes. A group without nodes is left out."""
    left = islice((name for names in groups.values() for name in names), count)
    kept = set(left)
    cut = {group: tuple(name for name in names if name in kept) for group, names in groups.items()}
    return {group: names for group, names in cut.items() if names}


def choice(text: str) -> tuple[int, str] | None:
    """Parse a choice such as ``2 of rack-a``: the number and the group; None if the text is no choice."""
    found = _CHOICE.fullmatch(text)
    return None if found is None else (int(found[1]), found[2])


def group_of(name: str, groups: Mapping[str, Sequence[str]]) -> str | None:
    """The group of a node; None if it has none."""
    return next((group for group, names in groups.items() if name in names), None)


def labelled(name: str, groups: Mapping[str, Sequence[str]]) -> str:
    """The name of a node with its group, unless that is part of the name."""
    group = group_of(name, groups)
    return name if group is None or name.startswith(group) else f"{name} ({group})"


def in_words(names: Iterable[str], groups: Mapping[str, Sequence[str]]) -> str | None:
    """The groups that together have exactly these nodes, as in ``rack-a and rack-b``; None if there are no such
    groups."""
    wanted = set(names)
    whole = [group for group, members in groups.items() if wanted.issuperset(members)]
    if not whole or {name for group in whole for name in groups[group]} != wanted:
        return None
    *others, last = whole
    return f"{', '.join(others)} and {last}" if others else last


def sizes(groups: Mapping[str, Sequence[str]]) -> str:
    """The groups with their sizes: ``rack-a (8), rack-b (8)``."""
    return ", ".join(f"{group} ({len(names)})" for group, names in groups.items())
