"""One simulated node: its protocol core, its clock, its process and what has happened to that."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable

import attrs

from gossip.core.address import Address
from gossip.core.config import Config
from gossip.core.events import MembershipEvent
from gossip.core.member import Status
from gossip.core.protocol import Protocol
from gossip.core.view import Entry, View

from .randomness import Draws

NEVER = float("inf")
"""A time that does not come."""

SOCKET_BUFFER_DATAGRAMS = 256
"""Datagrams that wait for a node that does not run; further ones are lost. Linux' default receive buffer
(212,992 bytes) holds about as many small ones."""


@attrs.define
class Clock:
    """Local time as a piecewise linear function of virtual time; both in seconds."""

    rate: float = 1.0
    """Local seconds per virtual second."""
    _virtual: float = 0.0
    _local: float = 0.0

    def local(self, now: float) -> float:
        """What the clock shows at virtual time ``now``."""
        return self._local + (now - self._virtual) * self.rate

    def virtual(self, local: float) -> float:
        """When the clock will show this."""
        return self._virtual + (local - self._local) / self.rate

    def set_rate(self, rate: float, now: float) -> None:
        """Run at another rate from now on."""
        self._local, self._virtual, self.rate = self.local(now), now, rate


@attrs.define
class StreamEnd:
    """One end of an open stream: who is at the other end, and when all that was sent has arrived."""

    peer: SimulatedNode
    number: int
    sent_until: float = 0.0


@attrs.define(eq=False)
class SimulatedNode:
    """One process that runs the protocol. A restart is another one under the same key."""

    key: str
    """What the simulation calls it. Its name, too, unless two nodes are to bear one name."""
    address: Address
    protocol: Protocol
    clock: Clock
    config: Config
    draws: Draws
    """From which it is drawn how late its timers fire."""
    view: View = attrs.field(init=False)
    """What its core knows."""
    entry: Entry = attrs.field(init=False)
    """What its core last called its own member; another one after a new generation."""
    events: list[MembershipEvent] = attrs.Factory(list)
    """Every event it told, if the simulation keeps them."""
    running: bool = True
    refuses: bool = False
    """Whether, now that it has ended, its system tells whoever sends to it that no process listens there."""
    slowness: float = 0.0
    """Seconds that the handling of each datagram and timer takes."""
    busy_until: float = 0.0
    """Virtual time at which a slow node is done with all it has begun."""
    timer_is_queued: bool = False
    """Whether a slow node has its timer before it, behind other work."""
    inbox: deque[tuple[Callable[[], None], Address | None]] = attrs.Factory(deque)
    """What has arrived while it was paused or busy, and from whom."""
    timer: float = 0.0
    """Local time of the protocol's next timer."""
    paused_at: float = 0.0
    """Local time at which it was paused last."""
    paused_until: float = 0.0
    """Virtual time until which nothing runs."""
    deaf_until: float = 0.0
    """Virtual time until which what arrives waits: because nothing runs, or because receiving blocks."""
    mute_until: float = 0.0
    """Virtual time until which sending blocks."""
    held_back: list[Callable[[], None]] = attrs.Factory(list)
    """What it wanted to send or do meanwhile, in order."""
    alarm: float = NEVER
    """Virtual time for which the node is to be woken."""
    fingerprint: int = 0
    """Fingerprint of its view when observers were last told of a change of it."""
    streams: dict[int, StreamEnd] = attrs.Factory(dict)
    """Open streams by number."""
    connecting: dict[int, list[bytes]] = attrs.Factory(dict)
    """Streams that are being opened, and the frames that wait for that."""
    _shown: float = 0.0

    def __attrs_post_init__(self) -> None:
        self.view = self.protocol.view
        self.entry = self.view.local

    @property
    def cluster(self) -> str:
        """Name of the cluster it belongs to."""
        return self.config.cluster

    @property
    def name(self) -> str:
        """The name it bears in the cluster."""
        return self.protocol.local.name

    @property
    def id(self) -> int:
        """Id of its present generation."""
        return self.entry.id

    @property
    def is_member(self) -> bool:
        """Whether it runs and has not said farewell."""
        return self.running and not self.entry.registers.left

    def local_time(self, now: float) -> float:
        """What its clock shows at virtual time ``now``; never less than before, whatever is rounded."""
        shown = self.clock.local(now)
        if shown < self._shown:
            return self._shown
        self._shown = shown
        return shown

    def told(self, kind: str, name: str | None = None) -> list[MembershipEvent]:
        """The events of one kind that it told, about one member or any."""
        return [each for each in self.events if each.kind.value == kind and name in (None, each.member.name)]

    def sees(self) -> dict[str, str]:
        """Status by name, as it sees it."""
        return {entry.identity.name: entry.status.value for entry in self.protocol.view}

    def status_of(self, name: str) -> Status | None:
        """Status of one member as it sees it; None if it does not know that name."""
        entry = self.protocol.view.named(name)
        return None if entry is None else entry.status
