"""The simulator: many protocol cores, one heap of events, no clock but its own.

The cores are the ones that run on real sockets, and they exchange the same bytes. The engine only
plays the driver's part: it delivers, calls timers, and carries streams. Nodes can crash, restart, be
paused (nothing runs, datagrams wait in a bounded buffer) and leave at any time.
"""

from __future__ import annotations

import heapq
import itertools
import random
from collections import deque
from collections.abc import Callable, Mapping
from functools import partial

import attrs

from gossip.core.address import Address
from gossip.core.config import Config
from gossip.core.events import MembershipEvent
from gossip.core.protocol import CloseStream, OpenStream, Protocol, SendFrame
from sims.network import Link, Network

WALL_START_MS = 1_700_000_000_000
"""Unix milliseconds at virtual time 0."""

SOCKET_BUFFER_DATAGRAMS = 256
"""Datagrams that wait for a paused node; further ones are lost, as in a kernel."""


CONNECT_TIMEOUT_S = 3.0
"""How long a driver tries to connect a stream."""

SYN_RETRY_S = 1.0
"""Pause before a lost SYN is sent again, as in Linux."""

SEGMENT_RETRY_S = 0.2
"""Pause before a lost segment is sent again, as in Linux on a short path."""


@attrs.define
class StreamEnd:
    """One end of an open stream: who is at the other end, and when all that was sent has arrived."""

    peer: SimulatedNode
    number: int
    sent_until: float = 0.0


@attrs.define(eq=False)
class SimulatedNode:
    """One node: its core, what befell it, and every event it told."""

    name: str
    address: Address
    protocol: Protocol
    events: list[MembershipEvent] = attrs.Factory(list)
    running: bool = True
    paused: bool = False
    inbox: deque[Callable[[], None]] = attrs.Factory(deque)
    timer: float = 0.0
    streams: dict[int, StreamEnd] = attrs.Factory(dict)
    """Open streams by number."""
    connecting: dict[int, list[bytes]] = attrs.Factory(dict)
    """Streams that are being opened, and the frames that wait for that."""

    def told(self, kind: str, name: str | None = None) -> list[MembershipEvent]:
        """The events of one kind that it told, about one member or any."""
        return [each for each in self.events if each.kind.value == kind and name in (None, each.member.name)]

    def sees(self) -> dict[str, str]:
        """Status by name, as it sees it."""
        return {member.name: member.status.value for member in self.protocol.members()}


