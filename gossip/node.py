"""A member of a cluster in this process: :func:`open_node` and the :class:`Node` it yields.

This is what an embedding program uses. It joins the parts of the shell together and forwards to the
core; what happens when is decided there.
"""

from __future__ import annotations

import inspect
import logging
import math
from collections.abc import AsyncIterator, Callable, Iterable, Mapping
from random import Random, SystemRandom
from typing import final

import attrs
import trio

from gossip.background import background_tasks
from gossip.clocklog import wall_clock_ms
from gossip.core.address import Address
from gossip.core.arguments import require, require_seconds, wrong
from gossip.core.config import METADATA_ROOM, MIN_MAX_DATAGRAM, Config, given_config
from gossip.core.errors import ConfigurationError, LeftError
from gossip.core.events import MembershipEvent
from gossip.core.local import NO_METADATA
from gossip.core.member import Member
from gossip.core.protocol import Protocol
from gossip.core.signing import Identities
from gossip.core.standing import NodeStanding, Standing
from gossip.core.wall import ClockDispute
from gossip.driver import Driver
from gossip.envelope import OVERHEAD_BYTES
from gossip.errors import ClosedError, JoinError
from gossip.eventlog import log_event
from gossip.keyring import Keyring
from gossip.opening import block_in_trio, require_trio
from gossip.security import Security
from gossip.seeds import SeedFinder, parse_seeds
from gossip.signing_key import SigningKey, check_allowed
from gossip.sockets import SocketPair, advertised_address, open_sockets, parse_address, require_one_machine
from gossip.stats import NodeStats, ShellCounters
from gossip.subscription import Broadcast, Snapshot, Subscription
from gossip.tls import MutualTLS

_log = logging.getLogger(__name__)

DEFAULT_BIND = "0.0.0.0:7946"
"""All IPv4 addresses, and the port that memberlist made customary for gossip."""

_UNSEALED = (
    "bind: others can reach {}, and without a keyring whoever can send a packet there can take part. Give a keyring "
    "(gossip keygen makes one; --keyring), bind to 127.0.0.1, or say insecure=True (--insecure)"
)

_CONDITION = "a function of the node that is not async and returns True or False"

_NAMELESS = (
    "%r: this cluster has no name of its own (%r) and no keys, so that it becomes one with any other of that kind as "
    "soon as a node of one knows an address of the other; give each cluster a name (Config, --cluster)"
)


