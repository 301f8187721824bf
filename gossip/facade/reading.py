"""What can be read of a node in any thread, without waiting."""

from __future__ import annotations

from gossip.core.state.member import Member
from gossip.core.state.node_standing import NodeStanding
from gossip.core.state.wall import ClockDispute
from gossip.core.support.address import Address
from gossip.facade.held import Held
from gossip.node import Inside
from gossip.security import Keyring
from gossip.telemetry import NodeStats


class Reading:
    """The questions to a node whose answers are there already. Each answer is that of :class:`gossip.Node`."""

    def __init__(self, held: Held[Inside]) -> None:
        self._held = held
        self._inside = held.inside
        self._node = self._inside.node

    def __repr__(self) -> str:
        _, _, rest = repr(self._node).partition(" ")
        return f"<{type(self).__module__.removesuffix('.node')}.Node {rest}"

    @property
    def local(self) -> Member:
        """This node as a member."""
        return self._node.local

    @property
    def address(self) -> Address:
        """Where others reach this node; before a peer has told it, where it is bound."""
        return self._node.address

    @property
    def bound_address(self) -> Address:
        """Where the sockets are bound: the host may be ``0.0.0.0`` or ``::``, the port is never 0."""
        return self._node.bound_address

    @property
    def standing(self) -> NodeStanding:
        """What this node knows of its own place in the cluster, since when, and why. The time is one of
        :func:`time.monotonic`."""
        return self._node.standing

    @property
    def agreement(self) -> float | None:
        """Share (0 to 1) of the peers heard recently whose view of the cluster equalled this node's; None if nobody was
        heard for five rounds."""
        return self._node.agreement

    @property
    def health(self) -> int:
        """How far this node doubts itself: 0 is healthy, 8 the most. Its timeouts are stretched by that."""
        return self._node.health

    @property
    def clock_dispute(self) -> ClockDispute | None:
        """A peer whose clock and this node's are more than a year apart, so that one refuses the other; None if there
        was none within the last minute."""
        return self._node.clock_dispute

    @property
    def alive(self) -> int:
        """Number of living members as seen from here, this node included."""
        return self._node.alive

    @property
    def stats(self) -> NodeStats:
        """What this node has done so far."""
        return self._node.stats

    @property
    def keyring(self) -> Keyring | None:
        """The keys in force; None for a node that was opened without keys."""
        return self._node.keyring

    def members(self) -> tuple[Member, ...]:
        """All known members sorted by name: this node, the others, and those that died or left of late. The same tuple
        until something changes."""
        return self._node.members()

    def get(self, name: str) -> Member | None:
        """The newest holder of ``name``, dead or alive, or None if there is none.

        :raises ConfigurationError: if ``name`` is no text.
        """
        return self._node.get(name)
