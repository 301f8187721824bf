"""Statistics: what one core has done since it started, and what it holds at present."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import attrs


@attrs.frozen
class ProtocolStats:
    """What one node has sent, received and found, since it started."""

    datagrams_received: int
    """Datagrams given to the protocol, the bad ones included."""
    datagrams_sent: int
    """Datagrams composed."""
    bytes_sent: int
    """Payload bytes of the datagrams composed."""
    datagrams_refused: int
    """Datagrams for which a peer's system said that no process listens there, if the driver learns of it."""
    dropped: Mapping[str, int]
    """Refused messages, facts and streams, and what was given up at a bound, by reason."""
    suspicions: int
    """Times this node accused a member."""
    reconciliations: int
    """Times this node began a comparison of views."""
    contacts_to_heal: int
    """Times this node contacted a dead member or an absent seed."""
    answered_through_helpers: int
    """Probes answered only through a helper."""
    answered_by_stream: int
    """Probes answered only over a stream: the network loses datagrams."""
    stalls: int
    """Times this node found that its own process had not run."""
    replies_cut: int
    """Messages cut short or left out because they would have been larger than the message that they answer, and the
    receiver's address was not validated."""


class ProtocolLoad(NamedTuple):
    """What one node holds at this moment: the size of everything in it that grows."""

    members: int
    """Known members, with this node, the dead and those that left."""
    tombstones: int
    """Forgotten members with a tombstone."""
    rumours: int
    """Rumours that are still pushed or piggybacked."""
    timers: int
    """Pending timers, and cancelled ones whose time has not come."""
    probes: int
    """Probes under way, for this node and for others."""
    streams: int
    """Open streams, in both directions."""
    contacts: int
    """Pings to seeds and dead members whose answer may still come."""
    challenges: int
    """Processes challenged because they speak under another member's name."""
    suspects: int
    """Suspects whose suspicion this node times."""
    pending_datagrams: int
    """Datagrams that the driver has not taken yet."""
    helped: int
    """Requests of others to probe a member that this node serves."""
    validated: int
    """Validated addresses."""
    voices: int
    """Hosts for which this node keeps where they see it."""
    answered_by_another: int
    """Members for which another member was seen to answer."""
    notices: int
    """Subjects about which people were told once."""
