"""A simulation: many protocol cores in virtual time, and everything that can be done to their processes.

The cores are the ones that run on real sockets, and they exchange the same bytes. Nodes can start, crash, be paused,
blocked or slow, have a clock that drifts, and leave at any time. How datagrams and timers reach the cores is decided in
``driver``.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from typing import ClassVar

from gossip.core.config import Config
from gossip.core.protocol import Protocol, ProtocolStats
from gossip.core.state.local import NO_METADATA
from gossip.core.state.member import Member
from gossip.core.state.signing import Signing
from gossip.core.support.address import Address
from gossip.core.wire import Records

from .driver import Driver
from .latency import Latency
from .links import Link
from .network import Network
from .node import NEVER, Clock, SimulatedNode
from .observer import Observer, Watchers
from .randomness import Draws, derived_random, derived_seed
from .virtual_time import VirtualTime

WALL_START_MS = 1_700_000_000_000
"""Unix milliseconds at virtual time 0."""


class Simulation(VirtualTime):
    """A cluster in virtual time; see the module's docstring."""

    driver_type: ClassVar[type[Driver]] = Driver
    """The class of the driver. A subclass can deliver datagrams in another way."""

    def __init__(self, *, seed: int = 0, config: Config | None = None, link: Link | None = None,
                 lateness: Latency | None = None, observers: Iterable[Observer] = (),
                 keeps_events: bool = True) -> None:  # fmt: skip
        super().__init__()
        self.seed = seed
        self.config = config or Config.lan()
        self.records = Records()
        """What all nodes have met: they run in one process, and check each record once."""
        self.network = Network(derived_seed(seed, "network"), link)
        self.nodes: dict[str, SimulatedNode] = {}
        """The latest process of each key."""
        self.past: list[ProtocolStats] = []
        """Statistics of processes that have been replaced."""
        self.tainted: set[int] = set()
        """Ids of members that forged messages were about."""
        self.datagrams = 0
        """Datagrams sent by all nodes."""
        self.bytes = 0
        """Payload bytes in them."""
        self.overflows = 0
        """Datagrams lost because a process did not run and the buffer of its socket was full."""
        self.signing: Callable[[str], Signing | None] = lambda _key: None
        """The signing keys of the node with this key; None for a node that does not sign."""
        self._at: dict[Address, SimulatedNode] = {}
        self.node_at: Callable[[Address], SimulatedNode | None] = self._at.get
        """The process that was last started at an address."""
        self._lives: Counter[str] = Counter()
        self._watchers = Watchers(observers)
        self.driver: Driver = self.driver_type(self, self._watchers, lateness=lateness, keeps_events=keeps_events)
        """The driver of all nodes."""
        self._watchers.attach(self)

    # --- nodes

    def start(self, key: str, *, name: str | None = None, seeds: Iterable[str] = (), config: Config | None = None,
              address: Address | None = None, metadata: Mapping[str, str] = NO_METADATA, clock_ms: int = 0,
              learns_address: bool = False) -> SimulatedNode:  # fmt: skip
        """Start a node, or start it again. The same key keeps its address and gets a new generation.

        :param name: the name under which it joins, if that is not its key.
        :param seeds: keys of running nodes through which it joins.
        :param clock_ms: the error of its wall clock.
        :param learns_address: whether it has to learn its address from others.
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
            signing=self.signing(key),
            records=self.records,
        )
        if before is not None:
            self.past.append(before.protocol.stats)
        node = self.nodes[key] = self._at[address] = SimulatedNode(
            key, address, protocol, clock, config, Draws(derived_seed(self.seed, "lateness", key, self._lives[key]))
        )
        self._watchers.tell("started", node)
        if seeds:
            protocol.seed([self.nodes[seed].address for seed in seeds], node.local_time(self.now))
        self.driver.pump(node)
        return node

    def start_many(self, count: int, *, seed: str = "n0", metadata: Mapping[str, str] = NO_METADATA) -> None:
        """Start nodes ``n0``, ``n1`` ... at the same moment. All join through one of them."""
        self.start("n0", metadata=metadata)
        for number in range(1, count):
            self.start(f"n{number}", seeds=(seed,), metadata=metadata)

    def acquaint(self) -> None:
        """Make all running nodes of a cluster know each other, as if they had been a cluster for a while."""
        members: dict[str, list[Member]] = {}
        for node in self.running:
            members.setdefault(node.cluster, []).append(node.protocol.local)
        for node in self.running:
            node.protocol.remember(members[node.cluster], node.local_time(self.now))
            self._watchers.tell("acquainted", node)
            self.driver.pump(node)

    def crash(self, key: str, *, refuses: bool = False) -> None:
        """End a process without a farewell.

        :param refuses: whether its machine goes on, and tells senders that no process listens there.
        """
        node = self.nodes[key]
        if node.running:
            node.running = False
            node.refuses = refuses
            self.driver.streams.end_all(node)
            self._watchers.tell("stopped", node)

    def pause(self, key: str, seconds: float) -> None:
        """Stop everything on a node for a while. Arrivals wait."""
        node = self.nodes[key]
        if node.paused_until <= self.now:
            node.paused_at = node.local_time(self.now)
        node.paused_until = max(node.paused_until, self.now + seconds)
        node.deaf_until = max(node.deaf_until, node.paused_until)
        self.at(node.paused_until, self.driver.resume, node)

    def block(self, key: str, seconds: float) -> None:
        """Block a node for a while: it neither receives nor sends, on streams either, but its timers go on."""
        node = self.nodes[key]
        node.mute_until = max(node.mute_until, self.now + seconds)
        node.deaf_until = max(node.deaf_until, node.mute_until)
        self.at(node.mute_until, self.driver.resume, node)

    def slow_down(self, key: str, seconds: float) -> None:
        """Set the seconds that a node needs to handle anything. 0 makes it as fast as others, and finishes what
        waits."""
        node = self.nodes[key]
        node.slowness = seconds
        if not seconds:
            node.busy_until = self.now
            self.driver.resume(node)

    def set_clock_rate(self, key: str, rate: float) -> None:
        """Set the rate of a node's clock from now on."""
        node = self.nodes[key]
        node.clock.set_rate(rate, self.now)
        node.alarm = NEVER
        self.driver.arm(node)

    def set_wall_clock(self, key: str, clock_ms: int = 0) -> None:
        """Set the error of a node's wall clock; 0 corrects it. Its monotonic clock goes on."""
        node = self.nodes[key]
        self.driver.hand_over(node, lambda: node.protocol.wall_clock(self.wall_ms(clock_ms), node.local_time(self.now)))

    def wall_ms(self, clock_ms: int = 0) -> int:
        """Unix time in milliseconds on a clock with this error."""
        return WALL_START_MS + int(self.now * 1000) + clock_ms

    def update(self, key: str, metadata: Mapping[str, str]) -> None:
        """Replace a node's metadata."""
        node = self.nodes[key]
        node.protocol.update(metadata, node.local_time(self.now))
        self.driver.pump(node)

    def leave(self, key: str) -> None:
        """Make a node say farewell. Its process goes on."""
        node = self.nodes[key]
        node.protocol.leave(node.local_time(self.now))
        self.driver.pump(node)
        self._watchers.tell("changed", node)

    def reseed(self, key: str, seeds: Iterable[str]) -> None:
        """Give a running node other seeds."""
        node = self.nodes[key]
        node.protocol.seed([self.nodes[seed].address for seed in seeds], node.local_time(self.now))
        self.driver.pump(node)

    def inject(self, key: str, data: bytes, source: Address) -> None:
        """Hand a datagram to a node, as if it came from ``source``."""
        self.note(f"{len(data)} bytes are handed to {key} as if from {source}")
        self.driver.deliver(data, source, self.nodes[key].address)

    def note(self, text: str) -> None:
        """Tell observers that something was done from outside."""
        self._watchers.tell("noted", text)

    def new_address(self, key: str) -> Address:
        """An address that no node has had yet. It follows from the key and the number of its processes, not from other
        nodes."""
        number = derived_seed(self.seed, "address", key, self._lives[key])
        while (address := Address(f"10.{number >> 16 & 255}.{number >> 8 & 255}.{number & 255}", 7946)) in self._at:
            number += 1
        return address

    def key_at(self, address: Address) -> str:
        """The key of the process that was last started at an address; the address itself if none was."""
        node = self._at.get(address)
        return str(address) if node is None else node.key

    @property
    def running(self) -> list[SimulatedNode]:
        """The nodes whose process runs."""
        return [node for node in self.nodes.values() if node.running]

    @property
    def members(self) -> list[SimulatedNode]:
        """The nodes that others should see as living: they run and have not left."""
        return [node for node in self.nodes.values() if node.is_member]

    # --- what members agree on

    def all_agree(self) -> bool:
        """Whether every member sees exactly the members of its cluster as living, and all their views are equal."""
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
        """Whether all other members see the named one with this status."""
        return all(
            (seen := node.status_of(name)) is not None and seen.value == status
            for node in self.members
            if node.name != name
        )
