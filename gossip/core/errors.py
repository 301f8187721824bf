"""Errors, of two kinds that are never mixed: misuse by the embedding program, and bad bytes from a peer."""

from __future__ import annotations

from gossip.core.support.drop_reasons import Drop


class GossipError(Exception):
    """Base of every error that this package raises on purpose."""


class ConfigurationError(GossipError, ValueError):
    """A setting or argument does not exist, is out of range or contradicts another one; the text names it."""


class LeftError(GossipError):
    """The operation needs a member, and this node has already left its cluster."""


class DisplacedError(GossipError):
    """The operation needs a node that holds its name, and another process holds it."""


class WireError(GossipError):
    """A peer sent bytes that are no message of this protocol. Counted and dropped, never raised to users."""

    def __init__(self, reason: Drop) -> None:
        """An error that is counted under this reason."""
        super().__init__(reason)
        self.reason = reason
