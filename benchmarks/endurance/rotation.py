"""Keys changed over a running cluster, without a change of membership.

The agents begin without sealing anything. Then sealing is turned on, the key is replaced by one for the other
algorithm, and sealing is turned off again. Each of these takes three steps, and in each step one agent after the other
gets the new ring. After each step some agents change their metadata, which all others have to learn, and all agents
have to see each other.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from random import Random

import click
import trio

from benchmarks.agents.command import FILE, carry_out
from benchmarks.agents.judge import Rules
from benchmarks.agents.keys import Keys, replacement
from benchmarks.agents.processes import Agents
from benchmarks.agents.trial import CONFIG, Finding, Step, Trial
from benchmarks.agents.truth import Deed
from benchmarks.analysis.samples import spread_of
from benchmarks.environment import namespace
from benchmarks.environment.builds import our_version
from benchmarks.environment.measuring import MeasurementFailed
from benchmarks.report.text import rich_table
from gossip.security.keyring import AES_256_GCM, CHACHA20_POLY1305, PLAIN, Key, Keyring

RULES = Rules(least_suspicion_s=CONFIG.suspicion_min, known_within_s=10.0)

AGREED_WITHIN_S = 20.0
"""All must see all so long after each step."""

SPEAKERS = 4
"""Agents that change their metadata after each step."""

STEPS = 9

CHANGES = ("joined", "left", "died", "conflict")
"""The events that tell of a change of membership."""


class Rotation(Trial):
    """One cluster, from plain to sealed, to another key, and back to plain."""

    experiment = "rotation"

    def __init__(self, count: int, loss: float, step: Step) -> None:
        """:param step: takes how many of the :data:`STEPS` steps are done, and what happens."""
        super().__init__(count, RULES, AGREED_WITHIN_S, step)
        self._loss = loss
        self._began = 0
        self._times_s: list[float] = []

    async def run(self) -> None:
        """Start all agents and change their keys."""
        with namespace.loss(self._loss):
            async with self.open() as agents:
                await self._run(agents, Keys(agents, Keyring.of(PLAIN), Random(0)))

    async def _run(self, agents: Agents, keys: Keys) -> None:
        self.step(0, f"starting {len(self.names)}")
        for name in self.names:
            await agents.start(name, "--insecure", *keys.arguments(name), seeds=self.names[:3])
        await self.look(keys, "once all had started")
        if self.disagreements:
            raise MeasurementFailed("the agents did not see each other to begin with")
        self._began = len(agents.truth.sights)
        for number, ring in enumerate(_rings()):
            self.step(number, f"all agents, one after the other, seal with {ring.in_use.id} and open {_ids(ring)}")
            began = time.monotonic()
            await keys.step(ring)
            self._times_s.append(time.monotonic() - began)
            for place in range(SPEAKERS):
                agents.change(self.names[(number * SPEAKERS + place) % len(self.names)])
            await self.look(keys, f"once all sealed with {ring.in_use.id} and opened {_ids(ring)}")
        await trio.sleep(RULES.known_within_s)  # until it is certain that every agent has learnt of the last change

    def found(self, failure: str | None) -> Finding:
        """What has been found so far."""
        told = Counter(sight.kind for sight in self.truth.sights[self._began :]) if self._began else Counter[str]()
        learnt = self.spreads()[Deed.CHANGED]
        changes = sum(told[kind] for kind in CHANGES)
        summary = (
            f"{len(self.names)} agents, {self._loss:.0%} loss: {len(self._times_s)} of {STEPS} steps, each done "
            f"by all within {max(self._times_s, default=0):.1f} s; {changes} changes of membership, "
            f"{told['suspected']} suspicions"
        )
        numbers = {
            "steps": len(self._times_s),
            "step_s": max(self._times_s, default=None),
            "changes_of_membership": changes,
            "suspicions": told["suspected"],
            **spread_of(learnt.times_s, len(learnt.missing)),
        }
        changed = [f"{told[kind]} times an agent told of the event {kind}" for kind in CHANGES if told[kind]]
        return Finding(
            samples=[self.sample(f"{self._loss:.0%} loss", numbers)],
            violations=self.violations(failure, changed),
            shown=(summary, rich_table(self.known_table(Deed.CHANGED))),
            what=f"{our_version()}, each agent a process (gossip agent), profile lan",
        )


def _rings() -> Iterator[Keyring]:
    """All rings after the one with which the agents begin."""
    ring = Keyring.of(PLAIN)
    for key in (Key.generate(AES_256_GCM), Key.generate(CHACHA20_POLY1305), PLAIN):
        for ring in replacement(ring, key):  # noqa: B020 - the last one is where the next replacement begins
            yield ring


def _ids(ring: Keyring) -> str:
    return " and ".join(key.id for key in ring.keys)


@click.command(
    context_settings={"help_option_names": ["-h", "--help"]}, short_help="Change the keys of a running cluster."
)
@click.option("--agents", type=click.IntRange(4, 200), default=32, show_default=True, help="Number of agents.")
@click.option("--loss", type=click.FloatRange(0, 0.5), default=0.05, show_default=True, help="Share of packets lost.")
@click.option("--json", "json_file", type=FILE, metavar="FILE", help="Write what was found to this file.")
def main(agents: int, loss: float, json_file: Path | None) -> None:
    """Turn sealing on over a running cluster, replace its key, and turn sealing off.

    The membership must not change meanwhile, and every agent must learn of every change of metadata. The exit code is
    1 if this is violated.
    """
    carry_out(lambda step: Rotation(agents, loss, step), STEPS, json_file)