@block_in_trio
async def open_node(
    name: str,
    *,
    bind: str | Address = DEFAULT_BIND,
    advertise: str | Address | None = None,
    seeds: Iterable[str | Address] = (),
    metadata: Mapping[str, str] = NO_METADATA,
    config: Config | None = None,
    keyring: Keyring | None = None,
    tls: MutualTLS | None = None,
    insecure: bool = False,
    identity: SigningKey | None = None,
    allowed: Mapping[str, bytes] | None = None,
) -> AsyncIterator[Node]:
    """Be a member of a cluster for as long as the ``async with`` block runs.

    ::

        keyring = Keyring.load("cluster.keys")
        async with open_node("web-1", seeds=["gossip.example.org:7946"], keyring=keyring) as node:
            ...
            await node.leave()

    The block begins at once, before any other member is known. When it ends, the node just closes, and
    the others will find out as they would after a crash; call :meth:`Node.leave` first to part properly.
    An exception of the block closes the node and passes out as itself. Should a task of the node fail
    (a bug), the block is cancelled and that exception passes out.

    :param name: what people call this node, 1 to 128 bytes of printable text, unique in the cluster.
    :param bind: ``HOST:PORT`` for UDP and TCP alike. ``[::]`` takes IPv4 and IPv6, port 0 any free port.
    :param advertise: ``HOST:PORT`` at which others reach this node, where that differs from ``bind``
        (port 0: the bound one). If neither names an IP address, it is learned from what peers see.
    :param seeds: ``HOST:PORT`` of some members, whether they run or not, the same for every member; the node itself may
        be among them. One that has nobody else to look for begins a cluster of its own. A DNS name stands for all its
        addresses, and is looked up again now and then. There may be 64 addresses.
    :param metadata: what others are to know of this node, small texts; see :meth:`Node.update`.
    :param config: the settings, by default :meth:`gossip.Config.lan`.
    :param keyring: the keys of the cluster. Everything is sealed with the one in use and must be sealed with one of
        them. None for a cluster that is not sealed, which only this machine can reach, unless:
    :param insecure: whether whoever can send a packet may take part, from anywhere.
    :param identity: with which this node signs what it says of itself; then it believes of others only what they have
        signed. A node that restarts under its name needs the same key.
    :param allowed: the public key of each name that may be a member; without, a name belongs to the first key seen.
    :param tls: certificates that secure the streams in place of the keyring; datagrams need that all the same.
    :raises ConfigurationError: if an argument is malformed, a package is missing that the keys need, others could
        reach the node and it has no keyring, or only this machine could reach it and a seed is on another one.
    :raises BindError: if the sockets cannot be opened, or ``advertise`` cannot be resolved.
    :raises RuntimeError: if trio does not run the code that enters the block.
    """
    config = given_config(config)
    require("insecure", insecure, bool, "True or False")
    if identity is not None:
        require("identity", identity, SigningKey, "a gossip.SigningKey, such as SigningKey.load(path)", secret=True)
    if allowed is not None:
        check_allowed(allowed)
    if identity is None and allowed is not None:
        raise ConfigurationError(
            "allowed: only a node that signs can check what others have signed; give identity, too"
        )
    identities = None if identity is None else Identities(identity, allowed)
    security = Security(keyring, config.cluster, tls)
    bind_to = parse_address(bind, "bind")
    advertise_as = None if advertise is None else parse_address(advertise, "advertise")
    seed_list = parse_seeds(seeds)
    random = SystemRandom()  # tokens prove that somebody hears us: what was drawn must not tell what comes next
    with await open_sockets(bind_to) as sockets:
        require_one_machine(sockets.address, advertise_as, seed_list)
        if not (insecure or security.is_sealed or sockets.address.is_loopback):
            raise ConfigurationError(_UNSEALED.format(sockets.address))
        protocol = Protocol(
            config if keyring is None else _with_room_for_envelopes(config),
            name=name,
            generation=wall_clock_ms(),
            random=random,
            now=trio.current_time(),
            address=await advertised_address(advertise_as, sockets),
            metadata=metadata,
            identities=identities,
        )
        async with background_tasks() as nursery:
            node = Node(protocol, sockets, nursery, config, security)
            try:
                node._start(seed_list, random)
                yield node
            finally:
                node._close()


def _with_room_for_envelopes(config: Config) -> Config:
    """The settings for a core whose datagrams are sealed, so that none gets larger than ``max_datagram`` by that.

    :raises ConfigurationError: if that is too small to be sealed.
    """
    room = config.max_datagram - OVERHEAD_BYTES
    if room < max(MIN_MAX_DATAGRAM, config.max_metadata + METADATA_ROOM):
        raise ConfigurationError(f"max_datagram must be larger by {OVERHEAD_BYTES} if datagrams are to be sealed")
    return attrs.evolve(config, max_datagram=room)


def _holds(condition: Callable[[Node], bool], node: Node) -> bool:
    """Whether a condition is true, which what an async function returns would always be.

    :raises ConfigurationError: if it returns something to be awaited.
    """
    answer: object = condition(node)
    if inspect.isawaitable(answer):
        if inspect.iscoroutine(answer):
            answer.close()  # or else Python would warn that nobody has awaited it
        raise wrong("condition", _CONDITION, answer)
    return bool(answer)


