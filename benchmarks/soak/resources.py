"""What processes hold, at first and at last: the memory, tasks and descriptors of those that lived all the time.

An agent is sampled again and again. Its medians of the first and the last quarter of the time are compared, which
neither a moment's stream nor a moment's thread can change.
"""

from __future__ import annotations

import os
import statistics
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path

import attrs

PAGE_KIB = os.sysconf("SC_PAGE_SIZE") / 1024

LEAST_SAMPLES = 3
"""In each quarter; of fewer nothing is said."""


@attrs.frozen
class Held:
    """What one process held at a moment."""

    memory_kib: float
    descriptors: float
    threads: float
    tasks: float
    blocks: float
    """Blocks of memory that Python had given out when the caches of the core had just been emptied."""


@attrs.frozen
class Allowed:
    """By how much more than at first a process may hold at last, in the median of all agents and in any of them."""

    median: float
    any: float


ALLOWED: Mapping[str, Allowed] = {
    "memory_kib": Allowed(median=1024, any=2048),
    "blocks": Allowed(median=1500, any=3000),
    "descriptors": Allowed(median=0, any=1),
    "threads": Allowed(median=0, any=1),
    "tasks": Allowed(median=0, any=1),
}
"""For the blocks, this is one in a hundred: a bigger view of the world, such as sessions of those that have started
again since the last change of keys. What the process occupies is more, and varies with how it was handed out."""


@attrs.frozen
class Quarters:
    """One kind of thing, over all agents that were sampled in both quarters."""

    name: str
    agents: int
    first: float
    """Median over the agents of their medians."""
    last: float
    growth: float
    """Median over the agents of their growth."""
    worst: float
    """The largest growth of any."""

    @property
    def is_leak(self) -> bool:
        """Whether it grew by more than is allowed."""
        allowed = ALLOWED[self.name]
        return self.growth > allowed.median or self.worst > allowed.any


def held_by(pid: int, counts: Path) -> Held | None:
    """What a process holds now; None if it has ended, or has not counted yet."""
    process = Path(f"/proc/{pid}")
    try:
        memory = int((process / "statm").read_text().split()[1]) * PAGE_KIB
        threads = int((process / "stat").read_text().rpartition(")")[2].split()[17])
        descriptors = len(os.listdir(process / "fd"))
        tasks, blocks = map(float, counts.read_text().split())
    except (OSError, ValueError, IndexError):
        return None
    return Held(memory, descriptors, threads, tasks, blocks)


class Samples:
    """What each agent held at which time."""

    def __init__(self) -> None:
        self._of: dict[str, list[tuple[float, Held]]] = {}

    def add(self, agent: str, time: float, held: Held) -> None:
        """Keep one."""
        self._of.setdefault(agent, []).append((time, held))

    def quarters(self, began: float, ended: float) -> tuple[Quarters, ...]:
        """Compare the first and the last quarter of the time between ``began`` and ``ended``; empty if there is too
        little to compare."""
        quarter = (ended - began) / 4
        pairs = [
            (_within(samples, began, began + quarter), _within(samples, ended - quarter, ended))
            for samples in self._of.values()
        ]
        pairs = [pair for pair in pairs if min(map(len, pair)) >= LEAST_SAMPLES]
        if not pairs:
            return ()
        return tuple(_compared(field.name, pairs) for field in attrs.fields(Held))


def _within(samples: Iterable[tuple[float, Held]], since: float, until: float) -> list[Held]:
    return [held for time, held in samples if since <= time <= until]


def _compared(name: str, pairs: Sequence[tuple[Sequence[Held], Sequence[Held]]]) -> Quarters:
    value: Callable[[Held], float] = lambda held: float(getattr(held, name))  # noqa: E731
    firsts, lasts = ([statistics.median(map(value, each[which])) for each in pairs] for which in (0, 1))
    growths = [last - first for first, last in zip(firsts, lasts, strict=True)]
    return Quarters(
        name=name,
        agents=len(pairs),
        first=statistics.median(firsts),
        last=statistics.median(lasts),
        growth=statistics.median(growths),
        worst=max(growths),
    )
