"""``python -m benchmarks.upgrade``: agents of two versions in one cluster, replaced one by one.

All agents are first of the earlier version. One after the other leaves and comes back, under its name, as one of this
version; half-way, one of each is killed, and one of each changes its metadata. Then they go back, one by one, to the
earlier version. After each step everybody has to see everybody, and what they say of themselves. Where both versions
can, everything is sealed.
"""

from __future__ import annotations

import logging
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from random import Random

import click
import trio

from benchmarks.agents.command import FILE, Report, attempt, enter_namespace, finish, progress_bar
from benchmarks.agents.judge import JOINED_S, Rules, deaths, oddities, spreads
from benchmarks.agents.keys import Keys
from benchmarks.agents.processes import Agents, open_agents
from benchmarks.agents.tables import known_table
from benchmarks.agents.versions import INSECURE, KEYRING, Version, newest_tag, this_version, version_of
from benchmarks.agents.views import agreement
from benchmarks.measuring import machine
from benchmarks.samples import Sample, spread_of
from benchmarks.systems import Unavailable
from gossip.core.config import Config
from gossip.security.keyring import Key, Keyring

EXPERIMENT = "upgrade"
SYSTEM = "ours-agents"

CONFIG = Config.lan()

RULES = Rules(least_suspicion_s=CONFIG.suspicion_min, known_within_s=10.0)

AGREED_WITHIN_S = 20.0
"""News takes milliseconds, and what it misses is found within seconds."""

TAKEN_DOWN_S = 1.0
"""How long a machine is without an agent while that is replaced, but for the start of the process."""

SEEDS = 3


