"""The rows of two tables of ``docs/security.rst``, made of what was recorded; ``python -m benchmarks report`` writes
them."""

from __future__ import annotations

from tests.fuzzing import measure, running
from tests.fuzzing.targets import TARGETS

RUNS = ("Target", "Executions", "Minutes", "Edges covered", "Crashes", "Slowest, ms")
BOMBS = ("When", "What", "Bytes", "ms", "KiB")
SLOWEST_OF_A_STAGE = 3


def runs() -> list[list[str]]:
    """What came of all recorded runs of each target, and of all together."""
    rows = []
    for target in (*TARGETS, "all"):
        of_target = [each for each in running.recorded() if target in (each["target"], "all")]
        edges = "\N{EN DASH}" if target == "all" else f"{max((each['edges'] for each in of_target), default=0):,}"
        rows.append(
            [
                target,
                f"{sum(each['executions'] for each in of_target):,}",
                f"{sum(each['seconds'] for each in of_target) / 60:.0f}",
                edges,
                str(sum(len(each["crashes"]) for each in of_target)),
                f"{max((each['slowest_ms'] for each in of_target), default=0.0):.1f}",
            ]
        )
    return rows


def bombs() -> list[list[str]]:
    """Of each stage, the bombs that cost the most time, and the one that takes the most memory."""
    rows = []
    for stage in measure.STAGES:
        found = [each for each in measure.recorded() if each.stage == stage]
        slowest = sorted(found, key=lambda cost: -cost.cpu_ms)[:SLOWEST_OF_A_STAGE]
        largest = max(found, key=lambda cost: cost.memory_kib)
        rows += [
            [each.stage, each.name, f"{each.size:,}", f"{each.cpu_ms:.2f}", f"{each.memory_kib:,.0f}"]
            for each in (*slowest, *(() if largest in slowest else (largest,)))
        ]
    return rows
