"""A figure beside its target, and the table of them."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Sequence

import attrs
from rich.table import Table

WIDTH_ELSEWHERE = 120
"""Columns of a table where standard output is no terminal."""

_FORMATS: dict[str, Callable[[float], str]] = {
    "s": "{:.3f} s".format,
    "ms": "{:.2f} ms".format,
    "us": "{:.2f} us".format,
    "KiB": "{:.0f} KiB".format,
    "B": "{:.0f} B".format,
    "datagrams": "{:.2f}".format,
    "": "{:g}".format,
}


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


def as_json(figures: Iterable[Figure], failures: Sequence[str], machines: dict[str, dict[str, object]]) -> str:
    """Everything, the single samples included, for other programs."""
    told = [attrs.asdict(figure) | {"is_met": figure.is_met} for figure in figures]
    return json.dumps({"figures": told, "failures": failures, **machines}, indent=1) + "\n"
