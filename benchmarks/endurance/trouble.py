"""The trouble of a soak: agents are killed, stopped, let continue, told to leave, changed, and given new keys.

The seed determines which agent suffers what, when, and for how long. Half of the agents, those with even numbers, are
never ended, so that one can see whether they come to hold more and more.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from random import Random

import attrs
import trio

from benchmarks.agents.judge import JOINED_S, Rules
from benchmarks.agents.keys import Keys
from benchmarks.agents.processes import Agents
from benchmarks.agents.trial import CONFIG

RULES = Rules(least_suspicion_s=CONFIG.suspicion_min, known_within_s=15.0)
"""All know of a crash after about five seconds; three times that, because packets are lost and agents are stopped."""

ACTS_PER_AGENT_S = 0.02
"""Each agent suffers something every fifty seconds, or as often as nothing else is done to it."""

MOST_DISTURBED = 0.25
"""Largest share of agents that are down or stopped at once."""

SHORT_STOP_S = (0.1, 0.85 * CONFIG.suspicion_min)
"""A member must survive such a stop: it ends, with some margin, before the shortest time to refute is over."""

LONG_STOP_S = (CONFIG.suspicion_min, 20.0)

SHORT_PAUSE_S = (0.0, 1.0)
"""From the end of a process to the start of the next: before most agents know of the end."""

LONG_PAUSE_S = (5.0, 30.0)
"""From the end of a process to the start of the next: once all agents know of the end."""

LONG = 0.6
"""Share of stops and pauses that are long."""

LEAST_ACTS_S = 0.25
"""Acts per second at least, where there are few agents."""

SEEDS = 3
"""Agents through which the others join. They are stopped like others, but never ended."""

STARTED_AT_ONCE = 4
"""Agents that start at once. More would slow each other down."""

ROTATIONS = 12
"""How often keys change in the whole time, as far as one rotation leaves room for the next."""

LEAST_BETWEEN_ROTATIONS_S = 10.0


@attrs.frozen
class Suffering:
    """Something that is done to an agent, and how often in relation to the others."""

    name: str
    weight: float
    ends: bool
    """Whether it ends the process."""


KILLED = Suffering("killed (SIGKILL) and started again", 3, ends=True)
LEFT = Suffering("told to leave (SIGTERM) and started again", 1, ends=True)
STOPPED = Suffering("stopped (SIGSTOP) and let go on", 4, ends=False)
CHANGED = Suffering("metadata changed (SIGHUP)", 2, ends=False)
SUFFERINGS = (KILLED, LEFT, STOPPED, CHANGED)


class Trouble:
    """Troubles the agents."""

    def __init__(self, agents: Agents, keys: Keys | None, random: Random, command: Callable[[str], Sequence[str]],
                 arguments: Callable[[str], Sequence[str]]) -> None:  # fmt: skip
        """:param keys: None if nothing is sealed.
        :param arguments: gives the options with which an agent of a name starts.
        :param command: gives the command ``gossip`` that starts an agent of a name.
        """
        self._agents = agents
        self._keys = keys
        self._random = random
        self._command = command
        self._arguments = arguments
        self._seeds = agents.names[: 2 * SEEDS : 2]
        self._free = set(agents.names)
        self._disturbed: set[str] = set()
        self.done: Counter[str] = Counter()
        """How often each thing was done."""
        self.last = ""
        """What was done last, and to which agent."""

    async def start_all(self) -> None:
        """Start all agents, the seeds first."""
        others = [name for name in self._agents.names if name not in self._seeds]
        for group in (self._seeds, others):
            limit = trio.CapacityLimiter(STARTED_AT_ONCE)
            async with trio.open_nursery() as nursery:
                for name in group:
                    nursery.start_soon(self._start_within, name, limit)

    def lasting(self) -> tuple[str, ...]:
        """The agents that are never ended."""
        return self._agents.names[::2]

    async def go_on_for(self, seconds: float) -> None:
        """Do one thing after the other; returns once the last is over."""
        deadline = trio.current_time() + seconds
        rate = max(LEAST_ACTS_S, ACTS_PER_AGENT_S * len(self._agents.names))
        async with trio.open_nursery() as nursery:
            if self._keys is not None:
                nursery.start_soon(self._change_keys, self._keys, deadline, seconds / ROTATIONS)
            while trio.current_time() < deadline:
                await trio.sleep(self._random.expovariate(rate))
                self._begin(nursery)

    async def start(self, name: str) -> None:
        """Start one agent."""
        arguments, command = self._arguments(name), self._command(name)
        await self._agents.start(name, *arguments, command=command, seeds=self._seeds)

    # --- parts

    def _begin(self, nursery: trio.Nursery) -> None:
        """Draw what is done to which agent. If that is not possible now, do nothing."""
        random = self._random
        (suffering,) = random.choices(SUFFERINGS, [each.weight for each in SUFFERINGS])
        is_long, share = random.random() < LONG, random.random()
        candidates = self._agents.names[1::2] if suffering.ends else self._agents.names
        name = random.choice(candidates)
        is_disturbing = suffering is not CHANGED
        if name not in self._free or (is_disturbing and not self._has_room()):
            return
        self._free.discard(name)
        if is_disturbing:
            self._disturbed.add(name)
        self.done[suffering.name] += 1
        self.last = f"{name} {suffering.name}"
        nursery.start_soon(self._suffer, name, suffering, is_long, share)

    def _has_room(self) -> bool:
        return len(self._disturbed) < max(1, MOST_DISTURBED * len(self._agents.names))

    async def _suffer(self, name: str, suffering: Suffering, is_long: bool, share: float) -> None:
        if suffering is CHANGED:
            self._agents.change(name)
        elif suffering is STOPPED:
            self._agents.stop(name)
            await trio.sleep(_between(LONG_STOP_S if is_long else SHORT_STOP_S, share))
            self._agents.go_on(name)
        else:
            await (self._agents.kill(name) if suffering is KILLED else self._agents.leave(name))
            await trio.sleep(_between(LONG_PAUSE_S if is_long else SHORT_PAUSE_S, share))
            await self.start(name)
        self._disturbed.discard(name)
        # Until all must know of it, nothing else is done to it: else one could not tell what they should know.
        await trio.sleep(RULES.known_within_s + JOINED_S)
        self._free.add(name)

    async def _change_keys(self, keys: Keys, deadline: float, every_s: float) -> None:
        while trio.current_time() + max(every_s, LEAST_BETWEEN_ROTATIONS_S) < deadline:
            await trio.sleep(max(every_s, LEAST_BETWEEN_ROTATIONS_S))
            await keys.replace()
            self.done["key replaced, in three steps"] += 1
            self.last = f"all have the key {keys.keyring.in_use.id}"

    async def _start_within(self, name: str, limit: trio.CapacityLimiter) -> None:
        async with limit:
            await self.start(name)


def _between(bounds: tuple[float, float], share: float) -> float:
    low, high = bounds
    return low + share * (high - low)
