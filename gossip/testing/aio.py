"""For tests of asyncio programs: a cluster in memory, and a node without any protocol.

::

    import gossip.testing.aio

    async def test_a_crash_is_noticed():
        async with gossip.testing.aio.cluster(5) as cluster:
            await cluster.crash("n2")
            await cluster.until_agreed()
            assert cluster["n0"].get("n2").status is gossip.Status.DEAD

The methods are those of :mod:`gossip.testing`; what waits there, or changes a node, is awaited here.
"""

from __future__ import annotations

import asyncio
import contextlib
import functools
from collections.abc import Awaitable, Callable, Iterable, Mapping
from contextlib import AbstractAsyncContextManager
from typing import TypeVar

import trio

from gossip.aio import Node, Subscription
from gossip.aio.opening import Block
from gossip.aio.waiting import outcome_of, require_loop, running_loop
from gossip.core.config import Config
from gossip.core.state.local import NO_METADATA
from gossip.core.support.arguments import require_seconds
from gossip.facade import Held, Reading
from gossip.node import has_joined_or_left, require_patience
from gossip.security import Keyring
from gossip.testing.cluster import PATIENCE_S, Metadata
from gossip.testing.cluster import Cluster as TrioCluster
from gossip.testing.fake_held import HeldFake
from gossip.testing.held_cluster import HeldCluster, held_cluster
from gossip.testing.pace import VirtualPace, WhenIdle
from gossip.testing.wire import DEFAULT_LATENCY_S

__all__ = ["Cluster", "FakeNode", "cluster"]

T = TypeVar("T")


def cluster(
    nodes: int | Iterable[str] = 3,
    *,
    seed: int = 0,
    config: Config | None = None,
    metadata: Metadata | None = None,
    keyring: Keyring | None = None,
    latency: float = DEFAULT_LATENCY_S,
    loss: float = 0.0,
) -> AbstractAsyncContextManager[Cluster]:
    """A cluster in memory for as long as the ``async with`` block runs; when the block begins, all nodes agree.

    Its nodes are real ones, on a network in memory. Inside the block, :func:`gossip.aio.open_node` opens nodes there,
    too, so a program under test joins the cluster without any change. This holds for the whole process. ::

        >>> import asyncio, gossip.testing.aio
        >>> async def main():
        ...     async with gossip.testing.aio.cluster(3) as cluster:
        ...         await cluster.crash("n2")
        ...         await cluster.until_agreed()
        ...         print(cluster["n0"].get("n2").status)
        >>> asyncio.run(main())
        Status.DEAD

    The cluster has a virtual time. While all tasks of the loop wait, and one of them waits for the cluster or for a
    node, its clock jumps to what is due next. While the program works, it stands still. What asyncio itself
    counts is real: ``asyncio.sleep(1)`` takes a second, and ``await cluster.sleep(1)`` almost nothing.

    :param nodes: how many nodes there are at first, ``n0``, ``n1`` and so on; or their names.
    :param seed: decides what is lost, how long everything takes, and what the nodes draw.
    :param config: the settings of the nodes, by default :meth:`gossip.Config.lan`.
    :param metadata: what each of them says of itself, or a function that gives that for a name.
    :param keyring: the keys of the nodes; None for nodes that do not seal.
    :param latency: seconds from one node to another; see :attr:`Cluster.latency`.
    :param loss: share of what is lost on the way; see :attr:`Cluster.loss`.
    :raises ConfigurationError: if an argument is malformed.
    :raises RuntimeError: if asyncio does not run the code that enters the block.
    """

    def hold() -> Held[TrioCluster]:
        pace = VirtualPace(turns_of(running_loop("cluster")))
        return held_cluster(pace, nodes, seed, config, metadata, keyring, latency, loss)

    return Block("cluster", hold, Cluster)


