"""What happened to the membership, as told to the embedding program.

From a snapshot of the members and the events after it a program can keep the members for itself, by their ids:
``JOINED`` takes the place of whoever has the name, ``FORGOTTEN`` takes the member out, ``CONFLICT`` changes nothing,
and each other kind says what its member is now.
"""

from __future__ import annotations

import enum

import attrs

from gossip.core.member import Member, Status
from gossip.core.standing import NodeStanding


class EventKind(enum.Enum):
    """The kinds of change a member can go through."""

    JOINED = "joined"
    """First seen, or seen again under a higher generation after a restart."""
    UPDATED = "updated"
    """Its address or metadata changed, perhaps more than once since they were last told: the newest version counts.
    Told of one that is held dead, too: :attr:`Member.status` says whether it is."""
    SUSPECTED = "suspected"
    """Somebody got no answer from it; it still counts as living."""
    RESTORED = "restored"
    """Suspected or dead until now, it was shown to be alive."""
    DIED = "died"
    """It did not reach the floor raised against it in time. Its process may run all the same."""
    LEFT = "left"
    """It said farewell."""
    CONFLICT = "conflict"
    """Two running processes bear its name; the member named is the one that does not hold the name."""
    FORGOTTEN = "forgotten"
    """It is not among the members any more: it was dead or gone for long, or made room for another."""
    STANDING = "standing"
    """The standing of this node itself, or the reason for it, is another; the member named is this node."""


@attrs.frozen
class MembershipEvent:
    """One change of one member."""

    kind: EventKind
    member: Member
    """The member after the change."""
    alive: int
    """Members seen living (alive or suspect) after the change, this node included."""
    time: float
    """Local monotonic time in seconds, on the clock given to the protocol."""
    previous: Status | None = None
    """Its status before; None if it was not known."""
    accusers: tuple[str, ...] = ()
    """Names of the members that accused it (suspected and died)."""
    floor: int = 0
    """The counter value with which it would have refuted the accusation (suspected and died), in heartbeat steps."""
    silent_for: float | None = None
    """Seconds for which its counter has stood, as far as this node and the accusers know (suspected and
    died): since it was at the highest value that any of them has seen."""
    standing: NodeStanding | None = None
    """What this node knows of its own place (standing)."""
