"""``python -m benchmarks.rotation``: keys changed over a running cluster, without a change of membership.

The agents begin without sealing anything. Sealing is turned on, the key is replaced by one for the other algorithm, and
sealing is turned off again: three steps each, each step one agent after the other. After each step some agents say
something new, which all have to learn, and all have to see all.
"""

from __future__ import annotations

import logging
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from random import Random

import click
import trio

from benchmarks import namespace
from benchmarks.agents.command import FILE, Report, attempt, enter_namespace, finish, progress_bar
from benchmarks.agents.judge import Rules, deaths, oddities, spreads
from benchmarks.agents.keys import Keys, replacement
from benchmarks.agents.processes import Agents, open_agents
from benchmarks.agents.tables import known_table
from benchmarks.agents.truth import Deed
from benchmarks.agents.views import agreement
from benchmarks.measuring import MeasurementFailed, machine
from benchmarks.samples import Sample, spread_of
from benchmarks.systems import our_version
from gossip.core.config import Config
from gossip.security.keyring import AES_256_GCM, CHACHA20_POLY1305, PLAIN, Key, Keyring

EXPERIMENT = "rotation"
SYSTEM = "ours-agents"

CONFIG = Config.lan()

RULES = Rules(least_suspicion_s=CONFIG.suspicion_min, known_within_s=10.0)

AGREED_WITHIN_S = 20.0

SPEAKERS = 4
"""Agents that say something new after each step."""

STEPS = 9

CHANGES = ("joined", "left", "died", "conflict")
"""What is told of a change of membership."""


class Rotation:
    """One cluster, from plain to sealed, to another key, and back to plain."""

    def __init__(self, count: int, loss: float, step: Callable[[str], None]) -> None:
        """:param step: told what is done next, :data:`STEPS` times and once more."""
        self._names = [f"a{number:02d}" for number in range(count)]
        self._loss = loss
        self._step = step
        self._agents: Agents | None = None
        self._wrong: list[str] = []
        self._began = 0
        self._until = 0.0
        self._times_s: list[float] = []

    async def run(self) -> None:
        """Do everything.

        :raises MeasurementFailed: if an agent does not start, or does not take up a key.
        """
        with tempfile.TemporaryDirectory() as folder, namespace.loss(self._loss):
            async with open_agents(self._names, Path(folder)) as agents:
                self._agents = agents
                try:
                    await self._run(agents, Keys(agents, Keyring.of(PLAIN), Random(0)))
                finally:
                    self._until = time.time()  # before all are killed

    async def _run(self, agents: Agents, keys: Keys) -> None:
        self._step(f"starting {len(self._names)}")
        for name in self._names:
            await agents.start(name, "--insecure", *keys.arguments(name), seeds=self._names[:3])
        await self._look(agents, keys, "once all had started")
        if self._wrong:
            raise MeasurementFailed("they did not see each other to begin with")
        self._began = len(agents.truth.sights)
        for number, ring in enumerate(_rings()):
            self._step(f"all, one after the other, seal with {ring.in_use.id} and open {_ids(ring)}")
            began = time.monotonic()
            await keys.step(ring)
            self._times_s.append(time.monotonic() - began)
            for place in range(SPEAKERS):
                agents.change(self._names[(number * SPEAKERS + place) % len(self._names)])
            await self._look(agents, keys, f"once all sealed with {ring.in_use.id} and opened {_ids(ring)}")
        await trio.sleep(RULES.known_within_s)  # until it is certain that nobody missed the last of it

    async def _look(self, agents: Agents, keys: Keys, when: str) -> None:
        self._wrong += [f"{each}, {when}" for each in await agreement(agents, CONFIG, keys.keyring, AGREED_WITHIN_S)]

    def report(self, failure: str | None) -> Report:
        """What has been found so far.

        :param failure: by which it ended too early.
        """
        assert self._agents is not None
        truth = self._agents.truth
        told = Counter(sight.kind for sight in truth.sights[self._began :]) if self._began else Counter[str]()
        violations = [*([failure] if failure else []), *self._agents.failures, *oddities(truth)]
        violations += deaths(truth, RULES).false
        violations += [f"{told[kind]} times it was told that somebody {kind}" for kind in CHANGES if told[kind]]
        learnt = spreads(truth, RULES, self._until)[Deed.CHANGED]
        changes = sum(told[kind] for kind in CHANGES)
        summary = (
            f"{len(self._names)} agents, {self._loss:.0%} loss: {len(self._times_s)} of {STEPS} steps, each done "
            f"by all within {max(self._times_s, default=0):.1f} s; {changes} changes of membership, "
            f"{told['suspected']} suspicions"
        )
        sample = Sample(
            experiment=EXPERIMENT, system=SYSTEM, nodes=len(self._names), setting=f"{self._loss:.0%} loss",
            numbers={
                "steps": len(self._times_s),
                "step_s": max(self._times_s, default=None),
                "changes_of_membership": changes,
                "suspicions": told["suspected"],
                **spread_of(learnt.times_s, len(learnt.missing)),
            },
        )  # fmt: skip
        return Report(
            system=SYSTEM,
            what=f"{our_version()}, each agent a process (gossip agent), profile lan",
            samples=[sample],
            violations=(*violations, *learnt.missing, *self._wrong),
            shown=(summary, known_table({Deed.CHANGED: learnt})),
        )


def _rings() -> Iterator[Keyring]:
    """All rings after the one with which they begin."""
    ring = Keyring.of(PLAIN)
    for key in (Key.generate(AES_256_GCM), Key.generate(CHACHA20_POLY1305), PLAIN):
        for ring in replacement(ring, key):  # noqa: B020 - the last one is where the next replacement begins
            yield ring


def _ids(ring: Keyring) -> str:
    return " and ".join(key.id for key in ring.keys)


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.option("--agents", type=click.IntRange(4, 200), default=32, show_default=True, help="How many there are.")
@click.option("--loss", type=click.FloatRange(0, 0.5), default=0.05, show_default=True, help="Share of packets lost.")
@click.option("--json", "json_file", type=FILE, metavar="FILE", help="Write what was found to this file.")
def main(agents: int, loss: float, json_file: Path | None) -> None:
    """Turn sealing on over a running cluster, replace its key, and turn sealing off, without a change of membership."""
    logging.disable(logging.CRITICAL)
    enter_namespace()
    before = machine()
    with progress_bar() as progress:
        task = progress.add_task("", total=STEPS + 1)
        rotation = Rotation(agents, loss, lambda what: progress.update(task, advance=1, description=what))
        ending = attempt(rotation.run)
    finish(rotation.report(ending.failure), ending, before, json_file)


if __name__ == "__main__":
    main(prog_name="python -m benchmarks.rotation")
