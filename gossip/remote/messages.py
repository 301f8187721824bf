"""What a program and the process of its node say to each other."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import attrs

from gossip.core.events import MembershipEvent
from gossip.node import Arguments, Snapshot
from gossip.remote.lines import Line

# --- to the process of the node


@attrs.frozen
class Open:
    """The first message: be this node."""

    arguments: Arguments
    log_level: int
    """The lowest level of the lines of the log that the program wants."""


@attrs.frozen
class Call:
    """Do something with the node, and send a :class:`Reply`."""

    number: int
    method: str
    arguments: tuple[Any, ...]


@attrs.frozen
class LogLevel:
    """From now on, the program wants lines of the log from this level on."""

    level: int


# --- to the program


@attrs.frozen
class Refused:
    """The only message if the node could not be opened."""

    error: BaseException


@attrs.frozen
class Reply:
    """What a call has returned, or raised."""

    number: int
    value: Any = None
    error: BaseException | None = None


@attrs.frozen
class News:
    """What has happened at the node since the last message, in this order. The first one begins with a snapshot."""

    items: tuple[Snapshot | MembershipEvent, ...] = ()
    """Changes of the members; a snapshot takes the place of those that the program did not read in time."""
    changes: Mapping[str, Any] = attrs.field(factory=dict)
    """The new values of those fields of :class:`~gossip.remote.state.NodeState` that have changed."""
    lines: tuple[Line, ...] = ()
    """Lines of the log."""
    replies: tuple[Reply, ...] = ()
    """Each comes after everything that the call has changed."""
