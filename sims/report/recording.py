"""What a report keeps of a run while it goes on. It is bounded, and cheap for each event."""

from __future__ import annotations

import attrs

from gossip.core.events import EventKind, MembershipEvent
from gossip.core.support.address import Address
from gossip.core.wire import Codec

from ..watching import Spread
from ..world import Observer, SimulatedNode, Simulation
from .beliefs import CODES, UNKNOWN, BeliefLog
from .messages import Kept, MessageLog
from .news import BoundedNewsLog
from .traffic import TrafficLog
from .wording import Content, content

MAX_FOLLOWED = 2048
"""The most nodes, and names, that are followed one by one: 8 MB of beliefs, and more than a screen has lines. Of
others, only the traffic is counted, all together."""

MAX_NOTES = 1_000
"""The most notes: a time axis has no room for more marks."""

MAX_NOTE_CHARACTERS = 300
"""The most characters of a note. The note of a cut names all nodes on one side."""


class Numbering:
    """Numbers texts in the order in which they first come, as long as there is room."""

    def __init__(self, limit: int) -> None:
        self.texts: list[str] = []
        self._limit = limit
        self._numbers: dict[str, int] = {}

    def number(self, text: str) -> int | None:
        """The number of a text; None if there was no room."""
        number = self._numbers.get(text)
        if number is None and len(self.texts) < self._limit:
            number = self._numbers[text] = len(self.texts)
            self.texts.append(text)
        return number

    def __contains__(self, text: str) -> bool:
        return text in self._numbers


@attrs.define(eq=False)
class Process:
    """One process of a node."""

    number: int
    lane: int | None
    """Number of its node's key; None if it is not followed."""
    subject: int | None
    """Number of its name; None if that is not followed."""
    address: Address
    began: float
    ended: float | None = None
    left: float | None = None
    """When it left."""
    id: int = 0
    """Id of its present generation."""
    known: int = 1
    """Size of its view at the last check."""
    has_learnt: bool = False
    """Whether it has told events since the last check."""


