"""The figures of an outcome as HTML: every field of it, so that none can be forgotten."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape
from typing import Any

import attrs

from ..running import Outcome
from ..watching import POINTS

IN_HEADER = ("in_words", "scenario", "nodes", "seed", "profile", "virtual_s", "wall_s", "trace_hash", "violations")
"""Fields of an outcome that the page shows above the figures."""

UNITS = {"_s": " (s)", "_ms": " (ms)", "_bytes": " (bytes)"}
"""The units that endings of fields stand for."""

ABBREVIATIONS = {"p50": "median", "p99": "99th percentile", "at": "at (s)"}


def figures(outcome: Outcome) -> str:
    """Tables of all fields that are not in the header."""
    fields = {field.name: getattr(outcome, field.name) for field in attrs.fields(Outcome)}
    single, tables = [], []
    for name, value in fields.items():
        if name in IN_HEADER:
            continue
        if isinstance(value, Mapping):
            rows = [(each, count, POINTS.get(each, "")) for each, count in value.items()]
            tables.append(_table(label(name), ("point", "times", "meaning"), rows))
        elif isinstance(value, tuple):
            tables.append(_records(label(name), value))
        elif attrs.has(type(value)):
            single += [(f"{label(name)}: {label(each)}", inner) for each, inner in attrs.asdict(value).items()]
        else:
            single.append((label(name), value))
    return "\n".join([_table("Whole run", ("figure", "value"), single), *tables])


def label(name: str) -> str:
    """The name of a field, as people write it."""
    if name.endswith("_per_node_s") or name == "per_node_s":
        return name.removesuffix("_s").replace("_", " ") + " and second"
    unit = next((words for ending, words in UNITS.items() if name.endswith(ending)), "")
    stem = next((name.removesuffix(ending) for ending in UNITS if name.endswith(ending)), name)
    words = [ABBREVIATIONS.get(word, word) for word in stem.split("_")]
    return " ".join(words) + unit


def number(value: Any) -> str:
    """A value, to the thousandth."""
    if value is None:
        return "none"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return f"{value:,.3f}"
    return f"{value:,}" if isinstance(value, int) else str(value)


def banner(outcome: Outcome) -> str:
    """Whether everything held; if not, the violations and the events before them."""
    violations = outcome.violations
    if not violations:
        return '<p class="banner good" id="banner"><span aria-hidden="true">✓</span> All invariants held.</p>'
    parts = []
    for each in violations:
        events = "".join(f"<li>{escape(line)}</li>" for line in each.last_events)
        parts.append(
            f"<h2>{escape(each.invariant)} at {each.at:.3f} s</h2><p>{escape(each.text)}</p>"
            f"<details open><summary>The last {len(each.last_events)} events before it</summary>"
            f"<ol>{events}</ol></details>"
        )
    count = "An invariant does" if len(violations) == 1 else f"{len(violations)} invariants do"
    head = f'<p><span aria-hidden="true">✗</span> <strong>{count} not hold.</strong></p>'
    if not outcome.completed:
        head += "<p>The run stopped there. Later steps of its plan did not happen.</p>"
    return f'<div class="banner bad" id="banner">{head}{"".join(parts)}</div>'


def _records(caption: str, records: Sequence[Any]) -> str:
    if not records:
        return _table(caption, ("none",), ())
    names = [field.name for field in attrs.fields(type(records[0]))]
    rows = [[getattr(record, name) for name in names] for record in records]
    return _table(caption, [label(name) for name in names], rows)


def _table(caption: str, heads: Sequence[str], rows: Sequence[Sequence[Any]]) -> str:
    caption = caption[:1].upper() + caption[1:]
    head = "".join(f'<th scope="col">{escape(each)}</th>' for each in heads)
    body = "".join(f"<tr>{''.join(map(_cell, row))}</tr>" for row in rows)
    scrolls = f'tabindex="0" role="region" aria-label="{escape(caption)}"'
    table = f"<table><caption>{escape(caption)}</caption><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"
    return f'<div class="scroll" {scrolls}>{table}</div>'


def _cell(value: Any) -> str:
    kind = "text" if isinstance(value, str) else "number"
    return f'<td class="{kind}">{escape(number(value))}</td>'
