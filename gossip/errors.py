"""The errors of the shell: failures between a node and its surroundings, not in the protocol.

All of them are :class:`~gossip.core.errors.GossipError`, so one ``except`` catches everything that this package raises
on purpose.
"""

from __future__ import annotations

from gossip.core.errors import GossipError


class BindError(GossipError, OSError):
    """A node cannot take the address it was given; the text says which one and why.

    ``errno`` is that of the operating system, or None if a name could not be resolved.
    """

    def __init__(self, sentence: str, code: int | None = None) -> None:
        super().__init__(sentence)
        self.errno = code

    def __reduce__(self) -> tuple[type[BindError], tuple[str, int | None]]:
        """How it crosses to another process."""
        return BindError, (str(self), self.errno)


class ClosedError(GossipError):
    """The operation needs a running node, and the ``async with open_node(...)`` block has ended."""


class ForkedError(GossipError, RuntimeError):
    """A node of another process is used: this process was forked from the one that opened the node."""


class JoinError(GossipError):
    """A node has not found its cluster in the time it was given; the text says what its standing is, and why."""


class NodeProcessError(GossipError):
    """The process in which a node runs has ended before its block; the text says how, and what it said last.

    - ``returncode``: its exit code; if a signal has ended it, the number of the signal, negative.
    - ``stderr``: the end of what it has written to its standard error.
    """

    def __init__(self, sentence: str, returncode: int | None = None, stderr: str = "") -> None:
        super().__init__(sentence)
        self.returncode = returncode
        self.stderr = stderr


class QueryError(GossipError):
    """A question to somebody else's node has no answer: nobody answers there, or not as a node of this cluster."""
