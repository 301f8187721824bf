"""The agents of the demonstration, what they should do, and how to wait for it."""

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
"""Seconds that news about living members may take; it takes milliseconds unless something is broken."""


class StepFailed(Exception):
    """An outcome that the demonstration should show did not happen."""


@attrs.define
class Cluster:
    """The agents of the demonstration, and what they should do."""

    pool: AgentPool
    profile: str
    names: Sequence[str]
    say: Callable[[str], None]
    current: dict[str, AgentProcess] = attrs.Factory(dict)
    """The latest process of each name."""
    ended: set[str] = attrs.Factory(set)
    """Names whose process a step has ended."""

    @property
    def journal(self) -> Journal:
        """What the agents said."""
        return self.pool.journal

    @property
    def detection_limit_s(self) -> float:
        """Seconds until all must know of a crash: several times what the profile aims at."""
        config = PROFILES[self.profile]()
        return 10 * config.probe_interval + 3 * config.suspicion_max + NEWS_LIMIT_S

    @property
    def quiet_s(self) -> float:
        """Seconds in which every member is probed about once or more."""
        return 2 * PROFILES[self.profile]().probe_interval

    def running(self, *, without: str | None = None) -> list[str]:
        """Names of the agents that run, in order."""
        return [name for name in self.names if name in self.current and name not in self.ended and name != without]

    async def start(self, name: str, address: str, join: Iterable[str]) -> AgentProcess:
        """Start an agent at this address; does not wait until it takes part.

        :raises StepFailed: if the system cannot start it.
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
            raise StepFailed(f"cannot start a process for {name}: {error.strerror}") from error
        self.ended.discard(name)
        return agent

    def meta_file(self, name: str) -> Path:
        """The file with the metadata of an agent."""
        return self.pool.folder / f"{name}.meta"

    def write_metadata(self, name: str, text: str) -> None:
        """Write that file.

        :raises StepFailed: if that fails, for example because a disk is full.
        """
        file = self.meta_file(name)
        try:
            file.write_text(text)
        except OSError as error:
            raise StepFailed(f"cannot write {file}: {error.strerror}") from error

    async def until(self, condition: Callable[[], bool], limit_s: float, complaint: Callable[[], str]) -> None:
        """Wait for a condition on the journal.

        :raises StepFailed: if it takes too long, or if an agent ends that should not end.
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
        """Wait until all observers wrote something that matches; returns when each did, in Unix seconds."""

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
