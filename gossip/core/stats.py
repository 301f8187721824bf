"""What one core has done since it started, and what it holds at present, for whoever watches it."""

from __future__ import annotations

from collections.abc import Mapping

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
    """Datagrams of which the system of a peer said that no process listens there, where the driver learns of it."""
    dropped: Mapping[str, int]
    """Messages, facts and streams refused, and what was given up at a bound, by reason."""
    suspicions: int
    """Times this node accused a member."""
    reconciliations: int
    """Times this node began to settle a difference of views."""
    contacts_to_heal: int
    """Times it tried to find a dead member or an absent seed again."""
    answered_through_helpers: int
    """Probes answered only through a helper."""
    answered_by_stream: int
    """Probes answered only over a stream: datagrams are being lost on the way."""
    stalls: int
    """Times this node found that its own process had not run."""
    replies_cut: int
    """Messages cut short or left out because they would have been larger than what they answer, and their receiver
    has not shown that it hears us."""


@attrs.frozen
class ProtocolLoad:
    """What one node holds at this moment: the size of everything in it that grows."""

    members: int
    """Members known, this node, the dead and those who left included."""
    tombstones: int
    """Forgotten members of whom a tombstone is kept."""
    rumours: int
    """Rumours that are pushed or ride."""
    timers: int
    """Timers pending, and those called off whose time has not come."""
    probes: int
    """Members being asked, for this node and for others."""
    streams: int
    """Open streams, in both directions."""
    contacts: int
    """Pings to seeds and dead members whose answer may still come."""
    challenges: int
    """Processes challenged because they speak under another's name."""
    suspects: int
    """Suspects followed."""
    pending_datagrams: int
    """Datagrams composed but not yet taken by the driver."""
    helped: int
    """Requests of others to ask a member that are being served."""
    validated: int
    """Addresses that have shown that they hear us."""
    voices: int
    """Hosts of whom it is kept where they see this node."""
    answered_by_another: int
    """Members for whom another was seen to answer."""
    notices: int
    """Subjects of which people were told once."""
