"""Agents as processes: starting them, sending them signals, and reading what they tell.

None of them is left behind. On the normal ways out, each is killed by its own process id and waited for. If the
benchmark itself is killed, the agents' standard input ends, at which they leave.
"""

from __future__ import annotations

import contextlib
import json
import signal
import sys
import time
from collections.abc import AsyncIterator, Callable, Sequence
from pathlib import Path
from typing import Any

import attrs
import trio

from benchmarks.agents.truth import Deed, Life, Sight, Truth
from benchmarks.environment.builds import ROOT
from benchmarks.environment.measuring import MeasurementFailed
from benchmarks.environment.namespace import LEFT as NETWORK
from gossip.cli import children
from gossip.cli.children import EndlessLine, ErrorTail, Lines

PORT = 7000

GOSSIP = (sys.executable, "-m", "gossip")
"""The command ``gossip`` of this version."""

STARTED_WITHIN_S = 60.0
"""An agent that does not take part by then is broken, however busy the machine is."""

LEFT_WITHIN_S = 10.0
"""An agent ends 3 s after it was told to leave; the rest of the time is for a busy machine."""


@attrs.define(eq=False)
class Agent:
    """One process, running or ended."""

    life: Life
    process: trio.Process
    errors: ErrorTail = attrs.Factory(ErrorTail)
    news: trio.Event = attrs.Factory(trio.Event)
    """Set when the process has written something or has ended; then replaced by a new one."""

    async def until(self, condition: Callable[[], bool], seconds: float) -> bool:
        """Wait for a condition on what the agent wrote; tells whether it came true in time."""
        with trio.move_on_after(seconds):
            while not condition():
                await self.news.wait()
        return condition()

    def wake(self) -> None:
        """Have the conditions in :meth:`until` checked again."""
        self.news.set()
        self.news = trio.Event()

    @property
    def complaint(self) -> str:
        """The last line that it wrote to standard error."""
        return self.errors.last_line


