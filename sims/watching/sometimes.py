"""Sometimes: rare paths through the protocol. A set of runs that never takes them proves little.

Each point has a name and a sentence. A run counts how often it reaches each point.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

from gossip.core.events import EventKind, MembershipEvent
from gossip.core.protocol import ProtocolStats
from gossip.core.state.member import Status
from gossip.core.support.address import Address

from ..world import Observer, SimulatedNode

POINTS = {
    "helper_saved": "a probe was answered only through a helper",
    "stream_saved": "a probe was answered only over a stream",
    "accused": "a member raised a floor against another",
    "refuted_by_itself": "a suspect was cleared by its own message",
    "refuted_by_witness": "a suspect was cleared by the message of another member",
    "told_of_refusal": "a node was told that no process listens where it had sent a datagram",
    "died": "a member was held dead",
    "came_back": "a member held dead was seen alive again",
    "left": "a farewell was heard",
    "restarted": "a later generation of a member was heard of",
    "conflict": "two processes with one name were discovered",
    "reconciled": "two views that differed were compared in detail",
    "heal_contact": "a node contacted a member that it did not believe living",
    "stalled": "a process found that it had not run",
    "damaged": "a damaged message was dropped",
    "poison_refused": "a counter or floor far ahead of time was refused",
    "superseded_refused": "news of a superseded generation was refused",
    "buried_refused": "news of a forgotten member was refused",
    "other_cluster": "a message of another cluster was dropped",
    "new_generation": "a member began a new generation without a restart",
    "socket_full": "a process did not run for so long that datagrams were lost",
}
"""The points, and what each means."""

_BY_REASON = {
    "damaged": "damaged",
    "floor ahead of time": "poison_refused",
    "counter ahead of time": "poison_refused",
    "superseded member": "superseded_refused",
    "buried member": "buried_refused",
    "other cluster": "other_cluster",
}


class Sometimes(Observer):
    """Counts how often one run reaches each point."""

    def __init__(self) -> None:
        self._seen: Counter[str] = Counter()
        self._first: dict[str, int] = {}

    def started(self, node: SimulatedNode) -> None:
        """Remember the first generation of each name."""
        self._first.setdefault(node.name, node.protocol.local.generation)

    def reborn(self, node: SimulatedNode) -> None:
        """Count it."""
        self._seen["new_generation"] += 1

    def happened(self, node: SimulatedNode, event: MembershipEvent, cause: Address | None) -> None:
        """Count what an event shows."""
        kind, member = event.kind, event.member
        if kind is EventKind.RESTORED:
            if event.previous is Status.DEAD:
                self._seen["came_back"] += 1
            elif cause is not None:
                self._seen["refuted_by_itself" if cause == member.address else "refuted_by_witness"] += 1
        elif kind is EventKind.JOINED:
            self._seen["restarted"] += self._first.setdefault(member.name, member.generation) < member.generation
        elif kind in (EventKind.DIED, EventKind.LEFT, EventKind.CONFLICT):
            self._seen[kind.value] += 1

    def counts(self, stats: Iterable[ProtocolStats], overflows: int) -> dict[str, int]:
        """How often the run reached each point.

        :param stats: statistics of all processes, past ones included.
        :param overflows: datagrams lost because a process did not run.
        """
        seen = Counter(self._seen)
        for each in stats:
            seen["helper_saved"] += each.answered_through_helpers
            seen["stream_saved"] += each.answered_by_stream
            seen["accused"] += each.suspicions
            seen["told_of_refusal"] += each.datagrams_refused
            seen["reconciled"] += each.reconciliations
            seen["heal_contact"] += each.contacts_to_heal
            seen["stalled"] += each.stalls
            for reason, count in each.dropped.items():
                if reason in _BY_REASON:
                    seen[_BY_REASON[reason]] += count
        seen["socket_full"] += overflows
        return {point: seen[point] for point in POINTS}