@final
class Node:
    """A running member. Made by :func:`open_node`; all methods are for the trio thread it runs in.

    After the ``async with`` block has ended, the queries still give the last state, and whatever would
    change it raises :class:`ClosedError`.
    """

    def __init__(self, protocol: Protocol, sockets: SocketPair, nursery: trio.Nursery, config: Config,
                 security: Security) -> None:  # fmt: skip
        self._protocol = protocol
        self._sockets = sockets
        self._nursery = nursery
        self._config = config
        self._security = security
        self._counters = ShellCounters()
        self._broadcast = Broadcast(self._snapshot, self._counters)
        self._next_step: trio.Event | None = None
        self._name = protocol.local.name
        self._driver = Driver(
            protocol,
            sockets,
            nursery,
            node_name=self._name,
            counters=self._counters,
            publish=self._publish,
            stepped=self._stepped,
            security=security,
        )
        self._closed_at: float | None = None
        self._is_nameless = security.keyring is None and config.cluster == Config.lan().cluster
        """Whether it may come to be in another cluster by accident, and that has not been told."""

    def __repr__(self) -> str:
        return f"<gossip.Node {self._name!r} at {self.address}, {self.alive} alive>"

    @property
    def local(self) -> Member:
        """This node as a member."""
        return self._protocol.local

    @property
    def address(self) -> Address:
        """Where others reach this node; while nobody has told it, where it is bound."""
        return self._protocol.local.address if self._protocol.address_known else self._sockets.address

    @property
    def bound_address(self) -> Address:
        """Where the sockets are bound: the host may be ``0.0.0.0`` or ``::``, the port is the real one."""
        return self._sockets.address

    @property
    def standing(self) -> NodeStanding:
        """What this node knows of its own place in the cluster, since when, and why.

        It is ready to act as a member while ``node.standing.standing is Standing.CONNECTED``.
        """
        return self._protocol.standing

    @property
    def agreement(self) -> float | None:
        """Share (0 to 1) of the peers heard recently whose view of the cluster equalled this node's; None if nobody
        was heard for five rounds."""
        return self._protocol.agreement(self._now())

    @property
    def health(self) -> int:
        """How far this node doubts itself: 0 healthy, up to 8. It stretches the timeouts it applies."""
        return self._protocol.health

    @property
    def clock_dispute(self) -> ClockDispute | None:
        """A peer whose clock and this node's are more than a year apart, so that one refuses the other.

        None if there was none within the last minute. It ends by itself once the wrong clock is set right.
        """
        return self._protocol.clock_dispute(self._now())

    @property
    def alive(self) -> int:
        """Living members as seen from here, this node included. Others may see other members living at the same time,
        so no number of them gives this node the right to act alone.
        """
        return self._protocol.alive

    @property
    def stats(self) -> NodeStats:
        """What this node has done so far."""
        return NodeStats(
            protocol=self._protocol.stats,
            streams_active=self._driver.streams.active,
            opened=dict(self._security.envelope.opened),
            **attrs.asdict(self._counters),
        )

    @property
    def keyring(self) -> Keyring | None:
        """The keys in force; None for a node that was opened without."""
        return self._security.keyring

    def members(self) -> tuple[Member, ...]:
        """All known members sorted by name: this node, the others, and the dead and departed of late.

        While the node is isolated, this is what it guesses; while another process bears its name, both are there.
        """
        return self._protocol.members()

    def get(self, name: str) -> Member | None:
        """The newest bearer of ``name``, dead or alive, or None if there is none.

        :raises ConfigurationError: if ``name`` is no text.
        """
        require("name", name, str, "the name of a member, a text")
        return self._protocol.get(name)

    def subscribe(self, buffer: int = 256) -> Subscription:
        """Follow the changes of the members and of this node's own standing, from now on; see :class:`Subscription`.

        The times of the events are those of :func:`trio.current_time`.

        :param buffer: events kept for a reader that is behind.
        :raises ConfigurationError: if ``buffer`` is no whole number from 1 on.
        """
        return Subscription(self._broadcast, buffer)

    def update(self, metadata: Mapping[str, str]) -> None:
        """Replace this node's metadata and tell the others. Of updates in quick succession they may see only some, and
        always the last: metadata is what holds now, not a message.

        :raises ConfigurationError: if it is too large or no mapping of texts to texts.
        :raises LeftError: after :meth:`leave`.
        :raises DisplacedError: while another process bears this node's name.
        :raises ClosedError: after the node was closed.
        """
        self._require_open()
        self._protocol.update(metadata, trio.current_time())
        self._driver.pump()

    async def joined(self, timeout: float | None = None) -> None:
        """Wait until this node is connected: it hears others, and its view has equalled one of theirs.

        Returns at once for a node that has no seeds, or none but itself, and so begins a cluster of its own. Cancelling
        this changes nothing.

        :param timeout: seconds to wait, 0 to look only; None for as long as it takes.
        :raises ConfigurationError: if ``timeout`` is no such number.
        :raises JoinError: if that is not enough; the text names the seeds, and says why it is not connected.
        :raises LeftError: if the node leaves, or has left.
        :raises ClosedError: if the node is closed, or was.
        """
        self._require_open()
        if timeout is not None:
            require_seconds("timeout", timeout)
        done = (Standing.CONNECTED, Standing.LEFT)
        with trio.move_on_after(math.inf if timeout is None else timeout):
            await self.until(lambda node: node.standing.standing in done)
        own = self.standing
        if own.standing is Standing.LEFT:
            raise LeftError(f"node {self._name!r} has left its cluster; open a new one to join again")
        if own.standing is not Standing.CONNECTED:
            waited = "" if timeout is None else f" after {timeout:g} s"
            raise JoinError(f"node {self._name!r} is {own.standing.value}, not connected{waited}: {own.why}")

    async def until(self, condition: Callable[[Node], bool]) -> None:
        """Wait until ``condition(node)`` is true. It is called at once, and after each step of the protocol.

        It may ask the node for anything and should be quick, because the node waits for it; what it raises passes out.
        Cancelling this changes nothing, and ``leave()`` does not end it: until it is closed, the node sees others. ::

            with trio.fail_after(10):
                await node.until(lambda node: node.get("db-1") is not None)

        :raises ConfigurationError: if ``condition`` cannot be called, or is an async function.
        :raises ClosedError: if the node is closed before, or was.
        """
        if not callable(condition):
            raise wrong("condition", _CONDITION, condition)
        await trio.lowlevel.checkpoint()
        while True:
            self._require_open()
            if _holds(condition, self):
                return
            if self._next_step is None:
                self._next_step = trio.Event()
            await self._next_step.wait()

    def use_keyring(self, keyring: Keyring) -> None:
        """Replace the keys: seal with the one in use of these, and open what is sealed with any of them.

        To change keys while the cluster runs, do each of these steps on all nodes before the next on any: add the new
        key, use it, drop the old one. ``PLAIN`` is a key in this respect, by which sealing is turned on or off.

        :raises ConfigurationError: if the node was opened without keys, or these need a package that is missing.
        :raises ClosedError: after the node was closed.
        """
        self._require_open()
        self._security.use(keyring)
        opens = ", ".join(key.id for key in keyring.keys)
        _log.info("%r: seals with %s, opens %s", self._name, keyring.in_use.id, opens)

    async def leave(self) -> tuple[str, ...]:
        """Say farewell, and wait until enough members have acknowledged it or ``leave_timeout`` is over.

        A node that has asked its seeds and knows nobody yet waits for them: they may have taken it in. The node stays
        open and keeps telling the others until the block ends. Calling this again waits for the same farewell.

        :returns: the names of those that have acknowledged, or the address of one whose name is not known yet; none if
            there was nobody to tell.
        :raises ClosedError: after the node was closed.
        """
        self._require_open()
        await trio.lowlevel.checkpoint_if_cancelled()
        if self._driver.farewell_over is None:
            self._driver.farewell_over = trio.Event()
            self._protocol.leave(trio.current_time())
            self._driver.pump()
        with trio.move_on_after(self._config.leave_timeout):
            await self._driver.farewell_over.wait()
        return self._protocol.farewell_acknowledged_by

    def _start(self, seeds: tuple[Address, ...], random: Random) -> None:
        finder = SeedFinder(
            seeds,
            node_name=self._name,
            random=random,
            can_reach=self._sockets.can_reach,
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
        if self._driver.farewell_over is not None:
            self._driver.farewell_over.set()
        self._broadcast.close()
        self._stepped()

    def _found_seeds(self, addresses: tuple[Address, ...], unresolved: tuple[Address, ...]) -> None:
        if self._is_nameless and not all(address.is_loopback for address in addresses):
            self._is_nameless = False
            _log.warning(_NAMELESS, self._name, self._config.cluster)
        self._protocol.seed(addresses, trio.current_time(), unresolved)
        self._driver.pump()

    def _publish(self, event: MembershipEvent) -> None:
        log_event(self._name, event)
        self._broadcast.publish(event)

    def _snapshot(self, missed: int) -> Snapshot:
        return Snapshot(self._protocol.told_members(), self._protocol.standing, missed)

    def _stepped(self) -> None:
        if self._next_step is not None:
            self._next_step.set()
            self._next_step = None

    def _require_open(self) -> None:
        if self._closed_at is not None:
            raise ClosedError(f"node {self._name!r} is closed: its async with block has ended")
        require_trio(f"node {self._name!r}")

    def _now(self) -> float:
        return trio.current_time() if self._closed_at is None else self._closed_at
