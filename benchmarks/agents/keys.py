"""The keys of agents, each in a file of its own, and changing them while all run: one agent after the other."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from random import Random

import trio

from benchmarks.agents.processes import Agents
from benchmarks.measuring import MeasurementFailed
from gossip.security.keyring import Key, Keyring

PAUSE_S = 0.05
"""Between one agent and the next: each step takes some seconds, in which some have done it and others have not."""

TAKEN_UP_WITHIN_S = 60.0
"""An agent that has not taken up a new file by then never will. It looks each second; the rest is for those that stand
still."""

CHECK_EVERY_S = 0.2

HURRY = 0.5
"""Share of agents that are told to read the file; the others find out by themselves."""


class Keys:
    """What is in the files, and who has taken it up."""

    def __init__(self, agents: Agents, keyring: Keyring, random: Random) -> None:
        """Writes the file of each agent, before any of them is started."""
        self._agents = agents
        self._random = random
        self.keyring = keyring
        """What all files say, once a step is over."""
        for name in agents.names:
            keyring.save(self.file(name))

    def file(self, name: str) -> Path:
        """The file of one agent."""
        return self._agents.folder / f"{name}.keys"

    def arguments(self, name: str) -> tuple[str, ...]:
        """With these, an agent takes its file."""
        return "--keyring", str(self.file(name))

    async def step(self, keyring: Keyring) -> None:
        """Give all agents this ring, one after the other, and wait until all that are up have taken it up.

        :raises MeasurementFailed: if one does not.
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

        :raises MeasurementFailed: if an agent does not take part in one.
        """
        for ring in replacement(self.keyring, Key.generate()):
            await self.step(ring)


def replacement(ring: Keyring, new: Key) -> Iterator[Keyring]:
    """The rings, one after the other, by which the key in use is replaced by another one, or by ``PLAIN``."""
    old = ring.in_use
    yield (ring := ring.add(new))
    yield (ring := ring.use(new.id))
    yield ring.drop(old.id)
