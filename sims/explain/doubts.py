"""Doubts about one member: who did not believe it to be alive, when and why, beside what was true.

Times are virtual seconds since the beginning of the run. Why a process doubted the member is not found out here: its
own core has kept the evidence.
"""

from __future__ import annotations

import attrs

from gossip.core.detection.evidence import Asked, Explanation, Told

from ..world import SimulatedNode

NOW_S = 1e-6
"""Two times that differ by less are one moment: clocks that drift are converted with a rounding error."""


@attrs.define(eq=False)
class Life:
    """One generation of the member."""

    node: SimulatedNode
    id: int
    began: float
    ended: float | None = None
    """When its process ended, or it began another generation; None if it did not."""
    left_at: float | None = None
    """When it said farewell."""

    def was_running(self, at: float) -> bool:
        """Whether there was such a process at that time."""
        return self.began <= at and (self.ended is None or at < self.ended)


@attrs.frozen(kw_only=True)
class Counters:
    """How far the member's counter had got at one moment, as two sides knew it."""

    seen: int
    """The highest value that this process had seen."""
    own: int
    """The member's own value; if its process did not run, the last one."""
    runs: bool
    """Whether its process ran, and was not paused."""


@attrs.frozen(kw_only=True)
class Accusation:
    """A process became an accuser of the member."""

    at: float
    floor: int
    raised: bool
    """Whether it raised the floor itself, or joined those who had."""
    counters: Counters


@attrs.define(eq=False, kw_only=True)
class Opinion:
    """What one process held against the member, from the first suspicion until it believed in the member again."""

    node: SimulatedNode
    since: float
    evidence: Explanation
    """What its core had to say when it last suspected the member, or when it declared the member dead."""
    floor: int = 0
    """The counter that would have cleared the member, until it was held dead."""
    accusation: Accusation | None = None
    """Its own accusation; None if it only heard of others'."""
    died_at: float | None = None
    """When it held the member dead; None if it only suspected it."""
    ended: float | None = None
    """None: it doubted the member to the end of the run."""
    end: str = ""
    """Why it ended, in words."""

    @property
    def key(self) -> str:
        """The key of the process."""
        return self.node.key

    @property
    def asked(self) -> tuple[Asked, ...]:
        """Its probes of the member that failed, oldest first. At most 8 are kept."""
        return self.evidence.asked

    @property
    def told(self) -> tuple[Told, ...]:
        """The accusations and convictions that it knew of, oldest first. At most 8 are kept."""
        return self.evidence.told

    @property
    def suspected_by(self) -> str | None:
        """Who told it of the suspicion; None if it accused the member first, or if there is no evidence."""
        return self._teller(self.told[0]) if self.told else None

    @property
    def convicted_by(self) -> str | None:
        """Who told it that the member is dead; None if it found that out itself, or if there is no evidence."""
        conviction = self.conviction
        return None if conviction is None else self._teller(conviction)

    @property
    def conviction(self) -> Told | None:
        """The conviction that it heard of or made, the last one."""
        return next((each for each in self.told if each.is_conviction), None)

    @property
    def hearsay(self) -> Told | None:
        """A conviction by others that it did not believe at once; None if there was none."""
        conviction = self.conviction
        if conviction is None or self._teller(conviction) is None:
            return None
        believed = self.died_at is not None and self.died_at - self.at(conviction.at) < NOW_S
        return None if believed else conviction

    def at(self, local: float) -> float:
        """The virtual time at which the clock of the process showed this."""
        return self.node.clock.virtual(local)

    def _teller(self, told: Told) -> str | None:
        return None if told.by == self.evidence.node else told.by


@attrs.define(eq=False, kw_only=True)
class Doubt:
    """A time in which at least one process suspected one life of the member, or held it dead."""

    life: Life
    began: float
    ended: float | None = None
    """When the last process believed in it again; None: not before the end of the run."""
    opinions: list[Opinion] = attrs.Factory(list)
    """In the order in which they began; one process may have several, one after the other."""
    own_counters: list[tuple[float, int]] = attrs.Factory(list)
    """The member's own counter while it lasted: when, and the value."""

    @property
    def suspected(self) -> tuple[Opinion, ...]:
        """The first opinion of each process."""
        first: dict[int, Opinion] = {}
        for each in self.opinions:
            first.setdefault(id(each.node), each)
        return tuple(first.values())

    @property
    def accusers(self) -> tuple[Opinion, ...]:
        """The opinions of those that accused it before it was first held dead, in that order."""
        until = float("inf") if self.decided is None else self.decided
        accused = [(each.accusation.at, each) for each in self.opinions if each.accusation is not None]
        return tuple(each for at, each in sorted(accused, key=lambda pair: pair[0]) if at <= until)

    @property
    def died(self) -> tuple[Opinion, ...]:
        """The opinions of those that held it dead, the first of each process, in the order of that."""
        dead = [(each.died_at, each) for each in self.opinions if each.died_at is not None]
        first: dict[int, Opinion] = {}
        for _, each in sorted(dead, key=lambda pair: pair[0]):
            first.setdefault(id(each.node), each)
        return tuple(first.values())

    @property
    def is_death(self) -> bool:
        """Whether anybody held it dead."""
        return self.decided is not None

    @property
    def decided(self) -> float | None:
        """When the first process held it dead."""
        return min((each.died_at for each in self.opinions if each.died_at is not None), default=None)

    @property
    def floor(self) -> int:
        """The counter that would have cleared it."""
        return (self.died or self.opinions)[0].floor

    @property
    def zero(self) -> float:
        """When the first failed probe of an accuser began; without one, when the doubt began."""
        probes = (each.at(asked.began) for each in self.accusers for asked in each.asked)
        return min((self.began, *probes))

    @property
    def was_running(self) -> bool:
        """Whether the member's process ran when it was first held dead, or suspected if it never was."""
        return self.life.was_running(self.began if self.decided is None else self.decided)

    @property
    def reached(self) -> float | None:
        """When the member's own counter first stood at the floor or above; None if it did not while this lasted."""
        return next((at for at, counter in self.own_counters if counter >= self.floor), None)
