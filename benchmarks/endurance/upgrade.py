"""Agents of two versions in one cluster, replaced one by one.

All agents are first of the earlier version. One after the other leaves and comes back, under its name, as one of this
version. Half-way, one of each version is killed, and one of each changes its metadata. Then the agents go back, one by
one, to the earlier version. After each step all agents have to see each other with their present metadata. Where both
versions can seal, everything is sealed.
"""

from __future__ import annotations

from pathlib import Path
from random import Random

import click
import trio

from benchmarks.agents.command import FILE, carry_out
from benchmarks.agents.judge import JOINED_S, Rules
from benchmarks.agents.keys import Keys
from benchmarks.agents.processes import Agents
from benchmarks.agents.trial import CONFIG, Finding, Step, Trial
from benchmarks.agents.truth import Deed
from benchmarks.agents.versions import INSECURE, KEYRING, Version, newest_tag, this_version, version_of
from benchmarks.analysis.samples import Number
from benchmarks.environment.builds import Unavailable
from benchmarks.report.text import rich_table
from gossip.security.keyring import Key, Keyring

RULES = Rules(least_suspicion_s=CONFIG.suspicion_min, known_within_s=10.0)

AGREED_WITHIN_S = 20.0
"""News takes milliseconds to arrive, and comparison finds what news misses within seconds."""

TAKEN_DOWN_S = 1.0
"""How long a name has no process between two versions, but for the start of the second."""

SEEDS = 3


class Upgrade(Trial):
    """One cluster, there and back."""

    experiment = "upgrade"

    def __init__(self, earlier: Version, later: Version, count: int, step: Step) -> None:
        """:param step: takes how many of the 2 * ``count`` replacements are done, and what happens."""
        super().__init__(count, RULES, AGREED_WITHIN_S, step)
        self._earlier, self._later = earlier, later
        self._running: dict[str, Version] = {}
        self._keys: Keys | None = None
        self._replaced = 0

    @property
    def is_sealed(self) -> bool:
        """Whether both versions can seal."""
        return KEYRING in self._earlier.options & self._later.options

    async def run(self) -> None:
        """Start all agents, and replace them one by one, there and back."""
        async with self.open() as agents:
            self._keys = Keys(agents, Keyring.of(Key.generate()), Random(0)) if self.is_sealed else None
            await self._there_and_back(agents)

    async def _there_and_back(self, agents: Agents) -> None:
        self.step(0, f"starting {len(self.names)} of {self._earlier.title}")
        for name in self.names:
            await self._start(agents, name, self._earlier)
        await self.look(self._keys, "once all had started")
        for version in (self._later, self._earlier):
            for number, name in enumerate(self.names):
                if number == len(self.names) // 2:
                    await self._disturb(agents)
                self.step(self._replaced, f"{name} becomes one of {version.title}")
                await agents.leave(name)
                await trio.sleep(TAKEN_DOWN_S)
                await self._start(agents, name, version)
                self._replaced += 1
                await self.look(self._keys, f"once {name} was one of {version.title}")
        await trio.sleep(
            RULES.known_within_s
        )  # until it is certain that every agent has learnt of the last replacement

    async def _disturb(self, agents: Agents) -> None:
        """Change the metadata of one agent of each version, and kill and restart another of each."""
        first, last = self.names[0], self.names[-1]
        for name in (first, last):
            agents.change(name)
        await self.look(self._keys, f"once {first} and {last} had changed their metadata")
        await trio.sleep(JOINED_S)
        killed = self.names[1], self.names[-2]
        versions = [self._running[name] for name in killed]
        for name in killed:
            await agents.kill(name)
        await trio.sleep(RULES.known_within_s)
        for name, version in zip(killed, versions, strict=True):
            await self._start(agents, name, version)
        await self.look(self._keys, f"once {' and '.join(killed)} had been killed and started again")

    async def _start(self, agents: Agents, name: str, version: Version) -> None:
        security: tuple[str, ...] = ()
        if self._keys is not None:
            security = self._keys.arguments(name)
        elif INSECURE in version.options:
            security = (INSECURE,)
        seeds = [each for each in self.names if each != name][:SEEDS]
        await agents.start(name, *security, command=version.command, seeds=seeds)
        self._running[name] = version

    def found(self, failure: str | None) -> Finding:
        """What has been found so far."""
        told = self.deaths()
        setting = f"from {self._earlier.title}, {'sealed' if self.is_sealed else 'plain'}"
        summary = (
            f"{len(self.names)} agents, {setting}, to {self._later.title} and back: {self._replaced} replaced; "
            f"{told.told} deaths told, {told.of_leavers} of members that were leaving, {len(told.false)} false"
        )
        general: dict[str, Number] = {
            "replaced": self._replaced,
            "deaths_told": told.told,
            "false_deaths": len(told.false),
            "deaths_of_leavers": told.of_leavers,
        }
        return Finding(
            samples=[self.sample(setting, general), *self.spread_samples()],
            violations=self.violations(failure),
            shown=(summary, rich_table(self.known_table(*Deed))),
            what=f"{self._later.title}, each agent a process (gossip agent), profile lan",
        )


def _earlier(_: click.Context, __: click.Parameter, reference: str | None) -> Version:
    try:
        return version_of(newest_tag() if reference is None else reference)
    except Unavailable as error:
        raise click.BadParameter(str(error)) from None


@click.command(
    context_settings={"help_option_names": ["-h", "--help"]}, short_help="Replace agents of another version one by one."
)
@click.option(
    "--from", "earlier", metavar="REF", callback=_earlier,
    help="A tag, branch or commit. Default: the newest tag that is older than this version.",
)  # fmt: skip
@click.option("--agents", type=click.IntRange(4, 200), default=16, show_default=True, help="Number of agents.")
@click.option("--json", "json_file", type=FILE, metavar="FILE", help="Write what was found to this file.")
def main(earlier: Version, agents: int, json_file: Path | None) -> None:
    """Replace agents of an earlier version by agents of this one, one by one, and back again.

    No agent may tell that a running one is dead, and after each step all must see each other with their present
    metadata. The exit code is 1 if this is violated.
    """
    later = this_version()
    carry_out(lambda step: Upgrade(earlier, later, agents, step), 2 * agents, json_file)
