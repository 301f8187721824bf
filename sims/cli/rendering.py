"""Outcomes and summaries as text for people. Programs read their JSON."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import attrs
from rich.console import Console
from rich.table import Table
from rich.text import Text

from ..plan import labelled, sizes
from ..running import Outcome, Violation
from ..sweep import Distribution, Summary
from ..watching import POINTS, CrashMeasure, FalseDeaths, UpdateMeasure, percentile
from ..words import counted
from .terminal import PlainConsole, table_of

SHOWN_NEWS = 5
"""The most crashes, and updates, that are shown one by one."""

SHOWN_SEEDS = 20
"""The most violating seeds that are shown one by one."""

ALARM = "bold red"

STOPPED = """\
The run stopped at this violation. Later steps of its plan did not happen, and NEVER counts members that had not heard
by then."""


def print_outcome(outcome: Outcome, groups: Mapping[str, Sequence[str]] | None = None) -> None:
    """Print the outcome of a run.

    :param groups: the groups of its plan.
    """
    console = PlainConsole()
    console.print(Text(outcome.in_words, "bold"))
    console.print(Text(f"{outcome.scenario}, {outcome.nodes} nodes, seed {outcome.seed}, {outcome.profile}"))
    if groups:
        console.print(Text(f"groups: {sizes(groups)}"))
    console.print(_figures(outcome))
    _print_news(console, _CRASH_TITLES, [_crash_row(each, groups) for each in outcome.crashes])
    _print_news(console, _UPDATE_TITLES, [_update_row(each, groups) for each in outcome.updates])
    _print_news(console, _LEAVE_TITLES, [_update_row(each, groups) for each in outcome.leaves])
    _print_sometimes(console, "TIMES", outcome.sometimes)
    for violation in outcome.violations:
        _print_violation(console, violation)
    if not outcome.completed:
        console.print(Text(STOPPED))
    if outcome.is_good:
        console.print()
        console.print(Text("all invariants held", "green"))


def print_summary(summary: Summary) -> None:
    """Print the summary of a sweep."""
    console = PlainConsole()
    console.print(Text(summary.in_words, "bold"))
    title = f"{summary.scenario}, seeds {summary.seeds}: {counted(summary.runs, 'run')}"
    missing = f", {summary.missing} missing" if summary.missing else ""
    console.print(Text(title + missing))
    console.print(_totals(summary))
    console.print()
    console.print(_spreads(summary))
    _print_sometimes(console, "RUNS", summary.sometimes)
    violating = [(f"{each.invariant} at {each.at:.3f} s: {each.text}", each.command) for each in summary.violating]
    runs = counted(len({each.seed for each in summary.violating}), "run")
    _print_seeds(console, f"VIOLATED in {runs}:", violating)
    failed = [(each.text.strip().rpartition("\n")[2], each.command) for each in summary.failed]
    _print_seeds(console, f"FAILED: {counted(len(failed), 'run')}", failed)
    if summary.is_good:
        console.print()
        console.print(Text(f"all invariants held in {counted(summary.runs, 'run')}", "green"))


def _seconds(value: float | None) -> str:
    return "-" if value is None else f"{value:.3f} s"


def _wrongs(wrongs: FalseDeaths) -> str:
    """How often members held a running one dead. A member is impaired if a fault of the plan affects it."""
    kinds = {
        "of healthy members, by healthy ones": wrongs.healthy_by_healthy,
        "of healthy members, by impaired ones": wrongs.healthy_by_impaired,
        "of impaired members": wrongs.impaired,
    }
    return "; ".join(f"{count:,} {kind}" for kind, count in kinds.items() if count) or "none"


def _suspicions(result: Outcome | Summary) -> str:
    """How often members suspected a running one, and how often no fault explains that."""
    false = result.suspicions_healthy_by_healthy
    kinds = {"of healthy members, by healthy ones": false, "because of a fault": result.suspicions - false}
    return "; ".join(f"{count:,} {kind}" for kind, count in kinds.items() if count) or "none"


# --- one outcome


def _figures(outcome: Outcome) -> Table:
    table = table_of("", "", text_columns=2)
    rate = outcome.per_node_s
    table.add_row("time", f"{outcome.virtual_s:.3f} virtual s in {outcome.wall_s:.3f} s")
    table.add_row("traffic", f"{counted(outcome.datagrams, 'datagram')}, {counted(outcome.bytes, 'byte')}")
    table.add_row("", f"{rate.datagrams_sent:.2f} datagrams and {rate.bytes_sent:.1f} bytes sent per node and second")
    if (joins := outcome.joins) is not None:
        all_saw = "never" if joins.all_see_all_s is None else _seconds(joins.all_see_all_s)
        sizes = counted(joins.distinct_sizes_seen, "different size")
        table.add_row("joins", f"all saw all: {all_saw}; {sizes} seen until then")
    table.add_row("false deaths", _wrongs(outcome.false_deaths))
    table.add_row("suspicions", _suspicions(outcome))
    if outcome.heal_s is not None:
        table.add_row("all agreed", f"{_seconds(outcome.heal_s)} after the last step")
    table.add_row("trace hash", outcome.trace_hash)
    return table


_CRASH_TITLES = ("CRASH OF", "AT", "FIRST SUSPECTS", "FIRST HOLDS DEAD", "HALF DO", "LAST DOES", "NEVER DO")
_UPDATE_TITLES = ("UPDATE OF", "AT", "FIRST KNOWS", "HALF KNOW", "99 % KNOW", "LAST KNOWS", "NEVER KNOW")
_LEAVE_TITLES = ("FAREWELL OF", *_UPDATE_TITLES[1:])


@attrs.frozen
class _News:
    """A crash or an update, as a row of a table."""

    name: str
    at: float
    times: tuple[float | None, ...]
    missing: int


def _crash_row(crash: CrashMeasure, groups: Mapping[str, Sequence[str]] | None) -> _News:
    times = (crash.first_suspect_s, crash.first_dead_s, crash.p50_dead_s, crash.last_dead_s)
    return _News(labelled(crash.name, groups or {}), crash.at, times, crash.missing)


def _update_row(update: UpdateMeasure, groups: Mapping[str, Sequence[str]] | None) -> _News:
    times = (update.first_s, update.p50_s, update.p99_s, update.last_s)
    return _News(labelled(update.name, groups or {}), update.at, times, update.missing)


def _print_news(console: Console, titles: Sequence[str], news: Sequence[_News]) -> None:
    """Print the first news, how many more there are, and the medians of all."""
    if not news:
        return
    table = table_of(*titles)
    for each in news[:SHOWN_NEWS]:
        table.add_row(each.name, _seconds(each.at), *map(_seconds, each.times), str(each.missing))
    if len(news) > SHOWN_NEWS:
        table.add_row(f"and {len(news) - SHOWN_NEWS} more")
    if len(news) > 1:
        columns = zip(*(each.times for each in news), strict=True)
        medians = [percentile([time for time in column if time is not None], 0.5) for column in columns]
        missing = sum(each.missing for each in news)
        table.add_row(f"medians of {len(news)}", "", *map(_seconds, medians), f"{missing} in all")
    console.print()
    console.print(table)


def _print_violation(console: Console, violation: Violation) -> None:
    console.print()
    console.print(Text(f"VIOLATED: {violation.invariant} at {violation.at:.3f} s", ALARM))
    console.print(Text(violation.text))
    if violation.last_events:
        console.print(Text("The last events before it:"))
    for event in violation.last_events:
        console.print(Text(f"    {event}"))


# --- a summary


def _totals(summary: Summary) -> Table:
    table = table_of("", "", text_columns=2)
    table.add_row("time", f"{summary.virtual_s:,.0f} virtual s in {summary.wall_s:,.1f} s, all runs together")
    table.add_row("false deaths", _wrongs(summary.false_deaths))
    table.add_row("suspicions", _suspicions(summary))
    return table


def _spreads(summary: Summary) -> Table:
    """A table of the figures that occur."""
    table = table_of("FIGURE", "VALUES", "MEDIAN", "99 %", "WORST", "NEVER")
    figures: list[tuple[str, Distribution]] = [
        ("seconds from a crash until the last held it dead", summary.crash_last_dead_s),
        ("seconds from an update until the last knew it", summary.update_last_s),
        ("seconds from the beginning until all saw all", summary.join_all_see_all_s),
        ("seconds from the last step until all agreed", summary.heal_s),
        ("datagrams sent per node and second", summary.datagrams_per_node_s),
        ("bytes sent per node and second", summary.bytes_per_node_s),
    ]
    for name, spread in figures:
        if spread.count or spread.never:
            values = ("-" if each is None else f"{each:,.3f}" for each in (spread.median, spread.p99, spread.worst))
            table.add_row(name, f"{spread.count:,}", *values, f"{spread.never:,}")
    return table


def _print_seeds(console: Console, alarm: str, complaints: Sequence[tuple[str, str]]) -> None:
    """Print what is wrong with each seed, and the command that repeats its run."""
    if not complaints:
        return
    console.print()
    console.print(Text(alarm, ALARM))
    for text, command in complaints[:SHOWN_SEEDS]:
        console.print(Text(command, "bold"), soft_wrap=True)
        console.print(Text(f"    {text}"), no_wrap=True, overflow="ellipsis")
    if len(complaints) > SHOWN_SEEDS:
        console.print(f"and {len(complaints) - SHOWN_SEEDS} more; --json names all")


# --- both


def _print_sometimes(console: Console, title: str, counts: Mapping[str, int]) -> None:
    """Print the rare paths that were taken."""
    reached = {point: count for point, count in counts.items() if count}
    if not reached:
        return
    table = table_of("REACHED", title, "")
    table.columns[2].justify = "left"
    for point, count in reached.items():
        table.add_row(point, f"{count:,}", POINTS.get(point, ""))
    console.print()
    console.print(table)
