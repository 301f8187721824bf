"""A member of a cluster in this process: the :class:`Node` that :func:`gossip.open_node` yields.

This module forwards the questions and commands of a program to the core. It decides how a program waits: for a
condition, until its node is connected, and for a farewell. The core decides everything else.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from random import Random

import trio

from gossip import forking
from gossip.core.config import Config
from gossip.core.detection.evidence import Explanation
from gossip.core.protocol import Protocol
from gossip.core.state.member import Member
from gossip.core.state.node_standing import NodeStanding
from gossip.core.state.wall import ClockDispute
from gossip.core.support.address import Address
from gossip.core.support.arguments import require
from gossip.errors import ClosedError
from gossip.net import Driver, Network, SeedFinder, Transport
from gossip.node.block import background_tasks, require_trio
from gossip.node.subscription import Broadcast, Subscription
from gossip.node.waiting import holds, joined
from gossip.security import Keyring, Security
from gossip.telemetry import NodeLog, NodeStats, ShellCounters

_NAMELESS = (
    "this cluster has the default name (%r) and no keys, so it merges with any other such cluster as soon as a node of "
    "one learns an address of the other. Give each cluster a name of its own (Config, --cluster)"
)


@asynccontextmanager
async def running(
    protocol: Protocol,
    network: Network,
    transport: Transport,
    config: Config,
    security: Security,
    seeds: tuple[Address, ...],
    random: Random,
) -> AsyncIterator[Node]:
    """A node made of these parts. It runs for as long as the block.

    :param config: the settings as the program gave them; those of the core may leave room for sealing.
    """
    async with background_tasks() as nursery:
        node = Node(protocol, network, transport, nursery, config, security)
        try:
            node._start(seeds, random)
            yield node
        finally:
            node._close()


class Node:
    """A running member. :func:`open_node` makes it. Call its methods only in the trio thread that it runs in.

    After the ``async with`` block has ended, the queries still return the last state, and each method that would change
    something raises :class:`ClosedError`.

    >>> import gossip, trio
    >>> async def main():
    ...     config = gossip.Config.local()
    ...     async with gossip.open_node("ada", bind="127.0.0.1:0", config=config) as ada:
    ...         async with gossip.open_node("brook", bind="127.0.0.1:0", config=config, seeds=[ada.address]) as brook:
    ...             await brook.joined()
    ...             brook.update({"role": "db"})
    ...             await ada.until(lambda node: node.get("brook").metadata.get("role") == "db")
    ...             print([member.name for member in ada.members()], ada.alive)
    ...             print(await brook.leave())
    >>> trio.run(main)
    ['ada', 'brook'] 2
    ('ada',)
    """

    def __init__(self, protocol: Protocol, network: Network, transport: Transport, nursery: trio.Nursery,
                 config: Config, security: Security) -> None:  # fmt: skip
        self._protocol = protocol
        self._network = network
        self._transport = transport
        self._nursery = nursery
        self._config = config
        self._security = security
        self._counters = ShellCounters()
        self._broadcast = Broadcast(protocol, self._counters)
        self._steps = 0
        self._next_step: trio.Event | None = None
        self._clock = trio.lowlevel.current_clock()
        self._name = protocol.local.name
        self._log = NodeLog(__name__, self._name)
        self._driver = Driver(
            protocol,
            transport,
            nursery,
            wall_clock_ms=network.wall_clock_ms,
            node_name=self._name,
            counters=self._counters,
            publish=self._broadcast.publish,
            stepped=self._stepped,
            security=security,
        )
        self._closed_at: float | None = None
        self._is_nameless = security.keyring is None and config.cluster == Config.lan().cluster
        """Whether this node may merge with another cluster by accident, and the log has not said so yet."""
        forking.register(self, Node._become_unusable)

    def _become_unusable(self) -> None:
        copy = forking.unusable(f"node {self._name!r}")
        self._protocol = self._driver = self._broadcast = self._transport = self._security = self._clock = copy

    def __repr__(self) -> str:
        if forking.is_unusable(self._protocol):
            return f"<gossip.Node {self._name!r} of the parent process>"
        state = "closed" if self._closed_at is not None else self.standing.standing.value
        return f"<gossip.Node {self._name!r} at {self.address}, {state}, {self.alive} alive>"

    @property
    def local(self) -> Member:
        """This node as a member."""
        return self._protocol.local

    @property
    def address(self) -> Address:
        """Where others reach this node; until a peer has told it, where it is bound."""
        return self._protocol.local.address if self._protocol.address_known else self._transport.address

    @property
    def bound_address(self) -> Address:
        """Where the sockets are bound: the host may be ``0.0.0.0`` or ``::``, the port is never 0."""
        return self._transport.address

    @property
    def standing(self) -> NodeStanding:
        """What this node knows of its own place in the cluster, since when, and why.

        It is ready to act as a member while ``node.standing.standing is Standing.CONNECTED``.
        """
        return self._protocol.standing

    @property
    def agreement(self) -> float | None:
        """Share (0 to 1) of the peers heard recently whose view of the cluster equalled this node's; None if this node
        heard nobody for five rounds."""
        return self._protocol.agreement(self._now())

    @property
    def health(self) -> int:
        """How much this node doubts itself, from 0 (healthy) to 8. The more it does, the longer are its timeouts."""
        return self._protocol.health

    @property
    def clock_dispute(self) -> ClockDispute | None:
        """A peer whose clock and this node's are more than a year apart, so that one refuses the other.

        None if there was none within the last minute. It ends by itself once the wrong clock is set right.
        """
        return self._protocol.clock_dispute(self._now())

    @property
    def alive(self) -> int:
        """Number of members that this node sees alive, including itself. Others may see other members alive at the same
        time, so no number gives this node the right to act alone."""
        return self._protocol.alive

    @property
    def stats(self) -> NodeStats:
        """What this node has done so far."""
        return NodeStats(
            protocol=self._protocol.stats,
            streams_active=self._driver.streams.active,
            opened=dict(self._security.envelope.opened),
            **vars(self._counters),
        )

    @property
    def keyring(self) -> Keyring | None:
        """The keys in force; None for a node that was opened without keys."""
        return self._security.keyring

    def members(self) -> tuple[Member, ...]:
        """All known members sorted by name: this node, the others, and those that died or left recently.

        While the node is isolated, this is a guess. While another process holds its name, the list has both.
        """
        return self._protocol.members()

    def get(self, name: str) -> Member | None:
        """The newest holder of ``name``, dead or alive, or None if there is none.

        :raises ConfigurationError: if ``name`` is no text.
        """
        require("name", name, str, "the name of a member, a text")
        return self._protocol.get(name)

    def explain(self, name: str) -> Explanation | None:
        """Where the newest holder of ``name`` stands in this node's view, and why; None if there is none.

        ``print(node.explain(name))`` shows it in sentences: what was asked, what answered, and who accused the member.
        Its times are local times, as of :func:`trio.current_time`. The last 64 deaths can still be explained
        after this node has forgotten the members.

        :raises ConfigurationError: if ``name`` is no text.
        """
        require("name", name, str, "the name of a member, a text")
        return self._protocol.explain(name, self._now())

    def subscribe(self, buffer: int = 256) -> Subscription:
        """Follow the changes of the members and of this node's own standing, from now on; see :class:`Subscription`.

        The times of the events are local times, as of :func:`trio.current_time`.

        :param buffer: events kept for a reader that is behind.
        :raises ConfigurationError: if ``buffer`` is no whole number from 1 on.
        """
        return Subscription(self._broadcast, buffer)

    def update(self, metadata: Mapping[str, str]) -> None:
        """Replace this node's metadata and tell the others.

        If several updates follow quickly, the others may miss some of them, but never the last: metadata describes the
        present, and is no message.

        :raises ConfigurationError: if it is too large or no mapping of texts to texts.
        :raises LeftError: after :meth:`leave`.
        :raises DisplacedError: while another process holds this node's name.
        :raises ClosedError: after the node was closed.
        """
        self._require_open()
        self._protocol.update(metadata, trio.current_time())
        self._driver.pump()

    async def joined(self, timeout: float | None = None) -> None:
        """Wait until this node is connected: it hears others, and its view has equalled one of theirs.

        Returns at once for a node that has no seeds except itself, because such a node begins a cluster of its own.
        Cancelling this changes nothing.

        :param timeout: seconds to wait, 0 to look only; None for as long as it takes.
        :raises ConfigurationError: if ``timeout`` is no such number, or infinite.
        :raises JoinError: if the node is not connected by then; the text says why, and names the seeds.
        :raises LeftError: if the node leaves, or has left.
        :raises ClosedError: if the node closes, or is closed.
        """
        self._require_open()
        await joined(self, self._name, timeout)

    async def until(self, condition: Callable[[Node], bool]) -> None:
        """Wait until ``condition(node)`` is true. It is called at once, and after each step of the protocol.

        The condition may ask the node for anything. It should be quick, because the node waits for it. An exception of
        the condition passes out. Cancelling this changes nothing. :meth:`leave` does not end it, because the node sees
        others until it is closed. ::

            with trio.fail_after(10):
                await node.until(lambda node: node.get("db-1") is not None)

        :raises ConfigurationError: if ``condition`` cannot be called, or is an async function.
        :raises ClosedError: if the node closes first, or is closed.
        """
        self._require_open()
        await trio.lowlevel.checkpoint()
        while True:
            self._require_open()
            if holds(condition, self):
                return
            await self._step_after(self._steps)

    def use_keyring(self, keyring: Keyring) -> None:
        """Replace the keys: seal with the key in use, and open what any of these keys sealed.

        To change keys while the cluster runs, finish each step on all nodes before you begin the next one: add the new
        key, use it, drop the old one. ``PLAIN`` counts as a key here, so the same steps turn sealing on and off.

        :raises ConfigurationError: if the node was opened without keys, or a package is missing that these need.
        :raises ClosedError: after the node was closed.
        """
        self._require_open()
        self._security.use_keyring(keyring)
        opens = ", ".join(key.id for key in keyring.keys)
        self._log.info("seals with %s, opens %s", keyring.in_use.id, opens)

    async def leave(self) -> tuple[str, ...]:
        """Say farewell, and wait until enough members have acknowledged it or ``leave_timeout`` is over.

        A node that has asked its seeds and knows nobody yet waits for them, because they may already know it. The node
        stays open and keeps telling the others until the block ends. Calling this again waits for the same farewell.

        :returns: the names of the members that acknowledged the farewell; the address of a member whose name is not
            known yet; empty if there was nobody to tell.
        :raises ClosedError: after the node was closed.
        """
        self._require_open()
        await trio.lowlevel.checkpoint_if_cancelled()
        farewell_over = self._driver.leave()
        with trio.move_on_after(self._config.leave_timeout):
            await farewell_over.wait()
        return self._protocol.farewell_acknowledged_by

    def _start(self, seeds: tuple[Address, ...], random: Random) -> None:
        finder = SeedFinder(
            seeds,
            node_name=self._name,
            random=random,
            resolve=self._network.resolve,
            can_reach=self._transport.can_reach,
            is_alone=lambda: self._protocol.alive <= 1,
            found=self._found_seeds,
            counters=self._counters,
        )
        if seeds:
            self._protocol.seek(trio.current_time(), seeds)
        self._driver.pump()
        self._nursery.start_soon(self._driver.run)
        self._nursery.start_soon(self._driver.streams.accept_forever)
        self._nursery.start_soon(finder.run)

    def _close(self) -> None:
        self._closed_at = trio.current_time()
        self._driver.close()
        self._broadcast.close()
        self._stepped()

    def _found_seeds(self, addresses: tuple[Address, ...], unresolved: tuple[Address, ...]) -> None:
        if self._is_nameless and not all(address.is_loopback for address in addresses):
            self._is_nameless = False
            self._log.warning(_NAMELESS, self._config.cluster)
        self._protocol.seed(addresses, trio.current_time(), unresolved)
        self._driver.pump()

    async def _step_after(self, seen: int) -> None:
        """Wait until the protocol has made more than ``seen`` steps, or the node is closed."""
        while self._steps <= seen and self._closed_at is None:
            if self._next_step is None:
                self._next_step = trio.Event()
            await self._next_step.wait()

    def _stepped(self) -> None:
        self._steps += 1
        if self._next_step is not None:
            self._next_step.set()
            self._next_step = None

    def _require_open(self) -> None:
        forking.require_usable(self._protocol)
        if self._closed_at is not None:
            raise ClosedError(f"node {self._name!r} is closed: its async with block has ended")
        require_trio(f"node {self._name!r}")

    def _now(self) -> float:
        return self._clock.current_time() if self._closed_at is None else self._closed_at
