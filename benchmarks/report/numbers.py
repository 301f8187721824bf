"""A number in words: its name, its unit, and its values with as many digits as are significant."""

from __future__ import annotations

import math

from benchmarks.analysis.samples import Number
from benchmarks.analysis.summary import Stat, is_time

SIGNIFICANT = 3
"""Digits of a median: the third is within the spread of nearly everything that is measured."""

NOT_TOLD = "not told"

TO = "\N{EN DASH}"

UNITS = {
    "_ms_per_node_s": "ms per node and second",
    "_ms_per_node": "ms per node",
    "_kib_per_node": "KiB per node",
    "_per_node_s": "per node and second",
    "_per_node": "per node",
    "_us": "µs",
    "_ms": "ms",
    "_kib": "KiB",
    "_s": "",
}
"""What the ending of a name means, the longest first. Seconds carry their unit in every cell."""

NAMES = {
    "first_s": "first node knows",
    "p50_s": "half of the nodes know",
    "p99_s": "99 % of the nodes know",
    "last_s": "last node knows",
    "missing": "nodes that did not learn of it",
    "sizes": "different sizes seen on the way",
    "cpu_ms_per_node": "CPU time, ms per node",
    "cpu_ms_per_node_s": "CPU time, ms per node and second",
    "stream_bytes_per_node_s": "bytes on streams, per node and second",
    "memory_kib_per_node": "memory, KiB per node",
    "given_s": "time given, s",
    "views": "pairs of observer and member",
    "median_us": "median, µs",
    "stdev_us": "standard deviation, µs",
}
"""Names of numbers that do not explain themselves."""


def label(name: str) -> str:
    """The name of a number, as people write it."""
    if name in NAMES:
        return NAMES[name]
    for ending, unit in UNITS.items():
        if stem := name.removesuffix(ending) if name.endswith(ending) else "":
            return f"{_words(stem)}, {unit}" if unit else _words(stem)
    return _words(name)


def value(name: str, number: float) -> str:
    """One value of a number."""
    factor, unit = _scale(name, number)
    return f"{_digits(number * factor, _decimals(number * factor))} {unit}".rstrip()


def cell(stat: Stat, given_s: Number = None) -> str:
    """A median and the range around it. A semicolon ends a line of the cell.

    :param given_s: how long the benchmark waited for it, if that is known.
    """
    if not stat.is_told:
        return NOT_TOLD
    never = "never" if given_s is None else f"not within {given_s:g} s"
    if not stat.values:
        return never
    if stat.median is None:
        return f"{never}: {stat.never} of {stat.count}; else {value(stat.name, stat.values[0])}"
    return _with_range(stat, stat.median, never)


def times(factor: float) -> str:
    """A factor, in words."""
    if factor >= 9.95:
        return f"{factor:,.0f}"
    return f"{factor:.1f}" if factor >= 0.95 else f"{factor:.2g}"


def _with_range(stat: Stat, median: float, never: str) -> str:
    least = stat.values[0]
    factor, unit = _scale(stat.name, median)
    whole = not is_time(stat.name) and all(float(each).is_integer() for each in (*stat.values, median))
    decimals = 0 if whole else _decimals(factor * (median or stat.values[-1]))
    middle, low, high = (_digits(each * factor, decimals) for each in (median, least, stat.values[-1]))
    if stat.never:
        return f"{middle} {unit}; from {low}; {never}: {stat.never} of {stat.count}"
    shown = f"{middle} {unit}".rstrip()
    return shown if low == high else f"{shown}; ({low}{TO if least >= 0 else ' to '}{high})"


def _scale(name: str, number: float) -> tuple[float, str]:
    """The factor by which a value is multiplied, and its unit then."""
    if not is_time(name):
        return 1.0, ""
    if number >= 1.0:
        return 1.0, "s"
    return (1e3, "ms") if number >= 1e-3 or not number else (1e6, "µs")


def _decimals(number: float) -> int:
    if not number:
        return 0
    return min(max(SIGNIFICANT - 1 - math.floor(math.log10(abs(number))), 0), 6)


def _digits(number: float, decimals: int) -> str:
    return f"{number:,.{decimals}f}"


def _words(stem: str) -> str:
    return stem.replace("_", " ")
