"""Errors, of two kinds that are never mixed: misuse by the embedding program, and bad bytes from a peer."""

from __future__ import annotations

from gossip.core.support.drop_reasons import Drop


class GossipError(Exception):
    """Base of every error that this package raises on purpose."""


class ConfigurationError(GossipError, ValueError):
    """A setting or argument does not exist, is out of range or contradicts another one; the text names it."""


class LeftError(GossipError):
    """The operation needs a member, but this node has left its cluster."""


class DisplacedError(GossipError):
    """The operation needs a node that holds its name, but another process holds it now."""


class WireError(GossipError):
    """A peer sent bytes that are no message of this protocol. The node counts and drops them; no program
    sees this error."""

    def __init__(self, reason: Drop) -> None:
        """Make an error that counts under this reason."""
        super().__init__(reason)
        self.reason = reason
