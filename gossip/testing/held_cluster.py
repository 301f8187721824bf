"""A cluster in memory for programs that trio does not run: what its two flavours have in common.

The cluster of :mod:`gossip.testing.cluster` lives in a trio thread of its own, in virtual time. This module decides how
another thread gets at the cluster and its nodes. How a program waits is decided by the flavours.
"""

from __future__ import annotations

import functools
from collections.abc import AsyncIterator, Callable, Collection, Iterable, Iterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Generic, TypeVar

import trio

from gossip.core.config import Config
from gossip.facade import Held, start_apart
from gossip.node import Inside, background_tasks
from gossip.security import Keyring
from gossip.testing.cluster import Cluster as TrioCluster
from gossip.testing.cluster import Metadata, opened_cluster
from gossip.testing.network import Process
from gossip.testing.pace import VirtualPace

N = TypeVar("N")


def held_cluster(
    pace: VirtualPace,
    nodes: int | Iterable[str],
    seed: int,
    config: Config | None,
    metadata: Metadata | None,
    keyring: Keyring | None,
    latency: float,
    loss: float,
) -> Held[TrioCluster]:
    """Begin to open a cluster; see :func:`gossip.testing.cluster`. Until it is closed, the facades open nodes in it."""

    def opening() -> AbstractAsyncContextManager[TrioCluster]:
        return opened_cluster(nodes, seed, config, metadata, keyring, latency, loss)

    return Held("the cluster", opening, "its block has ended", functools.partial(start_apart, pace))


class HeldCluster(Generic[N]):
    """What a test reads and changes in a cluster without waiting."""

    def __init__(self, held: Held[TrioCluster], make_node: Callable[[Held[Inside]], N]) -> None:
        """:param make_node: makes the node of a flavour of one that the trio thread holds."""
        self._held = held
        self._inside = held.inside
        self._make_node = make_node
        self._made: dict[Process, N] = {}

    def __repr__(self) -> str:
        return repr(self._inside).replace("<gossip.testing.Cluster", f"<{type(self).__module__}.Cluster", 1)

    @property
    def nodes(self) -> tuple[N, ...]:
        """The nodes that run, those of programs under test included."""
        return tuple(map(self._node, self._inside._running()))

    def __iter__(self) -> Iterator[N]:
        return iter(self.nodes)

    def __len__(self) -> int:
        return len(self._inside)

    def __contains__(self, name: object) -> bool:
        return name in self._inside

    def __getitem__(self, name: str) -> N:
        """The latest node of that name, which may be closed by now.

        :raises KeyError: if there has been none; the text names the nearest name.
        """
        return self._node(self._inside._process(name))

    @property
    def time(self) -> float:
        """The time in the cluster, in seconds: that of all its events."""
        return self._held.now()

    def split(self, *groups: Collection[str]) -> None:
        """Let nothing pass any more between groups of nodes, nor between them and all other nodes.

        ``cluster.split({"n0", "n1"})`` cuts these two off from the rest. A split takes the place of the one before.

        :raises KeyError: if there has been no node of such a name.
        :raises ConfigurationError: if a group is no collection of names, or a name is in two groups.
        """
        self._inside.split(*groups)

    def heal(self) -> None:
        """Let everything pass again."""
        self._inside.heal()

    @property
    def latency(self) -> float:
        """Seconds from one node to another. Each datagram takes between half and one and a half of that."""
        return self._inside.latency

    @latency.setter
    def latency(self, seconds: float) -> None:
        self._inside.latency = seconds

    @property
    def loss(self) -> float:
        """Share (0 to 1) of the datagrams that are lost. What is lost of a stream is sent again."""
        return self._inside.loss

    @loss.setter
    def loss(self, share: float) -> None:
        self._inside.loss = share

    def _node(self, process: Process) -> N:
        if process not in self._made:
            self._held.require_open()
            what = f"node {process.transport.name!r}"
            why = "it has crashed or left, or the block of the cluster has ended"
            held = Held(what, lambda: _attached(process), why, self._held.begin_inside)
            self._made[process] = self._make_node(held)
        return self._made[process]


@asynccontextmanager
async def _attached(process: Process) -> AsyncIterator[Inside]:
    """The node of a process, which runs in a block of its own, for as long as it runs."""
    assert process.node is not None
    async with background_tasks() as nursery:
        nursery.start_soon(_end_with, process, nursery.cancel_scope)
        yield Inside.of(process.node)


async def _end_with(process: Process, block: trio.CancelScope) -> None:
    await process.ended.wait()
    block.cancel()
