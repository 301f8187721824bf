"""Invariants: what must hold of every run, whatever happens in it, each as a class of its own.

Most are checked a part at a time, once a virtual second, so that checking costs little even in a large
cluster: each second some members are gone through, in turn, and all of them at the end.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

import attrs

from gossip.core.address import Address
from gossip.core.config import Config
from gossip.core.events import EventKind, MembershipEvent
from gossip.core.hearing import CONVICTION_STEPS, HEARING_S
from gossip.core.joining import MAX_PENDING_CONTACTS
from gossip.core.member import Record, Status, fingerprint_mark
from gossip.core.notices import MAX_REMEMBERED_NOTICES
from gossip.core.outbox import MAX_PENDING_DATAGRAMS
from gossip.core.own_address import MAX_VOICES
from gossip.core.proof import MAX_PROVEN
from gossip.core.protocol import MAX_CHALLENGES
from gossip.core.shared_address import MAX_ANSWERED_BY_ANOTHER
from gossip.core.standing import Standing
from gossip.core.streams import INCOMING_SHARE
from gossip.core.view import FINGERPRINT_MODULUS, Entry

from .node import SimulatedNode
from .observer import Observer

ENTRIES_PER_CHECK = 500
"""Entries of views gone through each virtual second."""

MAX_TIMERS_PER_MEMBER = 40
"""Pending timers of one core, cancelled ones included, for each member it knows: more is a leak."""


RAISED_BY = (0, CONVICTION_STEPS, 2 * CONVICTION_STEPS)
"""Steps by which a register may lie above a floor that an accuser raised: a conviction is raised above the accusation,
and may be taken for an accusation by somebody who has seen the member run past that one."""


DEAF_AFTER_S = 1.5 * HEARING_S
"""Seconds without a word after which a member's counter stands still for certain, however slow its clock is."""


class Violated(Exception):
    """An invariant does not hold. Carries its name; the text says what was found."""

    def __init__(self, invariant: str, text: str) -> None:
        super().__init__(text)
        self.invariant = invariant


class Invariant(Observer):
    """Something that must always hold."""

    def violated(self, text: str) -> Violated:
        """The exception to raise."""
        return Violated(type(self).__name__, text)

    def check(self, node: SimulatedNode) -> None:
        """Go through what one member holds."""


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


@attrs.define
class _Said:
    """What a member has said of itself, and others against it."""

    node: SimulatedNode
    records: dict[int, Record] = attrs.Factory(dict)
    floors: set[int] = attrs.Factory(set)
    left: bool = False


_SILENT = (Standing.ISOLATED, Standing.DISPLACED)
"""Standings in which a program may be told nothing of others."""


class NothingInvented(Invariant):
    """What is believed of a member was said by itself, or raised by an accuser."""

    def __init__(self) -> None:
        self._said: dict[int, _Said] = {}
        self._known: dict[int, tuple[int, int, bool]] = {}

    def started(self, node: SimulatedNode) -> None:
        """It says who it is."""
        self._listen(node)

    def handled(self, node: SimulatedNode) -> None:
        """It may have said something new of itself."""
        registers = node.protocol.view.local.registers
        if self._known.get(id(node)) != (node.id, registers.record.version, registers.left > 0):
            self._listen(node)
        if node.protocol.standing.standing in _SILENT:
            self._listen_to_accusations(node)

    def happened(self, node: SimulatedNode, event: MembershipEvent, cause: Address | None) -> None:
        """An accusation of its own, which no message made it repeat, raises a floor."""
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
        """Of those that a node raises while its program is told nothing of others, no event speaks."""
        for entry in node.protocol.view:
            if entry.status is Status.SUSPECT and node.id in entry.accusers and entry.id in self._said:
                self._said[entry.id].floors.add(entry.registers.accused)

    def _check_entry(self, node: SimulatedNode, entry: Entry) -> None:
        who, registers = f"{node.key} believes of {entry.identity.name}", entry.registers
        said = self._said.get(entry.id)
        if said is None:
            raise self.violated(f"{who}, id {entry.id:x}, which nobody ever was")
        if (record := said.records.get(registers.record.version)) is None or record != registers.record:
            raise self.violated(f"{who} the record {registers.record}; it said {record}")
        if said.node.id == entry.id:
            own = said.node.protocol.heartbeat(said.node.local_time(self.sim.now))
            if registers.heartbeat > own:
                raise self.violated(f"{who} the counter {registers.heartbeat}, which stands at {own}")
        for kind, floor in (("accused", registers.accused), ("convicted", registers.convicted)):
            if floor and said.floors.isdisjoint(floor - each for each in RAISED_BY):
                raise self.violated(f"{who} that it was {kind} at {floor}; accusers said {sorted(said.floors)}")
        if registers.left and not said.left:
            raise self.violated(f"{who} that it left, which it did not")


