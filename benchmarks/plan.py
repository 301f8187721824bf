"""How often and how long each measurement is made, and the figures that are aimed at."""

from __future__ import annotations

import attrs

MEASURES = ("join", "idle", "memory", "update", "crash", "freeze")
"""What can be measured, in that order; ``freeze`` with agents as processes, the rest within one process."""

DEFAULT_SIZES = (32, 128)
QUICK_SIZES = (8,)
LARGE = 64
"""Clusters from this size on take longer and are measured less often."""


@attrs.frozen(kw_only=True)
class Effort:
    """Repetitions and durations for a cluster of one size."""

    joins: int
    updates: int
    crashes: int
    idle_s: float
    calm_s: float
    """How long nothing may have changed before idling is measured."""
    settle_s: float = 2.0
    """How long nothing may have changed before anything else is done to the cluster."""

    @property
    def steps(self) -> dict[str, int]:
        """Steps of progress for each measure."""
        return {"join": self.joins, "idle": 1, "memory": 1, "update": self.updates, "crash": self.crashes}


@attrs.frozen(kw_only=True)
class FreezeEffort:
    """Repetitions for the agents as processes."""

    agents: int
    short: int
    long: int
    settle_s: float
    """How long to watch after each freeze."""


@attrs.frozen(kw_only=True)
class Targets:
    """The most that each figure should be; None where nothing is demanded. Times in seconds."""

    join: float | None = None
    update_median: float | None = 0.05
    update_worst: float | None = 1.0
    crash_median: float | None = 4.0
    crash_worst: float | None = 6.0
    idle_datagrams: float = 2.5
    idle_bytes: float = 256
    idle_cpu_ms: float = 1.0


def effort_for(size: int, quick: bool) -> Effort:
    """The effort for a cluster of this size."""
    if quick:
        return Effort(joins=2, updates=5, crashes=2, idle_s=3, calm_s=1, settle_s=1)
    if size >= LARGE:
        return Effort(joins=5, updates=20, crashes=5, idle_s=20, calm_s=10)
    return Effort(joins=10, updates=50, crashes=10, idle_s=20, calm_s=10)


def freeze_effort(quick: bool) -> FreezeEffort:
    """The effort for the agents as processes."""
    return (
        FreezeEffort(agents=5, short=1, long=1, settle_s=1.5)
        if quick
        else FreezeEffort(agents=6, short=10, long=3, settle_s=3)
    )


def targets_for(size: int) -> Targets:
    """What is aimed at: figures are set for 32 and for 128 nodes, and a smaller cluster should be no worse."""
    if size <= 32:
        return Targets(join=1.0)
    if size <= 128:
        return Targets(join=3.0, update_median=None, update_worst=None, crash_worst=None)
    return Targets(update_median=None, update_worst=None, crash_median=None, crash_worst=None)
