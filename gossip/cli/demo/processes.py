"""Agents as child processes: starts them, reads their output, and leaves none behind.

The agents end whatever happens to the program that started them. If the program ends normally, it kills them and waits
for them. If the program is killed, their standard input ends, and they leave (``--exit-on-eof``).
:mod:`gossip.cli.children` says why this is true for stopped agents, too.
"""

from __future__ import annotations

import contextlib
import json
import signal
import sys
from collections.abc import AsyncIterator, Sequence
from pathlib import Path

import attrs
import trio

from gossip.cli import children
from gossip.cli.children import EndlessLine, ErrorTail, Lines
from gossip.cli.demo.journal import Journal, Sighting


class AgentFailed(Exception):
    """An agent ended, or wrote something, although it should not."""


@attrs.define(eq=False)
class AgentProcess:
    """One running or ended agent."""

    name: str
    run: int
    """1 for the first process of this name, 2 after a restart, and so on."""
    journal: Journal
    process: trio.Process
    address: str = ""
    """Where it can be reached; known once it has written ``started``."""
    error_tail: ErrorTail = attrs.Factory(ErrorTail)
    lines: list[bytes] = attrs.Factory(list)
    """Everything it wrote to standard output."""
    fault: str = ""
    """The error about the line that was no event; the pool killed the agent for it."""
    is_frozen: bool = False

    @property
    def errors(self) -> bytes:
        """The end of what it wrote to standard error."""
        return self.error_tail.text

    @property
    def returncode(self) -> int | None:
        """None while it runs; -9 after SIGKILL."""
        return self.process.returncode

    def send(self, number: signal.Signals) -> None:
        """Send it a signal, if it still runs."""
        if self.process.poll() is None:
            self.is_frozen = {signal.SIGSTOP: True, signal.SIGCONT: False}.get(number, self.is_frozen)
            self.process.send_signal(number)

    async def started(self) -> None:
        """Wait until it takes part.

        :raises AgentFailed: if it ends before.
        """
        await self.journal.until(lambda: bool(self.address) or self.returncode is not None)
        if not self.address:
            raise AgentFailed(f"{self.name} ended with code {self.returncode}: {self.complaint}")

    @property
    def complaint(self) -> str:
        """What it did wrong; if nothing, the last line that it wrote to standard error."""
        return self.fault or self.error_tail.last_line

    async def read(self) -> None:
        """Read both outputs to their ends, and wait for its exit. Kill it if it writes a line that is no event."""
        async with trio.open_nursery() as nursery:
            nursery.start_soon(self.error_tail.follow, self.process)
            try:
                await self._read_events()
            except AgentFailed as error:
                self.fault = str(error)
                self.process.kill()
        await self.process.wait()
        self.journal.wake()

    async def close(self) -> None:
        """Close its standard input: after it has ended, or to make it leave."""
        if self.process.stdin is not None:
            await self.process.stdin.aclose()

    async def _read_events(self) -> None:
        assert self.process.stdout is not None
        async with self.process.stdout as output:
            try:
                async for line in Lines(output):
                    self._take(line)
            except EndlessLine:
                raise AgentFailed(f"{self.name} wrote a line without end") from None

    def _take(self, line: bytes) -> None:
        self.lines.append(line)
        try:
            event = json.loads(line)
            sighting = Sighting(self.name, self.run, event)
            if sighting.kind == "started":
                self.address = event["address"] or event["bound"]
        except (ValueError, TypeError, KeyError) as error:
            raise AgentFailed(f"{self.name} wrote something that is no event: {line[:200]!r}") from error
        self.journal.record(sighting)


@attrs.define
class AgentPool:
    """Starts agents that share a journal; see :func:`open_pool`."""

    journal: Journal
    folder: Path
    """For files of this pool, such as the metadata of the agents."""
    nursery: trio.Nursery
    agents: list[AgentProcess] = attrs.Factory(list)
    """All processes ever started, in that order."""

    async def start(self, name: str, arguments: Sequence[str]) -> AgentProcess:
        """Start ``gossip agent --name NAME ARGUMENTS...``; does not wait until it takes part."""
        command = [sys.executable, "-m", "gossip", "agent", "--name", name, "--events", "json", "--exit-on-eof"]
        process = await children.start([*command, *arguments])
        run = 1 + sum(agent.name == name for agent in self.agents)
        agent = AgentProcess(name, run, self.journal, process)
        self.agents.append(agent)
        self.nursery.start_soon(agent.read)
        return agent

    def kill_all(self) -> None:
        """Send SIGKILL to every process that still runs. It works on frozen processes, too."""
        for agent in self.agents:
            children.kill(agent.process)


@contextlib.asynccontextmanager
async def open_pool(folder: Path) -> AsyncIterator[AgentPool]:
    """A pool of agents; after the block, none of them runs any more."""
    async with trio.open_nursery() as nursery:
        pool = AgentPool(Journal(), folder, nursery)
        try:
            yield pool
        finally:
            pool.kill_all()
            with trio.CancelScope(shield=True):
                for agent in pool.agents:
                    await agent.process.wait()
                    await agent.close()
        nursery.cancel_scope.cancel()
