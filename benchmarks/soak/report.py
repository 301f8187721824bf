"""What a soak found: as samples to be kept, and as tables for people."""

from __future__ import annotations

from collections.abc import Iterator

from rich.console import RenderableType
from rich.table import Table
from rich.text import Text

from benchmarks.agents.tables import known_table, table_of
from benchmarks.samples import Number, Sample, spread_of
from benchmarks.soak.resources import Quarters
from benchmarks.soak.run import Choice, Found

EXPERIMENT = "soak"
SYSTEM = "ours-agents"

NAMES = {
    "memory_kib": "memory (RSS), KiB",
    "descriptors": "open descriptors",
    "threads": "threads",
    "tasks": "tasks of trio",
    "blocks": "blocks of memory in use",
}


def samples_of(choice: Choice, found: Found) -> Iterator[Sample]:
    """Everything that was measured."""
    yield _sample(
        choice,
        conditions(choice, found),
        minutes=found.minutes,
        processes=found.lives,
        acts=sum(found.done.values()),
        lines=found.sights,
        deaths_told=found.deaths.told,
        false_deaths=len(found.deaths.false),
        deaths_of_stopped=found.deaths.of_stopped,
        deaths_of_leavers=found.deaths.of_leavers,
        suspicions_of_running=found.suspicions,
        violations=len(found.violations),
        benchmark_late_s=found.latest_s,
    )
    for deed, spread in found.spreads.items():
        if spread.deeds:
            yield _sample(choice, deed.value, deeds=spread.deeds, **spread_of(spread.times_s, len(spread.missing)))
    for each in found.quarters:
        yield _sample(
            choice, NAMES[each.name], agents=each.agents, first_quarter=each.first, last_quarter=each.last,
            growth=each.growth, worst_growth=each.worst,
        )  # fmt: skip


def conditions(choice: Choice, found: Found) -> str:
    """Under which it was, in words."""
    delay = "delayed" if found.delayed else "no delay (not in this kernel)"
    security = f"{'sealed' if choice.sealed else 'plain'}, {'signed' if choice.signed else 'unsigned'}"
    return f"{choice.loss:.0%} loss, {delay}, {security}"


def _sample(choice: Choice, setting: str, **numbers: Number) -> Sample:
    return Sample(
        experiment=EXPERIMENT, system=SYSTEM, nodes=choice.agents, setting=setting, seed=choice.seed, numbers=numbers
    )


def as_text(choice: Choice, found: Found) -> Iterator[RenderableType]:
    """Tables for people."""
    yield Text(f"{choice.agents} agents for {found.minutes:.1f} minutes, {conditions(choice, found)}", style="bold")
    yield _done_table(found)
    yield known_table(found.spreads)
    yield _quarters_table(found.quarters) if found.quarters else "too short to compare quarters"
    yield (
        f"{found.deaths.told:,} deaths told: {found.deaths.of_stopped:,} of members that stood still, "
        f"{found.deaths.of_leavers:,} of some that were leaving, {len(found.deaths.false):,} false. "
        f"{found.suspicions:,} suspicions of members that ran. "
        f"The benchmark itself was kept waiting for {found.latest_s:.2f} s at most."
    )


def _done_table(found: Found) -> Table:
    table = table_of("What was done", "Deed", "Times")
    for what, times in sorted(found.done.items()):
        table.add_row(what, f"{times:,}")
    return table


def _quarters_table(quarters: tuple[Quarters, ...]) -> Table:
    title = f"What the {quarters[0].agents} agents held that were never ended"
    table = table_of(title, "", "First quarter", "Last quarter", "Growth", "Largest of any", "Verdict")
    for each in quarters:
        verdict = "LEAK" if each.is_leak else "ok"
        numbers = (each.first, each.last, each.growth, each.worst)
        table.add_row(NAMES[each.name], *(f"{number:,.0f}" for number in numbers), verdict)
    return table
