"""The agents of the demonstration, what is expected of them, and how to wait for it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

import attrs
import trio

from gossip.cli.demo.journal import Journal, Sighting
from gossip.cli.demo.processes import AgentPool, AgentProcess
from gossip.core.config import PROFILES

START_LIMIT_S = 30.0
"""Seconds that the processes may take to start, on a slow and busy machine."""

NEWS_LIMIT_S = 10.0
"""Seconds that news of the living may take; it takes milliseconds unless something is broken."""


class StepFailed(Exception):
    """An outcome that the demonstration is to show did not happen."""


@attrs.define
class Cluster:
    """The agents of the demonstration, and what they are expected to do."""

    pool: AgentPool
    profile: str
    names: Sequence[str]
    say: Callable[[str], None]
    current: dict[str, AgentProcess] = attrs.Factory(dict)
    """The latest process of each name."""
    ended: set[str] = attrs.Factory(set)
    """Names whose process was made to end."""

    @property
    def journal(self) -> Journal:
        """What the agents said."""
        return self.pool.journal

    @property
    def detection_limit_s(self) -> float:
        """How long it may take until a crash is known: several times what the profile aims at."""
        config = PROFILES[self.profile]()
        return 10 * config.probe_interval + 3 * config.suspicion_max + NEWS_LIMIT_S

    @property
    def quiet_s(self) -> float:
        """A time in which every member is asked at least once, more or less."""
        return 2 * PROFILES[self.profile]().probe_interval

    def running(self, *, without: str | None = None) -> list[str]:
        """Names of the agents that run, in order."""
        return [name for name in self.names if name in self.current and name not in self.ended and name != without]

    async def start(self, name: str, address: str, join: Iterable[str]) -> AgentProcess:
        """Start an agent at this address; does not wait until it takes part.

        :raises StepFailed: if the system does not let it start.
        """
        file = self.meta_file(name)
        if not file.exists():
            self.write_metadata(name, "release=1\n")
        arguments = ["--bind", address, "--profile", self.profile, "--meta-file", str(file)]
        for peer in join:
            arguments += ["--join", peer]
        try:
            agent = self.current[name] = await self.pool.start(name, arguments)
        except OSError as error:
            raise StepFailed(f"no process can be started for {name}: {error.strerror}") from error
        self.ended.discard(name)
        return agent

    def meta_file(self, name: str) -> Path:
        """The file from which an agent takes its metadata."""
        return self.pool.folder / f"{name}.meta"

    def write_metadata(self, name: str, text: str) -> None:
        """Write that file.

        :raises StepFailed: if there is no room, for example.
        """
        file = self.meta_file(name)
        try:
            file.write_text(text)
        except OSError as error:
            raise StepFailed(f"{file} cannot be written: {error.strerror}") from error

    async def until(self, condition: Callable[[], bool], limit_s: float, complaint: Callable[[], str]) -> None:
        """Wait for a condition on the journal.

        :raises StepFailed: if it takes too long, or an agent ends that should not.
        """
        with trio.move_on_after(limit_s):
            await self.journal.until(lambda: bool(self._crashed()) or condition())
        if crashed := self._crashed():
            raise StepFailed(f"{crashed[0].name} ended by itself with {crashed[0].returncode}: {crashed[0].complaint}")
        if not condition():
            raise StepFailed(f"{complaint()} within {limit_s:.0f} s")

    async def noticed(
        self, observers: Sequence[str], matches: Callable[[Sighting], bool], since: int, limit_s: float, what: str
    ) -> dict[str, float]:
        """Wait until all the observers wrote something that matches; returns when each did, in Unix seconds."""

        def times() -> dict[str, float]:
            return self.journal.first_times(observers, matches, since)

        def complaint() -> str:
            missing = [name for name in observers if name not in times()]
            return f"{', '.join(missing)} did not notice that {what}"

        await self.until(lambda: len(times()) == len(observers), limit_s, complaint)
        return times()

    async def agreed(self, limit_s: float) -> None:
        """Wait until every running agent sees every running agent alive."""
        names = self.running()

        def missing() -> list[str]:
            pairs = ((a, b) for a in names for b in names if a != b)
            return [f"{a} does not see {b} alive" for a, b in pairs if self.journal.belief(a, b) != "alive"]

        await self.until(lambda: not missing(), limit_s, lambda: "; ".join(missing()[:3]))

    def _crashed(self) -> list[AgentProcess]:
        return [self.current[name] for name in self.running() if self.current[name].returncode is not None]
