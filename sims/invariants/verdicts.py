"""Verdicts: no member is convicted in haste, or without having been asked."""

from __future__ import annotations

import attrs

from gossip.core.events import EventKind, MembershipEvent
from gossip.core.state.member import Status
from gossip.core.state.node_standing import Standing
from gossip.core.support.address import Address

from ..world import SimulatedNode
from .base import Invariant

ROUNDING_S = 1e-6

_WATCH_TIMEOUTS = 8
"""The most answer timeouts from the first unanswered question to the accusation. A node asks a member twice, each time
directly and then through helpers, which have three timeouts."""

_RECOVERED = 3
"""Points by which local health may have been worse during these questions than it is after them."""

_ASKED_TIMEOUTS = 2
"""Answer timeouts from the last question to the conviction. A node asks the last question twice."""


@attrs.define
class _Suspicion:
    """A node's suspicion of a member."""

    since: float
    """Local time at which the node told of it."""
    address: Address
    health: int
    """The node's worst local health since, as far as events show. It stretches the answer timeouts."""
    others: int
    """The fewest living others that the node has known since."""
    asked_at: list[float] = attrs.Factory(list)
    """Virtual times of all datagrams sent there since."""


class _Suspicions(Invariant):
    """Follows which node suspects which member. Subclasses judge the convictions."""

    def __init__(self) -> None:
        self._of: dict[SimulatedNode, dict[int, _Suspicion]] = {}
        self._withheld: set[SimulatedNode] = set()

    def happened(self, node: SimulatedNode, event: MembershipEvent, cause: Address | None) -> None:
        """A suspicion begins or ends."""
        kind, member = event.kind, event.member
        for each in self._of.get(node, {}).values():
            each.health = max(each.health, node.protocol.health)
            each.others = min(each.others, node.view.others)
        if kind is EventKind.STANDING:
            self._follow(node, event)
        elif kind is EventKind.DIED:
            suspicion = self._of.get(node, {}).pop(member.id, None)
            if node not in self._withheld and event.previous is Status.SUSPECT and suspicion is not None:
                self.judge(node, event, suspicion, cause)
        elif member.status is not Status.SUSPECT:
            if node in self._of:
                self._of[node].pop(member.id, None)
        elif node not in self._withheld and kind is not EventKind.UPDATED:
            suspicion = _Suspicion(event.time, member.address, node.protocol.health, node.view.others)
            self._of.setdefault(node, {})[member.id] = suspicion

    def judge(self, node: SimulatedNode, event: MembershipEvent, suspicion: _Suspicion, cause: Address | None) -> None:
        """Judge a conviction."""

    def _follow(self, node: SimulatedNode, event: MembershipEvent) -> None:
        """Ignore suspicions that a node tells late, after a time in which it told nothing of others. They do not show
        how long they lasted."""
        if event.standing is not None and event.standing.standing in (Standing.ISOLATED, Standing.DISPLACED):
            self._withheld.add(node)
            self._of.pop(node, None)
        else:
            self._withheld.discard(node)


class SuspectsHaveTime(_Suspicions):
    """A node does not hold a member dead before it has suspected it for as long as an answer may take. If a single
    member accuses it and no member has convicted it yet, the suspicion has its longest duration, counted from the first
    question."""

    def __init__(self) -> None:
        super().__init__()
        self._convicted: set[int] = set()

    def happened(self, node: SimulatedNode, event: MembershipEvent, cause: Address | None) -> None:
        """Note which members any node has convicted."""
        super().happened(node, event, cause)
        if event.kind is EventKind.DIED:
            self._convicted.add(event.member.id)

    def judge(self, node: SimulatedNode, event: MembershipEvent, suspicion: _Suspicion, cause: Address | None) -> None:
        """Compare the duration of the suspicion with the least that it may be."""
        config, took = node.config, event.time - suspicion.since
        least = config.ack_timeout_max
        is_alone = cause is None and len(event.accusers) == 1 and suspicion.others > 1
        if is_alone and event.member.id not in self.sim.tainted and self._is_first(node, event.member.id):
            health = suspicion.health + _RECOVERED
            watch = _WATCH_TIMEOUTS * _answer_timeout(node, event.member.id) * (1 + health) + config.watch_delay
            least = max(least, config.suspicion_max - watch)
        if took < least - ROUNDING_S:
            told = f"{node.key} held {event.member.name} dead {took:.3f} s after it first suspected it"
            raise self.violated(f"{told}, accused by {', '.join(event.accusers)}; the least is {least:.3f} s")

    def _is_first(self, node: SimulatedNode, member_id: int) -> bool:
        """Whether no node has ever convicted this member, not even one that tells its program nothing."""
        return member_id not in self._convicted and not any(
            entry.registers.convicted
            for each in self.sim.nodes.values()
            if each is not node and (entry := each.view.get(member_id)) is not None
        )


class NobodyIsConvictedUnasked(_Suspicions):
    """A node that convicts a suspect by itself has asked it a last question, twice, just before."""

    def sent(self, node: SimulatedNode, data: bytes, destination: Address, arrivals: list[tuple[float, bytes]],
             lost_to: str) -> None:  # fmt: skip
        """Note a datagram that may be a question to a suspect."""
        if node in self._of:
            for suspicion in self._of[node].values():
                if suspicion.address == destination:
                    suspicion.asked_at.append(self.sim.now)

    def judge(self, node: SimulatedNode, event: MembershipEvent, suspicion: _Suspicion, cause: Address | None) -> None:
        """Count the datagrams that were sent to it lately."""
        timeout = _answer_timeout(node, event.member.id) * (1 + suspicion.health + _RECOVERED)
        since = self.sim.now - _ASKED_TIMEOUTS * timeout - ROUNDING_S
        if cause is not None or _was_hindered(node, since):
            return
        asked = sum(at >= since for at in suspicion.asked_at)
        if asked < _ASKED_TIMEOUTS:
            name = event.member.name
            told = f"{node.key} convicted {name} after asking it {asked} times since {since:.3f} s"
            raise self.violated(f"{told}; the least is {_ASKED_TIMEOUTS}")


def _answer_timeout(node: SimulatedNode, member_id: int) -> float:
    """How long a healthy node waits for an answer from this member."""
    entry = node.view.get(member_id)
    measured = None if entry is None else entry.round_trip
    return node.config.ack_timeout_max if measured is None else measured.timeout(node.config)


def _was_hindered(node: SimulatedNode, since: float) -> bool:
    """Whether a process may have wanted to ask but could not, or took longer than its clock shows."""
    return bool(node.slowness) or max(node.paused_until, node.mute_until) >= since