class Agents:
    """Starts agents and keeps the truth about them. Made by :func:`open_agents`."""

    def __init__(self, names: Sequence[str], folder: Path, nursery: trio.Nursery, log: Path | None = None) -> None:
        """:param names: of all agents there will be.
        :param folder: for their files.
        :param log: a file that takes everything that is done and told, as JSON lines.
        """
        self.names = tuple(names)
        self.folder = folder
        self.truth = Truth()
        self.current: dict[str, Agent] = {}
        """The latest process of each name."""
        self.values = {name: f"{name} 0" for name in names}
        """The value in the metadata of each agent."""
        self.failures: list[str] = []
        """What agents did wrong, other than by what they told."""
        self._changes = 0
        self._nursery = nursery
        self._log = None if log is None else log.open("w", encoding="utf-8")
        self._addresses = {name: f"{NETWORK}.0.{1 + number}:{PORT}" for number, name in enumerate(names)}

    def address(self, name: str) -> str:
        """Where an agent listens."""
        return self._addresses[name]

    def log(self, **known: object) -> None:
        """Keep something in the log, if there is one."""
        if self._log is not None:
            self._log.write(json.dumps(known) + "\n")

    async def start(
        self, name: str, *arguments: str, command: Sequence[str] = GOSSIP, seeds: Sequence[str] = ()
    ) -> Agent:
        """Start an agent; returns when it takes part.

        :param command: the command ``gossip`` of some version.
        :param seeds: names of the agents through which it joins.
        :raises MeasurementFailed: if it ends before it takes part, or does not do so in time.
        """
        agent = await self.spawn(name, *arguments, command=command, seeds=seeds)
        life = agent.life
        if not await agent.until(lambda: life.started is not None or life.ended is not None, STARTED_WITHIN_S):
            raise MeasurementFailed(f"{life} does not start")
        if life.started is None and life.killed is None:
            raise MeasurementFailed(f"{life} ended instead of starting: {agent.complaint}")
        return agent

    async def spawn(
        self, name: str, *arguments: str, command: Sequence[str] = GOSSIP, seeds: Sequence[str] = ()
    ) -> Agent:
        """Start an agent; does not wait until it takes part."""
        if not self.metadata_file(name).exists():
            self._write_metadata(name)
        join = [word for seed in seeds if seed != name for word in ("--join", self.address(seed))]
        options = ["--name", name, "--bind", self.address(name), "--events", "json", "--exit-on-eof"]
        options += ["--meta-file", str(self.metadata_file(name)), *join, *arguments]
        life = self.truth.spawn(name, time.time())
        self.log(time=life.spawned, done="spawned", name=name, run=life.run)
        process = await children.start([*command, "agent", *options], cwd=ROOT)
        agent = self.current[name] = Agent(life, process)
        self._nursery.start_soon(self._follow, agent)
        return agent

    def stop(self, name: str) -> None:
        """Stop an agent."""
        self._signal(self.current[name], signal.SIGSTOP, before=lambda life, now: life.stand_still(now))

    def go_on(self, name: str) -> None:
        """Let a stopped agent continue."""
        agent = self.current[name]
        agent.process.send_signal(signal.SIGCONT)
        now = time.time()
        agent.life.go_on(now)
        self.truth.do(Deed.WOKEN, agent.life, now)
        self.log(time=now, done="SIGCONT", name=name, run=agent.life.run)

    async def kill(self, name: str) -> None:
        """Kill an agent, so that it ends without a farewell."""
        agent = self.current[name]

        def note(life: Life, now: float) -> None:
            life.killed = now
            self.truth.do(Deed.KILLED, life, now)

        self._signal(agent, signal.SIGKILL, before=note)
        await agent.process.wait()

    async def leave(self, name: str) -> None:
        """Have an agent say farewell, and wait until it has ended."""
        agent = self.current[name]

        def note(life: Life, now: float) -> None:
            life.leaving = now
            self.truth.do(Deed.LEFT, life, now)

        self._signal(agent, signal.SIGTERM, before=note)
        if not await agent.until(lambda: agent.life.ended is not None, LEFT_WITHIN_S):
            self.failures.append(f"{agent.life} had not ended {LEFT_WITHIN_S:g} s after it was told to leave")
            agent.process.kill()
            await agent.process.wait()
        elif agent.process.returncode:
            self.failures.append(f"{agent.life} left with exit code {agent.process.returncode}: {agent.complaint}")

    def change(self, name: str) -> None:
        """Change an agent's metadata."""
        agent = self.current[name]

        def note(life: Life, now: float) -> None:
            self._changes += 1
            self.values[name] = value = f"{name} {self._changes}"
            self.truth.do(Deed.CHANGED, life, now, value)
            self._write_metadata(name)

        self._signal(agent, signal.SIGHUP, before=note)

    def reread(self, name: str) -> None:
        """Have an agent read its files again."""
        self._signal(self.current[name], signal.SIGHUP)

    def metadata_file(self, name: str) -> Path:
        """The file from which an agent takes its metadata."""
        return self.folder / f"{name}.meta"

    def kill_all(self) -> None:
        """Kill every process that still runs."""
        for agent in self.current.values():
            if agent.process.poll() is None:
                agent.life.killed = agent.life.killed or time.time()
            children.kill(agent.process)

    def close(self) -> None:
        """Close the log."""
        if self._log is not None:
            self._log.close()

    # --- parts

    def _signal(
        self, agent: Agent, number: signal.Signals, before: Callable[[Life, float], None] | None = None
    ) -> None:
        now = time.time()
        if before is not None:
            before(agent.life, now)
        self.log(time=now, done=number.name, name=agent.life.name, run=agent.life.run)
        agent.process.send_signal(number)

    def _write_metadata(self, name: str) -> None:
        fresh = self.folder / f"{name}.new"
        fresh.write_text(f"value={self.values[name]}\n", encoding="utf-8")
        fresh.replace(self.metadata_file(name))

    async def _follow(self, agent: Agent) -> None:
        """Read what an agent writes, to its end."""
        async with trio.open_nursery() as nursery:
            nursery.start_soon(agent.errors.follow, agent.process)
            await self._read_lines(agent)
        await agent.process.wait()
        life = agent.life
        life.ended = time.time()
        if life.leaving is None and life.killed is None:
            self.failures.append(f"{life} ended by itself with {agent.process.returncode}: {agent.complaint}")
        if agent.process.stdin is not None:
            await agent.process.stdin.aclose()
        agent.wake()

    async def _read_lines(self, agent: Agent) -> None:
        assert agent.process.stdout is not None
        async with agent.process.stdout as output:
            try:
                async for line in Lines(output):
                    self._take(agent, line)
                    agent.wake()
            except EndlessLine:
                self.failures.append(f"{agent.life} wrote a line without end")
                children.kill(agent.process)

    def _take(self, agent: Agent, line: bytes) -> None:
        life = agent.life
        try:
            event = json.loads(line)
            kind, at = event["event"], float(event["time"])
            if kind == "started":
                life.started, life.generation = at, event["generation"]
                # Others may know of it before it tells so itself.
                self.truth.do(Deed.STARTED, life, event["generation"] / 1000)
            elif kind == "keys":
                life.keys = event["seals"], tuple(event["opens"])
            else:
                self.truth.sights.append(_sight(life, event))
            self.log(observer=life.name, run=life.run, told=event)
        except (ValueError, KeyError, TypeError):
            self.failures.append(f"{life} wrote something that is no event: {line[:200]!r}")


def _sight(observer: Life, event: dict[str, Any]) -> Sight:
    return Sight(
        observer=observer,
        kind=sys.intern(event["event"]),
        subject=sys.intern(event["name"]),
        generation=event["generation"],
        time=float(event["time"]),
        value=event["metadata"].get("value", ""),
        accusers=tuple(event.get("accusers", ())),
    )


@contextlib.asynccontextmanager
async def open_agents(names: Sequence[str], folder: Path, log: Path | None = None) -> AsyncIterator[Agents]:
    """Agents that can be started. When the block is left, none of them runs any more."""
    async with trio.open_nursery() as nursery:
        agents = Agents(names, folder, nursery, log)
        try:
            yield agents
        finally:
            agents.kill_all()
            with trio.CancelScope(shield=True):
                for agent in agents.current.values():
                    await agent.process.wait()
            agents.close()
            nursery.cancel_scope.cancel()
