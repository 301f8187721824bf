"""A figure beside its target: what simulations and attacks measure, and how it is kept."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import attrs

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
    """What the value should not exceed; None if nothing is asked of it."""
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


def as_json(figures: Iterable[Figure], failures: Sequence[str], machines: dict[str, dict[str, object]]) -> str:
    """Everything, the single samples included, for other programs."""
    told = [attrs.asdict(figure) | {"is_met": figure.is_met} for figure in figures]
    return json.dumps({"figures": told, "failures": failures, **machines}, indent=1) + "\n"


def kept_figures(told: Mapping[str, Any]) -> list[Figure]:
    """The figures in what :func:`as_json` wrote."""
    names = {field.name for field in attrs.fields(Figure)}
    return [Figure(**{name: value for name, value in each.items() if name in names}) for each in told["figures"]]
