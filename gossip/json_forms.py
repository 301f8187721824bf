"""Members and events as JSON, for programs in any language.

The command line writes these forms as lines, and web programs serve them. JSON escapes everything that is not ASCII, so
names and metadata, which come from other machines, cannot begin a new line or move a cursor.
"""

from __future__ import annotations

import json
from typing import Any

import attrs

from gossip.core.detection.evidence import Explanation
from gossip.core.events import EventKind, MembershipEvent
from gossip.core.state.member import Member
from gossip.core.state.node_standing import NodeStanding
from gossip.core.support.address import Address
from gossip.node import Snapshot


def id_text(member: Member) -> str:
    """The id of a member for JSON, where a number of 64 bits would not be safe."""
    return f"{member.id:016x}"


def address_text(address: Address) -> str | None:
    """An address for JSON; None while nobody knows where others reach the agent."""
    return None if address.is_unspecified else str(address)


def _about_itself(kind: str, local: Member, bound: Address, standing: NodeStanding, unix_time: float) -> dict[str, Any]:
    """The fields in which an agent describes itself."""
    return {
        "event": kind,
        "time": round(unix_time, 6),
        **member_json(local),
        "bound": str(bound),
        "standing": standing.standing.value,
        "why": standing.why,
    }


def started_json_line(local: Member, bound: Address, standing: NodeStanding, unix_time: float) -> str:
    """The first line of an agent's JSON output.

    :param bound: where its sockets are.
    """
    return json.dumps(_about_itself("started", local, bound, standing, unix_time))


def event_json_line(event: MembershipEvent, unix_time: float) -> str:
    """One change as a line of an agent's JSON output; ``unix_time`` is when it happened."""
    member = event.member
    shown: dict[str, Any] = {
        "event": event.kind.value,
        "time": round(unix_time, 6),
        "name": member.name,
        "id": id_text(member),
        "address": address_text(member.address),
        "generation": member.generation,
        "version": member.version,
        "status": member.status.value,
        "previous": None if event.previous is None else event.previous.value,
        "metadata": dict(member.metadata),
        "alive": event.alive,
    }
    if event.kind in (EventKind.SUSPECTED, EventKind.DIED):
        shown["accusers"] = list(event.accusers)
        shown["silent_for"] = None if event.silent_for is None else round(event.silent_for, 3)
    if event.kind is EventKind.DIED:
        shown["explanation"] = None if event.explanation is None else explanation_json(event.explanation)
    if event.standing is not None:
        shown |= {"standing": event.standing.standing.value, "why": event.standing.why}
    return json.dumps(shown)


def explanation_json(told: Explanation) -> dict[str, Any]:
    """An explanation for JSON; times are in seconds, and 0 is the moment of the explanation."""

    def moment(when: float | None) -> float | None:
        return None if when is None else round(when - told.time, 3)

    return {
        "node": told.node,
        "probing": told.probing.value,
        "suspicion": told.suspicion.value,
        "since": moment(told.since),
        "counter": told.counter,
        "silent_for": round(told.silent_for, 3),
        "floor": told.floor,
        "accusers": list(told.accusers),
        "deadline": moment(told.deadline),
        "asked": [
            attrs.asdict(each) | {"began": moment(each.began), "ended": moment(each.ended)} for each in told.asked
        ],
        "told": [attrs.asdict(each) | {"at": moment(each.at)} for each in told.told],
    }


def snapshot_json_line(local: Member, bound: Address, snapshot: Snapshot, unix_time: float) -> str:
    """A line of an agent's JSON output that replaces all changes that it could not write, and ``started``.

    It is made member by member, so that other threads get their turns in between.
    """
    listed = snapshot.members
    head = json.dumps(
        _about_itself("snapshot", local, bound, snapshot.standing, unix_time)
        | {"alive": sum(member.status.is_living for member in listed)}
    )
    return f'{head[:-1]}, "members": [{", ".join(json.dumps(member_json(member)) for member in listed)}]}}'


def member_json(member: Member) -> dict[str, Any]:
    """One member as ``gossip members --json`` lists it."""
    return {
        "name": member.name,
        "id": id_text(member),
        "status": member.status.value,
        "address": address_text(member.address),
        "generation": member.generation,
        "version": member.version,
        "metadata": dict(member.metadata),
    }
