"""Limits: no datagram and no queue exceeds its bound."""

from __future__ import annotations

from gossip.core.config import Config
from gossip.core.detection.shared_address import MAX_ANSWERED_BY_ANOTHER
from gossip.core.dissemination.address_validation import MAX_VALIDATED
from gossip.core.dissemination.outbox import MAX_PENDING_DATAGRAMS
from gossip.core.dissemination.questions import MAX_CHALLENGES, MAX_CONTACTS
from gossip.core.dissemination.streams import INCOMING_SHARE
from gossip.core.presence.own_address import MAX_VOICES
from gossip.core.support.address import Address
from gossip.core.support.notices import MAX_REMEMBERED_NOTICES

from ..world import SimulatedNode
from .base import Invariant

MAX_TIMERS_PER_MEMBER = 40
"""The most pending timers of a core per member that it knows, cancelled ones included. More means a leak."""


class DatagramsFit(Invariant):
    """No datagram is larger than ``max_datagram``."""

    def sent(self, node: SimulatedNode, data: bytes, destination: Address, arrivals: list[tuple[float, bytes]],
             lost_to: str) -> None:  # fmt: skip
        """Check the size."""
        if len(data) > self.sim.config.max_datagram:
            raise self.violated(f"{node.key} sent {len(data)} bytes to {destination}")


class EverythingIsBounded(Invariant):
    """No queue of a member grows beyond its bound."""

    def check(self, node: SimulatedNode) -> None:
        """Check each queue."""
        load = node.protocol.load
        for name, bound in bounds(self.sim.config, load.members).items():
            if (size := getattr(load, name)) > bound:
                raise self.violated(f"{node.key} holds {size} {name}; the bound is {bound}")


def bounds(config: Config, members: int) -> dict[str, int]:
    """The bounds of everything in a core's ``load``, for a number of members that it knows."""
    known = members + 1
    return {
        "members": config.max_members,
        "tombstones": config.max_members,
        "rumours": config.max_rumours,
        "contacts": MAX_CONTACTS,
        "challenges": MAX_CHALLENGES,
        "pending_datagrams": MAX_PENDING_DATAGRAMS,
        "streams": int(INCOMING_SHARE * config.max_streams) + 2 * known,
        "suspects": 2 * known,
        "timers": MAX_TIMERS_PER_MEMBER * known,
        "probes": config.max_probes,
        "helped": config.max_helped,
        "validated": MAX_VALIDATED,
        "voices": MAX_VOICES,
        "answered_by_another": MAX_ANSWERED_BY_ANOTHER,
        "notices": MAX_REMEMBERED_NOTICES,
    }
