"""One soak, from the start of the first agent to the last question, and everything that was found out by it."""

from __future__ import annotations

import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from random import Random

import attrs
import trio

from benchmarks import namespace
from benchmarks.agents.judge import Deaths, Spread, deaths, false_suspicions, oddities, spreads
from benchmarks.agents.keys import Keys
from benchmarks.agents.processes import Agents, open_agents
from benchmarks.agents.truth import Deed
from benchmarks.agents.views import agreement
from benchmarks.measuring import MeasurementFailed
from benchmarks.soak.resources import Quarters, Samples, held_by
from benchmarks.soak.trouble import CONFIG, RULES, Trouble
from gossip.security.keyring import Key, Keyring
from gossip.security.signing_key import SigningKey

SAMPLE_EVERY_S = 10.0

JUDGE_EVERY_S = 30.0
"""How often it is looked meanwhile whether a death was false."""

DELAY_S = (0.002, 0.001)
"""How long each packet takes, and by how much that varies, where the kernel can delay them: as in a data centre."""

AGREED_WITHIN_S = 60.0
"""All must see all by then: once all are started, and in the end."""

LOOK_EVERY_S = 0.1
"""How often the benchmark looks whether it is kept waiting itself."""


@attrs.frozen(kw_only=True)
class Choice:
    """What is wanted."""

    agents: int
    minutes: float
    loss: float
    seed: int
    sealed: bool
    signed: bool
    log: Path | None = None


@attrs.frozen(kw_only=True)
class Found:
    """What came of it."""

    minutes: float
    """Of trouble."""
    delayed: bool
    done: Mapping[str, int]
    """What was done, and how often."""
    lives: int
    """Processes there were."""
    sights: int
    """Lines that were told."""
    deaths: Deaths
    suspicions: int
    """Of members that ran."""
    spreads: Mapping[Deed, Spread]
    quarters: tuple[Quarters, ...]
    latest_s: float
    """The longest that the benchmark itself was kept from running: how busy the machine was."""
    violations: tuple[str, ...]


class Soak:
    """One run. What it has found can be asked for at any time, even if it was interrupted."""

    def __init__(self, choice: Choice, step: Callable[[float, str], None]) -> None:
        """:param step: told again and again how many seconds of trouble are over, and what happens."""
        self._choice = choice
        self._step = step
        self._samples = Samples()
        self._agents: Agents | None = None
        self._trouble: Trouble | None = None
        self._began: float | None = None
        self._ended: float | None = None
        self._disagreements: tuple[str, ...] = ()
        self._latest_s = 0.0
        self._delayed = False

    async def run(self) -> None:
        """Do everything.

        :raises MeasurementFailed: if an agent does not start, or does not take up a key.
        """
        names = [f"a{number:02d}" for number in range(self._choice.agents)]
        with (
            tempfile.TemporaryDirectory() as folder,
            namespace.loss(self._choice.loss),
            namespace.delay(*DELAY_S) as self._delayed,
        ):
            async with open_agents(names, Path(folder), self._choice.log) as agents:
                try:
                    await self._run(agents)
                finally:
                    self._ended = self._ended or time.time()  # before all are killed

    async def _run(self, agents: Agents) -> None:
        random = Random(self._choice.seed)
        keys = Keys(agents, Keyring.of(Key.generate()), random) if self._choice.sealed else None
        self._agents = agents
        security = self._security(agents, keys)
        self._trouble = trouble = Trouble(agents, keys, random, self._counting, security.__getitem__)
        self._step(0.0, "starting")
        await trouble.start_all()
        await self._agree(agents, keys, "once all had started")
        self._began = time.time()
        async with trio.open_nursery() as nursery:
            nursery.start_soon(self._sample, agents, trouble.lasting())
            nursery.start_soon(self._tell, agents, trouble)
            nursery.start_soon(self._look_at_itself)
            await trouble.go_on_for(60 * self._choice.minutes)
            nursery.cancel_scope.cancel()
        self._ended = time.time()
        self._step(60 * self._choice.minutes, "asking all")
        await self._agree(agents, keys, "in the end")

    def _security(self, agents: Agents, keys: Keys | None) -> dict[str, tuple[str, ...]]:
        """With which each agent seals and signs; where they sign, this makes each its key for all its lives."""
        arguments = {name: ("--insecure",) if keys is None else keys.arguments(name) for name in agents.names}
        if self._choice.signed:
            for name in agents.names:
                file = agents.folder / f"{name}.identity"
                SigningKey.generate().save_new(file)
                arguments[name] += ("--identity", str(file))
        return arguments

    async def _agree(self, agents: Agents, keys: Keys | None, when: str) -> None:
        wrong = await agreement(agents, CONFIG, None if keys is None else keys.keyring, AGREED_WITHIN_S)
        self._disagreements += tuple(f"{each}, {when}" for each in wrong)

    def found(self, failure: str | None = None) -> Found:
        """What has been found so far.

        :param failure: by which it ended too early.
        :raises MeasurementFailed: if it had not even begun.
        """
        if self._agents is None or self._trouble is None or self._began is None or self._ended is None:
            raise MeasurementFailed(failure or "it was interrupted before anything could be found out")
        truth = self._agents.truth
        told = deaths(truth, RULES)
        known = spreads(truth, RULES, self._ended)
        quarters = self._samples.quarters(self._began, self._ended)
        violations = [*([failure] if failure else []), *self._agents.failures, *told.false, *oddities(truth)]
        violations += [each for spread in known.values() for each in spread.missing]
        violations += [f"{each.name} grew from {each.first:g} to {each.last:g}" for each in quarters if each.is_leak]
        return Found(
            minutes=(self._ended - self._began) / 60,
            delayed=self._delayed,
            done=dict(self._trouble.done),
            lives=len(truth.lives),
            sights=len(truth.sights),
            deaths=told,
            suspicions=false_suspicions(truth, RULES),
            spreads=known,
            quarters=quarters,
            latest_s=self._latest_s,
            violations=(*violations, *self._disagreements),
        )

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

    async def _tell(self, agents: Agents, trouble: Trouble) -> None:
        assert self._began is not None
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
            self._step(time.time() - self._began, what)
            await trio.sleep(1.0)

    async def _look_at_itself(self) -> None:
        while True:
            due = trio.current_time() + LOOK_EVERY_S
            await trio.sleep_until(due)
            self._latest_s = max(self._latest_s, trio.current_time() - due)

    def _counting(self, name: str) -> tuple[str, ...]:
        assert self._agents is not None
        return (sys.executable, "-m", "benchmarks.soak.counted", str(_counts(self._agents, name)))


def _counts(agents: Agents, name: str) -> Path:
    """The file into which an agent writes what it holds."""
    return agents.folder / f"{name}.counts"
