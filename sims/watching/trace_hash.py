"""The trace hash: one number for everything that was sent and happened in a run. Equal runs have equal hashes."""

from __future__ import annotations

from hashlib import blake2b
from struct import Struct

from gossip.core.events import MembershipEvent
from gossip.core.support.address import Address

from ..world import Observer, SimulatedNode

HASH_BYTES = 16
_pack_time = Struct("<d").pack
_pack_times = Struct("<dd").pack


class TraceHash(Observer):
    """Hashes each event, and each datagram and frame with the times when it is sent and arrives."""

    def __init__(self) -> None:
        self._hash = blake2b(digest_size=HASH_BYTES)
        self._where: dict[Address, bytes] = {}

    def sent(self, node: SimulatedNode, data: bytes, destination: Address, arrivals: list[tuple[float, bytes]],
             lost_to: str) -> None:  # fmt: skip
        """Take in a datagram; its bytes name the sender."""
        arrives = arrivals[0][0] if arrivals else -1.0
        where = self._where.get(destination)
        if where is None:
            where = self._where[destination] = str(destination).encode()
        self._hash.update(_pack_times(self.sim.now, arrives) + where + data)

    def framed(self, node: SimulatedNode, peer: SimulatedNode, data: bytes, delay: float | None) -> None:
        """Take in a frame of a stream."""
        self._hash.update(_pack_times(self.sim.now, -1.0 if delay is None else delay) + data)

    def happened(self, node: SimulatedNode, event: MembershipEvent, cause: Address | None) -> None:
        """Take in an event."""
        what = f"{node.key} {event.kind.value} {event.member.name} {event.member.generation} {event.alive}"
        self._hash.update(_pack_time(self.sim.now) + what.encode())

    @property
    def hexdigest(self) -> str:
        """The hash so far, in hexadecimal digits."""
        return self._hash.hexdigest()
