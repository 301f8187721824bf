"""The standing of a node as the embedding program sees it; :mod:`gossip.core.presence.standing` decides it."""

from __future__ import annotations

import enum

import attrs


class Standing(enum.Enum):
    """The places that a node can have in its cluster. The first of these that applies is its standing.

    - ``LEFT``: it has said farewell.
    - ``DISPLACED``: another process with a higher generation bears its name, so nobody else sees it.
    - ``JOINING``: it has somebody to look for, and has not found the cluster yet.
    - ``ISOLATED``: it was part of a cluster and hears nobody any more: it is cut off, or the last one. What it believes
      of the others is a guess.
    - ``HELD_DEAD``: others say, or must be expected to say, that it is dead, and may have given away what was its own.
    - ``CONNECTED``: it hears others, and its view has equalled one of theirs; or it is the first of its cluster.
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
    - ``since``: local time in seconds at which it came to this standing.
    - ``why``: the reason, for people: a sentence about the node.
    - ``is_warning``: whether somebody should look: something is wrong, or is over that was told to be wrong. It is what
      the log goes by, and does not count where two of these are compared.
    """

    standing: Standing
    since: float
    why: str
    is_warning: bool = attrs.field(default=False, eq=False)

    def __str__(self) -> str:
        """Both for people: ``isolated: nobody was heard for 5.2 s ...``."""
        return f"{self.standing.value.replace('_', ' ')}: {self.why}"
