"""The plots, as SVG: when nodes know, how long it takes in larger clusters, and what an idle node costs."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from matplotlib import rc_context
from matplotlib.figure import Figure
from matplotlib.layout_engine import ConstrainedLayoutEngine
from matplotlib.lines import Line2D
from matplotlib.ticker import FixedLocator, FuncFormatter, LogLocator, NullLocator, PercentFormatter

from benchmarks.analysis.summary import LIMIT, Group, Kind, Stat, Summary, is_time
from benchmarks.report.findings import COSTS, EVENTS, how_fast, pictures_of, speed, what_it_costs, when_known
from benchmarks.report.layout import number_label
from benchmarks.report.numbers import times
from benchmarks.report.rst import Picture
from benchmarks.report.style import FRAME, PAPER, SETTINGS, WIDTH_INCHES, Look, looks_of
from benchmarks.report.targets import PEER
from benchmarks.report.wording import SPREADS, wording_of

MAX_STEPS = 120
"""Most steps of one line: a reader cannot tell more of them apart, and each makes the file larger."""

EARLIEST_S = 1e-5
"""Earlier events are drawn here: a logarithmic axis has no zero."""

NUDGE = 1.025
"""The factor by which neighbours of the same size stand apart, so that no range hides another."""

TITLE_COLUMNS = 92
NOTE_COLUMNS = 50
LEGEND_COLUMNS = 4

HEADROOM = 1.06
MUCH = 12.0
"""Ratio of the largest to the smallest value from which on an axis is logarithmic."""

STEPS = (1.0, 2.0, 5.0)
"""Where a logarithmic axis has labels in each power of ten."""

WIDE = 100.0
"""Ratio of the ends of a horizontal axis from which on it has one label in each power of ten."""

UNIT = re.compile(r"(?<=\d) (ms|s|KiB)\b")
"""A unit, which stays on the line of its number."""


def write(summary: Summary, folder: Path) -> None:
    """Draw everything for which there are samples."""
    with rc_context(dict(SETTINGS)):
        for picture in pictures_of(summary):
            folder.mkdir(parents=True, exist_ok=True)
            figure = _figure(summary, picture)
            figure.savefig(folder / f"{picture.name}.svg", format="svg", metadata={"Date": None, "Creator": None})


def _figure(summary: Summary, picture: Picture) -> Figure:
    if picture.experiment in EVENTS:
        return when_figure(summary, picture.experiment)
    return cost_figure(summary) if picture.experiment else last_figure(summary)


# --- when nodes know


def when_figure(summary: Summary, experiment: str) -> Figure:
    """The share of nodes that know by some time, a panel for each number of nodes and a line for each system."""
    sizes = summary.nodes(experiment, "")
    looks = _looks(summary, [experiment])
    figure, panels = _panels(when_known(summary, experiment), len(sizes), looks)
    for nodes, axes in zip(sizes, panels, strict=True):
        axes.set_title(f"{nodes} nodes")
        for system, look in looks.items():
            group = summary.groups.get(Kind(experiment, "", nodes, system))
            if group and group.times_s:
                _draw_steps(axes, group, look)
        axes.set_xscale("log")
        axes.yaxis.set_major_formatter(PercentFormatter(1.0))
        axes.set_ylim(0.0, 1.04)
        axes.set(xlabel=f"time after {EVENTS[experiment]}", ylabel="nodes that know")
    _share_range(panels)
    return figure


def _draw_steps(axes: Any, group: Group, look: Look) -> None:
    times, shares = _steps(group.times_s, group.missing)
    axes.plot(times, shares, look.dashes, drawstyle="steps-post", color=look.colour, linewidth=look.width,
              gid=f"line-{group.kind.system}-{group.kind.nodes}")  # fmt: skip
    if not group.missing:
        axes.plot(times[-1:], shares[-1:], look.marker, color=look.colour, markersize=5)


def _steps(times_s: Sequence[float], missing: int) -> tuple[list[float], list[float]]:
    """Times and the shares reached at them, no more than a reader can tell apart; the first and the last are kept."""
    count = len(times_s)
    steps = min(count, MAX_STEPS)
    places = sorted({round(step * (count - 1) / max(steps - 1, 1)) for step in range(steps)})
    times = [max(times_s[place], EARLIEST_S) for place in places]
    return [times[0], *times], [0.0, *((place + 1) / (count + missing) for place in places)]


def _share_range(panels: Sequence[Any]) -> None:
    ranges = [axes.get_xlim() for axes in panels if axes.lines]
    earliest, latest = min(low for low, _ in ranges), max(high for _, high in ranges)
    for axes in panels:
        axes.set_xlim(earliest, latest)
        _label_decades(axes.xaxis, _time_text, STEPS if latest < WIDE * earliest else (1.0,))


# --- larger clusters


def last_figure(summary: Summary) -> Figure:
    """When the last node knows, against the number of nodes, a panel for each experiment."""
    experiments = [name for name in SPREADS if summary.nodes(name, "")]
    looks = _looks(summary, experiments)
    figure, panels = _panels(how_fast(summary), len(experiments), looks)
    for experiment, axes in zip(experiments, panels, strict=True):
        wording = wording_of(experiment)
        found = speed(summary, experiment)
        finding = f": {PEER} takes {times(found[1])} times as long" if found else ""
        axes.set_title(f"{wording.title}{finding}")
        _draw_sizes(axes, summary, experiment, "last_s", looks)
        _logarithmic(axes, _time_text)
        axes.set(ylabel=f"{number_label(experiment, 'last_s')} after")
    return figure


def _draw_sizes(axes: Any, summary: Summary, experiment: str, number: str, looks: Mapping[str, Look]) -> None:
    """Medians with their ranges. What never happened is told in words."""
    never: list[str] = []
    for place, (system, look) in enumerate(looks.items()):
        stats = [(nodes, summary.stat(experiment, system, nodes, number)) for nodes in summary.nodes(experiment, "")]
        nudge = NUDGE ** (place - (len(looks) - 1) / 2)
        told = [(nodes * nudge, *_range(stat)) for nodes, stat in stats if stat and stat.median is not None]
        if told:
            xs, lows, middles, highs = zip(*told, strict=True)
            below = [middle - low for low, middle in zip(lows, middles, strict=True)]
            above = [high - middle for middle, high in zip(middles, highs, strict=True)]
            axes.errorbar(xs, middles, yerr=(below, above), fmt=look.dashes, marker=look.marker, color=look.colour,
                          linewidth=look.width, elinewidth=1.0, capsize=2, markersize=5)  # fmt: skip
        some = [str(nodes) for nodes, stat in stats if stat and stat.never]
        never += [f"{system} at {', '.join(some)}"] if some else []
    _axis_of_sizes(axes, summary.nodes(experiment, ""))
    if never:
        note = textwrap.fill(f"(not always within the time given: {'; '.join(never)})", NOTE_COLUMNS)
        axes.set_xlabel(f"nodes\n{note}")


def _range(stat: Stat) -> tuple[float, float, float]:
    """The smallest value, the median and the largest, as far as they can be drawn."""
    floor = EARLIEST_S if is_time(stat.name) else 0.0
    low, middle, high = (max(each, floor) for each in (stat.values[0], stat.median or 0.0, stat.values[-1]))
    return low, middle, high


def _axis_of_sizes(axes: Any, sizes: Sequence[int]) -> None:
    axes.set_xscale("log")
    axes.xaxis.set_major_locator(FixedLocator(sizes))
    axes.xaxis.set_minor_locator(NullLocator())
    axes.xaxis.set_major_formatter(FuncFormatter(lambda size, _: f"{size:.0f}"))
    axes.set_xlabel("nodes")


# --- what it costs


def cost_figure(summary: Summary) -> Figure:
    """What an idle node costs, against the number of nodes, a panel for each cost."""
    numbers = [number for number in COSTS if number in summary.numbers("idle")]
    looks = _looks(summary, ["idle"])
    figure, panels = _panels(what_it_costs(summary), len(numbers), looks)
    for number, axes in zip(numbers, panels, strict=True):
        axes.set_title(COSTS[number].title)
        _draw_sizes(axes, summary, "idle", number, looks)
        _scale_from_zero(axes, summary, number)
        axes.set(ylabel=COSTS[number].unit)
    return figure


def _scale_from_zero(axes: Any, summary: Summary, number: str) -> None:
    """Let the axis begin at zero, unless some lines would lie flat on the ground."""
    medians = [group.stats[number].median for group in summary.of("idle") if number in group.stats]
    told = [median for median in medians if median]
    if told and max(told) > MUCH * min(told):
        _logarithmic(axes, _amount_text)
    else:
        axes.set_ylim(0.0, HEADROOM * axes.get_ylim()[1])
        axes.yaxis.set_major_formatter(FuncFormatter(_amount_text))


# --- all of them


def _panels(title: str, count: int, looks: Mapping[str, Look]) -> tuple[Figure, list[Any]]:
    """A figure with its title, its legend and so many panels, two in a row."""
    rows = (count + 1) // 2
    figure = Figure(figsize=(WIDTH_INCHES, 1.3 + 2.6 * rows), facecolor=PAPER, edgecolor=FRAME, linewidth=1.0,
                    layout=ConstrainedLayoutEngine(w_pad=0.1, h_pad=0.1))  # fmt: skip
    together = UNIT.sub("\u00a0\\1", title)
    figure.suptitle(textwrap.fill(together, TITLE_COLUMNS), fontsize=11.5, fontweight="bold", x=0.02, ha="left")
    grid = figure.subplots(rows, 2 if count > 1 else 1, squeeze=False).flat
    panels = list(grid)
    for spare in panels[count:]:
        spare.remove()
    handles = [
        Line2D([], [], color=look.colour, linestyle=look.dashes, linewidth=look.width, marker=look.marker, markersize=5)
        for look in looks.values()
    ]
    columns = len(looks) if len(looks) <= LEGEND_COLUMNS else LEGEND_COLUMNS - 1
    figure.legend(handles, list(looks), loc="outside lower center", ncols=columns, handlelength=3.2)
    return figure, panels[:count]


def _looks(summary: Summary, experiments: Sequence[str]) -> dict[str, Look]:
    return looks_of(system for name in experiments for system in summary.systems(name) if system != LIMIT)


def _logarithmic(axes: Any, text: Callable[[float, object], str]) -> None:
    """A logarithmic axis with three labels in each power of ten, so that every panel has some."""
    axes.set_yscale("log")
    _label_decades(axes.yaxis, text, STEPS)


def _label_decades(axis: Any, text: Callable[[float, object], str], steps: Sequence[float]) -> None:
    axis.set_major_locator(LogLocator(subs=steps))
    axis.set_major_formatter(FuncFormatter(text))
    axis.set_minor_locator(NullLocator())


def _amount_text(amount: float, _: object = None) -> str:
    return f"{amount:,g}"


def _time_text(seconds: float, _: object = None) -> str:
    if seconds >= 1.0:
        return f"{seconds:g} s"
    return f"{seconds * 1e3:g} ms" if seconds >= 1e-3 else f"{seconds * 1e6:g} µs"