class Simulation:
    """A cluster in virtual time; see the module's docstring."""

    def __init__(self, *, seed: int = 0, config: Config | None = None, link: Link | None = None) -> None:
        self.config = config or Config.lan()
        self.now = 0.0
        self._random = random.Random(seed)
        self.network = Network(random.Random(self._random.getrandbits(64)), link or Link())
        self.nodes: dict[str, SimulatedNode] = {}
        self._at: dict[Address, SimulatedNode] = {}
        self._heap: list[tuple[float, int, Callable[[], None]]] = []
        self._count = itertools.count()
        self._hosts = itertools.count(1)

    # --- nodes

    def start(self, name: str, *, seeds: tuple[str, ...] = (), config: Config | None = None,
              address: Address | None = None, metadata: Mapping[str, str] | None = None,
              clock_ms: int = 0, learns_address: bool = False) -> SimulatedNode:  # fmt: skip
        """Start a node, or start it again: a crashed name keeps its address and gets a new generation.

        :param seeds: names of nodes (started or not) through which it joins.
        :param clock_ms: by how much its wall clock is wrong.
        :param learns_address: whether others have to tell it where they reach it.
        """
        if address is None:
            address = self.nodes[name].address if name in self.nodes else self.new_address()
        protocol = Protocol(
            config or self.config,
            name=name,
            generation=WALL_START_MS + int(self.now * 1000) + clock_ms,
            random=random.Random(self._random.getrandbits(64)),
            now=self.now,
            address=None if learns_address else address,
            metadata=metadata,
        )
        node = SimulatedNode(name, address, protocol)
        self.nodes[name] = node
        self._at[address] = node
        if seeds:
            protocol.seed([self.nodes[seed].address for seed in seeds], self.now)
        self._pump(node)
        return node

    def start_many(self, count: int, *, seed: str = "n0", metadata: Mapping[str, str] | None = None) -> None:
        """Start nodes ``n0``, ``n1`` ... that join through one of them, all at once."""
        self.start("n0", metadata=metadata)
        for number in range(1, count):
            self.start(f"n{number}", seeds=(seed,), metadata=metadata)

    def crash(self, name: str) -> None:
        """Stop a node without a word."""
        node = self.nodes[name]
        node.running = False
        for number in list(node.streams):
            self._end_stream(node, number)

    def pause(self, name: str, seconds: float) -> None:
        """Let nothing run on a node for a while; what arrives waits."""
        node = self.nodes[name]
        node.paused = True
        self.at(self.now + seconds, lambda: self._resume(node))

    def update(self, name: str, metadata: Mapping[str, str]) -> None:
        """Replace a node's metadata."""
        node = self.nodes[name]
        node.protocol.update(metadata, self.now)
        self._pump(node)

    def leave(self, name: str) -> None:
        """Let a node say farewell."""
        node = self.nodes[name]
        node.protocol.leave(self.now)
        self._pump(node)

    def inject(self, name: str, data: bytes, source: Address) -> None:
        """Hand a datagram to a node, as if it came from ``source``."""
        node = self.nodes[name]
        node.protocol.receive_datagram(data, source, self.now)
        self._pump(node)

    def new_address(self) -> Address:
        """An address that nobody has had yet."""
        number = next(self._hosts)
        return Address(f"10.{number >> 16 & 255}.{number >> 8 & 255}.{number & 255}", 7946)

    @property
    def running(self) -> list[SimulatedNode]:
        """The nodes that have not crashed."""
        return [node for node in self.nodes.values() if node.running]

    # --- time

    def at(self, when: float, action: Callable[[], None]) -> None:
        """Do something at a virtual time."""
        heapq.heappush(self._heap, (when, next(self._count), action))

    def run(self, seconds: float) -> None:
        """Let virtual time pass."""
        self._run(self.now + seconds, lambda: False)

    def run_until(self, condition: Callable[[], bool], within: float) -> float:
        """Let time pass until ``condition()`` holds; returns how long that took.

        :raises TimeoutError: if it does not within so many virtual seconds.
        """
        began = self.now
        if not condition() and not self._run(began + within, condition):
            raise TimeoutError(f"did not happen within {within} virtual seconds")
        return self.now - began

    def _run(self, end: float, condition: Callable[[], bool]) -> bool:
        while self._heap and self._heap[0][0] <= end:
            when, _, action = heapq.heappop(self._heap)
            self.now = max(self.now, when)
            action()
            if condition():
                return True
        self.now = end
        return False

    # --- what running nodes agree on

    def all_agree(self) -> bool:
        """Whether all running nodes see exactly the running nodes as living, and have equal views."""
        running = self.running
        names = {node.name for node in running}
        fingerprints = {node.protocol.fingerprint for node in running}
        return len(fingerprints) == 1 and all(
            {name for name, status in node.sees().items() if status in ("alive", "suspect")} == names
            for node in running
        )

    def all_see(self, name: str, status: str) -> bool:
        """Whether all running nodes but the one named see it with this status."""
        return all(node.sees().get(name) == status for node in self.running if node.name != name)

    # --- the driver's part

    def _pump(self, node: SimulatedNode) -> None:
        now, protocol = self.now, node.protocol
        for data, destination in protocol.datagrams_to_send(now):
            for delay, copy in self.network.deliveries(data, node.address, destination):
                self.at(now + delay, partial(self._deliver, copy, node.address, destination))
        for action in protocol.stream_actions():
            match action:
                case OpenStream(number, address):
                    self._open_stream(node, number, address)
                case SendFrame(number, data):
                    self._send_frame(node, number, data)
                case CloseStream(number):
                    self._close_stream(node, number)
        while (event := protocol.next_event()) is not None:
            node.events.append(event)
        timer = protocol.next_timer()
        if timer != node.timer:
            node.timer = timer
            self.at(max(timer, now), lambda: self._timer(node, timer))

    def _timer(self, node: SimulatedNode, timer: float) -> None:
        if node.running and not node.paused and node.timer == timer:
            node.timer = 0.0
            node.protocol.handle_timer(self.now)
            self._pump(node)

    def _to(self, node: SimulatedNode, action: Callable[[], None]) -> None:
        """Have a node handle something now, or when it runs again."""
        if not node.running:
            return
        if not node.paused:
            action()
            self._pump(node)
        elif len(node.inbox) < SOCKET_BUFFER_DATAGRAMS:
            node.inbox.append(action)

    def _deliver(self, data: bytes, source: Address, destination: Address) -> None:
        node = self._at.get(destination)
        if node is not None:
            self._to(node, lambda: node.protocol.receive_datagram(data, source, self.now))

    def _resume(self, node: SimulatedNode) -> None:
        node.paused = False
        if not node.running:
            return
        while node.inbox:
            node.inbox.popleft()()
        node.protocol.handle_timer(self.now)
        self._pump(node)

    # --- streams

    def _open_stream(self, node: SimulatedNode, number: int, address: Address) -> None:
        """Connect: there and back, each way sent again when it is lost, until the driver's patience ends."""
        delay = self.network.stream_delay(SYN_RETRY_S) + self.network.stream_delay(SYN_RETRY_S)
        node.connecting[number] = []
        if delay > CONNECT_TIMEOUT_S:
            self.at(self.now + CONNECT_TIMEOUT_S, lambda: self._connected(node, number, None))
        else:
            self.at(self.now + delay, lambda: self._connected(node, number, self._at.get(address)))

    def _connected(self, node: SimulatedNode, number: int, peer: SimulatedNode | None) -> None:
        """A connection was made, or could not be; what waited for it is sent."""
        waiting = node.connecting.pop(number, None)
        if waiting is None or not node.running:
            return
        accepted = None
        if peer is not None and peer.running and self._is_open_both_ways(node, peer):
            accepted = peer.protocol.stream_accepted(node.address, self.now)
        if peer is None or accepted is None:
            self._to(node, lambda: node.protocol.stream_closed(number, self.now))
            return
        node.streams[number] = StreamEnd(peer, accepted)
        peer.streams[accepted] = StreamEnd(node, number)
        for data in waiting:
            self._send_frame(node, number, data)

    def _is_open_both_ways(self, one: SimulatedNode, other: SimulatedNode) -> bool:
        connects = self.network.connects
        return connects(one.address, other.address) and connects(other.address, one.address)

    def _send_frame(self, node: SimulatedNode, number: int, data: bytes) -> None:
        if number in node.connecting:
            node.connecting[number].append(data)
        elif (end := node.streams.get(number)) is not None and self._is_open_both_ways(node, end.peer):
            peer, there = end.peer, end.number
            end.sent_until = max(end.sent_until, self.now + self.network.stream_delay(SEGMENT_RETRY_S))
            self.at(end.sent_until, lambda: self._arrive(peer, there, data))

    def _arrive(self, node: SimulatedNode, number: int, data: bytes) -> None:
        if number in node.streams:
            self._to(node, lambda: node.protocol.receive_frame(number, data, self.now))

    def _close_stream(self, node: SimulatedNode, number: int) -> None:
        """Close once everything sent has arrived."""
        end = node.streams.get(number)
        when = self.now if end is None else max(self.now, end.sent_until)
        self.at(when, lambda: self._end_stream(node, number))

    def _end_stream(self, node: SimulatedNode, number: int) -> None:
        if number in node.connecting:
            self._connected(node, number, None)
        end = node.streams.pop(number, None)
        if end is None:
            return
        self._to(node, lambda: node.protocol.stream_closed(number, self.now))
        peer, there = end.peer, end.number
        if peer.streams.pop(there, None) is not None:
            self._to(peer, lambda: peer.protocol.stream_closed(there, self.now))
