"""A figure beside its target, the closing table, and the machine it was measured on."""

from __future__ import annotations

import json
import math
import os
import platform
import statistics
import subprocess
from collections.abc import Callable, Iterable, Sequence
from importlib import metadata
from pathlib import Path

import attrs
from rich.table import Table

PACKAGES = ("attrs", "cbor2", "trio")
"""Installed packages whose versions matter for the figures."""

PERCENTILE = 0.95

_FORMATS: dict[str, Callable[[float], str]] = {
    "s": "{:.3f} s".format,
    "ms": "{:.2f} ms".format,
    "KiB": "{:.0f} KiB".format,
    "B": "{:.0f} B".format,
    "datagrams": "{:.2f}".format,
    "": "{:g}".format,
}


class MeasurementFailed(Exception):
    """Something that was to be measured did not happen at all."""


@attrs.frozen(kw_only=True)
class Figure:
    """One measured number."""

    name: str
    value: float
    unit: str = ""
    target: float | None = None
    """What the value should not exceed; None if it is only told."""
    is_minimum: bool = False
    """Whether the target is the least that is wanted."""
    samples: tuple[float, ...] = ()
    """What the value was computed from, in the order of measuring."""

    @property
    def is_met(self) -> bool | None:
        """Whether the target is met; None if there is none."""
        if self.target is None:
            return None
        return self.value >= self.target if self.is_minimum else self.value <= self.target

    @property
    def value_text(self) -> str:
        """The value for people."""
        return _FORMATS[self.unit](self.value)

    @property
    def target_text(self) -> str:
        """The target for people."""
        if self.target is None:
            return ""
        if not self.target:
            return "0"
        return f"{'>=' if self.is_minimum else '<='} {self.target:g} {'' if self.unit == 'datagrams' else self.unit}"


def median(name: str, samples: Sequence[float], target: float | None = None) -> Figure:
    """The median of some times."""
    return Figure(
        name=f"{name}: median of {len(samples)}",
        value=statistics.median(samples),
        unit="s",
        target=target,
        samples=tuple(samples),
    )


def percentile(name: str, samples: Sequence[float]) -> Figure:
    """The smallest of some times that :data:`PERCENTILE` of them do not exceed."""
    value = sorted(samples)[math.ceil(PERCENTILE * len(samples)) - 1]
    return Figure(name=f"{name}: {PERCENTILE:.0%} of them within", value=value, unit="s")


def worst(name: str, samples: Sequence[float], target: float | None = None) -> Figure:
    """The longest of some times."""
    return Figure(name=f"{name}: worst of {len(samples)}", value=max(samples), unit="s", target=target)


def table_of(figures: Iterable[Figure]) -> Table:
    """The closing table."""
    table = Table()
    table.add_column("what")
    table.add_column("measured", justify="right", no_wrap=True)
    table.add_column("target", justify="right", no_wrap=True)
    table.add_column("met", no_wrap=True)
    for figure in figures:
        met = {True: "yes", False: "[bold red]NO[/]", None: ""}[figure.is_met]
        table.add_row(figure.name, figure.value_text, figure.target_text, met)
    return table


def machine() -> dict[str, object]:
    """What the figures were measured on, and of which version of the source."""
    return {
        "cores": os.cpu_count(),
        "load": [round(load, 2) for load in os.getloadavg()],
        "platform": platform.platform(),
        "python": platform.python_version(),
        "packages": {name: metadata.version(name) for name in PACKAGES},
        "commit": _commit(),
    }


def as_json(figures: Iterable[Figure], failures: Sequence[str], machines: dict[str, dict[str, object]]) -> str:
    """Everything, the single samples included, for other programs."""
    told = [attrs.asdict(figure) | {"is_met": figure.is_met} for figure in figures]
    return json.dumps({"figures": told, "failures": failures, **machines}, indent=1) + "\n"


def _commit() -> str:
    """The commit of the source, with a plus sign if it was changed since."""
    folder = Path(__file__).parent
    try:
        commit = _git(folder, "rev-parse", "--short", "HEAD")
        return commit + "+" * bool(_git(folder, "status", "--porcelain"))
    except (OSError, subprocess.CalledProcessError):
        return "unknown"


def _git(folder: Path, *arguments: str) -> str:
    done = subprocess.run(["git", "-C", folder, *arguments], capture_output=True, text=True, check=True)
    return done.stdout.strip()