class NoReturnOfTheDeparted(Invariant):
    """A member that left, or was superseded, is never seen living again under its old generation."""

    def __init__(self) -> None:
        self._newest: dict[tuple[int, str], tuple[int, int]] = {}
        self._left: set[tuple[int, int]] = set()

    def happened(self, node: SimulatedNode, event: MembershipEvent, cause: Address | None) -> None:
        """Compare with the newest bearer of the name that this member has seen."""
        member, kind = event.member, event.kind
        if member.id in self.sim.tainted or kind is EventKind.CONFLICT:
            return
        bearer, key = (member.generation, member.id), (id(node), member.name)
        if kind is EventKind.LEFT:
            self._left.add((id(node), member.id))
        elif kind in (EventKind.JOINED, EventKind.RESTORED):
            if (id(node), member.id) in self._left:
                raise self.violated(f"{node.key} saw {member.name} return that had left")
            if bearer < self._newest.get(key, (0, 0)):
                raise self.violated(f"{node.key} saw a superseded generation of {member.name} return")
        self._newest[key] = max(bearer, self._newest.get(key, (0, 0)))


class TheDeafDieOnce(Invariant):
    """Nobody is told twice that a member died which heard nothing at all in between, and for some seconds before:
    that it goes on being heard must not bring it back. A floor that its counter had reached when it last heard
    somebody, and some seconds later, does not count: whoever tells of that one has itself not heard all of it."""

    def __init__(self) -> None:
        self._heard: Counter[int] = Counter()
        self._heard_at: dict[int, float] = {}
        self._died: dict[tuple[int, int], int] = {}
        self._bearers: dict[int, SimulatedNode] = {}

    def started(self, node: SimulatedNode) -> None:
        """Know it by its id."""
        self._bearers[node.id] = node

    def reborn(self, node: SimulatedNode) -> None:
        """Know it by its new id."""
        self._bearers[node.id] = node

    def received(self, node: SimulatedNode, data: bytes, source: Address) -> None:
        """It hears."""
        self._hears(node)

    def framed(self, node: SimulatedNode, peer: SimulatedNode, data: bytes, delay: float | None) -> None:
        """It will hear, if the frame arrives."""
        if delay is not None:
            self._hears(peer, delay)

    def happened(self, node: SimulatedNode, event: MembershipEvent, cause: Address | None) -> None:
        """Compare what the member has heard with what it had heard when it died for this one before."""
        dead = self._bearers.get(event.member.id)
        if event.kind is not EventKind.DIED or dead is None or event.member.id in self.sim.tainted:
            return
        entry, heard_at = node.protocol.view.get(event.member.id), self._heard_at.get(id(dead), 0.0)
        vouched = dead.protocol.heartbeat(dead.clock.local(heard_at + HEARING_S))
        if self.sim.now < heard_at + DEAF_AFTER_S or entry is None or entry.registers.convicted <= vouched:
            return
        heard, death = self._heard[id(dead)], (id(node), event.member.id)
        if self._died.get(death) == heard:
            raise self.violated(f"{node.key} was told twice that {dead.key} died, which heard nothing in between")
        self._died[death] = heard

    def _hears(self, node: SimulatedNode, delay: float = 0.0) -> None:
        self._heard[id(node)] += 1
        self._heard_at[id(node)] = max(self.sim.now + delay, self._heard_at.get(id(node), 0.0))


