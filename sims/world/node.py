"""One simulated node: its protocol core, its clock, and the state of its process."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable

import attrs

from gossip.core.config import Config
from gossip.core.events import MembershipEvent
from gossip.core.protocol import Protocol
from gossip.core.state.entry import Entry
from gossip.core.state.member import Status
from gossip.core.state.view import View
from gossip.core.support.address import Address

from .randomness import Draws

NEVER = float("inf")
"""A time that never comes."""

SOCKET_BUFFER_DATAGRAMS = 256
"""Datagrams that can wait for a node that does not run; further ones are lost. Linux' default receive buffer (212,992
bytes) holds about as many small ones."""


@attrs.define
class Clock:
    """A node's own clock: local time as a piecewise linear function of virtual time, both in seconds."""

    rate: float = 1.0
    """Local seconds per virtual second."""
    _virtual: float = 0.0
    _local: float = 0.0

    def local(self, now: float) -> float:
        """What the clock shows at virtual time ``now``."""
        return self._local + (now - self._virtual) * self.rate

    def virtual(self, local: float) -> float:
        """The virtual time at which the clock shows this."""
        return self._virtual + (local - self._local) / self.rate

    def set_rate(self, rate: float, now: float) -> None:
        """Change the rate from now on."""
        self._local, self._virtual, self.rate = self.local(now), now, rate


@attrs.define
class StreamEnd:
    """One end of an open stream: the node at the other end, and when everything sent has arrived."""

    peer: SimulatedNode
    number: int
    sent_until: float = 0.0


@attrs.define(eq=False)
class SimulatedNode:
    """One process that runs the protocol. A restart makes another one under the same key."""

    key: str
    """Its key in the simulation. It is its name, too, unless two nodes have one name."""
    address: Address
    protocol: Protocol
    clock: Clock
    config: Config
    draws: Draws
    """Random stream for the lateness of its timers."""
    view: View = attrs.field(init=False)
    """The view of its core."""
    entry: Entry = attrs.field(init=False)
    """The core's entry for its own member; a new generation has another one."""
    events: list[MembershipEvent] = attrs.Factory(list)
    """Every event that its core told, if the simulation keeps them."""
    running: bool = True
    refuses: bool = False
    """Whether the machine still runs after the process has ended, and tells senders that no process listens there."""
    slowness: float = 0.0
    """Seconds that it needs to handle each datagram and timer."""
    busy_until: float = 0.0
    """Virtual time at which a slow node has finished everything that it has begun."""
    timer_is_queued: bool = False
    """Whether a due timer of a slow node waits behind other work."""
    inbox: deque[tuple[Callable[[], None], Address | None]] = attrs.Factory(deque)
    """What has arrived while it was paused or busy, and who sent it."""
    timer: float = 0.0
    """Local time of the protocol's next timer."""
    paused_at: float = 0.0
    """Local time of its last pause."""
    paused_until: float = 0.0
    """Virtual time until which nothing runs."""
    deaf_until: float = 0.0
    """Virtual time until which arrivals wait, because nothing runs or because receiving blocks."""
    mute_until: float = 0.0
    """Virtual time until which sending blocks."""
    held_back: list[Callable[[], None]] = attrs.Factory(list)
    """What it wanted to send or do meanwhile, in order."""
    alarm: float = NEVER
    """Virtual time at which the simulation will wake the node."""
    fingerprint: int = 0
    """Fingerprint of its view when observers were last told that it had changed."""
    streams: dict[int, StreamEnd] = attrs.Factory(dict)
    """Open streams by number."""
    connecting: dict[int, list[bytes]] = attrs.Factory(dict)
    """Streams that are being opened, and the frames that wait for them."""
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
        """Its name in the cluster."""
        return self.protocol.local.name

    @property
    def id(self) -> int:
        """Id of its present generation."""
        return self.entry.id

    @property
    def is_member(self) -> bool:
        """Whether it runs and has not left."""
        return self.running and not self.entry.registers.left

    def local_time(self, now: float) -> float:
        """The time on its clock at virtual time ``now``. It never goes back, even by rounding."""
        shown = self.clock.local(now)
        if shown < self._shown:
            return self._shown
        self._shown = shown
        return shown

    def told(self, kind: str, name: str | None = None) -> list[MembershipEvent]:
        """The events of one kind that it told, about one member or about any."""
        return [each for each in self.events if each.kind.value == kind and name in (None, each.member.name)]

    def sees(self) -> dict[str, str]:
        """Status by name, as it sees it."""
        return {entry.identity.name: entry.status.value for entry in self.protocol.view}

    def status_of(self, name: str) -> Status | None:
        """Status of one member as it sees it; None if it does not know that name."""
        entry = self.protocol.view.named(name)
        return None if entry is None else entry.status
