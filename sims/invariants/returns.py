"""Returns: a departed member comes back only with something new to say."""

from __future__ import annotations

from collections import Counter

import attrs

from gossip.core.events import EventKind, MembershipEvent
from gossip.core.state.hearing import HEARING_S
from gossip.core.support.address import Address

from ..world import SimulatedNode
from .base import Invariant

DEAF_AFTER_S = 1.5 * HEARING_S
"""Seconds without hearing anything after which a member's counter certainly stands still, however slow its clock is."""


class NoReturnOfTheDeparted(Invariant):
    """A member that left or was superseded is never seen living again under its old generation."""

    def __init__(self) -> None:
        self._newest: dict[tuple[int, str], tuple[int, int]] = {}
        self._left: set[tuple[int, int]] = set()

    def happened(self, node: SimulatedNode, event: MembershipEvent, cause: Address | None) -> None:
        """Compare with the newest generation of the name that this node has seen."""
        member, kind = event.member, event.kind
        if member.id in self.sim.tainted or kind is EventKind.CONFLICT:
            return
        holder, key = (member.generation, member.id), (id(node), member.name)
        if kind is EventKind.LEFT:
            self._left.add((id(node), member.id))
        elif kind in (EventKind.JOINED, EventKind.RESTORED):
            if (id(node), member.id) in self._left:
                raise self.violated(f"{node.key} saw {member.name} return after it had left")
            if holder < self._newest.get(key, (0, 0)):
                raise self.violated(f"{node.key} saw a superseded generation of {member.name} return")
        self._newest[key] = max(holder, self._newest.get(key, (0, 0)))


@attrs.frozen
class _Grave:
    """A member that some node has held dead."""

    convicted: int
    """The counter that it must reach to be one of the living."""
    found_at: float
    """Local time of the node when it found the member dead."""
    is_closed: bool = False
    """Whether the node forgot the member in due time and keeps a tombstone."""


class TheBuriedStayBuried(Invariant):
    """A node that has held a member dead and forgotten it in due time does not take it in again as long as the
    tombstone stands, unless the member shows that it ran after its conviction."""

    def __init__(self) -> None:
        self._graves: dict[tuple[SimulatedNode, int], _Grave] = {}

    def happened(self, node: SimulatedNode, event: MembershipEvent, cause: Address | None) -> None:
        """Follow a member that dies, is forgotten or returns."""
        kind, who = event.kind, (node, event.member.id)
        if kind is EventKind.DIED:
            entry = node.view.get(event.member.id)
            if entry is not None and entry.gone_at is not None:
                self._graves[who] = _Grave(entry.registers.convicted, entry.gone_at)
        elif who not in self._graves:
            return
        elif kind is EventKind.FORGOTTEN:
            grave = self._graves.pop(who)
            if event.time >= grave.found_at + node.config.forget_after:
                self._graves[who] = attrs.evolve(grave, is_closed=True)
        elif kind is EventKind.JOINED:
            self._returns(node, event, self._graves.pop(who))

    def _returns(self, node: SimulatedNode, event: MembershipEvent, grave: _Grave) -> None:
        entry, stands_until = node.view.get(event.member.id), grave.found_at + 2 * node.config.forget_after
        if not grave.is_closed or event.time >= stands_until or entry is None or entry.id in self.sim.tainted:
            return
        if entry.registers.heartbeat < grave.convicted:
            shown = f"at {entry.registers.heartbeat}, convicted at {grave.convicted}"
            raise self.violated(f"{node.key} took {event.member.name} in again after it had buried it, {shown}")


class TheDeafDieOnce(Invariant):
    """A node does not tell twice that a member died, if the member heard nothing in between and for some seconds
    before. Others still hear such a member, but that must not bring it back. A floor does not count if the member's
    counter had reached it within some seconds after the member last heard something. A node that tells of such a floor
    has not heard everything that the member said."""

    def __init__(self) -> None:
        self._heard: Counter[int] = Counter()
        self._heard_at: dict[int, float] = {}
        self._died: dict[tuple[int, int], int] = {}
        self._holders: dict[int, SimulatedNode] = {}

    def started(self, node: SimulatedNode) -> None:
        """Know it by its id."""
        self._holders[node.id] = node

    def reborn(self, node: SimulatedNode) -> None:
        """Know it by its new id."""
        self._holders[node.id] = node

    def received(self, node: SimulatedNode, data: bytes, source: Address) -> None:
        """A node hears something."""
        self._hears(node)

    def framed(self, node: SimulatedNode, peer: SimulatedNode, data: bytes, delay: float | None) -> None:
        """A node will hear something, if the frame arrives."""
        if delay is not None:
            self._hears(peer, delay)

    def happened(self, node: SimulatedNode, event: MembershipEvent, cause: Address | None) -> None:
        """Compare how much the member has heard with how much it had heard when this node told of its death before."""
        dead = self._holders.get(event.member.id)
        if event.kind is not EventKind.DIED or dead is None or event.member.id in self.sim.tainted:
            return
        entry, heard_at = node.protocol.view.get(event.member.id), self._heard_at.get(id(dead), 0.0)
        vouched = dead.protocol.heartbeat(dead.clock.local(heard_at + HEARING_S))
        if self.sim.now < heard_at + DEAF_AFTER_S or entry is None or entry.registers.convicted <= vouched:
            return
        heard, death = self._heard[id(dead)], (id(node), event.member.id)
        if self._died.get(death) == heard:
            raise self.violated(f"{node.key} told twice that {dead.key} died, but {dead.key} heard nothing in between")
        self._died[death] = heard

    def _hears(self, node: SimulatedNode, delay: float = 0.0) -> None:
        self._heard[id(node)] += 1
        self._heard_at[id(node)] = max(self.sim.now + delay, self._heard_at.get(id(node), 0.0))
