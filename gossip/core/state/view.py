"""The view: every member that one node knows, merged from everything that it has heard.

The view owns the registers of all members. It answers which members exist, which one is next on the ring, and how the
whole view or a part of it hashes. It turns each merge into a :class:`Change`. It sends nothing, decides no timeout and
asks nobody.

The *ring* is all living members in the order of their random ids. The *fingerprint* is the sum, modulo 2^64, of one
hash per living member over its whole record. Two nodes have equal fingerprints exactly when they believe in the same
members with the same records, in whatever order they heard of them (up to a chance of 2^-64, and to records that were
invented for a collision). The dead and those that left add nothing, so forgetting them changes no fingerprint.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right, insort
from collections.abc import Callable, Collection, Iterator

from gossip.core.config import Config
from gossip.core.state.entry import Change, Entry, Refused, Tombstone
from gossip.core.state.listing import Listing
from gossip.core.state.member import Identity, Record, Registers, Status
from gossip.core.state.round_trip import RoundTrip
from gossip.core.state.wall import is_from_future
from gossip.core.support.address import Address
from gossip.core.support.drop_reasons import Drop
from gossip.core.support.random_source import RandomSource

FINGERPRINT_MODULUS = 2**64

TOMBSTONES_AT_ONCE = 16
"""One of this many tombstones gives way when there is no room for another, because finding them takes a pass over
all."""


def _gives_way(holder: Identity, other: Identity, wall_ms: int) -> bool:
    """Whether a wrong clock admitted the holder of a name, and the other identity is believable: the process has become
    another generation since."""
    return is_from_future(holder.generation, wall_ms) and other.id != holder.id


class View:
    """All known members; see the module's docstring."""

    def __init__(self, config: Config, own: Record, now: float) -> None:
        """A view that holds this node alone.

        :param own: this node's record.
        """
        self._config = config
        self.local = Entry.first(own, 1, now)
        """This node's own entry. It stays here even while another process holds its name."""
        self._entries: dict[int, Entry] = {}
        self.get: Callable[[int], Entry | None] = self._entries.get
        """The member with an id; None if there is none."""
        self._names: dict[str, Entry] = {}
        self._ring: list[int] = []
        self._gone: dict[int, Entry] = {}
        self._tombstones: dict[str, Tombstone] = {}
        self.fingerprint = 0
        self.listing = Listing(self._names, self._own)
        """The members as a program sees them."""
        self._admit(self.local)

    # --- questions

    def __iter__(self) -> Iterator[Entry]:
        return iter(self._entries.values())

    def __len__(self) -> int:
        return len(self._entries)

    def named(self, name: str) -> Entry | None:
        """The holder of this name, living or not."""
        return self._names.get(name)

    def last_generation(self, name: str) -> int:
        """The generation of the present or last known holder of this name; 0 if there is none."""
        if name in self._names:
            return self._names[name].identity.generation
        return self._tombstones[name].entry.identity.generation if name in self._tombstones else 0

    def owners(self, identity: Identity) -> list[bytes]:
        """The public keys to which a name and an id belong so far."""
        tombstone = self._tombstones.get(identity.name)
        holder = self._names.get(identity.name, None if tombstone is None else tombstone.entry)
        same_id = self._entries.get(identity.id)
        return [entry.registers.record.key for entry in (holder, same_id) if entry is not None]

    @property
    def alive(self) -> int:
        """Number of living members."""
        return len(self._ring)

    @property
    def tombstones(self) -> int:
        """Number of forgotten members with a tombstone."""
        return len(self._tombstones)

    @property
    def is_displaced(self) -> bool:
        """Whether another process with a higher generation holds this node's name."""
        return self.local.id not in self._entries

    @property
    def others(self) -> int:
        """Number of living members except this node."""
        return len(self._ring) - (not self.is_displaced and self.local.registers.is_living)

    def gone(self, *, revivable: bool = False) -> list[Entry]:
        """The dead and those that left; only the dead if ``revivable``."""
        if not self._gone:
            return []
        return [each for each in self._gone.values() if not (revivable and each.registers.left)]

    def sample(self, count: int, random: RandomSource, without: Collection[int] = ()) -> list[Entry]:
        """Up to ``count`` different random living members, without this node and ``without``."""
        ring, local = self._ring, self.local.id
        if len(ring) <= 4 * (count + len(without) + 1):
            candidates = [each for each in ring if each != local and each not in without]
            chosen = random.sample(candidates, min(count, len(candidates)))
        else:
            chosen = []
            while len(chosen) < count:
                each = ring[int(random.random() * len(ring))]
                if each != local and each not in without and each not in chosen:
                    chosen.append(each)
        return [self._entries[each] for each in chosen]

    def push_targets(self, count: int) -> list[Entry]:
        """The ``count`` living members to which this node pushes news, fixed by its place on the ring.

        Number i of n members pushes to the numbers ``count * i``, ``count * i + 1`` and so on, modulo n; if one of
        these is itself, it pushes to the next member after them instead. This is a generalised de Bruijn graph. As long
        as all members see the same ring, ``count`` others push to each member, and the way from any member to any other
        takes at most log(n) hops to the base ``count``, rounded up.

        Source: Imase and Itoh, "Design to Minimize Diameter on Building-Block Network" (1981).
        """
        ring, own = self._ring, self.local.id
        size, first = len(ring), count * bisect_left(ring, own)
        found = [each for each in (ring[(first + step) % size] for step in range(min(count + 1, size))) if each != own]
        return [self._entries[each] for each in found[:count]]

    def successor(self) -> Entry | None:
        """The next living member after this node on the ring; None if there is no other."""
        ring = self._ring
        if not ring:
            return None
        here = bisect_right(ring, self.local.id)
        successor = ring[here % len(ring)]
        return self._entries[successor] if successor != self.local.id else None

    def within(self, low: int, high: int) -> list[Entry]:
        """Living members with ids from ``low`` to ``high``, both inclusive, in ring order."""
        ring = self._ring
        return [self._entries[each] for each in ring[bisect_left(ring, low) : bisect_right(ring, high)]]

    def walk(self, low: int, high: int) -> Iterator[Entry]:
        """The same members as :meth:`within`, one by one, for callers that may stop early. The view must not change
        meanwhile."""
        ring = self._ring
        for place in range(bisect_left(ring, low), bisect_right(ring, high)):
            yield self._entries[ring[place]]

    def range_fingerprint(self, low: int, high: int) -> int:
        """The fingerprint of the ids from ``low`` to ``high``, both inclusive."""
        return sum([entry.registers.record.fingerprint for entry in self.within(low, high)]) % FINGERPRINT_MODULUS

    # --- merging

    def introduce(self, record: Record, heartbeat: int, now: float, wall_ms: int) -> Change:
        """Take in a member that was not known.

        :param wall_ms: this node's Unix time in milliseconds.
        :raises Refused: if it is an older holder of a name, was buried, claims a generation from the future, or the
            view is full.
        """
        identity = record.identity
        forgotten: list[Entry] = []
        holder = self._names.get(identity.name)
        if holder is not None and not (
            identity.supersedes(holder.identity) or _gives_way(holder.identity, identity, wall_ms)
        ):
            raise Refused(Drop.SUPERSEDED_MEMBER, holder)
        if is_from_future(identity.generation, wall_ms):
            raise Refused(Drop.GENERATION_FROM_THE_FUTURE)
        tombstone = self._tombstones.get(identity.name)
        if tombstone is not None and not (
            tombstone.admits(identity, heartbeat) or _gives_way(tombstone.entry.identity, identity, wall_ms)
        ):
            raise Refused(Drop.BURIED_MEMBER, tombstone.entry)
        same_id = self._entries.get(identity.id)
        if same_id is not None and same_id is not holder:
            # A damaged or forged record gave one id to two members. Every node keeps the same one.
            if (identity.generation, identity.name) < (same_id.identity.generation, same_id.identity.name):
                raise Refused(Drop.ID_OF_ANOTHER_MEMBER, same_id)
            self._remove(same_id)
            forgotten.append(same_id)
        if holder is None:
            forgotten += self._make_room(now)
        else:
            self._remove(holder, is_replaced=True)
        entry = Entry.first(record, heartbeat, now)
        before = holder or (tombstone.entry if tombstone is not None else None)
        if before is not None and before.answering_since is not None:
            entry.answering_since = now - before.acquaintance(now)
        self._admit(entry)
        return Change(entry, None, Status.ALIVE, True, tuple(forgotten))

    def merge(self, entry: Entry, now: float, *, record: Record | None = None, heartbeat: int = 0,
              accused: int = 0, convicted: int = 0, left: int = 0) -> Change | None:  # fmt: skip
        """Merge news about a known member into its registers.

        :returns: the change that others should hear of; None if nothing changed except the counter.
        """
        old = entry.registers
        new = old.merge(Registers(record or old.record, heartbeat, accused, convicted, left))
        if new == old:
            return None
        if new.heartbeat > old.heartbeat:
            entry.estimate.relayed(new.heartbeat, now)
        if old.at(new.heartbeat) == new and old.status is new.status:
            entry.registers = new
            return None
        return self._replace(entry, new, now)

    def accuse(self, entry: Entry, accusers: tuple[int, ...], now: float, floor: int = 0,
               heartbeat: int = 0) -> Change | None:  # fmt: skip
        """Merge an accusation of a member.

        :param accusers: ids of all members that accuse it by now.
        :param floor: the counter that it has to reach; 0 for the present floor.
        :returns: the change that others should hear of, which includes a further accuser.
        """
        before, entry.accusers = entry.accusers, accusers
        change = self.merge(entry, now, accused=floor, heartbeat=heartbeat)
        if change is None and accusers != before:
            return Change(entry, entry.status, entry.status)
        return change

    def depart(self, entry: Entry, counter: int, signature: bytes, now: float) -> Change | None:
        """Merge a member's farewell, which it said when its counter had this value."""
        entry.farewell = signature
        return self.merge(entry, now, left=counter)

    def note_answer(self, entry: Entry, heartbeat: int, asked_at: float, now: float) -> None:
        """Take note that a member answered a question of this node, on any path, with this counter."""
        entry.estimate.fresh(heartbeat, asked_at, now)

    def note_acknowledgement(self, entry: Entry, heartbeat: int, address: Address | None, asked_at: float,
                     now: float) -> None:  # fmt: skip
        """Take note that a member answered a ping in a datagram, and how long the answer took.

        :param address: where the ping went, if the answer shows that the member is there.
        """
        entry.estimate.fresh(heartbeat, asked_at, now)
        if entry.round_trip is None:
            entry.round_trip = RoundTrip()
            if entry.answering_since is None:
                entry.answering_since = now
        entry.round_trip.sample(now - asked_at)
        if address is not None:
            entry.answered_from = address

    def note_known_before(self, entry: Entry) -> None:
        """Take note that this node knew a member, at its address, in an earlier life."""
        entry.answered_from = entry.registers.record.address

    def advance_own(self, heartbeat: int) -> None:
        """Set this node's own counter."""
        local = self.local
        if heartbeat > local.registers.heartbeat:
            local.registers = local.registers.at(heartbeat)

    def advance(self, entry: Entry, heartbeat: int, now: float) -> Change | None:
        """Merge a counter above the highest one seen; a fast path for the most common case."""
        registers = entry.registers
        entry.estimate.relayed(heartbeat, now)
        new = registers.at(heartbeat)
        if registers.is_below_floor and new.status is not registers.status:
            return self._replace(entry, new, now)
        entry.registers = new
        return None

    def become(self, record: Record, now: float) -> None:
        """Make the identity of ``record``, a later generation of this node's own name, the local member."""
        holder = self._names.get(record.identity.name)
        entry = Entry.first(record, 1, now)
        # In this order, because other threads read the listing: each of them sees the one or the other.
        self._entries[entry.id] = entry
        self.local = entry
        if holder is not None:
            self._remove(holder, is_replaced=True)
        self._admit(entry)

    def forget(self, now: float) -> list[Entry]:
        """Forget members that have been gone for ``forget_after``, and leave tombstones; drop old tombstones.

        :returns: the members that are no longer known.
        """
        horizon = now - self._config.forget_after
        expired = [each for each in self._gone.values() if each.gone_at is not None and each.gone_at <= horizon]
        for entry in expired:
            self._bury(entry)
        for name in [name for name, stone in self._tombstones.items() if stone.expires <= now]:
            del self._tombstones[name]
        return expired

    def _own(self) -> tuple[Entry, bool]:
        local = self.local
        return local, local.id not in self._entries

    def _replace(self, entry: Entry, new: Registers, now: float) -> Change:
        old = entry.registers
        before, after = old.status, new.status
        in_view = self._entries.get(entry.id) is entry
        if in_view and before.is_living:
            self.fingerprint -= old.record.fingerprint
        entry.registers = new
        if in_view and after.is_living:
            self.fingerprint += new.record.fingerprint
        self.fingerprint %= FINGERPRINT_MODULUS
        if in_view and before.is_living != after.is_living:
            self._move(entry, after, now)
        if after is Status.ALIVE:
            entry.accusers = ()
        self.listing.outdate()
        return Change(entry, before, after, new.record is not old.record)

    def _move(self, entry: Entry, after: Status, now: float) -> None:
        if after.is_living:
            insort(self._ring, entry.id)
            self._gone.pop(entry.id, None)
            if entry.answering_since is not None and entry.gone_at is not None:
                entry.answering_since += now - entry.gone_at
            entry.gone_at = None
        else:
            self._ring.pop(bisect_left(self._ring, entry.id))
            self._gone[entry.id] = entry
            entry.gone_at = now

    def _admit(self, entry: Entry) -> None:
        self._entries[entry.id] = entry
        self._names[entry.identity.name] = entry
        insort(self._ring, entry.id)
        self.fingerprint = (self.fingerprint + entry.registers.record.fingerprint) % FINGERPRINT_MODULUS
        self.listing.outdate()

    def _remove(self, entry: Entry, is_replaced: bool = False) -> None:
        """Remove a member; if it is replaced, its name stays with it until the next holder is admitted, so that another
        thread never misses it in between."""
        del self._entries[entry.id]
        if not is_replaced:
            del self._names[entry.identity.name]
        self.listing.outdate()
        self._gone.pop(entry.id, None)
        if entry.registers.is_living:
            self._ring.pop(bisect_left(self._ring, entry.id))
            self.fingerprint = (self.fingerprint - entry.registers.record.fingerprint) % FINGERPRINT_MODULUS

    def _bury(self, entry: Entry) -> None:
        """Keep a tombstone of a member that is gone. If there is no room, this node drops, several at once, the
        tombstones of members that it knew to answer for the shortest time: members can be invented, and must not push
        out a real holder."""
        self._remove(entry)
        name, gone_at = entry.identity.name, entry.gone_at or 0.0
        self._tombstones.pop(name, None)
        if len(self._tombstones) >= self._config.max_members:
            known_least = sorted(self._tombstones, key=lambda each: self._tombstones[each].entry.acquaintance(gone_at))
            for each in known_least[: 1 + len(known_least) // TOMBSTONES_AT_ONCE]:
                del self._tombstones[each]
        self._tombstones[name] = Tombstone(entry, gone_at + 2 * self._config.forget_after)

    def _make_room(self, now: float) -> list[Entry]:
        """Make sure that there is a place, if necessary that of a member that is gone; returns that member.

        Members that answered a question of this node give way last, and keep their place for as long as a suspect has
        to refute: members can be invented, and must not crowd out a member that is only said to be gone.
        """
        if len(self._entries) < self._config.max_members:
            return []
        leaving = next((each for each in self._gone.values() if each.round_trip is None), None)
        if leaving is None:
            leaving = next(iter(self._gone.values()), None)
            if leaving is None or now < (leaving.gone_at or 0.0) + self._config.suspicion_max:
                raise Refused(Drop.VIEW_IS_FULL)
        self._bury(leaving)
        return [leaving]
