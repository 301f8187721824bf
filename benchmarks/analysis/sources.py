"""Several files of results together: which samples count, and the facts about the machines.

Where two files have samples of the same kind, those of the file that is named later count, and the earlier ones are
left out. So a new measurement replaces an old one, and is never mixed with it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import attrs

from benchmarks.analysis.samples import Results, Sample, Skipped, load
from benchmarks.analysis.summary import is_ours


@attrs.frozen
class Source:
    """A file and what is in it."""

    name: str
    """Its path, as it was given."""
    results: Results


def read(file: Path) -> Source:
    """Read a file.

    :raises UnusableResults: if it holds no results.
    """
    return Source(file.as_posix(), load(file))


def samples_of(sources: Sequence[Source]) -> tuple[Sample, ...]:
    """The samples that count."""
    last = {sample.where: source.name for source in sources for sample in source.results.samples}
    return tuple(sample for source in sources for sample in source.results.samples if last[sample.where] == source.name)


def systems_of(sources: Sequence[Source]) -> dict[str, str]:
    """What each system is, ours first."""
    found = {name: text for source in sources for name, text in source.results.systems.items()}
    return dict(sorted(found.items(), key=lambda item: not is_ours(item[0])))


def skipped_of(sources: Sequence[Source]) -> tuple[Skipped, ...]:
    """What was skipped, unless a later file has measured it."""
    found: dict[Skipped, None] = {}
    for place, source in enumerate(sources):
        later = [sample for other in sources[place + 1 :] for sample in other.results.samples]
        found |= dict.fromkeys(each for each in source.results.skipped if not _is_among(each, later))
    return tuple(found)


def _is_among(skipped: Skipped, samples: Sequence[Sample]) -> bool:
    return any(
        (sample.experiment, sample.system) == (skipped.experiment, skipped.system)
        and skipped.nodes in (0, sample.nodes)
        for sample in samples
    )


def machine_facts(machine: Mapping[str, Any]) -> dict[str, str]:
    """The facts about a machine, each as text, by name."""
    return {str(name).replace("_", " "): _text(value) for name, value in machine.items()}


def _text(value: Any) -> str:
    if isinstance(value, Mapping):
        return ", ".join(f"{name} {_text(inner)}" for name, inner in value.items())
    if isinstance(value, Sequence) and not isinstance(value, str):
        return ", ".join(map(_text, value))
    return "unknown" if value is None else str(value)
