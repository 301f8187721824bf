"""Many nodes in this process, on real loopback sockets, and when each of them learns what.

Times are those in the nodes' own events: the moment a node read the datagram that told it. They are
collected where events are published. A reading task per node would add a wake-up for each event, as
many as the square of the number of nodes in a join, to the work of the very process that is measured.
"""

from __future__ import annotations

import itertools
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import asynccontextmanager
from functools import partial
from random import Random

import attrs
import trio

from benchmarks.report import MeasurementFailed
from gossip import Config, EventKind, MembershipEvent, Node, Subscription, open_node
from gossip.background import background_tasks

WAIT_LIMIT_S = 60.0
"""What has not happened after this long will not be measured any more."""

LOOK_EVERY_S = 0.25
"""How often to look whether the cluster is calm. Done only between measurements."""


class _Tap(Subscription):
    """Hands each event on at once, in place of keeping it for a reader."""

    def __init__(self, node: Node, tell: Callable[[MembershipEvent], None]) -> None:
        super().__init__(node._broadcast, buffer=1)
        self._tell = tell

    def publish(self, event: MembershipEvent) -> None:
        """Hand on one event."""
        self._tell(event)


class Awaited:
    """Something that each of several nodes is yet to see."""

    def __init__(self, observers: Iterable[str], matches: Callable[[MembershipEvent], bool]) -> None:
        self.began = trio.current_time()
        self._missing = set(observers)
        self._matches = matches
        self._last = self.began
        self._done = trio.Event()

    def see(self, observer: str, event: MembershipEvent) -> None:
        """Take note of an event of one node."""
        if observer in self._missing and self._matches(event):
            self._missing.discard(observer)
            self._last = max(self._last, event.time)
            if not self._missing:
                self._done.set()

    async def by_all(self, what: str) -> float:
        """Wait until the last one has seen it; the seconds from the creation of this object until it did.

        :raises MeasurementFailed: if that takes too long.
        """
        with trio.move_on_after(WAIT_LIMIT_S):
            await self._done.wait()
            return self._last - self.began
        raise MeasurementFailed(f"{len(self._missing)} nodes did not see within {WAIT_LIMIT_S:.0f} s: {what}")


@attrs.define
class Tally:
    """What ought not to happen, counted over any number of clusters."""

    deaths: int = 0
    """Times a node believed a healthy one dead."""
    suspicions: int = 0
    """Times a node believed a healthy one suspect."""
    stalls: int = 0
    """Times a node found that this process had not run."""


@attrs.frozen
class Traffic:
    """What all nodes together have sent so far."""

    datagrams: int
    sent_bytes: int


class Cluster:
    """Nodes that run in this process until their :func:`open_cluster` ends."""

    def __init__(self, nursery: trio.Nursery, tally: Tally) -> None:
        self.nodes: dict[str, Node] = {}
        self._nursery = nursery
        self._tally = tally
        self._random = Random()
        self._scopes: dict[str, trio.CancelScope] = {}
        self._cut_off: set[int] = set()
        self._awaited: Awaited | None = None
        self._numbers = itertools.count()

    async def join(self, size: int) -> float:
        """Start a first node, then all the others at once; seconds from there until all see all.

        Opening the sockets of all those nodes is part of that time.
        """
        names = [self._new_name() for _ in range(size)]
        seed = await self._start(names[0], [])
        awaited = self._await(names, lambda event: event.alive == size)
        for name in names[1:]:
            self._nursery.start_soon(self._run, name, [str(seed.bound_address)])
        return await awaited.by_all("all the others")

    async def update(self) -> float:
        """Change the metadata of some node; seconds until the last of the others knows."""
        name = self._any_name()
        node = self.nodes[name]
        old = node.local
        awaited = self._await(
            self.nodes.keys() - {name},
            lambda event: event.member.id == old.id and event.member.version > old.version,
        )
        node.update({"release": str(old.version)})
        return await awaited.by_all(f"the new metadata of {name}")

    async def crash(self) -> float:
        """Cut some node off without a word; seconds until it is dead for the last of the others."""
        name = self._any_name()
        victim = self.nodes.pop(name).local.id
        self._cut_off.add(victim)
        awaited = self._await(self.nodes, lambda event: event.kind is EventKind.DIED and event.member.id == victim)
        self._scopes.pop(name).cancel()
        return await awaited.by_all(f"the death of {name}")

    async def replace(self) -> None:
        """Add a node under a name of its own, and wait until all see it and it sees all."""
        seed = self.nodes[self._any_name()]
        name = self._new_name()
        size = len(self.nodes) + 1
        awaited = self._await([*self.nodes, name], lambda event: event.alive == size)
        await self._start(name, [str(seed.bound_address)])
        await awaited.by_all(f"the new node {name}")

    async def calm(self, seconds: float) -> None:
        """Wait until every node has seen all alive, and its recent peers of one mind with it, for so long.

        :raises MeasurementFailed: if that takes too long.
        """
        size = len(self.nodes)
        with trio.move_on_after(WAIT_LIMIT_S + seconds):
            since = trio.current_time()
            while trio.current_time() - since < seconds:
                await trio.sleep(LOOK_EVERY_S)
                if not all(node.alive == size and node.agreement == 1 for node in self.nodes.values()):
                    since = trio.current_time()
            return
        raise MeasurementFailed(f"{size} nodes were not of one mind for {seconds:g} s in {WAIT_LIMIT_S:.0f} s")

    async def pause(self, shortest: float, longest: float) -> None:
        """Let a random time pass, so that what follows meets the nodes' rounds at any phase."""
        await trio.sleep(self._random.uniform(shortest, longest))

    def traffic(self) -> Traffic:
        """What the nodes have sent so far."""
        stats = [node.stats.protocol for node in self.nodes.values()]
        return Traffic(sum(each.datagrams_sent for each in stats), sum(each.bytes_sent for each in stats))

    def _new_name(self) -> str:
        return f"node-{next(self._numbers)}"

    def _any_name(self) -> str:
        return self._random.choice(list(self.nodes))

    def _await(self, observers: Iterable[str], matches: Callable[[MembershipEvent], bool]) -> Awaited:
        self._awaited = Awaited(observers, matches)
        return self._awaited

    async def _start(self, name: str, seeds: list[str]) -> Node:
        node: Node = await self._nursery.start(self._run, name, seeds)
        return node

    async def _run(
        self, name: str, seeds: list[str], task_status: trio.TaskStatus[Node] = trio.TASK_STATUS_IGNORED
    ) -> None:
        with trio.CancelScope() as self._scopes[name]:
            async with open_node(name, bind="127.0.0.1:0", seeds=seeds, config=Config.lan()) as node:
                with _Tap(node, partial(self._heard, name)):
                    self.nodes[name] = node
                    task_status.started(node)
                    try:
                        await trio.sleep_forever()
                    finally:
                        self._tally.stalls += node.stats.protocol.stalls

    def _heard(self, observer: str, event: MembershipEvent) -> None:
        if event.member.id not in self._cut_off:
            self._tally.deaths += event.kind is EventKind.DIED
            self._tally.suspicions += event.kind is EventKind.SUSPECTED
        if self._awaited is not None:
            self._awaited.see(observer, event)


@asynccontextmanager
async def open_cluster(tally: Tally) -> AsyncIterator[Cluster]:
    """A cluster without nodes as yet; they all end with the block."""
    async with background_tasks() as nursery:
        yield Cluster(nursery, tally)
