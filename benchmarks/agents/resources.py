"""What processes hold at first and at last: the memory, tasks and descriptors of agents that lived all the time.

Each agent is sampled again and again. Its medians over the first and the last quarter of the time are compared: a
stream or a thread that lives for a moment cannot change them.
"""

from __future__ import annotations

import statistics
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path

import attrs

from benchmarks.analysis.samples import Number
from benchmarks.environment import usage
from benchmarks.report.table import Table

LEAST_SAMPLES = 3
"""In each quarter; fewer samples allow no comparison."""


@attrs.frozen
class Held:
    """What one process held at a moment."""

    memory_kib: float
    descriptors: float
    threads: float
    tasks: float
    blocks: float
    """Blocks of memory that Python had allocated just after the core's caches were emptied."""


@attrs.frozen
class Allowed:
    """How much more a process may hold at last than at first, in the median of all agents and in any single one."""

    median: float
    any: float


ALLOWED: Mapping[str, Allowed] = {
    "memory_kib": Allowed(median=1024, any=2048),
    "blocks": Allowed(median=1500, any=3000),
    "descriptors": Allowed(median=0, any=1),
    "threads": Allowed(median=0, any=1),
    "tasks": Allowed(median=0, any=1),
}
"""For the blocks, this is one in a hundred. It allows for more knowledge of the world, such as sessions of agents that
have started again since the last change of keys. The memory that a process occupies grows by more, and depends on how
Python allocated it."""


LABELS: Mapping[str, str] = {
    "memory_kib": "memory (RSS), KiB",
    "descriptors": "open descriptors",
    "threads": "threads",
    "tasks": "tasks of trio",
    "blocks": "blocks of memory in use",
}
"""The kinds of things that agents hold, for people."""


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
    def label(self) -> str:
        """What it is, for people."""
        return LABELS[self.name]

    @property
    def is_leak(self) -> bool:
        """Whether the growth exceeds what is allowed."""
        allowed = ALLOWED[self.name]
        return self.growth > allowed.median or self.worst > allowed.any

    def numbers(self) -> dict[str, Number]:
        """All numbers, for a sample."""
        return {
            "agents": self.agents,
            "first_quarter": self.first,
            "last_quarter": self.last,
            "growth": self.growth,
            "worst_growth": self.worst,
        }


def quarters_table(quarters: Sequence[Quarters]) -> Table:
    """What the agents held at first and at last."""
    rows = tuple(
        (
            each.label,
            *(f"{number:,.0f}" for number in (each.first, each.last, each.growth, each.worst)),
            "LEAK" if each.is_leak else "ok",
        )
        for each in quarters
    )
    return Table(
        title=f"What the {quarters[0].agents} agents held that were never ended",
        heads=("", "First quarter", "Last quarter", "Growth", "Largest of any", "Verdict"),
        rows=rows,
    )


def held_by(pid: int, counts: Path) -> Held | None:
    """What a process holds now; None if it has ended, or has not counted yet."""
    try:
        tasks, blocks = map(float, counts.read_text().split())
        return Held(usage.memory_kib(pid), usage.descriptors(pid), usage.threads(pid), tasks, blocks)
    except (OSError, ValueError, IndexError):
        return None


class Samples:
    """What each agent held at which time."""

    def __init__(self) -> None:
        self._of: dict[str, list[tuple[float, Held]]] = {}

    def add(self, agent: str, time: float, held: Held) -> None:
        """Keep what an agent held at a time."""
        self._of.setdefault(agent, []).append((time, held))

    def quarters(self, began: float, ended: float) -> tuple[Quarters, ...]:
        """Compare the first and the last quarter of the time between ``began`` and ``ended``; empty if there are too
        few samples."""
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
