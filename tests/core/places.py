"""Worlds in which others see a node at another address: loopback interfaces, translated and changing addresses.

A :class:`PlacesWorld` is a world whose datagrams and streams take the way that a host's network gives them. What is
sent to a loopback address stays on the host; what is sent elsewhere shows the address that the destination sees.
"""

from __future__ import annotations

from typing import Any

from gossip.core.config import Config
from gossip.core.dissemination.outbox import Path
from gossip.core.state.entry import Entry
from gossip.core.state.member import Member
from gossip.core.support.address import Address
from gossip.core.wire import ACK_BYTES
from gossip.core.wire.messages import Ack, Body
from sims.world import SimulatedNode
from sims.world.driver import Driver
from sims.world.observer import Watchers
from sims.world.streams import StreamCarrier
from tests.core.worlds import World, expect

LOOPBACK = "127.0.0.1"


class _HostDriver(Driver):
    """A driver that sends datagrams by the routes of each host's network."""

    sim: PlacesWorld

    def __init__(self, sim: PlacesWorld, watchers: Watchers, **how: Any) -> None:
        super().__init__(sim, watchers, **how)
        self.streams = _HostStreams(sim, self, watchers)

    def send(self, node: SimulatedNode, data: bytes, destination: Address) -> None:
        """Send to where the address leads on this host."""
        sim = self.sim
        sim.datagrams += 1
        sim.bytes += len(data)
        there, source = sim.way(node, destination)
        for delay, copy in sim.network.directed(node.address, there).carry(data, sim.now):
            sim.at(sim.now + delay, self.deliver, copy, source, there)


class _HostStreams(StreamCarrier):
    """Streams that know what a loopback address means to the host that connects."""

    def __init__(self, sim: PlacesWorld, driver: Driver, watchers: Watchers) -> None:
        super().__init__(sim, driver, watchers)
        self._places = sim

    def _open(self, node: SimulatedNode, number: int, address: Address) -> None:
        super()._open(node, number, self._places.there(node, address))


class PlacesWorld(World):
    """A world of hosts."""

    driver_type = _HostDriver

    def __init__(self, *, seed: int = 0, config: Config | None = None) -> None:
        super().__init__(seed=seed, config=config)
        self.doors: dict[Address, tuple[str, Address]] = {}
        """By the address of a translator: the node behind it, and the source that a receiver sees."""
        self._passed: dict[Address, tuple[Address, Address]] = {}

    def begin(self, key: str, address: str, *, seeds: tuple[str, ...] = (), advertise: str | None = None,
              ) -> SimulatedNode:  # fmt: skip
        """Start a node that is bound to all addresses of the host of ``address``.

        :param seeds: addresses as a person would give them.
        :param advertise: an address that it is given; by default it learns its own.
        """
        if advertise is None:
            node = self.start(key, address=Address.parse(address), learns_address=True)
        else:
            given = Address.parse(advertise)
            before = self._at.get(given)
            node = self.start(key, address=given)
            node.address = Address.parse(address)
            if before is not None:
                self._at[given] = before
        self._at[node.address] = node
        node.protocol.seed([Address.parse(seed) for seed in seeds], node.local_time(self.now))
        self.driver.pump(node)
        return node

    def move(self, key: str, address: str) -> None:
        """Give the host of a node another address while the node runs; no host has the old one afterwards."""
        node = self.nodes[key]
        self._at.pop(node.address, None)
        node.address = Address.parse(address)
        self._at[node.address] = node

    def way(self, node: SimulatedNode, destination: Address) -> tuple[Address, Address]:
        """The destination of a node's datagram, and the source that the receiver sees."""
        if destination in self.doors:
            key, outside = self.doors[destination]
            self._passed[outside] = node.address, destination
            return self.nodes[key].address, outside
        if destination in self._passed:
            return self._passed[destination]
        if destination.is_loopback:
            return self.there(node, destination), Address(LOOPBACK, node.address.port)
        return destination, node.address

    def there(self, node: SimulatedNode, destination: Address) -> Address:
        """The node to which a node on this host connects at an address."""
        if destination in self.doors:
            return self.nodes[self.doors[destination][0]].address
        return Address(node.address.host, destination.port) if destination.is_loopback else destination


def places(*, seed: int = 0) -> PlacesWorld:
    """An empty world of hosts."""
    return PlacesWorld(seed=seed, config=Config.lan())


def lan(count: int, *, seed: int = 0) -> PlacesWorld:
    """Nodes ``n0``, ``n1`` ... on hosts of their own, which have learnt their addresses and have no news under way."""
    sim = places(seed=seed)
    sim.begin("n0", "10.0.0.10:7946")
    for number in range(1, count):
        sim.begin(f"n{number}", f"10.0.0.{10 + number}:7946", seeds=("10.0.0.10:7946",))
    expect(sim, lambda: sim.all_agree() and all_at_home(sim), within=10, why="joining")
    sim.run(5)
    return sim


def all_at_home(sim: PlacesWorld) -> bool:
    """Whether all running nodes know the true addresses of all others."""
    return all(
        (seen := node.protocol.get(other.name)) is not None and seen.address == other.address
        for node in sim.running
        for other in sim.running
    )


def address_seen(sim: PlacesWorld, key: str, name: str) -> str:
    """The address of a member in a node's view."""
    member = sim.nodes[key].protocol.get(name)
    assert isinstance(member, Member), f"{key} does not know {name}"
    return str(member.address)


def notices(node: SimulatedNode) -> list[str]:
    """The notices of a node that nobody has taken yet."""
    told = []
    while (notice := node.protocol.next_notice()) is not None:
        told.append(notice)
    return told


def let_lie(node: SimulatedNode, about: str, address: str) -> None:
    """From now on a node lies to one member, in each answer with room, about where it sees that member."""
    outbox, says = node.protocol.parts.outbox, Address.parse(address)
    honest = outbox.send

    def send(path: Path, body: Body, now: float, *, to: Entry | None = None, **rest: Any) -> bool:
        is_to_victim = to is None or to.identity.name == about
        if isinstance(body, Ack) and is_to_victim and (path.credit or 0) >= len(says.to_wire()) + ACK_BYTES:
            body = body._replace(observed=says)
        return honest(path, body, now, to=to, **rest)

    outbox.send = send  # type: ignore[method-assign]
