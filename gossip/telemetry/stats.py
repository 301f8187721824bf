"""What a node did so far, as numbers for people and for metrics.

The shell counts in :class:`ShellCounters`, and the core in its own statistics; :class:`NodeStats` is a copy of both.
"""

from __future__ import annotations

from collections.abc import Mapping

import attrs

from gossip.core.protocol import ProtocolStats


class ShellCounters:
    """The running counts of the shell; :class:`NodeStats` is the copy handed out."""

    def __init__(self) -> None:
        self.send_errors = 0
        self.receive_errors = 0
        self.sockets_reopened = 0
        self.streams_opened = 0
        self.streams_accepted = 0
        self.streams_refused = 0
        self.streams_failed = 0
        self.accept_errors = 0
        self.seed_lookups_failed = 0
        self.events_missed = 0


@attrs.frozen(kw_only=True)
class NodeStats:
    """Counts since a node was opened. They only grow, except :attr:`streams_active`.

    >>> import gossip, trio
    >>> async def main():
    ...     async with gossip.open_node("ada", bind="127.0.0.1:0") as node:
    ...         await gossip.query_members(node.address)
    ...         print(node.stats.streams_accepted, node.stats.protocol.suspicions)
    >>> trio.run(main)
    1 0
    """

    protocol: ProtocolStats
    """The counts of the protocol core: datagrams, bytes, and what was dropped and why."""
    opened: Mapping[str, int]
    """Datagrams and frames of streams that the node accepted, by the id of the key that sealed them; ``plain`` counts
    those without a seal. Streams inside TLS are not counted. You can drop a key once its count has stood still on all
    nodes for longer than the longest pause of any monitor or command line that uses it."""
    send_errors: int
    """Datagrams the operating system did not take: no room in its buffer, no route, no permission."""
    receive_errors: int
    """Errors reported when reading datagrams, such as ICMP messages about earlier ones."""
    sockets_reopened: int
    """Times the node opened the UDP socket or the TCP listener again because it had died."""
    streams_active: int
    """TCP streams open now, both directions."""
    streams_opened: int
    """TCP streams that this node opened."""
    streams_accepted: int
    """TCP streams that others opened to this node, without the refused ones."""
    streams_refused: int
    """TCP streams closed at once because too many were open, in total or from one source."""
    streams_failed: int
    """TCP streams that failed: no connection, an error, a malformed frame, too much time or too many bytes.
    ``protocol.dropped`` also counts those that this node cut, by reason."""
    accept_errors: int
    """Times a TCP connection could not be accepted, for example because the process has no descriptor left."""
    seed_lookups_failed: int
    """Times the name of a seed could not be resolved."""
    events_missed: int
    """Events discarded because a subscriber did not read fast enough: the sum over all subscriptions."""
