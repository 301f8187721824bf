"""Observers for these tests: they keep what they are told, so that a test can compare it with what a run says."""

from __future__ import annotations

import math
from collections import defaultdict
from typing import NamedTuple

from gossip.core.events import EventKind, MembershipEvent
from gossip.core.support.address import Address
from sims.world import Observer, SimulatedNode


class Telling(NamedTuple):
    """One event, as one member told it."""

    at: float
    by: str
    kind: EventKind
    about: str
    caused: bool
    """Whether a message made it happen."""
    metadata: dict[str, str]


class Told(Observer):
    """Keeps every event."""

    def __init__(self) -> None:
        self.all: list[Telling] = []

    def happened(self, node: SimulatedNode, event: MembershipEvent, cause: Address | None) -> None:
        """Keep it."""
        member = event.member
        self.all.append(
            Telling(self.sim.now, node.key, event.kind, member.name, cause is not None, dict(member.metadata))
        )

    def of(self, kind: EventKind, about: str) -> list[Telling]:
        """What others told of one member, in order."""
        return [each for each in self.all if each.kind is kind and each.about == about and each.by != about]


class Fates(Observer):
    """Keeps after how many seconds the datagrams on each way arrive; infinitely many for those that do not."""

    def __init__(self) -> None:
        self.of: dict[tuple[str, str], list[float]] = defaultdict(list)
        self.arrivals: dict[tuple[str, str], list[float]] = defaultdict(list)
        """The same as virtual times."""

    def sent(self, node: SimulatedNode, data: bytes, destination: Address, arrivals: list[tuple[float, bytes]],
             lost_to: str) -> None:  # fmt: skip
        """Keep it."""
        peer = self.sim.node_at(destination)
        assert peer is not None
        delay = arrivals[0][0] if arrivals else math.inf
        self.of[node.key, peer.key].append(delay)
        self.arrivals[node.key, peer.key].append(self.sim.now + delay)


class Handled(Observer):
    """Keeps when each node came to handle which datagram."""

    def __init__(self) -> None:
        self.by: dict[str, list[tuple[float, bytes]]] = defaultdict(list)

    def received(self, node: SimulatedNode, data: bytes, source: Address) -> None:
        """Keep it."""
        self.by[node.key].append((self.sim.now, data))


class Notes(Observer):
    """Keeps what was done to the world from outside."""

    def __init__(self) -> None:
        self.all: list[tuple[float, str]] = []

    def noted(self, text: str) -> None:
        """Keep it."""
        self.all.append((self.sim.now, text))
