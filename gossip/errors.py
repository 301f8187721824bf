"""The errors of the shell: failures between a node and its surroundings, not in the protocol.

All of them derive from :class:`~gossip.core.errors.GossipError`, so one ``except`` catches everything that this package
raises on purpose.
"""

from __future__ import annotations

from gossip.core.errors import GossipError


class BindError(GossipError, OSError):
    """A node cannot use the address that it was given; the text says which address, and why.

    ``errno`` is the number from the operating system, or None if a name could not be resolved.

    >>> import gossip, trio
    >>> async def main():
    ...     async with gossip.open_node("ada", bind="127.0.0.1:0") as ada:
    ...         try:
    ...             async with gossip.open_node("brook", bind=ada.bound_address):
    ...                 pass
    ...         except gossip.BindError as error:
    ...             print(error)
    >>> trio.run(main)
    cannot bind to 127.0.0.1:...: another program uses that port
    """

    def __init__(self, sentence: str, code: int | None = None) -> None:
        super().__init__(sentence)
        self.errno = code

    def __reduce__(self) -> tuple[type[BindError], tuple[str, int | None]]:
        """How it crosses to another process."""
        return BindError, (str(self), self.errno)


class ClosedError(GossipError):
    """The operation needs a running node, and the ``async with open_node(...)`` block has ended.

    >>> import gossip, trio
    >>> async def main():
    ...     async with gossip.open_node("ada", bind="127.0.0.1:0") as node:
    ...         pass
    ...     try:
    ...         await node.leave()
    ...     except gossip.ClosedError as error:
    ...         print(error)
    >>> trio.run(main)
    node 'ada' is closed: its async with block has ended
    """


class ForkedError(GossipError, RuntimeError):
    """The process was forked from the one that opened this node; the node runs there, and not here.

    >>> import gossip
    >>> issubclass(gossip.ForkedError, RuntimeError)
    True
    """


class JoinError(GossipError):
    """A node did not find its cluster in the given time; the text says its standing, and why.

    >>> import gossip, trio
    >>> async def main():
    ...     async with gossip.open_node("ada", bind="127.0.0.1:0", seeds=["127.0.0.1:9"]) as node:
    ...         try:
    ...             await node.joined(timeout=0.1)
    ...         except gossip.JoinError as error:
    ...             print(error)
    >>> trio.run(main)
    node 'ada' is joining, not connected after 0.1 s: ...
    """


class NodeProcessError(GossipError):
    """The process of a node ended before its block; the text says how, and shows its last line on standard error.

    - ``returncode``: its exit code; if a signal ended it, the number of that signal, negative.
    - ``stderr``: the end of what it wrote to standard error.

    >>> import gossip, os, signal, trio
    >>> from gossip.remote import open_remote_node
    >>> async def main():
    ...     async with open_remote_node("ada", bind="127.0.0.1:0") as node:
    ...         os.kill(node.pid, signal.SIGKILL)
    ...         await trio.sleep_forever()
    >>> try:
    ...     trio.run(main)
    ... except gossip.NodeProcessError as error:
    ...     print(error)
    the process of node 'ada' (pid ...) was ended by SIGKILL; peers see a crash. ...
    """

    def __init__(self, sentence: str, returncode: int | None = None, stderr: str = "") -> None:
        super().__init__(sentence)
        self.returncode = returncode
        self.stderr = stderr


class QueryError(GossipError):
    """A question to a node of another process got no answer; the text says why, and what to do.

    >>> import gossip, trio
    >>> async def main():
    ...     try:
    ...         await gossip.query_members("127.0.0.1:9")
    ...     except gossip.QueryError as error:
    ...         print(error)
    >>> trio.run(main)
    cannot connect to 127.0.0.1:9: ...
    """
