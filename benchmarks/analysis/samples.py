"""What benchmarks keep: samples of systems in experiments, and the machine on which they were taken."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import attrs
from cattrs import Converter, transform_error
from cattrs.errors import BaseValidationError

from sims.watching import percentile

FORMAT = 1
"""Version of the format of a file of results."""

Number = float | None
"""A measured number; None for something that did not happen within the time given to it."""


class UnusableResults(Exception):
    """A file holds no results that can be read. The text says which, and why."""


@attrs.frozen(kw_only=True)
class Sample:
    """What one repetition of an experiment gave."""

    experiment: str
    """Such as ``crash``."""
    system: str
    """Such as ``ours`` or ``memberlist-lan``."""
    nodes: int
    setting: str = ""
    """What else was special, such as ``25 % loss`` or ``five at once``."""
    repeat: int = 0
    seed: int = 0
    numbers: Mapping[str, Number] = attrs.field(factory=dict)
    """By name, which ends with the unit: ``last_s``, ``bytes_per_node_s``."""
    times_s: Sequence[float] = ()
    """When each node saw what it was to see, in seconds after it happened, sorted."""

    @property
    def where(self) -> tuple[str, str, int, str]:
        """What samples of one kind have in common: experiment, system, nodes, setting."""
        return self.experiment, self.system, self.nodes, self.setting


@attrs.frozen(kw_only=True)
class Skipped:
    """Something that was not measured, and why."""

    experiment: str
    """Empty for all experiments."""
    system: str
    reason: str
    nodes: int = 0
    """At which size; 0 for all."""


@attrs.frozen(kw_only=True)
class Results:
    """Everything one command measured."""

    machine: Mapping[str, Any]
    """Cores, processor, platform, versions, commit, load before and after."""
    systems: Mapping[str, str]
    """What each system is, with its version, by its name."""
    samples: Sequence[Sample]
    skipped: Sequence[Skipped] = ()
    violations: Sequence[str] = ()
    """What must not be and was found all the same, in words."""
    format: int = FORMAT


def spread_of(times_s: Iterable[float], missing: int = 0) -> dict[str, Number]:
    """The first, median, 99 % and last of the times at which nodes saw something.

    :param missing: nodes that did not see it; if there are any, the last never did.
    """
    every = [*times_s, *[math.inf] * missing]
    shares = {"first_s": 0.0, "p50_s": 0.5, "p99_s": 0.99, "last_s": 1.0}
    found = {name: percentile(every, share) for name, share in shares.items()}
    return {name: None if value == math.inf else value for name, value in found.items()} | {"missing": float(missing)}


_CONVERTER = Converter(forbid_extra_keys=True)


def save(results: Results, file: Path) -> None:
    """Write results as JSON, one sample a line, so that people can compare two files. Whatever interrupts it, the file
    holds either these results or the previous ones."""
    told = attrs.asdict(results)
    samples = told.pop("samples")
    lines = ",\n".join("  " + json.dumps(each, sort_keys=True) for each in samples)
    head = json.dumps(told, indent=1, sort_keys=True)
    fresh = file.with_name(f"{file.name}.new")
    fresh.write_text(f'{head[:-2]},\n "samples": [\n{lines}\n ]\n}}\n')
    fresh.replace(file)


def load(file: Path) -> Results:
    """Read what :func:`save` wrote.

    :raises UnusableResults: if the file holds something else.
    """
    try:
        told = json.loads(file.read_text())
        if told.get("format") != FORMAT:
            raise UnusableResults(
                f"{file} has results of format {told.get('format')!r}, and this version reads {FORMAT}: measure again"
            )
        return _CONVERTER.structure(told, Results)
    except BaseValidationError as error:
        raise UnusableResults(f"{file}: " + "; ".join(transform_error(error))) from None
    except (OSError, ValueError, AttributeError) as error:
        raise UnusableResults(f"{file}: {error}") from None
