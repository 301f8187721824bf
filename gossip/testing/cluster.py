"""A cluster in the memory of a test: its nodes are real, and only what is between them is not.

This module decides how a test begins, ends and disturbs nodes, and for what it waits. How the nodes behave is decided
where it always is: they run the same code as on sockets.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Collection, Iterable, Iterator, Mapping
from contextlib import asynccontextmanager
from itertools import islice
from random import Random

import attrs
import trio

from gossip.core.config import Config
from gossip.core.presence.joining import MAX_SEEDS
from gossip.core.support.address import Address
from gossip.core.support.arguments import nearest, require, require_seconds, wrong
from gossip.node import Node, background_tasks, block_in_trio, open_node, opened_in
from gossip.security import Keyring
from gossip.testing.agreement import disagreements
from gossip.testing.network import MemoryNetwork, Process
from gossip.testing.virtual_time import require_time_that_passes
from gossip.testing.wire import DEFAULT_LATENCY_S, Wire

Metadata = Mapping[str, str] | Callable[[str], Mapping[str, str]]
"""The metadata of each node, or a function that makes it of a node's name."""

PORT = 7946

LOOKS_EVERY_S = 0.05
"""Seconds from one look at whether all agree to the next."""

PATIENCE_S = 300.0
"""Seconds that :meth:`Cluster.until_agreed` waits: far more than any agreement takes."""

MAX_TOLD = 8
"""Disagreements that an error names."""


@block_in_trio
async def cluster(
    nodes: int | Iterable[str] = 3,
    *,
    seed: int = 0,
    config: Config | None = None,
    metadata: Metadata | None = None,
    keyring: Keyring | None = None,
    latency: float = DEFAULT_LATENCY_S,
    loss: float = 0.0,
) -> AsyncIterator[Cluster]:
    """A cluster in memory for as long as the ``async with`` block runs; when the block begins, all nodes agree.

    Its nodes are real ones, on a network in memory. Inside the block, that is the network of the whole ``trio.run``:
    :func:`gossip.open_node` opens nodes there, too, so a program under test joins the cluster without any change. ::

        >>> import gossip.testing
        >>> async def main():
        ...     async with gossip.testing.cluster(3) as cluster:
        ...         await cluster.crash("n2")
        ...         await cluster.until_agreed()
        ...         print(cluster["n0"].get("n2").status)
        >>> gossip.testing.run(main)
        Status.DEAD

    All times are those of the clock of trio. In virtual time (:func:`run`, or the fixture ``autojump_clock`` of
    pytest-trio) seconds pass in milliseconds; on any other clock they pass as they do.

    :param nodes: how many nodes there are at first, ``n0``, ``n1`` and so on; or their names.
    :param seed: decides what is lost, how long everything takes, and what the nodes draw.
    :param config: the settings of the nodes, by default :meth:`gossip.Config.lan`.
    :param metadata: what each of them says of itself, or a function that gives that for a name.
    :param keyring: the keys of the nodes; None for nodes that do not seal.
    :param latency: seconds from one node to another; see :attr:`Cluster.latency`.
    :param loss: share of what is lost on the way; see :attr:`Cluster.loss`.
    :raises ConfigurationError: if an argument is malformed.
    :raises RuntimeError: if trio does not run the code that enters the block, or its clock stands still.
    """
    require_time_that_passes()
    async with opened_cluster(nodes, seed, config, metadata, keyring, latency, loss) as opened:
        yield opened


@asynccontextmanager
async def opened_cluster(
    nodes: int | Iterable[str],
    seed: int,
    config: Config | None,
    metadata: Metadata | None,
    keyring: Keyring | None,
    latency: float,
    loss: float,
) -> AsyncIterator[Cluster]:
    """The block of :func:`cluster`, on a clock that somebody moves."""
    names = _names(nodes)
    require("seed", seed, int, "a whole number")
    wire = Wire(latency, loss)
    network = MemoryNetwork(wire, Random(seed))
    async with background_tasks() as nursery:
        nursery.start_soon(wire.run)
        with opened_in(network):
            opened = Cluster(network, wire, nursery, config, metadata, keyring)
            for name in names:
                await opened.start(name)
            await opened.until_agreed()
            yield opened


