"""What of the documentation is generated, and from which kept results.

- the pages about real clusters, whole (:mod:`benchmarks.report.pages`), with their plots;
- the tables of ``evaluation/targets.rst``, ``evaluation/choices.rst``, ``evaluation/embedding.rst`` and
  ``security.rst``, each between the two comments that name it.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from benchmarks.analysis.figures import kept_figures
from benchmarks.analysis.samples import load
from benchmarks.analysis.sources import Source
from benchmarks.endurance.hostile.borne import rates_borne
from benchmarks.environment.builds import ROOT
from benchmarks.report.pages import OVERVIEW, pages
from benchmarks.report.rst import folded, joined, list_table
from benchmarks.report.simulated import ablation_tables, figures_table
from benchmarks.report.table import Table
from tests.fuzzing import tables as fuzzing

DOCS = ROOT / "docs"
RESULTS = "benchmarks/results"

SOCKETS = (
    "news", "news-peers", "join-128", "swim", "idle", "idle-processes", "crash", "crash-more", "clusters", "heal",
    "limits", "micro",
)  # fmt: skip
"""Results over real sockets. Where two of them hold the same measurement, that of the later one counts."""

PROGRAMS = ("blocked", "latency", "embedded", "storm")
"""Results of programs that embed a node."""

FIGURES = {
    "news": "news", "updates": "update", "loss": "lossy", "slowness": "slow", "growth": "growth", "speed": "speed",
}  # fmt: skip
"""Results of simulations with targets, by what the table of each is about."""

EMBEDDING = {"imports": "imports"}
"""Results of what a program pays that embeds a node, by what the table of each is about."""

CHOICES = "choices-301e6f2"
"""What each choice in the protocol is worth."""

BOMBS = "hostile-bombs"
"""Which rates of the dearest messages a node bears."""


class NoMarkers(Exception):
    """A document has no place for a generated table. The text says which."""


def kept_sources() -> list[Source]:
    """The kept results of real clusters and programs."""
    names = [f"{RESULTS}/sockets/{name}.json" for name in SOCKETS]
    names += [f"{RESULTS}/embedding/{name}.json" for name in PROGRAMS]
    return [Source(name, load(ROOT / name)) for name in names]


def generated() -> dict[str, str]:
    """All documents that are generated in whole or in part, as they should be, by their paths in ``docs/``."""
    found = dict(pages(kept_sources()))
    for name, tables in _tables().items():
        text = (DOCS / name).read_text(encoding="utf-8")
        for marker, inside in tables.items():
            text = between_markers(text, marker, inside)
        found[name] = text
    return found


def outdated(folder: Path = DOCS) -> Iterator[str]:
    """The paths of documents that are not as the kept results would make them, and of pages that none would make."""
    wanted = generated()
    present = {path.relative_to(folder).as_posix() for path in (folder / OVERVIEW).glob("*.rst")}
    for name in sorted(wanted.keys() | present):
        file = folder / name
        if name not in wanted or not file.exists() or file.read_text(encoding="utf-8") != wanted[name]:
            yield name


def write(documents: Mapping[str, str], folder: Path) -> None:
    """Write documents into a folder."""
    for name, text in documents.items():
        file = folder / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")


def between_markers(document: str, name: str, text: str) -> str:
    """The document with new text between the comments ``.. NAME begin`` and ``.. NAME end``.

    :raises NoMarkers: if it has no such comments.
    """
    begin, end = f".. {name} begin\n", f".. {name} end\n"
    if begin not in document or end not in document:
        raise NoMarkers(f"the document has no lines {begin.strip()!r} and {end.strip()!r} to write between")
    head, rest = document.split(begin, 1)
    return f"{head}{begin}\n{text}\n\n{end}{rest.split(end, 1)[1]}"


def _tables() -> dict[str, dict[str, str]]:
    """The tables of each document that people write, by the comments between which they stand."""
    return {
        "evaluation/targets.rst": _figures(FIGURES),
        "evaluation/choices.rst": _choices(),
        "evaluation/embedding.rst": _figures(EMBEDDING),
        "security.rst": _security(),
    }


def _figures(kept: Mapping[str, str]) -> dict[str, str]:
    """Tables of figures beside their targets, by their comments."""
    return {f"figures of {what}": list_table(figures_table(kept_figures(_kept(name)))) for what, name in kept.items()}


def _choices() -> dict[str, str]:
    first, *others = ablation_tables(_kept(CHOICES)["cells"])
    conditions = [folded(table.title, list_table(Table(heads=table.heads, rows=table.rows, widths=table.widths)))
                  for table in others]  # fmt: skip
    return {"ablations": joined(list_table(first), *conditions)}


def _security() -> dict[str, str]:
    runs = _table("Fuzzing runs", fuzzing.RUNS, fuzzing.runs(), (18, 24, 14, 18, 12, 14))
    dearest = _table("Dearest bombs", fuzzing.BOMBS, fuzzing.bombs(), (28, 36, 12, 12, 12))
    borne = rates_borne(kept_figures(_kept(BOMBS)))
    return {"fuzzing runs": list_table(runs), "dearest bombs": list_table(dearest), "rates borne": list_table(borne)}


def _table(title: str, heads: Iterable[str], rows: Iterable[Iterable[str]], widths: tuple[int, ...]) -> Table:
    return Table(title=title, heads=tuple(heads), rows=tuple(map(tuple, rows)), widths=widths)


def _kept(name: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((ROOT / RESULTS / f"{name}.json").read_text(encoding="utf-8"))
    return found
