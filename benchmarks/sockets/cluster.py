"""A cluster of one system: its nodes, the hosts in which they run, and what is done to them."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from functools import partial
from typing import Any

import attrs
import trio

from benchmarks.environment.hosts import REPLY_WITHIN_S, Host, open_host
from benchmarks.environment.measuring import MeasurementFailed
from benchmarks.environment.namespace import LEFT, RIGHT, OtherHalf
from benchmarks.sockets.systems import System

PORT = 7000
NODES_PER_SUBNET = 250

JOINED_WITHIN_S = 60.0
"""A join counts as one that never ends if not all nodes see all nodes by then."""

READY_WITHIN_S = 240.0
"""Patience where joining is not what is measured. With 128 nodes, memberlist compares its whole view with one peer only
every 90 s, and until then some nodes may not know all others. A cluster that is not complete by then is not
measured."""

SETTLING_S = 1.5
"""How long a cluster is left alone before anything else is done to it, once all nodes see all."""


@attrs.frozen
class Seen:
    """Which nodes saw something, and when."""

    times_s: Sequence[float]
    """Seconds after it was done, sorted."""
    missing: int
    """How many nodes did not see it in the time given."""

    @property
    def last_s(self) -> float | None:
        """When the last node saw it; None if not all did."""
        return self.times_s[-1] if self.times_s and not self.missing else None


@attrs.frozen
class Report:
    """What nodes saw without being asked."""

    sizes: frozenset[int]
    """All different numbers of living members that any node saw."""
    deaths: Sequence[tuple[str, str, float]]
    """Which node declared which other one dead, and when."""
    suspicions: int | None
    """None if the system does not tell."""


class Cluster:
    """Nodes of one system. Made by :func:`open_cluster`."""

    def __init__(self, hosts: Mapping[str, Host], addresses: Mapping[str, str]) -> None:
        """:param hosts: the host in which each node runs.
        :param addresses: of the nodes.
        """
        self.running: list[str] = []
        """Names of the nodes that run."""
        self._host_of = hosts
        self._addresses = addresses
        self._values = dict.fromkeys(hosts, 0)

    @property
    def hosts(self) -> list[Host]:
        """All processes."""
        return list(dict.fromkeys(self._host_of.values()))

    def host_of(self, name: str) -> Host:
        """The process in which a node runs."""
        return self._host_of[name]

    async def join(self, seconds: float = JOINED_WITHIN_S) -> Seen:
        """Start the first node, and then all others at once through it; when each node sees all."""
        first, *others = self._host_of
        await self._start([first], seeds=[])
        return await self._see(
            list(self._host_of),
            {"alive": len(self._host_of)},
            partial(self._start, others, seeds=[self._addresses[first]]),
            seconds,
        )

    async def joined(self) -> None:
        """Join, and settle.

        :raises MeasurementFailed: if not all nodes see all in good time.
        """
        seen = await self.join(READY_WITHIN_S)
        if seen.missing:
            raise MeasurementFailed(
                f"{seen.missing} of {len(self._host_of)} nodes did not see all others within {READY_WITHIN_S:g} s"
            )
        await trio.sleep(SETTLING_S)

    async def update(self, name: str, seconds: float) -> Seen:
        """Change a node's value; when each of the others knows."""
        value = self._new_value(name)
        return await self._see(
            [each for each in self.running if each != name],
            {"who": name, "value": value},
            partial(self._tell, name, "update", value=value),
            seconds,
        )

    async def crash(self, name: str, seconds: float) -> Seen:
        """End a node without a farewell; when each of the others takes it for gone."""
        return await self._lose(name, "crash", seconds)

    async def crash_all(self, names: Sequence[str], seconds: float) -> Seen:
        """End several nodes at once; when each of the others takes all of them for gone."""
        self._take_out(names)

        async def act() -> float:
            return min([await self._tell(name, "crash") for name in names])

        return await self._see(self.running, {"alive": len(self.running)}, act, seconds)

    async def leave(self, name: str, seconds: float) -> Seen:
        """Let a node say farewell; when each of the others knows."""
        return await self._lose(name, "leave", seconds)

    async def restart(self, name: str, seconds: float) -> Seen:
        """End a node without a farewell and start it again at once; when each of the others sees the new process."""
        value = self._new_value(name)
        self._take_out([name])
        others = list(self.running)

        async def act() -> float:
            began = await self._tell(name, "crash")
            await self._start([name], seeds=[self._addresses[others[0]]])
            return began

        return await self._see(others, {"who": name, "value": value}, act, seconds)

    async def start_again(self, names: Sequence[str]) -> None:
        """Start nodes that had ended, and wait until all nodes see all.

        :raises MeasurementFailed: if they do not in good time.
        """
        for name in names:
            self._new_value(name)
        await self._start(names, seeds=[self._addresses[self.running[0]]])
        await self.calm()

    async def calm(self, seconds: float = READY_WITHIN_S) -> Seen:
        """Wait until all nodes see all, and then a moment longer.

        :raises MeasurementFailed: if they do not in good time.
        """
        seen = await self.see_all(seconds)
        if seen.missing:
            raise MeasurementFailed(f"{seen.missing} nodes did not see all others again within {seconds:g} s")
        await trio.sleep(SETTLING_S)
        return seen

    async def see_all(self, seconds: float, since: float | None = None) -> Seen:
        """When each node sees all running nodes, counted from now or from ``since``."""
        at = time.monotonic() if since is None else since
        return await self._see(self.running, {"alive": len(self.running)}, partial(_given, at), seconds)

    async def reset(self) -> None:
        """Forget what :meth:`report` tells."""
        await _all_of(partial(host.ask, "reset") for host in self.hosts)

    async def report(self) -> Report:
        """What the nodes saw since the last reset."""
        told = await _all_of(partial(host.ask, "report") for host in self.hosts)
        suspicions = [each["suspicions"] for each in told]
        return Report(
            frozenset(size for each in told for size in each["sizes"]),
            [(observer, who, when) for each in told for observer, who, when in each["deaths"]],
            None if None in suspicions else sum(suspicions),
        )

    def cpu_s(self) -> float:
        """Seconds of CPU time that all processes used so far."""
        return sum(host.cpu_s() for host in self.hosts)

    def memory_kib(self) -> float:
        """Memory of all processes."""
        return sum(host.memory_kib() for host in self.hosts)

    # --- parts

    async def _lose(self, name: str, how: str, seconds: float) -> Seen:
        self._take_out([name])
        return await self._see(self.running, {"who": name, "gone": True}, partial(self._tell, name, how), seconds)

    async def _tell(self, name: str, what: str, **more: Any) -> float:
        reply = await self._host_of[name].ask(what, node=name, **more)
        return float(reply["at"])

    async def _start(self, names: Sequence[str], seeds: Sequence[str]) -> float:
        """Start nodes, all at once; returns the time of the first."""
        self.running += names
        began = await _all_of(
            partial(host.ask, "start", nodes=[self._node(name) for name in its], seeds=seeds)
            for host, its in self._by_host(names).items()
        )
        return float(min(each["at"] for each in began))

    async def _see(self, names: Sequence[str], sight: Mapping[str, Any], act: Callable[[], Awaitable[float]],
                   seconds: float) -> Seen:  # fmt: skip
        """Do something, and find out when each of these nodes sees something."""
        by_host = self._by_host(names)
        await _all_of(partial(host.ask, "expect", nodes=its, see=sight) for host, its in by_host.items())
        began = await act()
        told = await _all_of(
            partial(host.ask, "await", within_s=seconds + REPLY_WITHIN_S, seconds=seconds) for host in by_host
        )
        times = [when - began for each in told for when in each["seen"].values()]
        return Seen(sorted(max(0.0, each) for each in times), sum(len(each["missing"]) for each in told))

    def _by_host(self, names: Iterable[str]) -> dict[Host, list[str]]:
        grouped: dict[Host, list[str]] = {}
        for name in names:
            grouped.setdefault(self._host_of[name], []).append(name)
        return grouped

    def _take_out(self, names: Iterable[str]) -> None:
        for name in names:
            self.running.remove(name)

    def _node(self, name: str) -> dict[str, str]:
        return {"name": name, "address": self._addresses[name], "value": f"v{self._values[name]}"}

    def _new_value(self, name: str) -> str:
        self._values[name] += 1
        return f"v{self._values[name]}"


