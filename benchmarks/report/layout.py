"""Which cell of which table holds what, on the terminal and in pages.

Systems that are compared stand side by side, a column each, and each number at each size is a row. Measurements that
are compared with limits have a column for each size. Where there is nothing to compare with, the numbers are the
columns.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

import attrs

from benchmarks.analysis.samples import Number, Skipped
from benchmarks.analysis.summary import COUNTERPARTS, LIMIT, OURS, Group, Kind, Stat, Summary, is_peer, ratio
from benchmarks.core.ratios import COMPARED
from benchmarks.report.numbers import cell, label, times, value
from benchmarks.report.table import Table
from benchmarks.report.targets import PEER
from benchmarks.report.wording import SPREADS, in_order, wording_of

NOT_MEASURED = "not measured"
SKIPPED = "skipped"
CONTEXT = ("given_s",)
"""Numbers that are told with others, not by themselves."""

GIVEN = frozenset({"minutes", "views", "missing"})
"""Numbers that say how much was measured, or are nearly always 0. No factors are computed for them."""


def tables_of(summary: Summary, skipped: Sequence[Skipped] = ()) -> tuple[Table, ...]:
    """A table for each experiment."""
    return tuple(table_of(summary, experiment, skipped) for experiment in in_order(summary.experiments))


def table_of(summary: Summary, experiment: str, skipped: Sequence[Skipped] = ()) -> Table:
    """The table of one experiment."""
    absent = tuple(dict.fromkeys(each.system for each in skipped if each.experiment == experiment))
    systems = tuple(dict.fromkeys((*summary.systems(experiment), *absent)))
    if COMPARED in systems:
        return _by_size(summary, experiment)
    if len(set(systems) - {LIMIT}) > 1:
        left_out = frozenset(each.system for each in skipped if each.experiment in ("", experiment))
        return _by_system(summary, experiment, systems, left_out)
    return _by_number(summary, experiment, systems)


def headline_table(summary: Summary) -> Table:
    """How soon the last node knows of each event, with ours and with the other system, in clusters of all sizes."""
    sizes = sorted({nodes for name in SPREADS for nodes in summary.nodes(name, "")})
    rows = [
        ("" if place else wording_of(name).title, system, *(_last(summary, name, system, nodes) for nodes in sizes))
        for name in SPREADS
        if summary.nodes(name, "")
        for place, system in enumerate((OURS, PEER))
    ]
    return Table(heads=("", "", *(f"{nodes} nodes" for nodes in sizes)), rows=tuple(rows), leading=2)


def _last(summary: Summary, experiment: str, system: str, nodes: int) -> str:
    stat = summary.stat(experiment, system, nodes, "last_s")
    if stat is None:
        return NOT_MEASURED
    return "never" if stat.median is None else value(stat.name, stat.median)


def numbers_of(summary: Summary, experiment: str) -> tuple[str, ...]:
    """The numbers of an experiment that are shown, those that matter most first."""
    first = wording_of(experiment).first
    found = [name for name in summary.numbers(experiment) if name not in CONTEXT]
    return tuple(sorted(found, key=lambda name: (first.index(name) if name in first else len(first), name)))


def number_label(experiment: str, number: str) -> str:
    """What a number is called in an experiment."""
    return wording_of(experiment).names.get(number) or label(number)


def cell_of(group: Group, number: str) -> str:
    """What one group gives for a number."""
    stat = group.stats.get(number)
    if stat is None:
        return NOT_MEASURED
    if number in wording_of(group.kind.experiment).summed and stat.is_told:
        return f"{stat.total:,.0f} in {stat.count}"
    return cell(stat, _given(group))


# --- systems side by side


def _by_system(summary: Summary, experiment: str, systems: tuple[str, ...], absent: frozenset[str]) -> Table:
    settings = summary.settings(experiment)
    has_settings = settings != ("",)
    rows: list[tuple[str, ...]] = []
    for number in numbers_of(summary, experiment):
        lines = [
            (
                *((setting or "none",) if has_settings else ()),
                str(nodes),
                *_cells(summary, kind, number, systems, absent),
            )
            for setting in settings
            for nodes in summary.nodes(experiment, setting)
            if _is_told(summary, kind := Kind(experiment, setting, nodes, ""), number, systems)
        ]
        every = sum(len(summary.nodes(experiment, setting)) for setting in settings)
        lines = _joined(lines, 1 + has_settings) if len(lines) == every else lines
        rows += _under(number_label(experiment, number), lines)
    heads = ("", *(("Setting",) if has_settings else ()), "Nodes", *systems)
    title = wording_of(experiment).title
    return Table(title=title, heads=heads, rows=tuple(rows), leading=len(heads) - len(systems))


def _cells(
    summary: Summary, kind: Kind, number: str, systems: tuple[str, ...], absent: frozenset[str]
) -> tuple[str, ...]:
    """The cells of all systems."""
    groups = {system: summary.groups.get(attrs.evolve(kind, system=system)) for system in systems}
    return tuple(
        (SKIPPED if system in absent else NOT_MEASURED)
        if group is None
        else _compared(group, number, _stat(groups.get(COUNTERPARTS.get(system, OURS)), number))
        for system, group in groups.items()
    )


def _is_told(summary: Summary, kind: Kind, number: str, systems: tuple[str, ...]) -> bool:
    groups = (summary.groups.get(attrs.evolve(kind, system=system)) for system in systems)
    return any(group and number in group.stats for group in groups)


def _compared(group: Group, number: str, ours: Stat | None) -> str:
    text = cell_of(group, number)
    factor = ratio(ours, _stat(group, number)) if is_peer(group.kind.system) and number not in GIVEN else None
    if factor is None or not factor or math.isinf(factor):
        return text
    return f"{text}; {times(factor)} times ours"


def _joined(lines: list[tuple[str, ...]], leading: int) -> list[tuple[str, ...]]:
    """Rows that all say the same, as one."""
    if len(lines) > 1 and len({line[leading:] for line in lines}) == 1:
        return [(*("all",) * leading, *lines[0][leading:])]
    return lines


def _under(name: str, lines: Sequence[tuple[str, ...]]) -> Iterator[tuple[str, ...]]:
    for place, line in enumerate(lines):
        yield ("" if place else name, *line)


# --- sizes side by side


def _by_size(summary: Summary, experiment: str) -> Table:
    """Measurements that are compared with limits, and the limits: a row for each number, a column for each size."""
    sizes = summary.nodes(experiment)
    rows: list[tuple[str, ...]] = []
    for setting in summary.settings(experiment):
        lines = [
            (number_label(experiment, number), *cells)
            for system in (COMPARED, LIMIT)
            for number in numbers_of(summary, experiment)
            if any(cells := _sizes_of(summary, Kind(experiment, setting, 0, system), number, sizes))
        ]
        rows += _under(setting, lines)
    heads = ("", "", *(f"{nodes:,} nodes" for nodes in sizes))
    return Table(title=wording_of(experiment).title, heads=heads, rows=tuple(rows), leading=2)


def _sizes_of(summary: Summary, kind: Kind, number: str, sizes: Sequence[int]) -> tuple[str, ...]:
    groups = (summary.groups.get(attrs.evolve(kind, nodes=nodes)) for nodes in sizes)
    return tuple(cell_of(group, number) if group and number in group.stats else "" for group in groups)


# --- numbers side by side


def _by_number(summary: Summary, experiment: str, systems: tuple[str, ...]) -> Table:
    columns = _columns(summary, experiment, systems)
    has_nodes = any(nodes > 1 for nodes in summary.nodes(experiment))
    has_settings = summary.settings(experiment) != ("",)
    rows = [
        (*((setting,) if has_settings else ()), *((str(nodes) if nodes else "",) if has_nodes else ()), *cells)
        for setting in summary.settings(experiment)
        for nodes in summary.nodes(experiment, setting)
        if any(cells := _row(summary, Kind(experiment, setting, nodes, ""), columns))
    ]
    leading = (*(("",) if has_settings else ()), *(("Nodes",) if has_nodes else ()))
    names = [number for _, number in columns]
    heads = [
        number_label(experiment, number) + (f" ({system})" if names.count(number) > 1 else "")
        for system, number in columns
    ]
    title = wording_of(experiment).title
    return Table(title=title, heads=(*leading, *heads), rows=tuple(rows), leading=len(leading))


def _columns(summary: Summary, experiment: str, systems: tuple[str, ...]) -> list[tuple[str, str]]:
    """The systems and numbers that have columns."""
    told = {(group.kind.system, number) for group in summary.of(experiment) for number in group.stats}
    wanted = numbers_of(summary, experiment)
    return [(system, number) for number in wanted for system in systems if (system, number) in told]


def _row(summary: Summary, kind: Kind, columns: Sequence[tuple[str, str]]) -> tuple[str, ...]:
    groups = [(summary.groups.get(attrs.evolve(kind, system=system)), number) for system, number in columns]
    return tuple(cell_of(group, number) if group and number in group.stats else "" for group, number in groups)


def _given(group: Group) -> Number:
    stat = group.stats.get("given_s")
    return stat.median if stat else None


def _stat(group: Group | None, number: str) -> Stat | None:
    return group.stats.get(number) if group else None
