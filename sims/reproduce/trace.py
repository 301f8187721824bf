"""Traces: a run as lines of JSON, for people to read and for a later run to be compared with.

The first line holds the plan, the last one the trace hash and the outcome. Between them, each datagram, frame, event,
start, stop and step has a line, in the order in which they happened. Times are rounded to microseconds and nothing
depends on the wall clock, so the same run gives the same file, to the last byte. The hash covers more than the lines
do; the lines show where two runs differ.
"""

from __future__ import annotations

import json
from abc import ABC, abstractmethod
from typing import Any, TextIO

import attrs

from gossip.core.events import MembershipEvent
from gossip.core.support.address import Address
from gossip.core.wire import CHECKSUM_BYTES

from ..plan import Plan
from ..running import Outcome
from ..watching import kind_of
from ..world import Observer, SimulatedNode

FORMAT = 1
"""Version of the format. Traces of another version cannot be read."""

END = '{"hash": '
"""How the last line, and no other, begins."""


def _rounded(seconds: float) -> float:
    return round(seconds, 6)


class Lines(Observer, ABC):
    """Makes a line of everything that happens and hands it to :meth:`take`."""

    def __init__(self, plan: Plan) -> None:
        self._groups = {name: {"group": group} for group, names in plan.groups.items() for name in names}

    @abstractmethod
    def take(self, line: str) -> None:
        """Take in the next line."""

    def started(self, node: SimulatedNode) -> None:
        """A line for a process that begins."""
        who = node.protocol.local
        self._tell(start=node.key, name=who.name, generation=who.generation, id=f"{who.id:016x}",
                   address=str(node.address), **self._groups.get(node.key, {}))  # fmt: skip

    def stopped(self, node: SimulatedNode) -> None:
        """A line for a process that ends."""
        self._tell(stop=node.key)

    def sent(self, node: SimulatedNode, data: bytes, destination: Address, arrivals: list[tuple[float, bytes]],
             lost_to: str) -> None:  # fmt: skip
        """A line for a datagram."""
        fate: dict[str, Any] = {"arrives": [_rounded(self.sim.now + delay) for delay, _ in arrivals]}
        if not arrivals:
            fate = {"lost": lost_to}
        elif any(copy != data for _, copy in arrivals):
            fate["damaged"] = True
        self._tell_message("sent", data, node, self.sim.key_at(destination), fate)

    def framed(self, node: SimulatedNode, peer: SimulatedNode, data: bytes, delay: float | None) -> None:
        """A line for a frame of a stream."""
        fate = {"lost": "cut"} if delay is None else {"arrives": [_rounded(self.sim.now + delay)]}
        self._tell_message("framed", data, node, peer.key, fate)

    def happened(self, node: SimulatedNode, event: MembershipEvent, cause: Address | None) -> None:
        """A line for an event."""
        who, more = event.member, dict[str, Any]()
        if event.accusers:
            more = {"accusers": event.accusers, "floor": event.floor}
        if cause is not None:
            more["told_by"] = self.sim.key_at(cause)
        self._tell(event=event.kind.value, member=who.name, generation=who.generation, at_node=node.key,
                   alive=event.alive, **more)  # fmt: skip

    def noted(self, text: str) -> None:
        """A line for something that is done from outside."""
        self._tell(note=text)

    def _tell(self, **what: Any) -> None:
        self.take(json.dumps({"t": _rounded(self.sim.now), **what}) + "\n")

    def _tell_message(self, how: str, data: bytes, node: SimulatedNode, to: str, fate: dict[str, Any]) -> None:
        checksum = data[-CHECKSUM_BYTES:].hex()
        self._tell(**{how: kind_of(data), "from": node.key, "to": to, "bytes": len(data), "crc": checksum}, **fate)


class TraceWriter(Lines):
    """Writes the trace of one run. Give it to the run as an observer, and call :meth:`finish` afterwards."""

    def __init__(self, plan: Plan, file: TextIO) -> None:
        """Write the first line.

        :param file: the file to write to; the caller closes it.
        """
        super().__init__(plan)
        self._file = file
        file.write(json.dumps({"trace": FORMAT, "plan": json.loads(plan.to_json())}) + "\n")

    def take(self, line: str) -> None:
        """Write a line."""
        self._file.write(line)

    def finish(self, outcome: Outcome) -> None:
        """Write the last line. A trace without it counts as truncated."""
        facts = attrs.asdict(outcome)
        del facts["wall_s"]
        self._file.write(json.dumps({"hash": facts.pop("trace_hash"), "outcome": facts}) + "\n")
