"""What a measurement of programs with nodes works with, and the programs themselves."""

from __future__ import annotations

import sys
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any

import attrs
import trio

from benchmarks.analysis.samples import Number, Sample, Skipped
from benchmarks.embedding.systems import System
from benchmarks.environment import usage
from benchmarks.environment.hosts import Host, open_host
from benchmarks.environment.measuring import MeasurementFailed, causes_of

PEERS = "benchmarks.peers"

MET_WITHIN_S = 240.0
"""Programs that do not all see each other by then are not measured. kinship may take a minute for 128 nodes."""

LOOK_EVERY_S = 0.1


@attrs.frozen(kw_only=True)
class Bench:
    """One measurement of several systems."""

    experiment: str
    systems: Sequence[System]
    repeats: int
    quick: bool
    seed: int
    tell: Callable[[Sample], None]
    """Takes each sample as soon as it is known."""
    skip: Callable[[Skipped], None]
    """Takes what could not be measured."""
    step: Callable[[str], None]
    """Takes what is done next."""
    done: Callable[[int], None]
    """Takes how many pieces of work are done now."""

    def keep(self, system: System, nodes: int, repeat: int, numbers: Mapping[str, Number], setting: str = "") -> None:
        """Tell one sample."""
        self.tell(
            Sample(
                experiment=self.experiment, system=system.name, nodes=nodes, setting=setting, repeat=repeat,
                seed=self.seed, numbers=numbers,
            )
        )  # fmt: skip

    def full(self, value: float, quick: float) -> float:
        """The value for a full run, or that for a quick one."""
        return quick if self.quick else value

    @asynccontextmanager
    async def measuring(self, system: System) -> AsyncIterator[None]:
        """A block that measures something of a system; what it cannot measure is noted, and does not stop the rest."""
        try:
            yield
        except BaseException as error:
            causes = causes_of(error)
            if not all(isinstance(cause, MeasurementFailed) for cause in causes):
                raise
            reason = str(causes[0]).partition("\n")[0]
            self.skip(Skipped(experiment=self.experiment, system=system.name, reason=reason))


def peer(module: str, *arguments: str) -> list[str]:
    """The command line of a program of ``benchmarks/peers/``."""
    return [sys.executable, "-m", f"{PEERS}.{module}", *arguments]


def addresses(network: int, count: int) -> list[str]:
    """So many addresses of loopback; different networks have different ones."""
    return [f"127.{1 + network}.{1 + number // 250}.{1 + number % 250}:7000" for number in range(count)]


class Programs:
    """Programs of one system, each with a node. Made by :func:`open_programs`."""

    def __init__(self, names: Sequence[str], hosts: Sequence[Host], network: Sequence[str]) -> None:
        self.names = names
        self.hosts = hosts
        self._addresses = network

    async def ask_all(self, do: str, **arguments: Any) -> list[dict[str, Any]]:
        """Ask all programs at once; their replies, in the order of the programs."""
        replies: dict[int, dict[str, Any]] = {}

        async def ask(place: int, host: Host) -> None:
            replies[place] = await host.ask(do, **arguments)

        async with trio.open_nursery() as nursery:
            for place, host in enumerate(self.hosts):
                nursery.start_soon(ask, place, host)
        return [replies[place] for place in range(len(self.hosts))]

    async def start(self, seed: str | None = None) -> list[float]:
        """Open the nodes, one after the other; how long each took, in seconds.

        :param seed: the address of a node that runs already; if there is none, the first node is the seed.
        """
        took = []
        for name, host, address in zip(self.names, self.hosts, self._addresses, strict=True):
            seeds = [seed] if seed else self._addresses[:1] if host is not self.hosts[0] else []
            took.append((await host.ask("start", name=name, address=address, seeds=seeds))["took_s"])
        return took

    async def see(self, alive: int, within_s: float = MET_WITHIN_S) -> bool:
        """Whether all programs see so many living members in good time."""
        with trio.move_on_after(within_s):
            while True:
                if all(reply["alive"] == alive for reply in await self.ask_all("alive")):
                    return True
                await trio.sleep(LOOK_EVERY_S)
        return False

    async def meet(self) -> None:
        """Wait until all programs see each other.

        :raises MeasurementFailed: if they do not.
        """
        if not await self.see(len(self.hosts)):
            raise MeasurementFailed(f"the programs did not see each other within {MET_WITHIN_S:g} s")

    def cpu_s(self) -> float:
        """CPU time that they and the processes of their nodes have used, in seconds."""
        return sum(usage.fine_cpu_s(pid) for pid in self._pids())

    def memory_kib(self) -> float:
        """Memory that they and the processes of their nodes occupy."""
        return sum(usage.memory_kib(pid) for pid in self._pids())

    def _pids(self) -> list[int]:
        return [pid for host in self.hosts for pid in usage.family(host.pid)]


@asynccontextmanager
async def open_programs(system: System, count: int, network: int) -> AsyncIterator[Programs]:
    """Programs that have not opened their nodes yet, and have imported all that they need for it.

    :param network: programs in different networks have nothing to do with each other.
    """
    async with AsyncExitStack() as stack:
        command = peer("embedding", system.name)
        hosts = [await stack.enter_async_context(open_host(command)) for _ in range(count)]
        programs = Programs([f"p{number}" for number in range(count)], hosts, addresses(network, count))
        await programs.ask_all("wait")
        yield programs


@asynccontextmanager
async def crowd(system: System, count: int) -> AsyncIterator[str]:
    """So many nodes of the same library, in one process; gives the address of their seed."""
    network = addresses(0, count)
    async with open_host(peer("neighbours", "crowd", system.library, *network)) as host:
        await host.ask("wait", within_s=MET_WITHIN_S)
        yield network[0]
