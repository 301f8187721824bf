"""What came of a target: a claim in words, and a rule that checks it.

A rule looks at each place that counts. If it fails at one, the target is missed. If it holds at some places and there
is nothing to look at for others, the target counts as not measured.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from enum import Enum

import attrs

from benchmarks.analysis.summary import Summary
from benchmarks.report.table import Table


class Outcome(Enum):
    """What came of a target."""

    MET = "met"
    MISSED = "missed"
    NOT_MEASURED = "not measured"
    NO_TARGET = ""


@attrs.frozen
class Look:
    """What a rule saw at one place."""

    text: str
    is_met: bool | None
    """None if there was nothing to see."""


NOTHING = Look("not measured", None)

Rule = Callable[[Summary], Sequence[tuple[str, Look]]]
"""Gives what it sees at each place that counts, with the name of the place."""


@attrs.frozen
class Target:
    """A claim about this library."""

    claim: str
    held_to: str
    rule: Rule


@attrs.frozen(kw_only=True)
class Verdict:
    """A target and what came of it."""

    claim: str
    measured: str
    """Empty if nothing was measured."""
    held_to: str
    outcome: Outcome


def verdicts_table(verdicts: Iterable[Verdict], head: str, title: str = "") -> Table:
    """What was measured beside what it is held to.

    :param head: what the rows are.
    """
    rows = tuple(
        (each.claim, each.measured or Outcome.NOT_MEASURED.value, each.held_to, each.outcome.value) for each in verdicts
    )
    return Table(title=title, heads=(head, "Measured", "Held to", ""), rows=rows)


def verdict_of(target: Target, summary: Summary) -> Verdict:
    """Check one target."""
    looks = target.rule(summary)
    results = [look.is_met for _, look in looks]
    if False in results:
        outcome = Outcome.MISSED
    else:
        outcome = Outcome.NOT_MEASURED if None in results or not looks else Outcome.MET
    is_blank = all(result is None and look is NOTHING for result, (_, look) in zip(results, looks, strict=True))
    measured = "" if is_blank else "; ".join(f"{place}: {look.text}" for place, look in looks)
    return Verdict(claim=target.claim, measured=measured, held_to=target.held_to, outcome=outcome)
