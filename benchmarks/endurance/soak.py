"""The soak: many agents for an hour, of which some are always being killed, stopped, changed, or started again."""

from __future__ import annotations

import sys
import time
from collections.abc import Mapping
from pathlib import Path
from random import Random

import attrs
import click
import trio
from rich.text import Text

from benchmarks.agents.command import FILE, carry_out
from benchmarks.agents.judge import Deaths, deaths, false_suspicions
from benchmarks.agents.keys import Keys
from benchmarks.agents.processes import Agents
from benchmarks.agents.resources import Samples, held_by, quarters_table
from benchmarks.agents.trial import Finding, Step, Trial
from benchmarks.agents.truth import Deed
from benchmarks.analysis.samples import Number
from benchmarks.endurance.trouble import RULES, Trouble
from benchmarks.environment import namespace
from benchmarks.environment.builds import our_version
from benchmarks.environment.measuring import MeasurementFailed
from benchmarks.report.table import Table
from benchmarks.report.text import rich_table
from gossip.security.keyring import Key, Keyring
from gossip.security.signing_key import SigningKey

SAMPLE_EVERY_S = 10.0
"""How often it is looked what the agents hold."""

JUDGE_EVERY_S = 30.0
"""How often the deaths told so far are judged, for the progress bar."""

DELAY_S = (0.002, 0.001)
"""How long each packet takes, and by how much that varies, where the kernel can delay packets: as in a data centre."""

AGREED_WITHIN_S = 60.0
"""All must see all by then: once all are started, and in the end."""

LOOK_EVERY_S = 0.1
"""How often the benchmark looks whether the machine keeps it from running."""


@attrs.frozen(kw_only=True)
class Choice:
    """What the user asked for."""

    agents: int
    minutes: float
    loss: float
    seed: int
    sealed: bool
    signed: bool
    log: Path | None = None


class Soak(Trial):
    """One soak."""

    experiment = "soak"

    def __init__(self, choice: Choice, step: Step) -> None:
        """:param step: takes the seconds of trouble that are over, and what happens."""
        super().__init__(choice.agents, RULES, AGREED_WITHIN_S, step, choice.log)
        self._choice = choice
        self._samples = Samples()
        self._trouble: Trouble | None = None
        self._began: float | None = None
        self._latest_s = 0.0
        self._delayed = False

    async def run(self) -> None:
        """Start all agents, trouble them, and ask all of them in the end."""
        with namespace.loss(self._choice.loss), namespace.delay(*DELAY_S) as self._delayed:
            async with self.open() as agents:
                await self._run(agents)

    async def _run(self, agents: Agents) -> None:
        random = Random(self._choice.seed)
        keys = Keys(agents, Keyring.of(Key.generate()), random) if self._choice.sealed else None
        security = self._security(agents, keys)
        self._trouble = trouble = Trouble(agents, keys, random, self._counting, security.__getitem__)
        self.step(0.0, "starting")
        await trouble.start_all()
        await self.look(keys, "once all had started")
        self._began = time.time()
        async with trio.open_nursery() as nursery:
            nursery.start_soon(self._sample, agents, trouble.lasting())
            nursery.start_soon(self._tell, agents, trouble, self._began)
            nursery.start_soon(self._look_at_itself)
            await trouble.go_on_for(60 * self._choice.minutes)
            nursery.cancel_scope.cancel()
        self.until = time.time()
        self.step(60 * self._choice.minutes, "asking all")
        await self.look(keys, "in the end")

    def _security(self, agents: Agents, keys: Keys | None) -> dict[str, tuple[str, ...]]:
        """The options with which each agent seals and signs. All processes of a name sign with one key."""
        arguments = {name: ("--insecure",) if keys is None else keys.arguments(name) for name in agents.names}
        if self._choice.signed:
            for name in agents.names:
                file = agents.folder / f"{name}.identity"
                SigningKey.generate().save_new(file)
                arguments[name] += ("--identity", str(file))
        return arguments

    def found(self, failure: str | None) -> Finding:
        """What has been found so far."""
        if self._trouble is None or self._began is None:
            raise MeasurementFailed("it was interrupted before anything could be found out")
        minutes = (self.until - self._began) / 60
        told, suspicions = self.deaths(), false_suspicions(self.truth, RULES)
        quarters = self._samples.quarters(self._began, self.until)
        leaks = [f"{each.name} grew from {each.first:g} to {each.last:g}" for each in quarters if each.is_leak]
        violations = self.violations(failure, leaks)
        general: dict[str, Number] = {
            "minutes": minutes,
            "processes": len(self.truth.lives),
            "acts": self._trouble.done.total(),
            "lines": len(self.truth.sights),
            "deaths_told": told.told,
            "false_deaths": len(told.false),
            "deaths_of_stopped": told.of_stopped,
            "deaths_of_leavers": told.of_leavers,
            "suspicions_of_running": suspicions,
            "violations": len(violations),
            "benchmark_late_s": self._latest_s,
        }
        seed = self._choice.seed
        held = [self.sample(each.label, each.numbers(), seed) for each in quarters]
        return Finding(
            samples=[self.sample(self._conditions(), general, seed), *self.spread_samples(seed), *held],
            violations=violations,
            shown=[
                Text(f"{len(self.names)} agents for {minutes:.1f} minutes, {self._conditions()}", style="bold"),
                rich_table(_done_table(self._trouble.done)),
                rich_table(self.known_table(*Deed)),
                rich_table(quarters_table(quarters)) if quarters else "too short to compare quarters",
                self._summary(told, suspicions),
            ],
            what=f"{our_version()}, each agent a process (gossip agent), profile lan",
        )

    def _summary(self, told: Deaths, suspicions: int) -> str:
        return (
            f"{told.told:,} deaths told: {told.of_stopped:,} of members that stood still, {told.of_leavers:,} of "
            f"members that were leaving, {len(told.false):,} false. {suspicions:,} suspicions of members that ran. "
            f"The machine kept the benchmark itself waiting for {self._latest_s:.2f} s at most."
        )

    def _conditions(self) -> str:
        """The network and the security, in words."""
        choice = self._choice
        delay = "delayed" if self._delayed else "no delay (not in this kernel)"
        security = f"{'sealed' if choice.sealed else 'plain'}, {'signed' if choice.signed else 'unsigned'}"
        return f"{choice.loss:.0%} loss, {delay}, {security}"

    # --- meanwhile

    async def _sample(self, agents: Agents, names: tuple[str, ...]) -> None:
        while True:
            now = time.time()
            for name in names:
                held = held_by(agents.current[name].process.pid, _counts(agents, name))
                if held is not None:
                    self._samples.add(name, now, held)
                    agents.log(time=now, name=name, **attrs.asdict(held))
            await trio.sleep(SAMPLE_EVERY_S)

    async def _tell(self, agents: Agents, trouble: Trouble, began: float) -> None:
        told, judged_at = deaths(agents.truth, RULES), time.time()
        while True:
            if time.time() > judged_at + JUDGE_EVERY_S:
                told, judged_at = deaths(agents.truth, RULES), time.time()
            up = list(agents.truth.up())
            still = sum(life.is_standing_still for life in up)
            what = (
                f"{len(up) - still} run, {still} stand still, {len(agents.names) - len(up)} are down; "
                f"{trouble.done.total()} acts; {told.told} deaths told, {len(told.false)} of them false; {trouble.last}"
            )
            self.step(time.time() - began, what)
            await trio.sleep(1.0)

    async def _look_at_itself(self) -> None:
        while True:
            due = trio.current_time() + LOOK_EVERY_S
            await trio.sleep_until(due)
            self._latest_s = max(self._latest_s, trio.current_time() - due)

    def _counting(self, name: str) -> tuple[str, ...]:
        return (sys.executable, "-m", "benchmarks.agents.counted", str(_counts(self.agents, name)))