@attrs.frozen
class _Plan:
    """How a node is opened, and opened again."""

    metadata: Mapping[str, str]
    config: Config | None


class Cluster:
    """The nodes of a test, and what is between them. Made by :func:`cluster`.

    ``cluster["n1"]`` is the latest node of that name, and ``for node in cluster`` goes through those that run. ::

        >>> import gossip.testing
        >>> async def main():
        ...     async with gossip.testing.cluster(["db", "web"], metadata={"zone": "a"}) as cluster:
        ...         cluster.split({"db"})
        ...         await cluster.until_agreed()
        ...         print([node.alive for node in cluster])
        ...         cluster.heal()
        ...         await cluster.until_agreed()
        ...         print(cluster["web"].get("db").metadata["zone"])
        >>> gossip.testing.run(main)
        [1, 1]
        a
    """

    def __init__(self, network: MemoryNetwork, wire: Wire, nursery: trio.Nursery, config: Config | None,
                 metadata: Metadata | None, keyring: Keyring | None) -> None:  # fmt: skip
        self._network = network
        self._wire = wire
        self._nursery = nursery
        self._config = config
        self._metadata = {} if metadata is None else metadata
        self._keyring = keyring
        self._plans: dict[str, _Plan] = {}

    def __repr__(self) -> str:
        return f"<gossip.testing.Cluster of {', '.join(node.local.name for node in self) or 'no nodes'}>"

    @property
    def nodes(self) -> tuple[Node, ...]:
        """The nodes that run, those of programs under test included."""
        return tuple(process.node for process in self._running() if process.node is not None)

    def __iter__(self) -> Iterator[Node]:
        return iter(self.nodes)

    def __len__(self) -> int:
        return len(self.nodes)

    def __contains__(self, name: object) -> bool:
        return any(node.local.name == name for node in self)

    def __getitem__(self, name: str) -> Node:
        """The latest node of that name, which may be closed by now.

        :raises KeyError: if there has been none; the text names the nearest name.
        """
        node = self._process(name).node
        assert node is not None
        return node

    # --- nodes

    async def start(
        self, name: str, *, metadata: Mapping[str, str] | None = None, config: Config | None = None
    ) -> Node:
        """Open a node, which looks for the others from now on.

        :param metadata: in place of what the cluster gives its nodes.
        :param config: in place of the settings of the cluster.
        :raises ConfigurationError: if an argument is malformed, or a node of that name runs.
        """
        if name in self:
            raise wrong("name", "the name of a node that does not run", name)
        given = self._metadata(name) if callable(self._metadata) else self._metadata
        plan = _Plan(given if metadata is None else metadata, self._config if config is None else config)
        node: Node = await self._nursery.start(self._run, name, plan)
        self._plans[name] = plan
        return node

    async def restart(self, name: str) -> Node:
        """Crash a node if it runs, and open it again at its address, as :meth:`start` did.

        :raises KeyError: if there has been no node of that name.
        :raises ConfigurationError: if the program under test has opened it, which has to do so again.
        """
        process = self._process(name)
        if name not in self._plans:
            raise wrong("name", "the name of a node that the cluster has started", name)
        await _end(process)
        plan = self._plans[name]
        return await self.start(name, metadata=plan.metadata, config=plan.config)

    async def crash(self, *names: str) -> None:
        """Kill nodes at once, without a farewell. Their machines run on, and refuse what is sent to them.

        The block of a node that the program under test has opened is cancelled, and the program goes on after it. A
        machine that fails as a whole is a :meth:`split`.

        :raises KeyError: if there has been no node of such a name.
        """
        processes = [self._process(name) for name in names]
        for process in processes:
            process.kill()
        for process in processes:
            await _end(process)

    async def leave(self, name: str) -> tuple[str, ...]:
        """Have a node say farewell, and then end.

        :returns: the names of the members that have acknowledged the farewell.
        :raises KeyError: if there has been no node of that name.
        :raises ClosedError: if it does not run.
        """
        process = self._process(name)
        told_by = await self[name].leave()
        await _end(process)
        return told_by

    # --- what is between them

    def split(self, *groups: Collection[str]) -> None:
        """Let nothing pass any more between groups of nodes, nor between them and all other nodes.

        ``cluster.split({"n0", "n1"})`` cuts these two off from the rest. A split takes the place of the one before.

        :raises KeyError: if there has been no node of such a name.
        :raises ConfigurationError: if a group is no collection of names, or a name is in two groups.
        """
        seen: set[str] = set()
        for group in groups:
            if isinstance(group, str) or not isinstance(group, Collection):
                raise wrong("groups", "sets of names, such as {'n0', 'n1'}", group)
            for name in group:
                self._process(name)
                if name in seen:
                    raise wrong("groups", "sets of names that have none in common", name)
            seen.update(group)
        self._wire.split(groups)

    def heal(self) -> None:
        """Let everything pass again."""
        self._wire.split(())

    @property
    def latency(self) -> float:
        """Seconds from one node to another. Each datagram takes between half and one and a half of that."""
        return self._wire.latency

    @latency.setter
    def latency(self, seconds: float) -> None:
        self._wire.latency = seconds

    @property
    def loss(self) -> float:
        """Share (0 to 1) of the datagrams that are lost. What is lost of a stream is sent again."""
        return self._wire.loss

    @loss.setter
    def loss(self, share: float) -> None:
        self._wire.loss = share

    # --- waiting

    async def until_agreed(self, timeout: float = PATIENCE_S) -> None:
        """Wait until all nodes that run agree: each sees all others alive with their latest metadata, and nobody else.

        While the network is split, the nodes of each side agree among themselves. A node that reaches no other agrees
        once it is isolated, or still looks for its cluster. What else a test waits for, it can
        ask of a node: ``await cluster["n0"].until(...)``.

        :param timeout: seconds to wait.
        :raises AssertionError: if that is not enough; the text says which node sees what.
        """
        require_seconds("timeout", timeout)
        ends_at = trio.current_time() + timeout
        while (first := next(self._disagreements(), None)) is not None:
            if trio.current_time() >= ends_at:
                told = list(islice(self._disagreements(), MAX_TOLD)) or [first]
                raise AssertionError(f"the nodes do not agree after {timeout:g} s: {'; '.join(told)}")
            await trio.sleep(LOOKS_EVERY_S)
        await trio.lowlevel.checkpoint()

    def _disagreements(self) -> Iterator[str]:
        return disagreements(self.nodes, self._wire.is_cut)

    # --- inside

    async def _run(self, name: str, plan: _Plan, task_status: trio.TaskStatus[Node] = trio.TASK_STATUS_IGNORED) -> None:
        async with open_node(
            name,
            bind=Address("0.0.0.0", PORT),
            seeds=self._seeds(),
            metadata=plan.metadata,
            config=plan.config,
            keyring=self._keyring,
        ) as node:
            task_status.started(node)
            await trio.sleep_forever()

    def _seeds(self) -> tuple[Address, ...]:
        addresses = [process.transport.address for process in self._network.processes.values()]
        return tuple(addresses[:MAX_SEEDS])

    def _running(self) -> list[Process]:
        """Those whose node is open. Any thread may ask."""
        processes = tuple(self._network.processes.values())
        return [process for process in processes if process.node is not None and not process.ended.is_set()]

    def _process(self, name: str) -> Process:
        processes = self._network.processes.copy()
        if name not in processes or processes[name].node is None:
            raise KeyError(
                f"there is no node {name!r}{nearest(str(name), processes)}; there are {', '.join(processes)}"
            )
        return processes[name]


async def _end(process: Process) -> None:
    process.kill()
    await process.ended.wait()


def _names(nodes: int | Iterable[str]) -> list[str]:
    """The names of the first nodes.

    :raises ConfigurationError: if ``nodes`` is neither a number from 0 on nor a list of names.
    """
    if isinstance(nodes, int) and not isinstance(nodes, bool) and nodes >= 0:
        return [f"n{number}" for number in range(nodes)]
    if isinstance(nodes, (str, int)) or not isinstance(nodes, Iterable):
        raise wrong("nodes", "a number of nodes, or a list of their names", nodes)
    return list(nodes)