class StatusFollowsRegisters(Invariant):
    """The status is what the registers say, and the ring holds exactly the living."""

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
    """Fingerprints are equal exactly when views are: each is that of its view computed anew."""

    def check(self, node: SimulatedNode) -> None:
        """Compute it anew."""
        view = node.protocol.view
        marks = (fingerprint_mark(entry.registers.record) for entry in view if entry.status.is_living)
        if (expected := sum(marks) % FINGERPRINT_MODULUS) != view.fingerprint:
            raise self.violated(f"{node.key} has fingerprint {view.fingerprint:x} and the view of {expected:x}")


class DatagramsFit(Invariant):
    """No datagram is larger than ``max_datagram``."""

    def sent(self, node: SimulatedNode, data: bytes, destination: Address, arrivals: list[tuple[float, bytes]],
             lost_to: str) -> None:  # fmt: skip
        """Look at its size."""
        if len(data) > self.sim.config.max_datagram:
            raise self.violated(f"{node.key} sent {len(data)} bytes to {destination}")


class EverythingIsBounded(Invariant):
    """No queue of a member grows beyond its bound."""

    def check(self, node: SimulatedNode) -> None:
        """Look at each."""
        load = node.protocol.load
        for name, bound in bounds(self.sim.config, load.members).items():
            if (size := getattr(load, name)) > bound:
                raise self.violated(f"{node.key} holds {size} {name}; the bound is {bound}")


def bounds(config: Config, members: int) -> dict[str, int]:
    """The most that a core may hold of each thing in its ``load``, if it knows so many members."""
    known = members + 1
    return {
        "members": config.max_members,
        "tombstones": config.max_members,
        "rumours": config.max_rumours,
        "contacts": MAX_PENDING_CONTACTS,
        "rivals": MAX_CHALLENGES,
        "pending_datagrams": MAX_PENDING_DATAGRAMS,
        "streams": int(INCOMING_SHARE * config.max_streams) + 2 * known,
        "cases": 2 * known,
        "timers": MAX_TIMERS_PER_MEMBER * known,
        "probes": config.max_probes,
        "helped": config.max_helped,
        "proven": MAX_PROVEN,
        "voices": MAX_VOICES,
        "answered_by_another": MAX_ANSWERED_BY_ANOTHER,
        "notices": MAX_REMEMBERED_NOTICES,
    }


def all_invariants() -> list[Invariant]:
    """A fresh one of each."""
    return [
        CounterNeverRegresses(),
        NothingInvented(),
        NoReturnOfTheDeparted(),
        TheDeafDieOnce(),
        StatusFollowsRegisters(),
        FingerprintIsTheView(),
        DatagramsFit(),
        EverythingIsBounded(),
    ]


class Rounds:
    """Which members are gone through next."""

    def __init__(self, invariants: list[Invariant]) -> None:
        self._invariants = [each for each in invariants if type(each).check is not Invariant.check]
        self._turn: Iterator[SimulatedNode] = iter(())

    def check_some(self, running: list[SimulatedNode], most: int = ENTRIES_PER_CHECK) -> None:
        """Go through members in turn until so many entries have been seen.

        :raises Violated: if something does not hold.
        """
        seen: set[int] = set()
        while most > 0:
            node = next(self._turn, None)
            if node is None:
                if not running:
                    return
                self._turn = iter(running)
                continue
            if id(node) in seen:
                return
            seen.add(id(node))
            if node.running:
                for invariant in self._invariants:
                    invariant.check(node)
            most -= node.protocol.load.members
