"""Registers: they only grow, only the right members raise them, and everything else follows from them."""

from __future__ import annotations

import attrs

from gossip.core.events import EventKind, MembershipEvent
from gossip.core.state.entry import Entry
from gossip.core.state.hearing import CONVICTION_STEPS
from gossip.core.state.heartbeat import MAX_STEPS_AHEAD
from gossip.core.state.member import Record, Registers, Status, record_fingerprint
from gossip.core.state.node_standing import Standing
from gossip.core.state.view import FINGERPRINT_MODULUS
from gossip.core.support.address import Address

from ..world import SimulatedNode
from .base import Invariant

_SILENT = (Standing.ISOLATED, Standing.DISPLACED)
"""Standings in which a node may tell its program nothing of others."""


class CounterNeverRegresses(Invariant):
    """A member's own counter and generation only grow."""

    def __init__(self) -> None:
        self._last: dict[str, tuple[int, int, int]] = {}

    def handled(self, node: SimulatedNode) -> None:
        """Compare with the last time."""
        local = node.protocol.view.local
        now = (local.identity.generation, local.id, local.registers.heartbeat)
        before = self._last.get(node.key, (0, 0, 0))
        if now[0] < before[0] or (now[1] == before[1] and now[2] < before[2]):
            raise self.violated(f"{node.key} went from generation, id and counter {before} back to {now}")
        self._last[node.key] = now


REMEMBERED_PAIRS = 50_000
"""The most pairs of a member and a holder of its registers that are remembered to see that nothing goes back. In a
cluster of more than some two hundred members, these are not all pairs."""


MOST_STEPS_AT_ONCE = 100 * MAX_STEPS_AHEAD
"""Steps by which many lies, each of them believed, may raise a register above a counter seen a moment ago."""


class RegistersOnlyGrow(Invariant):
    """Each register that a node holds of a member only grows, as long as the node knows the member. After the node has
    seen a counter, no register leaps absurdly far above it, whatever is forged."""

    def __init__(self) -> None:
        self._last: dict[tuple[SimulatedNode, int], tuple[Entry, Registers]] = {}

    def happened(self, node: SimulatedNode, event: MembershipEvent, cause: Address | None) -> None:
        """Check the member that the event is about."""
        entry = node.view.get(event.member.id)
        if entry is not None:
            self._compare(node, entry)

    def check(self, node: SimulatedNode) -> None:
        """Check all members."""
        for entry in node.view:
            self._compare(node, entry)

    def _compare(self, node: SimulatedNode, entry: Entry) -> None:
        pair, now = (node, entry.id), entry.registers
        before, registers = self._last.get(pair, (None, now))
        if before is None and len(self._last) >= REMEMBERED_PAIRS:
            return
        self._last[pair] = (entry, now)
        if before is entry and now is not registers and not _has_grown(registers, now):
            raise self.violated(f"{node.key} went back from {registers} to {now}")
        if before is entry and max(now[1:]) > registers.heartbeat + MOST_STEPS_AT_ONCE and registers.heartbeat:
            raise self.violated(
                f"{node.key} believes the registers {now[1:]} of {entry.identity.name} after {registers[1:]}"
            )


def _has_grown(before: Registers, after: Registers) -> bool:
    versions = before.record.version <= after.record.version
    return versions and all(one <= other for one, other in zip(before[1:], after[1:], strict=True))


@attrs.define
class _Said:
    """What a member has said of itself, and what others have said against it."""

    node: SimulatedNode
    records: dict[int, Record] = attrs.Factory(dict)
    floors: set[int] = attrs.Factory(set)
    left: bool = False


