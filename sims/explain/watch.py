"""The watch: follows one member through a run, and asks the core of each process that doubts it for the evidence."""

from __future__ import annotations

from gossip.core.events import EventKind, MembershipEvent
from gossip.core.state.entry import Entry
from gossip.core.state.member import Status
from gossip.core.support.address import Address

from ..world import Observer, SimulatedNode
from .datagrams import Datagrams
from .doubts import Accusation, Counters, Doubt, Life, Opinion

_DOUBTING = (Status.SUSPECT, Status.DEAD)


class Watch(Observer):
    """The lives of all holders of one name, the doubts about them, and their datagrams."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.names: dict[str, None] = {}
        """Names of all processes that ever ran."""
        self.lives: list[Life] = []
        """In the order in which they began."""
        self.doubts: list[Doubt] = []
        """In the order in which they began."""
        self.datagrams = Datagrams()
        self._addresses: set[Address] = set()
        self._opinions: dict[tuple[int, int], Opinion] = {}
        """Those that are held at the moment, by process and id of the member."""
        self._doubts: dict[int, Doubt] = {}
        """Those that last, by id of the member."""
        self._causes: dict[tuple[int, int], str] = {}
        """Whose message last changed what a process believes of the member, by process and id of the member."""

    # --- processes

    def started(self, node: SimulatedNode) -> None:
        """One more process; perhaps the member."""
        self.names[node.name] = None
        if node.name == self.name:
            self._addresses.add(node.address)
            self.lives.append(Life(node, node.id, self.sim.now))

    def reborn(self, node: SimulatedNode) -> None:
        """The member may have begun a new generation of itself."""
        if (life := self._life_of(node)) is not None:
            life.ended = self.sim.now
            self.lives.append(Life(node, node.id, self.sim.now))

    def stopped(self, node: SimulatedNode) -> None:
        """A process believes nothing any more."""
        if (life := self._life_of(node)) is not None:
            life.ended = self.sim.now
        for (process, member_id), opinion in list(self._opinions.items()):
            if process == id(node):
                self._end(opinion, member_id, "its process ended")

    def _life_of(self, node: SimulatedNode) -> Life | None:
        """The present life of a process, if it is the member."""
        return next((life for life in reversed(self.lives) if life.node is node and life.ended is None), None)

    # --- beliefs

    def happened(self, node: SimulatedNode, event: MembershipEvent, cause: Address | None) -> None:
        """Keep whose message made a process believe in the member again, and look at once: an invariant may end the
        run."""
        if event.member.name == self.name:
            if event.kind is EventKind.RESTORED:
                self._causes[id(node), event.member.id] = "" if cause is None else self.sim.key_at(cause)
            self.handled(node)

    def handled(self, node: SimulatedNode) -> None:
        """Look at what a process believes of each life of the member by now."""
        for life in self.lives:
            if life.node is node:
                self._look_at_itself(node, life)
            else:
                self._look(node, life)

    def _look_at_itself(self, node: SimulatedNode, life: Life) -> None:
        if life.id != node.id:
            return
        if life.left_at is None and node.entry.registers.left:
            life.left_at = self.sim.now
        if (doubt := self._doubts.get(life.id)) is not None:
            doubt.own_counters.append((self.sim.now, node.protocol.heartbeat(node.local_time(self.sim.now))))

    def _look(self, node: SimulatedNode, life: Life) -> None:
        entry, opinion = node.view.get(life.id), self._opinions.get((id(node), life.id))
        status = None if entry is None else entry.status
        was_dead = opinion is not None and opinion.died_at is not None
        if opinion is not None and (status not in _DOUBTING or (was_dead and status is Status.SUSPECT)):
            self._end(opinion, life.id, self._end_of(node, life, status))
        if entry is not None and status in _DOUBTING and not (was_dead and status is Status.DEAD):
            self._examine(node, life, entry)

    def _examine(self, node: SimulatedNode, life: Life, entry: Entry) -> None:
        """Ask the core of a process that has no other opinion than suspicion yet, or only now declares it dead."""
        now, key = self.sim.now, (id(node), life.id)
        evidence = node.protocol.explain(self.name, node.clock.local(now))
        if evidence is None or evidence.member.id != life.id:
            return
        opinion = self._opinions.get(key)
        if opinion is None:
            opinion = self._opinions[key] = Opinion(node=node, since=now, evidence=evidence)
            self._doubt(life).opinions.append(opinion)
        opinion.evidence, opinion.floor = evidence, entry.registers.accused
        if opinion.accusation is None and node.id in entry.accusers:
            opinion.accusation = Accusation(
                at=now, floor=entry.registers.accused, raised=entry.accusers[0] == node.id,
                counters=self._counters(entry, life),
            )  # fmt: skip
        if entry.status is Status.DEAD:
            opinion.died_at = now

    def _doubt(self, life: Life) -> Doubt:
        if life.id not in self._doubts:
            self._doubts[life.id] = Doubt(life=life, began=self.sim.now)
            self.doubts.append(self._doubts[life.id])
        return self._doubts[life.id]

    def _end_of(self, node: SimulatedNode, life: Life, status: Status | None) -> str:
        if status is None:
            return "it knows a later generation, or forgot the member"
        if status is Status.LEFT:
            return "it heard the farewell"
        cause = self._causes.pop((id(node), life.id), "")
        what = "restored" if status is Status.ALIVE else "restored, but suspected again"
        return what + (f" by a message of {cause}" if cause else "")

    def _end(self, opinion: Opinion, member_id: int, why: str) -> None:
        opinion.ended, opinion.end = self.sim.now, why
        del self._opinions[id(opinion.node), member_id]
        if all(held != member_id for _, held in self._opinions):
            self._doubts.pop(member_id).ended = self.sim.now

    def _counters(self, entry: Entry, life: Life) -> Counters:
        member, now = life.node, self.sim.now
        runs = life.was_running(now) and member.paused_until <= now
        own = member.protocol.view.local.registers.heartbeat
        if runs:
            own = member.protocol.heartbeat(member.clock.local(now))
        return Counters(seen=entry.registers.heartbeat, own=own, runs=runs)

    # --- datagrams

    def sent(self, node: SimulatedNode, data: bytes, destination: Address, arrivals: list[tuple[float, bytes]],
             lost_to: str) -> None:  # fmt: skip
        """Take down a datagram to or from the member."""
        if node.address in self._addresses or destination in self._addresses:
            self.datagrams.sent(self.sim, node, data, destination, arrivals, lost_to)

    def received(self, node: SimulatedNode, data: bytes, source: Address) -> None:
        """Take note that a process reads a datagram."""
        if source in self._addresses or node.address in self._addresses:
            self.datagrams.received(node, data, source, self.sim.now)