def _done_table(done: Mapping[str, int]) -> Table:
    rows = tuple((what, f"{times:,}") for what, times in sorted(done.items()))
    return Table(title="What was done", heads=("Deed", "Times"), rows=rows)


def _counts(agents: Agents, name: str) -> Path:
    """The file into which an agent writes what it holds."""
    return agents.folder / f"{name}.counts"


@click.command(context_settings={"help_option_names": ["-h", "--help"]}, short_help="Trouble many agents for an hour.")
@click.option("--agents", type=click.IntRange(4, 200), default=50, show_default=True, help="Number of agents.")
@click.option("--minutes", type=click.FloatRange(0.1), default=60.0, show_default=True, help="Length of the trouble.")
@click.option("--loss", type=click.FloatRange(0, 0.5), default=0.05, show_default=True, help="Share of packets lost.")
@click.option("--seed", default=0, show_default=True, help="Determines which agent suffers what, and when.")
@click.option(
    "--keyring/--plain", "sealed", default=True,
    help="Seal everything, with keys that are replaced now and then, or nothing. Default: seal.",
)  # fmt: skip
@click.option(
    "--signed/--unsigned", default=True,
    help="Have each agent sign what it says of itself, or not. Default: sign.",
)  # fmt: skip
@click.option("--json", "json_file", type=FILE, metavar="FILE", help="Write what was found to this file.")
@click.option("--log", type=FILE, metavar="FILE", help="Write all that was done and told to this file, line by line.")
def main(json_file: Path | None, **choice: object) -> None:
    """Run many agents in a private network that loses packets; kill, stop and start some of them all the time.

    No agent may tell that a running one is dead, all must learn of everything that happens, all must agree in the end,
    and no agent may hold more and more memory, tasks or descriptors. The exit code is 1 if one of these is violated.
    """
    chosen = Choice(**choice)  # type: ignore[arg-type]
    carry_out(lambda step: Soak(chosen, step), 60 * chosen.minutes, json_file)