class Upgrade:
    """One cluster, there and back."""

    def __init__(self, earlier: Version, later: Version, count: int, step: Callable[[str], None]) -> None:
        """:param step: told what is done next; called twice for each agent and once more."""
        self._earlier, self._later = earlier, later
        self._names = [f"a{number:02d}" for number in range(count)]
        self._step = step
        self._agents: Agents | None = None
        self._running: dict[str, Version] = {}
        self._keys: Keys | None = None
        self._wrong: list[str] = []
        self._until = 0.0
        self.replaced = 0
        """How many agents were replaced."""

    @property
    def is_sealed(self) -> bool:
        """Whether both versions can seal."""
        return KEYRING in self._earlier.options & self._later.options

    async def run(self) -> None:
        """Do everything.

        :raises MeasurementFailed: if an agent does not start.
        """
        with tempfile.TemporaryDirectory() as folder:
            async with open_agents(self._names, Path(folder)) as agents:
                self._agents = agents
                self._keys = Keys(agents, Keyring.of(Key.generate()), Random(0)) if self.is_sealed else None
                try:
                    await self._there_and_back(agents)
                finally:
                    self._until = time.time()  # before all are killed

    async def _there_and_back(self, agents: Agents) -> None:
        self._step(f"starting {len(self._names)} of {self._earlier.title}")
        for name in self._names:
            await self._start(agents, name, self._earlier)
        await self._look(agents, "once all had started")
        for version in (self._later, self._earlier):
            for number, name in enumerate(self._names):
                if number == len(self._names) // 2:
                    await self._disturb(agents)
                self._step(f"{name} becomes one of {version.title}")
                await agents.leave(name)
                await trio.sleep(TAKEN_DOWN_S)
                await self._start(agents, name, version)
                self.replaced += 1
                await self._look(agents, f"once {name} was one of {version.title}")
        await trio.sleep(RULES.known_within_s)  # until it is certain that nobody missed the last of it

    async def _disturb(self, agents: Agents) -> None:
        """Let one of each version say something new, and kill and restart another of each."""
        first, last = self._names[0], self._names[-1]
        for name in (first, last):
            agents.change(name)
        await self._look(agents, f"once {first} and {last} had changed their metadata")
        await trio.sleep(JOINED_S)
        killed = self._names[1], self._names[-2]
        versions = [self._running[name] for name in killed]
        for name in killed:
            await agents.kill(name)
        await trio.sleep(RULES.known_within_s)
        for name, version in zip(killed, versions, strict=True):
            await self._start(agents, name, version)
        await self._look(agents, f"once {' and '.join(killed)} had been killed and started again")

    async def _start(self, agents: Agents, name: str, version: Version) -> None:
        security: tuple[str, ...] = ()
        if self._keys is not None:
            security = self._keys.arguments(name)
        elif INSECURE in version.options:
            security = (INSECURE,)
        seeds = [each for each in self._names if each != name][:SEEDS]
        await agents.start(name, *security, command=version.command, seeds=seeds)
        self._running[name] = version

    async def _look(self, agents: Agents, when: str) -> None:
        keyring = None if self._keys is None else self._keys.keyring
        self._wrong += [f"{each}, {when}" for each in await agreement(agents, CONFIG, keyring, AGREED_WITHIN_S)]

    def report(self, failure: str | None) -> Report:
        """What has been found so far.

        :param failure: by which it ended too early.
        """
        assert self._agents is not None
        truth = self._agents.truth
        told, known = deaths(truth, RULES), spreads(truth, RULES, self._until)
        violations = [*([failure] if failure else []), *self._agents.failures, *told.false, *oddities(truth)]
        violations += [each for spread in known.values() for each in spread.missing]
        setting = f"from {self._earlier.title}, {'sealed' if self.is_sealed else 'plain'}"

        summary = (
            f"{len(self._names)} agents, {setting}, to {self._later.title} and back: {self.replaced} replaced; "
            f"{told.told} deaths told, {told.of_leavers} of some that were leaving, {len(told.false)} false"
        )

        def sample(setting: str, **numbers: float | None) -> Sample:
            return Sample(
                experiment=EXPERIMENT, system=SYSTEM, nodes=len(self._names), setting=setting, numbers=numbers
            )

        samples = [sample(setting, replaced=self.replaced, deaths_told=told.told, false_deaths=len(told.false),
                          deaths_of_leavers=told.of_leavers)]  # fmt: skip
        samples += [
            sample(deed.value, deeds=spread.deeds, **spread_of(spread.times_s, len(spread.missing)))
            for deed, spread in known.items()
            if spread.deeds
        ]
        return Report(
            system=SYSTEM,
            what=f"{self._later.title}, each agent a process (gossip agent), profile lan",
            samples=samples,
            violations=(*violations, *self._wrong),
            shown=(summary, known_table(known)),
        )


def _earlier(_: click.Context, __: click.Parameter, reference: str | None) -> Version:
    try:
        return version_of(newest_tag() if reference is None else reference)
    except Unavailable as error:
        raise click.BadParameter(str(error)) from None


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.option(
    "--from", "earlier", metavar="REF", callback=_earlier,
    help="A tag, branch or commit. Default: the newest tag that is older than this version.",
)  # fmt: skip
@click.option("--agents", type=click.IntRange(4, 200), default=16, show_default=True, help="How many there are.")
@click.option("--json", "json_file", type=FILE, metavar="FILE", help="Write what was found to this file.")
def main(earlier: Version, agents: int, json_file: Path | None) -> None:
    """Replace agents of an earlier version by agents of this one, one by one, and back again.

    Nobody who runs may be told to be dead, and after each step all must see all, and what they say of themselves.
    Violations are told, and the exit code is 1.
    """
    logging.disable(logging.CRITICAL)
    later = this_version()
    enter_namespace()  # only now: to install the earlier version takes another network
    before = machine()
    with progress_bar() as progress:
        task = progress.add_task("", total=2 * agents + 1)
        upgrade = Upgrade(earlier, later, agents, lambda what: progress.update(task, advance=1, description=what))
        ending = attempt(upgrade.run)
    finish(upgrade.report(ending.failure), ending, before, json_file)


if __name__ == "__main__":
    main(prog_name="python -m benchmarks.upgrade")
