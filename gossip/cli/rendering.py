"""How events and members look to people. :mod:`gossip.json_forms` has the forms for programs.

Names and metadata come from other machines. Text escapes everything that does not print, so no member can move the
cursor of a terminal or forge a second line.
"""

from __future__ import annotations

import datetime
import json
from collections.abc import Iterator, Mapping

from gossip import Snapshot
from gossip.core.events import EventKind, MembershipEvent
from gossip.core.state.member import Member, Status
from gossip.core.state.node_standing import NodeStanding, Standing
from gossip.core.support.address import Address
from gossip.core.support.text import is_printable
from gossip.json_forms import address_text
from gossip.security import Keyring

STATUS_STYLES = {Status.ALIVE: "green", Status.SUSPECT: "yellow", Status.DEAD: "bold red", Status.LEFT: "dim",
                 Status.DISPLACED: "yellow"}  # fmt: skip
"""Colours of the statuses, the same in every table."""

_SHORT_ESCAPES = {"\n": "\\n", "\r": "\\r", "\t": "\\t"}


def printable(text: str) -> str:
    """``text`` with escapes for everything that is not a visible character or a space."""
    if is_printable(text):
        return text
    return "".join(c if is_printable(c) else _SHORT_ESCAPES.get(c) or _numeric_escape(ord(c)) for c in text)


def _numeric_escape(code: int) -> str:
    if code <= 0xFF:
        return f"\\x{code:02x}"
    return f"\\u{code:04x}" if code <= 0xFFFF else f"\\U{code:08x}"


def describe_metadata(metadata: Mapping[str, str]) -> str:
    """Metadata as ``key=value`` pairs, sorted by key."""
    return " ".join(f"{printable(key)}={printable(value)}" for key, value in sorted(metadata.items()))


def started_text(local: Member, bound: Address, standing: NodeStanding, unix_time: float) -> str:
    """The first line of an agent's output for people."""
    joining = "" if standing.standing is Standing.CONNECTED else f", {describe_standing(standing)}"
    return f"{clock(unix_time)}  started    {printable(local.name)} {_place(local, bound)}{joining}"


def _place(local: Member, bound: Address) -> str:
    """Where an agent is, for people."""
    if local.address.is_unspecified:
        return f"bound to {bound} (it does not know its address yet: others will tell it)"
    return f"at {local.address}"


def _reached_at(member: Member) -> str:
    """Where others reach a member, for people."""
    return address_text(member.address) or "its address is not known yet"


def describe_standing(own: NodeStanding) -> str:
    """The standing of a node, and why."""
    return printable(str(own))


def snapshot_text(local: Member, bound: Address, snapshot: Snapshot, unix_time: float) -> str:
    """The same for people: two lines about the agent, and one for each member."""
    listed, time = snapshot.members, clock(unix_time)
    alive = sum(member.status.is_living for member in listed)
    place = _place(local, bound)
    lines = [f"{time}  snapshot   {printable(local.name)} {place} sees {len(listed)} members, {alive} alive"]
    lines.append(f"{time}  standing   {describe_standing(snapshot.standing)}")
    for member in listed:
        details = "; ".join((_reached_at(member), *([describe_metadata(member.metadata)] if member.metadata else [])))
        lines.append(f"{time}  {member.status.value:<9}  {printable(member.name)} ({details})")
    return "\n".join(lines)


def event_text(event: MembershipEvent, unix_time: float) -> str:
    """One change as a line for people."""
    details = [_reached_at(event.member), *_details(event)]
    return (
        f"{clock(unix_time)}  {event.kind.value:<9}  {printable(event.member.name)} "
        f"({'; '.join(details)}), {event.alive} alive"
    )


def _details(event: MembershipEvent) -> Iterator[str]:
    if event.kind in (EventKind.JOINED, EventKind.UPDATED) and event.member.metadata:
        yield describe_metadata(event.member.metadata)
    if event.accusers:
        yield "accused by " + ", ".join(printable(name) for name in event.accusers)
    if event.silent_for is not None:
        yield f"silent for {event.silent_for:.1f} s"
    if event.kind is EventKind.CONFLICT:
        yield "another running process has this name"
    if event.standing is not None:
        yield describe_standing(event.standing)


def describe_keys(ring: Keyring) -> str:
    """Which key seals and which open, by their ids."""
    parts = ["sealing nothing" if ring.in_use.is_plain else f"sealing with {ring.in_use.id}"]
    if opening := [key.id for key in ring.keys if not key.is_plain]:
        parts.append(f"opening {' and '.join(opening)}")
    if ring.allows_plain:
        parts.append("accepting what is not sealed")
    return ", ".join(parts)


def keys_text(ring: Keyring, unix_time: float) -> str:
    """An agent's line for people about its present keys."""
    return f"{clock(unix_time)}  {'keys':<9}  {describe_keys(ring)}"


def keys_json_line(name: str, ring: Keyring, unix_time: float) -> str:
    """The same in its JSON output."""
    return json.dumps(
        {
            "event": "keys",
            "time": round(unix_time, 6),
            "name": name,
            "seals": ring.in_use.id,
            "opens": [key.id for key in ring.keys],
        }
    )


def clock(unix_time: float, *, with_date: bool = False) -> str:
    """The local time of day to the millisecond, or date and time to the second."""
    try:
        moment = datetime.datetime.fromtimestamp(unix_time, tz=datetime.timezone.utc).astimezone()
    except (ValueError, OverflowError, OSError):  # a peer may claim any year as that of its start
        return "?"
    return f"{moment:%Y-%m-%d %H:%M:%S}" if with_date else f"{moment:%H:%M:%S}.{moment.microsecond // 1000:03d}"
