"""The errors of the shell: failures between a node and its surroundings, not in the protocol.

All of them derive from :class:`~gossip.core.errors.GossipError`, so one ``except`` catches everything that this package
raises on purpose.
"""

from __future__ import annotations

from gossip.core.errors import GossipError


class BindError(GossipError, OSError):
    """A node cannot use the address that it was given; the text says which address, and why.

    ``errno`` is the number from the operating system, or None if a name could not be resolved.
    """

    def __init__(self, sentence: str, code: int | None = None) -> None:
        super().__init__(sentence)
        self.errno = code


class ClosedError(GossipError):
    """The operation needs a running node, and the ``async with open_node(...)`` block has ended."""


class ForkedError(GossipError, RuntimeError):
    """A node of another process is used: this process was forked from the one that opened the node."""


class JoinError(GossipError):
    """A node did not find its cluster in the given time; the text says its standing, and why."""


class QueryError(GossipError):
    """A question to a node of another process got no answer; the text says why, and what to do."""
