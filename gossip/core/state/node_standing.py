"""The standing of a node, for the embedding program; :mod:`gossip.core.presence.standing` decides it."""

from __future__ import annotations

import enum

import attrs


class Standing(enum.Enum):
    """The places that a node can have in its cluster. The first one in this list that applies is its standing.

    - ``LEFT``: it has said farewell.
    - ``DISPLACED``: another process with a higher generation holds its name, so nobody else sees this node.
    - ``JOINING``: it looks for its cluster, and has not found it yet.
    - ``ISOLATED``: it was part of a cluster and no longer hears anybody: it is cut off, or the last one. What it
      believes about the others is a guess.
    - ``HELD_DEAD``: others hold it dead, or probably do, and may have given away what it owned.
    - ``CONNECTED``: it hears others, and its view has equalled one of theirs; or it is the first of its cluster.

    >>> import gossip, trio
    >>> async def main():
    ...     async with gossip.open_node("ada", bind="127.0.0.1:0") as node:
    ...         await node.until(lambda node: node.standing.standing is gossip.Standing.CONNECTED)
    ...         await node.leave()
    ...         print(node.standing.standing)
    >>> trio.run(main)
    Standing.LEFT
    """

    LEFT = "left"
    DISPLACED = "displaced"
    JOINING = "joining"
    ISOLATED = "isolated"
    HELD_DEAD = "held_dead"
    CONNECTED = "connected"


@attrs.frozen
class NodeStanding:
    """The standing of a node at one moment.

    - ``standing``: its place in the cluster, a :class:`Standing`.
    - ``since``: local time in seconds at which this standing began.
    - ``why``: the reason, for people: a sentence about the node.
    - ``is_warning``: whether a person should look: something is wrong, or something that was reported as wrong is over.
      It sets the level of the log line. Comparing two standings ignores it.

    >>> import gossip, trio
    >>> async def main():
    ...     async with gossip.open_node("ada", bind="127.0.0.1:0") as node:
    ...         print(node.standing)
    >>> trio.run(main)
    connected: ...
    """

    standing: Standing
    since: float
    why: str
    is_warning: bool = attrs.field(default=False, eq=False)

    def __str__(self) -> str:
        """The standing and its reason, for people: ``isolated: nobody was heard for 5.2 s ...``."""
        return f"{self.standing.value.replace('_', ' ')}: {self.why}"