class Recording(Observer):
    """Everything that a report shows. Give it to one run as an observer, and then to :func:`sims.report.render`."""

    def __init__(self) -> None:
        self.keys = Numbering(MAX_FOLLOWED)
        """Nodes that are followed."""
        self.names = Numbering(MAX_FOLLOWED)
        """Members that are followed."""
        self.processes: list[Process] = []
        self.generations: list[tuple[float, Process, int]] = []
        """Time, process and id of each new generation."""
        self.notes: list[tuple[float, str]] = []
        self.beliefs = BeliefLog()
        self.news = BoundedNewsLog()
        self.traffic = TrafficLog()
        self.messages = MessageLog()
        self._of: dict[SimulatedNode, Process] = {}
        self._at: dict[Address, list[Process]] = {}
        self._names_by_id: dict[int, str] = {}

    def attach(self, sim: Simulation) -> None:
        """Begin before anything happens."""
        super().attach(sim)
        self.codec = Codec(sim.config.cluster)
        self.messages.round_s = sim.config.probe_interval
        self.messages.moment(0.0)

    # --- processes

    def started(self, node: SimulatedNode) -> None:
        """A process begins. Its join or restart is news."""
        now = self.sim.now
        kind = "restart" if node.key in self.keys else "join"
        lane, subject = self.keys.number(node.key), self.names.number(node.name)
        process = self._of[node] = Process(len(self.processes), lane, subject, node.address, now)
        self.processes.append(process)
        self._at.setdefault(node.address, []).append(process)
        self._identify(node, process)
        if lane is not None:
            self.beliefs.begin(now, lane)
            if subject is not None:
                self.beliefs.set(now, lane, subject, CODES[node.protocol.local.status])
        self.news.listen(node, now)
        self.news.follow_some(kind, node, now, self.sim.members)
        if now:
            self.messages.moment(now)

    def stopped(self, node: SimulatedNode) -> None:
        """A process has ended. If it has not left, that is a crash, and news."""
        now, process = self.sim.now, self._of[node]
        process.ended = now
        if process.left is None and not node.protocol.view.local.registers.left:
            self.news.follow_some("crash", node, now, self.sim.members)
            self.messages.moment(now)

    def handled(self, node: SimulatedNode) -> None:
        """Look for changes that no event tells: the node's own farewells and generations, and members given or
        forgotten."""
        process, view = self._of[node], node.protocol.view
        size, local = len(view), view.local
        if size != process.known:
            if size < process.known or not process.has_learnt:
                self._look_through(node, process)
            process.known = size
        process.has_learnt = False
        if local.id != process.id:
            self._identify(node, process)
        if local.registers.left and process.left is None:
            self._bids_farewell(node, process)

    def _identify(self, node: SimulatedNode, process: Process) -> None:
        process.id = node.id
        if process.lane is not None:
            self.generations.append((self.sim.now, process, node.id))
            self._names_by_id[node.id] = node.name

    def _bids_farewell(self, node: SimulatedNode, process: Process) -> None:
        now = process.left = self.sim.now
        if process.lane is not None and process.subject is not None:
            self.beliefs.set(now, process.lane, process.subject, CODES[node.protocol.local.status])
        self.news.follow_some("leave", node, now, self.sim.members)
        self.messages.moment(now)

    def _look_through(self, node: SimulatedNode, process: Process) -> None:
        if process.lane is None:
            return
        now, unseen = self.sim.now, self.beliefs.present(process.lane)
        seen = set()
        for entry in node.protocol.view:
            subject = self.names.number(entry.identity.name)
            if subject is not None:
                seen.add(subject)
                self.beliefs.set(now, process.lane, subject, CODES[entry.status])
        for subject, status in enumerate(unseen):
            if status != UNKNOWN and subject not in seen and subject != process.subject:
                self.beliefs.set(now, process.lane, subject, UNKNOWN)

    # --- what happens

    def happened(self, node: SimulatedNode, event: MembershipEvent, cause: Address | None) -> None:
        """A node told an event about another member or its own record."""
        now, process, kind, member = self.sim.now, self._of[node], event.kind, event.member
        process.has_learnt = True
        if kind is EventKind.CONFLICT:
            return
        if member.id == node.id:
            if kind is EventKind.UPDATED:
                self.news.follow_some("update", node, now, self.sim.members, member.version)
                self.messages.moment(now)
            return
        subject = self.names.number(member.name)
        if subject is not None and process.lane is not None:
            is_forgotten = kind is EventKind.FORGOTTEN
            self.beliefs.set(now, process.lane, subject, UNKNOWN if is_forgotten else CODES[member.status])
        self.news.happened(node, event, now)
        if kind is EventKind.SUSPECTED or kind is EventKind.DIED:
            self.messages.moment(now)

    def noted(self, text: str) -> None:
        """Something is done to the world."""
        if len(self.notes) < MAX_NOTES:
            cut = len(text) > MAX_NOTE_CHARACTERS
            self.notes.append((self.sim.now, text[: MAX_NOTE_CHARACTERS - 1] + "…" if cut else text))
        self.messages.moment(self.sim.now)

    def sent(self, node: SimulatedNode, data: bytes, destination: Address, arrivals: list[tuple[float, bytes]],
             lost_to: str) -> None:  # fmt: skip
        """A datagram is under way, or lost."""
        now, lane = self.sim.now, self._of[node].lane
        self.traffic.add(now, lane, len(data))
        if lane is not None:
            why = ""
            if not arrivals:
                why = lost_to
            elif arrivals[0][1] != data:
                why = "damage"
            delays = tuple([delay for delay, _ in arrivals])
            self.messages.add(Kept(now, lane, destination, len(data), data, delays, why, False))

    def framed(self, node: SimulatedNode, peer: SimulatedNode, data: bytes, delay: float | None) -> None:
        """A frame is under way on a stream, or never arrives. Frames are large and few, so only their contents in words
        are kept."""
        lane = self._of[node].lane
        if lane is not None:
            arrivals, why = ((), "cut") if delay is None else ((delay,), "")
            inside: Content = content(self.codec, data)
            self.messages.add(Kept(self.sim.now, lane, peer.address, len(data), inside, arrivals, why, True))

    # --- afterwards

    def spreads(self) -> list[Spread]:
        """How each piece of news has spread by now, without news that nobody needed."""
        return [each for each in self.news.spreads() if each.times or each.missing]

    def processes_at(self, address: Address) -> list[Process]:
        """The processes that have ever been at an address."""
        return self._at.get(address, [])

    def name_of(self, member_id: int) -> str:
        """The name of the member with this id."""
        return self._names_by_id.get(member_id) or f"unknown {member_id:016x}"
