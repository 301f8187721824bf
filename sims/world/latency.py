"""Latencies: distributions of one-way delays, in seconds.

Each distribution is its quantile function. So every distribution turns one number from a link's random stream into one
delay.
"""

from __future__ import annotations

import csv
import math
from pathlib import Path
from statistics import NormalDist
from typing import Any

import attrs

from gossip.core.errors import ConfigurationError

from .checks import at_least

MAX_FROM_CSV = 1000
"""Most delays kept from a file, at even quantiles if it has more. They become part of the plan."""

_normal_quantile = NormalDist().inv_cdf
_SMALLEST_SHARE = 2.0**-60
"""Used in place of the share 0, where some quantiles are infinite."""


@attrs.frozen
class Constant:
    """Always the same delay."""

    seconds: float = attrs.field(validator=at_least(0))

    def quantile(self, share: float) -> float:
        """The delay that this share of datagrams does not exceed."""
        return self.seconds


@attrs.frozen
class Uniform:
    """All delays from ``low`` to ``high`` are equally likely."""

    low: float = attrs.field(validator=at_least(0))
    high: float = attrs.field(validator=at_least(0))

    def __attrs_post_init__(self) -> None:
        if self.high < self.low:
            raise ConfigurationError(f"high must not be below low, but {self.high:g} is below {self.low:g}")

    def quantile(self, share: float) -> float:
        """The delay that this share of datagrams does not exceed."""
        return self.low + (self.high - self.low) * share


@attrs.frozen
class Exponential:
    """A fixed delay plus an exponential one, as behind a queue."""

    mean: float = attrs.field(validator=at_least(0))
    """Mean of the exponential part."""
    base: float = attrs.field(default=0.0, validator=at_least(0))

    def quantile(self, share: float) -> float:
        """The delay that this share of datagrams does not exceed."""
        return self.base - self.mean * math.log1p(-share)


@attrs.frozen
class Lognormal:
    """The shape of most networks: a clear median, and some delays far above it."""

    median: float = attrs.field(validator=at_least(0))
    sigma: float = attrs.field(default=0.3, validator=at_least(0))
    """Standard deviation of the logarithm of the delay. With 0.3, one delay in a hundred is twice the median."""

    def quantile(self, share: float) -> float:
        """The delay that this share of datagrams does not exceed."""
        return self.median * math.exp(self.sigma * _normal_quantile(share or _SMALLEST_SHARE))


@attrs.frozen
class Pareto:
    """A heavy tail: some delay is always much longer than all before."""

    minimum: float = attrs.field(validator=at_least(0))
    alpha: float = attrs.field(default=2.5, validator=at_least(0.1))
    """How fast the tail thins out. At 1 and below, even the mean is infinite."""

    def quantile(self, share: float) -> float:
        """The delay that this share of datagrams does not exceed."""
        return self.minimum * math.pow(1.0 - share, -1.0 / self.alpha)


def _measured(values: Any) -> tuple[float, ...]:
    return tuple(sorted(float(value) for value in values))


def _usable(_: Any, attribute: attrs.Attribute[Any], values: tuple[float, ...]) -> None:
    if not values or not all(0 <= value < math.inf for value in values):
        raise ConfigurationError(f"{attribute.name} must be one or more delays in seconds, none below 0")


@attrs.frozen
class Measured:
    """Measured delays, and values between neighbouring ones."""

    values: tuple[float, ...] = attrs.field(converter=_measured, validator=_usable)

    @classmethod
    def from_csv(cls, path: Path, column: str | None = None, unit_s: float = 1.0) -> Measured:
        """Read delays from a CSV file.

        :param column: name of the column in the first row. Without it, the first column counts.
        :param unit_s: seconds per unit of the file: 0.001 for milliseconds.
        :raises ConfigurationError: if the file cannot be read, has no such column, or has a row without a number.
        """
        try:
            with path.open(newline="", encoding="utf-8") as file:
                rows = [row for row in csv.reader(file) if row]
        except (OSError, UnicodeDecodeError) as error:
            raise ConfigurationError(f"{path} cannot be read: {error}") from None
        at = 0
        if column is not None:
            if not rows or column not in rows[0]:
                raise ConfigurationError(f"{path} has no column {column!r}; its first row is {rows[:1]}")
            at, rows = rows[0].index(column), rows[1:]
        try:
            measured = cls([float(row[at]) * unit_s for row in rows])
        except (ValueError, IndexError) as error:
            raise ConfigurationError(f"{path}: not a delay in every row: {error}") from None
        if len(measured.values) <= MAX_FROM_CSV:
            return measured
        return cls([measured.quantile(number / (MAX_FROM_CSV - 1)) for number in range(MAX_FROM_CSV)])

    def quantile(self, share: float) -> float:
        """The delay that this share of datagrams does not exceed."""
        place = share * (len(self.values) - 1)
        below = int(place)
        above = min(below + 1, len(self.values) - 1)
        return self.values[below] + (self.values[above] - self.values[below]) * (place - below)


Latency = Constant | Uniform | Exponential | Lognormal | Pareto | Measured
"""Any of the distributions."""


def parse_latency(text: str) -> Latency:
    """Parse a distribution that a person wrote: a median in seconds, or the name of a CSV file of delays in seconds.

    :raises ConfigurationError: if the text is neither.
    """
    try:
        median = float(text)
    except ValueError:
        return Measured.from_csv(Path(text))
    return Lognormal(median)
