"""Stories of agents for tests: what was done to them and what they told, made up."""

from __future__ import annotations

from benchmarks.agents.judge import Rules
from benchmarks.agents.truth import Deed, Life, Sight, Truth

RULES = Rules(least_suspicion_s=2.0, known_within_s=10.0)

LONG_AGO = 1_000_000.0
"""When everything begins; all times of a story are seconds after it."""


class Story:
    """Agents that all started long before time 0, unless something else is said."""

    def __init__(self, *names: str) -> None:
        self.truth = Truth()
        for name in names:
            self.starts(name, at=-100.0)

    def __getitem__(self, name: str) -> Life:
        """The latest process of a name."""
        return self.truth.current()[name]

    def starts(self, name: str, at: float) -> Life:
        """A process starts, and takes part half a second later."""
        life = self.truth.spawn(name, LONG_AGO + at - 0.5)
        life.started = LONG_AGO + at
        life.generation = generation_at(at)
        self.truth.do(Deed.STARTED, life, life.started)
        return life

    def stops(self, name: str, since: float, until: float | None = None) -> None:
        """It stands still; for good, if no end is given."""
        self[name].stand_still(LONG_AGO + since)
        if until is not None:
            self[name].go_on(LONG_AGO + until)
            self.truth.do(Deed.WOKEN, self[name], LONG_AGO + until)

    def is_killed(self, name: str, at: float) -> None:
        """It ends without a word."""
        self[name].killed = LONG_AGO + at
        self.truth.do(Deed.KILLED, self[name], LONG_AGO + at)

    def leaves(self, name: str, at: float) -> None:
        """It is told to say farewell."""
        self[name].leaving = LONG_AGO + at
        self.truth.do(Deed.LEFT, self[name], LONG_AGO + at)

    def changes(self, name: str, at: float, value: str) -> None:
        """Its metadata says something new."""
        self.truth.do(Deed.CHANGED, self[name], LONG_AGO + at, value)

    def tells(
        self, observer: str, kind: str, subject: str, at: float, *, value: str = "", generation: int | None = None
    ) -> None:
        """An agent tells something of another one; of its latest process, if no generation is given."""
        if generation is None:
            generation = self[subject].generation
            assert generation is not None
        self.truth.sights.append(Sight(self[observer], kind, subject, generation, LONG_AGO + at, value, ("x",)))


def generation_at(at: float) -> int:
    """The generation of a process that takes part from then on: it was drawn a moment before."""
    return round(1000 * (LONG_AGO + at - 0.1))