@asynccontextmanager
async def open_cluster(system: System, nodes: int, *, apart: int = 0,
                       other_half: OtherHalf | None = None) -> AsyncIterator[Cluster]:  # fmt: skip
    """The processes for a cluster; its nodes are not started yet.

    :param apart: so many nodes, the last ones, get a process of their own each.
    :param other_half: where every second node lives, if not all live here.
    """
    names = [f"n{number}" for number in range(nodes)]
    there = set(names[1::2]) if other_half is not None else set()
    addresses = {name: _address(number, RIGHT if name in there else LEFT) for number, name in enumerate(names)}
    hosts: dict[str, Host] = {}
    async with AsyncExitStack() as stack:
        for group in _groups(names, there, apart, system.nodes_per_host or nodes):
            command = system.command
            if other_half is not None and group[0] in there:
                command = other_half.command(command)
            host = await stack.enter_async_context(open_host(command))
            hosts |= dict.fromkeys(group, host)
        await _all_of(partial(host.ask, "reset") for host in dict.fromkeys(hosts.values()))
        yield Cluster({name: hosts[name] for name in names}, addresses)


def _groups(names: Sequence[str], there: set[str], apart: int, size: int) -> Iterable[Sequence[str]]:
    """The nodes that share a process, for each process."""
    together = names[: len(names) - apart]
    for half in ([each for each in together if each not in there], [each for each in together if each in there]):
        for start in range(0, len(half), size):
            yield half[start : start + size]
    for name in names[len(names) - apart :]:
        yield [name]


def _address(number: int, network: str) -> str:
    return f"{network}.{number // NODES_PER_SUBNET}.{1 + number % NODES_PER_SUBNET}:{PORT}"


async def _all_of(actions: Iterable[Callable[[], Awaitable[dict[str, Any]]]]) -> list[dict[str, Any]]:
    """The results of several actions at once, in their order."""
    wanted = list(actions)
    results: list[dict[str, Any]] = [{}] * len(wanted)
    failures: list[MeasurementFailed] = []

    async def keep(place: int, action: Callable[[], Awaitable[dict[str, Any]]]) -> None:
        try:
            results[place] = await action()
        except MeasurementFailed as failure:
            failures.append(failure)

    async with trio.open_nursery() as nursery:
        for place, action in enumerate(wanted):
            nursery.start_soon(keep, place, action)
    if failures:
        raise failures[0]
    return results


async def _given(at: float) -> float:
    return at