class NothingInvented(Invariant):
    """Every belief about a member was said by that member, or follows from a floor that an accuser raised."""

    def __init__(self) -> None:
        self._said: dict[int, _Said] = {}
        self._known: dict[int, tuple[int, int, bool]] = {}

    def started(self, node: SimulatedNode) -> None:
        """The node says who it is."""
        self._listen(node)

    def handled(self, node: SimulatedNode) -> None:
        """The node may have said something new of itself."""
        registers = node.protocol.view.local.registers
        if self._known.get(id(node)) != (node.id, registers.record.version, registers.left > 0):
            self._listen(node)
        if node.protocol.standing.standing in _SILENT:
            self._listen_to_accusations(node)

    def happened(self, node: SimulatedNode, event: MembershipEvent, cause: Address | None) -> None:
        """A node's own accusation raises a floor, unless a message made the node repeat it."""
        if event.kind is EventKind.SUSPECTED and cause is None and event.member.id in self._said:
            self._said[event.member.id].floors.add(event.floor)

    def check(self, node: SimulatedNode) -> None:
        """Compare each entry with what was said."""
        for entry in node.protocol.view:
            if entry.id not in self.sim.tainted:
                self._check_entry(node, entry)

    def _listen(self, node: SimulatedNode) -> None:
        registers = node.protocol.view.local.registers
        said = self._said.setdefault(node.id, _Said(node))
        said.records[registers.record.version] = registers.record
        said.left = registers.left > 0
        self._known[id(node)] = (node.id, registers.record.version, said.left)

    def _listen_to_accusations(self, node: SimulatedNode) -> None:
        """Note the accusations of a node whose program is told nothing of others. No event shows them."""
        for entry in node.protocol.view:
            if entry.status is Status.SUSPECT and node.id in entry.accusers and entry.id in self._said:
                self._said[entry.id].floors.add(entry.registers.accused)

    def _check_entry(self, node: SimulatedNode, entry: Entry) -> None:
        who, registers = f"{node.key} believes of {entry.identity.name}", entry.registers
        said = self._said.get(entry.id)
        if said is None:
            raise self.violated(f"{who}, id {entry.id:x}, which no member ever had")
        if (record := said.records.get(registers.record.version)) is None or record != registers.record:
            raise self.violated(f"{who} the record {registers.record}; it said {record}")
        if said.node.id == entry.id:
            own = said.node.protocol.heartbeat(said.node.local_time(self.sim.now))
            if registers.heartbeat > own:
                raise self.violated(f"{who} the counter {registers.heartbeat}, which stands at {own}")
        for kind, floor, accused in (
            ("accused", registers.accused, registers.accused),
            ("convicted", registers.convicted, registers.convicted - CONVICTION_STEPS),
        ):
            if floor and not _was_raised(accused, said.floors, registers.heartbeat):
                raise self.violated(f"{who} that it was {kind} at {floor}; accusers said {sorted(said.floors)}")
        if registers.left and not said.left:
            raise self.violated(f"{who} that it left, which it did not")


def _was_raised(floor: int, floors: set[int], counter: int) -> bool:
    """Whether an accuser raised this floor of an accusation, or members came to it from a floor that an accuser raised.

    A conviction lies :data:`CONVICTION_STEPS` above its accusation. A member whose counter is seen between the two has
    run past the accusation; those who see that take the conviction for an accusation at its own floor, and may convict
    the member above that. This can go on while the member answers each floor, so there is no limit to the steps. But
    each step needs a counter at the floor before, and a member that passes the new floor on passes that counter on too.

    :param floors: those that accusers have raised.
    :param counter: the highest value seen of the member's counter.
    """
    if floor in floors:
        return True
    return counter >= floor - CONVICTION_STEPS and any(
        floor > each and (floor - each) % CONVICTION_STEPS == 0 for each in floors
    )


class StatusFollowsRegisters(Invariant):
    """The status follows from the registers, and the ring holds exactly the living."""

    def check(self, node: SimulatedNode) -> None:
        """Derive every status anew."""
        view, living = node.protocol.view, 0
        for entry in view:
            each = entry.registers
            if each.left:
                expected = Status.LEFT
            elif each.convicted > each.heartbeat:
                expected = Status.DEAD
            else:
                expected = Status.SUSPECT if each.accused > each.heartbeat else Status.ALIVE
            if entry.status is not expected:
                raise self.violated(f"{node.key} has {entry.identity.name} as {entry.status}, not {expected}")
            living += expected.is_living
        if living != view.alive:
            raise self.violated(f"{node.key} has {view.alive} on its ring and {living} living members")


class FingerprintIsTheView(Invariant):
    """Each fingerprint is that of its view, computed anew."""

    def check(self, node: SimulatedNode) -> None:
        """Compute it anew."""
        view = node.protocol.view
        marks = (record_fingerprint(entry.registers.record) for entry in view if entry.status.is_living)
        if (expected := sum(marks) % FINGERPRINT_MODULUS) != view.fingerprint:
            raise self.violated(f"{node.key} has fingerprint {view.fingerprint:x} and the view of {expected:x}")
