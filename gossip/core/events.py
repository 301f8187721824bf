"""What happened to the membership, as told to the embedding program.

From a snapshot of the members and the events after it a program can keep the members for itself, by their ids:
``JOINED`` takes the place of whoever has the name, ``FORGOTTEN`` takes the member out, ``CONFLICT`` changes nothing,
and each other kind says what its member is now.
"""

from __future__ import annotations

import enum

import attrs

from gossip.core.detection.evidence import Explanation
from gossip.core.state.member import Member, Status
from gossip.core.state.node_standing import NodeStanding


class EventKind(enum.Enum):
    """The kinds of change a member can go through.

    - ``JOINED``: first seen, or seen again under a higher generation after a restart.
    - ``UPDATED``: its address or metadata changed, perhaps more than once since they were last told: the newest version
      counts. Of the dead, too: what they said last may be heard late.
    - ``SUSPECTED``: somebody got no answer from it; it still counts as living.
    - ``RESTORED``: suspected or dead until now, it was shown to be alive.
    - ``DIED``: it did not reach the floor raised against it in time. Its process may run all the same.
    - ``LEFT``: it said farewell.
    - ``CONFLICT``: two running processes bear its name; the member named is the one that does not hold the name.
    - ``FORGOTTEN``: it is not among the members any more: it was dead or gone for long, or made room for another.
    - ``STANDING``: the standing of this node itself, or the reason for it, is another; the member named is this node.
    """

    JOINED = "joined"
    UPDATED = "updated"
    SUSPECTED = "suspected"
    RESTORED = "restored"
    DIED = "died"
    LEFT = "left"
    CONFLICT = "conflict"
    FORGOTTEN = "forgotten"
    STANDING = "standing"


@attrs.frozen
class MembershipEvent:
    """One change of one member.

    - ``kind``: what happened, an :class:`EventKind`.
    - ``member``: the member after the change.
    - ``alive``: members seen living (alive or suspect) after the change, this node included.
    - ``time``: local monotonic time in seconds, on the clock given to the protocol.
    - ``previous``: its status before; None if it was not known.
    - ``accusers``: names of the members that accused it (suspected and died).
    - ``floor``: the counter value with which it would have refuted the accusation (suspected and died), in heartbeat
      steps.
    - ``silent_for``: seconds for which its counter has stood, as far as this node and the accusers know (suspected and
      died): since it was at the highest value that any of them has seen.
    - ``standing``: what this node knows of its own place (standing).
    - ``explanation``: why this node holds the member dead: what was asked, what answered, and who accused it (died).
    """

    kind: EventKind
    member: Member
    alive: int
    time: float
    previous: Status | None = None
    accusers: tuple[str, ...] = ()
    floor: int = 0
    silent_for: float | None = None
    standing: NodeStanding | None = None
    explanation: Explanation | None = None
