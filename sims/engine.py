"""The simulator: many protocol cores, one heap of events, no clock but its own.

The cores are the ones that run on real sockets, and they exchange the same bytes. The engine only plays the
driver's part: it delivers, calls timers, and carries streams. Nodes can start, crash, be paused or slow,
have a clock that drifts, and leave at any time.
"""

from __future__ import annotations

import heapq
import itertools
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from functools import partial
from typing import Any

from gossip.core.address import Address
from gossip.core.config import Config
from gossip.core.events import EventKind, MembershipEvent
from gossip.core.local import NO_METADATA
from gossip.core.member import Member
from gossip.core.protocol import Protocol, ProtocolStats
from gossip.core.signing import Identities
from gossip.core.wire import Records

from .clock import Clock
from .latency import Latency
from .links import Link
from .network import Network
from .node import NEVER, SOCKET_BUFFER_DATAGRAMS, SimulatedNode
from .observer import HOOKS, Observer
from .randomness import Draws, derived_random, derived_seed
from .streams import StreamCarrier

WALL_START_MS = 1_700_000_000_000
"""Unix milliseconds at virtual time 0."""

REFUSAL = bytes(28)
"""As long as what ICMP says of a datagram: 8 bytes, and the headers of that datagram."""


class Simulation:
    """A cluster in virtual time; see the module's docstring."""

    def __init__(self, *, seed: int = 0, config: Config | None = None, link: Link | None = None,
                 lateness: Latency | None = None, observers: Iterable[Observer] = (),
                 keeps_events: bool = True) -> None:  # fmt: skip
        self.seed = seed
        self.config = config or Config.lan()
        self.now = 0.0
        """Virtual seconds since the beginning."""
        self.records = Records()
        """What all nodes have met: they run in one process, and check each record once."""
        self.network = Network(derived_seed(seed, "network"), link)
        self.nodes: dict[str, SimulatedNode] = {}
        """The latest process of each key."""
        self.past: list[ProtocolStats] = []
        """What processes did that have been replaced since."""
        self.tainted: set[int] = set()
        """Ids of members about whom something was forged."""
        self.datagrams = 0
        """Datagrams sent by all nodes."""
        self.bytes = 0
        """Payload bytes in them."""
        self.overflows = 0
        """Datagrams lost because a process did not run and its socket's buffer was full."""
        self.identities: Callable[[str], Identities | None] = lambda _key: None
        """What the node of a key signs and checks with; None for one that does not."""
        self._lateness = lateness
        self._keeps_events = keeps_events
        self._at: dict[Address, SimulatedNode] = {}
        self._heap: list[tuple[float, int, Callable[..., None], tuple[Any, ...]]] = []
        self._count = itertools.count()
        self._lives: Counter[str] = Counter()
        self._streams = StreamCarrier(self)
        self._hooks: dict[str, list[Callable[..., None]]] = {hook: [] for hook in HOOKS}
        for observer in observers:
            observer.attach(self)
            for hook, told in self._hooks.items():
                if getattr(type(observer), hook) is not getattr(Observer, hook):
                    told.append(getattr(observer, hook))
        self._on_sent, self._on_received = self._hooks["sent"], self._hooks["received"]
        self._on_handled, self._on_changed = self._hooks["handled"], self._hooks["changed"]

    # --- nodes

    def start(self, key: str, *, name: str | None = None, seeds: Iterable[str] = (), config: Config | None = None,
              address: Address | None = None, metadata: Mapping[str, str] = NO_METADATA, clock_ms: int = 0,
              learns_address: bool = False) -> SimulatedNode:  # fmt: skip
        """Start a node, or start it again: the same key keeps its address and gets a new generation.

        :param name: under which it joins, if that is not its key.
        :param seeds: keys of nodes, started before, through which it joins.
        :param clock_ms: by how much its wall clock is wrong.
        :param learns_address: whether others have to tell it where they reach it.
        """
        before = self.nodes.get(key)
        if address is None:
            address = before.address if before is not None else self.new_address(key)
        clock = before.clock if before is not None else Clock()
        self._lives[key] += 1
        config = config or (before.config if before is not None else self.config)
        protocol = Protocol(
            config,
            name=name or key,
            generation=self.wall_ms(clock_ms),
            random=derived_random(self.seed, "node", key, self._lives[key]),
            now=clock.local(self.now),
            address=None if learns_address else address,
            metadata=metadata,
            identities=self.identities(key),
            records=self.records,
        )
        if before is not None:
            self.past.append(before.protocol.stats)
        node = self.nodes[key] = self._at[address] = SimulatedNode(
            key, address, protocol, clock, config, Draws(derived_seed(self.seed, "lateness", key, self._lives[key]))
        )
        self._tell("started", node)
        if seeds:
            protocol.seed([self.nodes[seed].address for seed in seeds], node.local_time(self.now))
        self._pump(node)
        return node

    def start_many(self, count: int, *, seed: str = "n0", metadata: Mapping[str, str] = NO_METADATA) -> None:
        """Start nodes ``n0``, ``n1`` ... that join through one of them, all at once."""
        self.start("n0", metadata=metadata)
        for number in range(1, count):
            self.start(f"n{number}", seeds=(seed,), metadata=metadata)

    def acquaint(self) -> None:
        """Let all running nodes of a cluster know each other, as if they had been one for a while."""
        members: dict[str, list[Member]] = {}
        for node in self.running:
            members.setdefault(node.cluster, []).append(node.protocol.local)
        for node in self.running:
            node.protocol.remember(members[node.cluster], node.local_time(self.now))
            self._tell("acquainted", node)
            self._pump(node)

    def crash(self, key: str, *, refuses: bool = False) -> None:
        """End a process without a word.

        :param refuses: whether its system goes on, and tells whoever sends to it that no process listens there.
        """
        node = self.nodes[key]
        if node.running:
            node.running = False
            node.refuses = refuses
            self._streams.end_all(node)
            self._tell("stopped", node)

    def pause(self, key: str, seconds: float) -> None:
        """Let nothing run on a node for a while; what arrives waits."""
        node = self.nodes[key]
        if node.paused_until <= self.now:
            node.paused_at = node.local_time(self.now)
        node.paused_until = max(node.paused_until, self.now + seconds)
        node.deaf_until = max(node.deaf_until, node.paused_until)
        self.at(node.paused_until, self._resume, node)

    def block(self, key: str, seconds: float) -> None:
        """Let a node neither receive nor send for a while, on streams either; its timers go on."""
        node = self.nodes[key]
        node.mute_until = max(node.mute_until, self.now + seconds)
        node.deaf_until = max(node.deaf_until, node.mute_until)
        self.at(node.mute_until, self._resume, node)

    def slow_down(self, key: str, seconds: float) -> None:
        """Let a node take this long to handle anything; 0 makes it as fast as others, and done with what waits."""
        node = self.nodes[key]
        node.slowness = seconds
        if not seconds:
            node.busy_until = self.now
            self._resume(node)

    def set_clock_rate(self, key: str, rate: float) -> None:
        """Let a node's clock run at this rate from now on."""
        node = self.nodes[key]
        node.clock.set_rate(rate, self.now)
        node.alarm = NEVER
        self._arm(node)

    def set_wall_clock(self, key: str, clock_ms: int = 0) -> None:
        """Correct a node's wall clock, or make it wrong by so many milliseconds; its monotonic clock goes on."""
        node = self.nodes[key]
        self.hand_over(node, lambda: node.protocol.wall_clock(self.wall_ms(clock_ms), node.local_time(self.now)))

    def wall_ms(self, clock_ms: int = 0) -> int:
        """Unix time in milliseconds, as a clock shows it that is wrong by ``clock_ms``."""
        return WALL_START_MS + int(self.now * 1000) + clock_ms

    def update(self, key: str, metadata: Mapping[str, str]) -> None:
        """Replace a node's metadata."""
        node = self.nodes[key]
        node.protocol.update(metadata, node.local_time(self.now))
        self._pump(node)

    def leave(self, key: str) -> None:
        """Let a node say farewell; its process goes on."""
        node = self.nodes[key]
        node.protocol.leave(node.local_time(self.now))
        self._pump(node)
        self._tell("changed", node)

    def reseed(self, key: str, seeds: Iterable[str]) -> None:
        """Tell a running node other seeds."""
        node = self.nodes[key]
        node.protocol.seed([self.nodes[seed].address for seed in seeds], node.local_time(self.now))
        self._pump(node)

    def inject(self, key: str, data: bytes, source: Address) -> None:
        """Hand a datagram to a node, as if it came from ``source``."""
        self.note(f"{len(data)} bytes are handed to {key} as if from {source}")
        self._deliver(data, source, self.nodes[key].address)

    def note(self, text: str) -> None:
        """Tell observers of something done from outside."""
        self._tell("noted", text)

    def new_address(self, key: str) -> Address:
        """An address that nobody has had yet; which one depends on the key and its lives, not on other nodes."""
        number = derived_seed(self.seed, "address", key, self._lives[key])
        while (address := Address(f"10.{number >> 16 & 255}.{number >> 8 & 255}.{number & 255}", 7946)) in self._at:
            number += 1
        return address

    def node_at(self, address: Address) -> SimulatedNode | None:
        """The process that was last started at an address."""
        return self._at.get(address)

    @property
    def running(self) -> list[SimulatedNode]:
        """The nodes whose process runs."""
        return [node for node in self.nodes.values() if node.running]

    @property
    def members(self) -> list[SimulatedNode]:
        """The nodes that ought to be seen: they run, and have not said farewell."""
        return [node for node in self.nodes.values() if node.is_member]

    # --- time

    def at(self, when: float, action: Callable[..., None], *arguments: Any) -> None:
        """Do something at a virtual time."""
        heapq.heappush(self._heap, (when, next(self._count), action, arguments))

    def run(self, seconds: float) -> None:
        """Let virtual time pass."""
        end = self.now + seconds
        heap, pop = self._heap, heapq.heappop
        while heap and heap[0][0] <= end:
            when, _, action, arguments = pop(heap)
            if when > self.now:
                self.now = when
            action(*arguments)
        self.now = end

    def run_until(self, condition: Callable[[], bool], within: float) -> float:
        """Let time pass until ``condition()`` holds; returns how long that took.

        :raises TimeoutError: if it does not within so many virtual seconds.
        """
        began, end = self.now, self.now + within
        while not condition():
            if not self._heap or self._heap[0][0] > end:
                self.now = end
                raise TimeoutError(f"did not happen within {within} virtual seconds")
            when, _, action, arguments = heapq.heappop(self._heap)
            self.now = max(self.now, when)
            action(*arguments)
        return self.now - began

    # --- what members agree on

    def all_agree(self) -> bool:
        """Whether all members see exactly the members of their cluster as living, and have equal views."""
        members = self.members
        views = {(node.cluster, node.protocol.fingerprint): node for node in members}
        if len(views) > len({node.cluster for node in members}):
            return False
        return all(
            {each.id for each in one.protocol.view if each.status.is_living}
            == {node.id for node in members if node.cluster == cluster}
            for (cluster, _), one in views.items()
        )

    def all_see(self, name: str, status: str) -> bool:
        """Whether all members but the one named see it with this status."""
        return all(
            (seen := node.status_of(name)) is not None and seen.value == status
            for node in self.members
            if node.name != name
        )

    # --- the driver's part

    def hand_over(self, node: SimulatedNode, action: Callable[[], None], cause: Address | None = None) -> None:
        """Have a process do something now, or when it comes to it."""
        if not node.running:
            return
        if node.deaf_until > self.now:
            node.inbox.append((action, cause))
        elif node.slowness or node.inbox:
            node.inbox.append((action, cause))
            self._queue_work(node, self._work_off)
        else:
            action()
            self._pump(node, cause)

    def tell_framed(self, node: SimulatedNode, peer: SimulatedNode, data: bytes, delay: float | None) -> None:
        """Tell observers of a frame."""
        for told in self._hooks["framed"]:
            told(node, peer, data, delay)

    def _tell(self, hook: str, *what: object) -> None:
        for told in self._hooks[hook]:
            told(*what)

    def _pump(self, node: SimulatedNode, cause: Address | None = None) -> None:
        protocol, view = node.protocol, node.view
        if node.mute_until > self.now:
            self._hold_back(node)
        for data, destination in protocol.datagrams_to_send(self.now):
            self._send(node, data, destination)
        for action in protocol.stream_actions():
            self._streams.act(node, action)
        if view.local is not node.entry:
            node.entry = view.local
            self._tell("reborn", node)
        if (event := protocol.next_event()) is not None:
            self._tell_events(node, event, cause)
        if view.fingerprint != node.fingerprint:
            node.fingerprint = view.fingerprint
            for told in self._on_changed:
                told(node)
        timer = protocol.next_timer()
        if timer != node.timer or node.alarm == NEVER:
            node.timer = timer
            self._arm(node)
        for told in self._on_handled:
            told(node)

    def _hold_back(self, node: SimulatedNode) -> None:
        """Keep what a blocked node wants sent until it is not blocked any more."""
        for data, destination in node.protocol.datagrams_to_send(self.now):
            node.held_back.append(partial(self._send, node, data, destination))
        for action in node.protocol.stream_actions():
            node.held_back.append(partial(self._streams.act, node, action))

    def _tell_events(self, node: SimulatedNode, first: MembershipEvent, cause: Address | None) -> None:
        event: MembershipEvent | None = first
        while event is not None:
            if self._keeps_events:
                node.events.append(event)
            teller = None if self._is_own_finding(node, event) else cause
            for told in self._hooks["happened"]:
                told(node, event, teller)
            event = node.protocol.next_event()

    def _is_own_finding(self, node: SimulatedNode, event: MembershipEvent) -> bool:
        """Whether the node accuses somebody; the last message it handled may have been a helper's bad news."""
        entry = node.view.get(event.member.id) if event.kind is EventKind.SUSPECTED else None
        return entry is not None and node.id in entry.accusers

    def _send(self, node: SimulatedNode, data: bytes, destination: Address) -> None:
        self.datagrams += 1
        self.bytes += len(data)
        source, now = node.address, self.now
        way = self.network.way(source, destination)
        arrivals = way.carry(data, now)
        for delay, copy in arrivals:
            heapq.heappush(self._heap, (now + delay, next(self._count), self._deliver, (copy, source, destination)))
        for told in self._on_sent:
            told(node, data, destination, arrivals, way.lost_to)

    def _deliver(self, data: bytes, source: Address, destination: Address) -> None:
        node = self._at.get(destination)
        if node is None or not node.running:
            if node is not None and node.refuses:
                self._refuse(source, destination)
            return
        if not (node.slowness or node.inbox or node.deaf_until > self.now):
            for told in self._on_received:
                told(node, data, source)
            node.protocol.receive_datagram(data, source, node.local_time(self.now))
            self._pump(node, source)
        elif len(node.inbox) < SOCKET_BUFFER_DATAGRAMS:
            self.hand_over(node, partial(self._receive, node, data, source), source)
        else:
            self.overflows += 1

    def _refuse(self, sender: Address, destination: Address) -> None:
        """Tell the sender of a datagram that no process listens at its destination."""
        node = self._at.get(sender)
        if node is None:
            return
        for delay, _ in self.network.way(destination, sender).carry(REFUSAL, self.now):
            self.at(self.now + delay, self.hand_over, node, partial(self._be_refused, node, destination))

    def _be_refused(self, node: SimulatedNode, destination: Address) -> None:
        node.protocol.datagram_refused(destination, node.local_time(self.now))

    def _receive(self, node: SimulatedNode, data: bytes, source: Address) -> None:
        for told in self._on_received:
            told(node, data, source)
        node.protocol.receive_datagram(data, source, node.local_time(self.now))

    def _arm(self, node: SimulatedNode) -> None:
        """See to it that the node is woken for its next timer."""
        if node.timer_is_queued:
            return
        when = node.clock.virtual(node.timer)
        if when < node.alarm:
            node.alarm = when
            late = 0.0 if self._lateness is None else self._lateness.quantile(node.draws.random())
            heapq.heappush(self._heap, (max(when + late, self.now), next(self._count), self._wake, (node, when)))

    def _wake(self, node: SimulatedNode, alarm: float) -> None:
        if node.alarm != alarm or not node.running or node.paused_until > self.now:
            return
        node.alarm = NEVER
        if node.clock.virtual(node.timer) > self.now:
            self._arm(node)
        elif node.slowness or node.inbox:
            node.timer_is_queued = True
            self._queue_work(node, self._run_timer)
        else:
            node.protocol.handle_timer(max(node.local_time(self.now), node.timer))
            self._pump(node)

    def _run_timer(self, node: SimulatedNode) -> None:
        node.timer_is_queued = False
        if node.running and node.paused_until <= self.now:
            self._spend(node)
            if node.clock.virtual(node.timer) <= self.now:  # due, whatever the rounding of a clock's rate says
                node.protocol.handle_timer(max(node.local_time(self.now), node.timer))
            self._pump(node)

    def _resume(self, node: SimulatedNode) -> None:
        if not node.running or node.paused_until > self.now:
            return
        if node.mute_until <= self.now:
            held_back, node.held_back = node.held_back, []
            for action in held_back:
                action()
        while node.inbox and node.deaf_until <= self.now:
            action, cause = node.inbox.popleft()
            action()
            self._pump(node, cause)
        node.alarm = NEVER
        self._run_timer(node)

    def _queue_work(self, node: SimulatedNode, work: Callable[[SimulatedNode], None]) -> None:
        """Let a slow node do something when it is done with what it has begun."""
        node.busy_until = max(node.busy_until, self.now) + node.slowness
        self.at(node.busy_until, work, node)

    def _spend(self, node: SimulatedNode) -> None:
        """Tell a slow node's protocol, as its driver would, that the time until now went into handling something."""
        if node.slowness:
            now = node.local_time(self.now)
            node.protocol.busy(now - node.slowness, now)

    def _work_off(self, node: SimulatedNode) -> None:
        if node.running and node.inbox and node.deaf_until <= self.now:
            self._spend(node)
            action, cause = node.inbox.popleft()
            action()
            self._pump(node, cause)
