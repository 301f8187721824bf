"""The keys of agents, each agent with a file of its own, and how they change while all agents run: one after the
other."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from random import Random

import trio

from benchmarks.agents.processes import Agents
from benchmarks.environment.measuring import MeasurementFailed
from gossip.security.keyring import Key, Keyring

PAUSE_S = 0.05
"""Between one agent and the next. Each step takes some seconds, in which some agents have the new ring and others do
not."""

TAKEN_UP_WITHIN_S = 60.0
"""An agent that has not taken up a new file by then never will. It looks each second; the rest of the time is for
stopped agents."""

CHECK_EVERY_S = 0.2

HURRY = 0.5
"""Share of agents that get a signal to read their file; the others find out by themselves."""


class Keys:
    """What is in the files, and which agents have taken it up."""

    def __init__(self, agents: Agents, keyring: Keyring, random: Random) -> None:
        """Write the file of each agent, before any of them is started."""
        self._agents = agents
        self._random = random
        self.keyring = keyring
        """The ring in all files, once a step is over."""
        for name in agents.names:
            keyring.save(self.file(name))

    def file(self, name: str) -> Path:
        """The file of one agent."""
        return self._agents.folder / f"{name}.keys"

    def arguments(self, name: str) -> tuple[str, ...]:
        """The options with which an agent uses its file."""
        return "--keyring", str(self.file(name))

    async def step(self, keyring: Keyring) -> None:
        """Give this ring to all agents, one after the other, and wait until all that are up have taken it up.

        :raises MeasurementFailed: if one does not in time.
        """
        for name in self._agents.names:
            await trio.to_thread.run_sync(keyring.save, self.file(name))
            life = self._agents.current[name].life
            if life.started is not None and life.is_up and self._random.random() < HURRY:
                self._agents.reread(name)
            await trio.sleep(PAUSE_S)
        self.keyring = keyring
        told = keyring.in_use.id, tuple(key.id for key in keyring.keys)

        def lacking() -> list[str]:
            return [str(life) for life in self._agents.truth.up() if life.keys != told]

        with trio.move_on_after(TAKEN_UP_WITHIN_S):
            while lacking():  # noqa: ASYNC110 - any of them may be replaced meanwhile
                await trio.sleep(CHECK_EVERY_S)
        if lacking():
            raise MeasurementFailed(f"new keys were not taken up by {', '.join(lacking())}")

    async def replace(self) -> None:
        """Replace the key in use by a new one, in three steps.

        :raises MeasurementFailed: if an agent does not take up a ring.
        """
        for ring in replacement(self.keyring, Key.generate()):
            await self.step(ring)


def replacement(ring: Keyring, new: Key) -> Iterator[Keyring]:
    """The rings, one after the other, by which another key, or ``PLAIN``, replaces the key in use."""
    old = ring.in_use
    yield (ring := ring.add(new))
    yield (ring := ring.use(new.id))
    yield ring.drop(old.id)
