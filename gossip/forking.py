"""What a forked child must not use: its copies of the nodes that its parent runs.

``os.fork()`` copies the memory of a process, but not its threads. So a copied node runs nowhere, its members never
change, and its sockets are those of the parent. This module closes these sockets in the child, and has each part of a
node that the child could still reach replaced by one that says so. The parent notices nothing.
"""

from __future__ import annotations

import contextlib
import os
import weakref
from collections.abc import Callable
from typing import Any, NoReturn, Protocol, TypeVar

from gossip.errors import ForkedError


class Socket(Protocol):
    """A socket, that of the standard library or of trio."""

    def detach(self) -> int:
        """Give up the descriptor, and return it."""


T = TypeVar("T")

_parts: weakref.WeakKeyDictionary[Any, Callable[[Any], None]] = weakref.WeakKeyDictionary()
_sockets: weakref.WeakSet[Socket] = weakref.WeakSet()


def register(part: T, in_child: Callable[[T], None]) -> None:
    """Have ``in_child(part)`` called in each child that is forked from now on, while ``part`` exists."""
    _parts[part] = in_child


def close_copy_of(socket: Socket) -> None:
    """Have each child that is forked from now on close its copy of a socket, so that the port is free, and a peer sees
    the end of a stream, as soon as the parent closes it."""
    _sockets.add(socket)


def unusable(what: str) -> Any:
    """What takes the place of an attribute in the child: every use of it raises :class:`ForkedError`.

    :param what: names the node for people.
    """
    return _Unusable(what)


def is_unusable(part: object) -> bool:
    """Whether :func:`unusable` has made this part of a node, because this process is a forked child."""
    return isinstance(part, _Unusable)


def require_usable(part: object) -> None:
    """Check that a part of a node is no copy in a forked child.

    :raises ForkedError: if it is one.
    """
    if isinstance(part, _Unusable):
        part.refuse()


class _Unusable:
    def __init__(self, what: str) -> None:
        self._what = what

    def __getattr__(self, name: str) -> NoReturn:
        self.refuse()

    def __enter__(self) -> NoReturn:
        self.refuse()

    def __exit__(self, *_: object) -> None:
        """Never called; without it, Python would not get as far as :meth:`__enter__`."""

    def refuse(self) -> NoReturn:
        raise ForkedError(
            f"{self._what} runs in the process that opened it, and this is a child that was forked from that process. "
            "Open a node in the child, after the fork: with gunicorn in post_fork, with Celery in worker_process_init"
        )


def _in_child() -> None:
    for part, in_child in list(_parts.items()):
        in_child(part)
    for socket in list(_sockets):
        with contextlib.suppress(OSError):
            os.close(socket.detach())


if hasattr(os, "register_at_fork"):  # Windows has no fork
    os.register_at_fork(after_in_child=_in_child)
