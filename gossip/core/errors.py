"""Errors, of two kinds that are never mixed: misuse by the embedding program, and bad bytes from a peer."""

from __future__ import annotations

from gossip.core.support.drop_reasons import Drop


class GossipError(Exception):
    """Base of every error that this package raises on purpose.

    One ``except`` catches all of them:

    >>> import gossip
    >>> try:
    ...     gossip.Config.lan(probe_interval=-1)
    ... except gossip.GossipError as error:
    ...     print(error)
    probe_interval must be from 0.01 to 600; this is an int: -1
    """


class ConfigurationError(GossipError, ValueError):
    """A setting or argument does not exist, is out of range or contradicts another one; the text names it.

    >>> import gossip
    >>> gossip.Config.lan(probe_intervall=2.0)
    Traceback (most recent call last):
    gossip.core.errors.ConfigurationError: 'probe_intervall' is not a setting (did you mean 'probe_interval'?); ...
    """


class LeftError(GossipError):
    """The operation needs a member, but this node has left its cluster.

    >>> import gossip, trio
    >>> async def main():
    ...     async with gossip.open_node("ada", bind="127.0.0.1:0") as node:
    ...         await node.leave()
    ...         try:
    ...             node.update({"release": "8"})
    ...         except gossip.LeftError as error:
    ...             print(error)
    >>> trio.run(main)
    this node has left its cluster; open a new one to join again
    """


class DisplacedError(GossipError):
    """The operation needs a node that holds its name, but another process holds it now.

    >>> import gossip, trio
    >>> async def main():
    ...     config = gossip.Config.local()
    ...     async with gossip.open_node("ada", bind="127.0.0.1:0", config=config) as older:
    ...         await trio.sleep(0.002)  # the later start is the higher generation
    ...         async with gossip.open_node("ada", bind="127.0.0.1:0", config=config, seeds=[older.address]):
    ...             await older.until(lambda node: node.standing.standing is gossip.Standing.DISPLACED)
    ...             try:
    ...                 older.update({"release": "8"})
    ...             except gossip.DisplacedError as error:
    ...                 print(error)
    >>> trio.run(main)
    this node cannot announce new metadata: another process at 127.0.0.1:... holds its name, 'ada'; ...
    """


class WireError(GossipError):
    """A peer sent bytes that are no message of this protocol. The node counts and drops them; no program
    sees this error."""

    def __init__(self, reason: Drop) -> None:
        """Make an error that counts under this reason."""
        super().__init__(reason)
        self.reason = reason
