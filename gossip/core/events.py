"""Events: what happened to the membership, for the embedding program.

From a snapshot of the members and the events after it, a program can keep the members itself, by their ids. ``JOINED``
replaces the member that has the name, ``FORGOTTEN`` takes the member out, ``CONFLICT`` changes nothing, and every other
kind says what its member is now.
"""

from __future__ import annotations

import enum

import attrs

from gossip.core.detection.evidence import Explanation
from gossip.core.state.member import Member, Status
from gossip.core.state.node_standing import NodeStanding


class EventKind(enum.Enum):
    """The kinds of change that a member can go through.

    - ``JOINED``: seen for the first time, or seen again under a higher generation after a restart.
    - ``UPDATED``: its address or metadata changed, perhaps more than once since the last event: the newest version
      counts. This happens to the dead, too: their last record may arrive late.
    - ``SUSPECTED``: another member got no answer from it; it still counts as living.
    - ``RESTORED``: it was suspected or dead, and has shown that it lives.
    - ``DIED``: it did not reach the floor raised against it in time. Its process may still run.
    - ``LEFT``: it said farewell.
    - ``CONFLICT``: two running processes have its name; the event names the one that does not hold the name.
    - ``FORGOTTEN``: it is no longer among the members: it was dead or gone for long, or made room for another.
    - ``STANDING``: this node's own standing, or the reason for it, has changed; the event names this node.

    >>> import gossip
    >>> gossip.EventKind("died") is gossip.EventKind.DIED
    True
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
    - ``silent_for``: seconds since its counter had the highest value that this node and the accusers have seen
      (suspected and died).
    - ``standing``: what this node knows about its own place (standing).
    - ``explanation``: why this node holds the member dead: its probes, their answers, and the accusers (died).

    >>> import gossip, trio
    >>> async def main():
    ...     config = gossip.Config.local()
    ...     async with gossip.open_node("ada", bind="127.0.0.1:0", config=config) as ada:
    ...         with ada.subscribe() as changes:
    ...             async with gossip.open_node("brook", bind="127.0.0.1:0", config=config, seeds=[ada.address]):
    ...                 async for item in changes:
    ...                     if isinstance(item, gossip.MembershipEvent) and item.kind is gossip.EventKind.JOINED:
    ...                         print(item)
    ...                         break
    >>> trio.run(main)
    'brook' joined at 127.0.0.1:..., 2 alive
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

    def __str__(self) -> str:
        """One line for people, with the reason: ``'brook' died, silent for 2.1 s, accused by 'cleo', ..., 2 alive``.

        Names and metadata come from peers, so they are written as Python literals, and no peer can forge a line.
        """
        return f"{_described(self)}, {self.alive} alive"

    def __repr__(self) -> str:
        return f"<MembershipEvent {self}>"


def _described(event: MembershipEvent) -> str:
    member, name = event.member, repr(event.member.name)
    before = f", was {event.previous.value}" if event.previous else ""
    match event.kind:
        case EventKind.JOINED:
            return f"{name} joined at {member.address}"
        case EventKind.UPDATED:
            return f"{name} is now version {member.version} at {member.address}, {dict(member.metadata)!r}"
        case EventKind.SUSPECTED:
            return f"{name} is suspected{_reason(event)}"
        case EventKind.RESTORED:
            return f"{name} is restored{before}"
        case EventKind.DIED:
            return f"{name} died{_reason(event)}{_findings(event.explanation)}"
        case EventKind.LEFT:
            return f"{name} left{before}"
        case EventKind.CONFLICT:
            return f"two processes use the name {name}, one of them at {member.address}"
        case EventKind.FORGOTTEN:
            return f"{name} is forgotten{before}"
        case EventKind.STANDING:
            return f"this node is {event.standing}"


def _reason(event: MembershipEvent) -> str:
    silent = "" if event.silent_for is None else f", silent for {event.silent_for:.1f} s"
    accusers = f", accused by {', '.join(map(repr, event.accusers))}" if event.accusers else ""
    floor = f", floor {event.floor}" if event.floor else ""
    return silent + accusers + floor


def _findings(explanation: Explanation | None) -> str:
    """What this node found out about a dead member by probing it."""
    if explanation is None:
        return ""
    probes, refused = len(explanation.asked), sum(each.refused for each in explanation.asked)
    if not probes:
        return ", not probed from here"
    if refused:
        return f", probes refused by its system: {refused} of {probes}"
    return f", probes unanswered: {probes}"
