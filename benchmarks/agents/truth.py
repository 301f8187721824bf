"""The truth about agents: which process of which name ran, was stopped or was gone, when; and what each agent told.

Nothing here judges or starts anything. All times are Unix seconds of one machine's clock: the benchmark's own for what
it did, and the agents' for what they told.
"""

from __future__ import annotations

import bisect
import enum
from collections.abc import Iterator, Mapping

import attrs


@attrs.define
class Stop:
    """A time in which a process was stopped."""

    began: float
    """Just before it was stopped."""
    ended: float | None = None
    """When it could continue; None while it is stopped."""


@attrs.define(eq=False)
class Life:
    """One process of a name, from its start to its end."""

    name: str
    run: int
    """1 for the first process of this name, and one more for each that followed."""
    spawned: float
    started: float | None = None
    """When it told that it takes part."""
    generation: int | None = None
    """Its start in Unix milliseconds, as it told itself."""
    stops: list[Stop] = attrs.Factory(list)
    leaving: float | None = None
    """When it was told to leave."""
    killed: float | None = None
    """When it was killed."""
    ended: float | None = None
    """When its end was noticed."""
    keys: tuple[str, tuple[str, ...]] | None = None
    """The id of the key that seals and the ids of the keys that open, as it told last."""

    @property
    def gone(self) -> float | None:
        """Since when it may be absent, for whatever reason; None if it must still be present."""
        times = [time for time in (self.leaving, self.killed, self.ended) if time is not None]
        return min(times, default=None)

    @property
    def is_up(self) -> bool:
        """Whether it must be present now, even if it has not told so yet, or is stopped."""
        return self.gone is None

    @property
    def is_standing_still(self) -> bool:
        """Whether it is stopped now."""
        return bool(self.stops) and self.stops[-1].ended is None

    def stand_still(self, now: float) -> None:
        """Note that it is about to be stopped."""
        self.stops.append(Stop(now))

    def go_on(self, now: float) -> None:
        """Note that it continues."""
        self.stops[-1].ended = now

    def is_steady(self, since: float, until: float) -> bool:
        """Whether it took part and ran all the time in between."""
        if self.started is None or self.started > since or (self.gone is not None and self.gone <= until):
            return False
        return not any(stop.began <= until and (stop.ended is None or stop.ended >= since) for stop in self.stops)

    def __str__(self) -> str:
        return self.name if self.run == 1 else f"{self.name} (process {self.run})"


class Deed(enum.Enum):
    """What was done to an agent, or by it, that all others have to learn."""

    STARTED = "started"
    CHANGED = "metadata changed"
    LEFT = "left"
    KILLED = "killed"
    WOKEN = "let go on"


@attrs.frozen(eq=False)
class Act:
    """One such deed."""

    deed: Deed
    at: float
    life: Life
    value: str = ""
    """The new value in its metadata, if that is what changed."""


@attrs.frozen
class Sight:
    """One line that an agent wrote about a member."""

    observer: Life
    kind: str
    """``joined``, ``suspected``, ``died`` and so on."""
    subject: str
    generation: int
    time: float
    value: str = ""
    """The value under the key ``value`` of the member's metadata."""
    accusers: tuple[str, ...] = ()


class Truth:
    """Everything that was done and told so far."""

    def __init__(self) -> None:
        self.lives: list[Life] = []
        self.acts: list[Act] = []
        self.sights: list[Sight] = []
        self._by_name: dict[str, list[Life]] = {}

    def spawn(self, name: str, now: float) -> Life:
        """Note the start of a process."""
        runs = self._by_name.setdefault(name, [])
        life = Life(name, len(runs) + 1, now)
        runs.append(life)
        self.lives.append(life)
        return life

    def do(self, deed: Deed, life: Life, now: float, value: str = "") -> None:
        """Note a deed."""
        self.acts.append(Act(deed, now, life, value))

    def bearer(self, name: str, generation: int) -> Life | None:
        """The process with this name and generation; None if there was none.

        The generation is the time at which the process began to take part, so it lies between its start and that of the
        next process of the name.
        """
        runs = self._by_name.get(name, [])
        place = bisect.bisect_right(runs, generation / 1000 + 0.001, key=lambda life: life.spawned)
        return runs[place - 1] if place else None

    def current(self) -> Mapping[str, Life]:
        """The latest process of each name."""
        return {name: runs[-1] for name, runs in self._by_name.items()}

    def up(self) -> Iterator[Life]:
        """The processes that must be present now."""
        return (life for life in self.current().values() if life.is_up)