class Cluster(HeldCluster[Node]):
    """The nodes of a test, and what is between them. Made by :func:`cluster`.

    ``cluster["n1"]`` is the latest node of that name, and ``for node in cluster`` goes through those that run. ::

        >>> import asyncio, gossip.testing.aio
        >>> async def main():
        ...     async with gossip.testing.aio.cluster(["db", "web"], metadata={"zone": "a"}) as cluster:
        ...         cluster.split({"db"})
        ...         await cluster.until_agreed()
        ...         print([node.alive for node in cluster])
        ...         cluster.heal()
        ...         await cluster.until_agreed()
        ...         print(cluster["web"].get("db").metadata["zone"])
        >>> asyncio.run(main())
        [1, 1]
        a
    """

    def __init__(self, held: Held[TrioCluster], loop: asyncio.AbstractEventLoop) -> None:
        super().__init__(held, lambda node: Node(node, loop))
        self._loop = loop

    async def start(
        self, name: str, *, metadata: Mapping[str, str] | None = None, config: Config | None = None
    ) -> Node:
        """Open a node, which looks for the others from now on; see :meth:`gossip.testing.Cluster.start`."""
        await self._ask(lambda: self._inside.start(name, metadata=metadata, config=config))
        return self[name]

    async def restart(self, name: str) -> Node:
        """Crash a node if it runs, and open it again; see :meth:`gossip.testing.Cluster.restart`."""
        await self._ask(lambda: self._inside.restart(name))
        return self[name]

    async def crash(self, *names: str) -> None:
        """Kill nodes at once, without a farewell; see :meth:`gossip.testing.Cluster.crash`."""
        await self._ask(lambda: self._inside.crash(*names))

    async def leave(self, name: str) -> tuple[str, ...]:
        """Have a node say farewell, and then end; see :meth:`gossip.testing.Cluster.leave`."""
        return await self._ask(lambda: self._inside.leave(name))

    async def until_agreed(self, timeout: float = PATIENCE_S) -> None:
        """Wait until all nodes that run agree; see :meth:`gossip.testing.Cluster.until_agreed`.

        :param timeout: seconds of the cluster to wait.
        :raises AssertionError: if that is not enough; the text says which node sees what.
        """
        await self._ask(lambda: self._inside.until_agreed(timeout))

    async def sleep(self, seconds: float) -> None:
        """Let so much time pass in the cluster.

        :raises ConfigurationError: if it is no number of seconds from 0 on.
        """
        require_seconds("seconds", seconds)
        await self._ask(functools.partial(trio.sleep, seconds))

    async def _ask(self, work: Callable[[], Awaitable[T]]) -> T:
        self._held.require_open()
        require_loop(self._loop, "the cluster")
        return await outcome_of(self._held, work)


class FakeNode(HeldFake, Node):
    """A :class:`gossip.aio.Node` without any protocol, for unit tests: a test says what its members do. ::

        >>> import asyncio
        >>> from gossip.testing.aio import FakeNode
        >>> async def main():
        ...     node = FakeNode("me", members={"db-1": {"zone": "a"}, "db-2": {}})
        ...     with node.subscribe() as changes:
        ...         gone = node.member_died("db-1")
        ...         print(await anext(changes), await anext(changes), sep="\\n")
        ...     await node.update({"role": "leader"})
        ...     print(dict(node.updates[0]))
        >>> asyncio.run(main())
        <Snapshot of 3 members, 3 alive; connected, missed: 0>
        'db-1' died, 2 alive
        {'role': 'leader'}

    The test uses it as a :class:`gossip.testing.FakeNode`. Its questions and all methods of the test work whether a
    loop runs or not, and in any thread. What has to be awaited can be awaited in any loop. Times are those of
    :func:`time.monotonic`.
    """

    _called = "gossip.testing.aio.FakeNode"

    def __init__(
        self,
        name: str = "me",
        members: Mapping[str, Mapping[str, str]] | Iterable[str] = (),
        *,
        metadata: Mapping[str, str] = NO_METADATA,
    ) -> None:
        """:param name: of the node itself.

        :param members: the others, all alive: their names, or the metadata of each by its name.
        :param metadata: of the node itself.
        :raises ConfigurationError: if an argument is malformed.
        """
        HeldFake.__init__(self, name, members, metadata)
        Reading.__init__(self, self._turns)

    def subscribe(self, buffer: int = 256) -> Subscription:
        """Follow the changes, in the loop that runs this; see :meth:`gossip.aio.Node.subscribe`."""
        return Subscription(self._held, running_loop("subscribe"), buffer)

    async def joined(self, timeout: float | None = None) -> None:
        """Wait until the test says that this node is connected, which it is at first. The time is real."""
        require_patience(timeout)
        with contextlib.suppress(asyncio.TimeoutError):
            await asyncio.wait_for(self.until(lambda node: has_joined_or_left(node.standing)), timeout)
        await super().joined(timeout)

    def _require_here(self) -> None:
        self._held.require_open()


def turns_of(loop: asyncio.AbstractEventLoop) -> WhenIdle:
    """Counts the turns of an event loop. A loop that is closed has none any more."""

    def take(turns: int, then: Callable[[], object]) -> None:
        if turns:
            loop.call_soon(take, turns - 1, then)
        else:
            then()

    def when_idle(turns: int, then: Callable[[], object]) -> None:
        with contextlib.suppress(RuntimeError):
            loop.call_soon_threadsafe(take, turns, then)

    return when_idle
