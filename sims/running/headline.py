"""The first line of a report: what happened in a run, who knew of it when, and who was falsely accused or held dead.

An example: 8 crashed; all 16 others knew within 6.4 s; nobody was falsely accused.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from functools import partial

from ..plan import Plan
from ..plan.groups import in_words
from ..steps import AnyStep, Crash, Leave, Subject, Update
from ..watching import CrashMeasure, Measures, Spread, UpdateMeasure
from ..words import counted, seconds
from .outcome import Outcome

AT_ONCE_S = 0.0005
"""A time below this counts as none."""

NEVER_KNEW = "never knew"
"""The phrase for members that did not learn of something in a whole run."""

NOT_YET = "did not know yet"
"""The phrase for these members in a run that stopped."""

NEWS = {"crash": "crash", "leave": "farewell", "update": "change"}
"""Kinds of news in words."""


def headline(plan: Plan, outcome: Outcome, measures: Measures) -> str:
    """The line for a run.

    :param plan: its plan, with steps that name single nodes.
    """
    done = [step for step in plan.steps if step.at <= outcome.virtual_s]  # a run stops at its first violation
    parts = [
        _what_happened(plan, done),
        _who_knew(done, measures.spreads, NEVER_KNEW if outcome.completed else NOT_YET),
        _agreement(plan, outcome) if outcome.completed else "",
        _who_was_wronged(plan, measures),
        "" if outcome.completed else f"stopped at {seconds(outcome.virtual_s)}",
    ]
    if outcome.violations:
        broken = dict.fromkeys(each.invariant for each in outcome.violations)
        parts.append(f"violated: {', '.join(broken)}")
    return "; ".join(part for part in parts if part)


def headline_of_many(outcomes: Sequence[Outcome], failed: int = 0) -> str:
    """The line for all runs of a sweep.

    :param failed: the number of runs without an outcome.
    """
    found: dict[str, list[tuple[float | None, int]]] = {"crash": [], "farewell": [], "change": []}
    for run in outcomes:
        found["crash"] += [(crash.last_dead_s, crash.missing) for crash in run.crashes if _counts(run, crash)]
        found["farewell"] += [(leave.last_s, leave.missing) for leave in run.leaves if _counts(run, leave)]
        found["change"] += [(update.last_s, update.missing) for update in run.updates if _counts(run, update)]
    parts = [counted(len(outcomes), "run"), *_known({what: all_such for what, all_such in found.items() if all_such})]
    if heals := [run.heal_s for run in outcomes if run.heal_s is not None]:
        parts.append(f"all agreed again within {seconds(max(heals))}")
    dead = sum(run.false_deaths.healthy_by_healthy > 0 for run in outcomes)
    accused = sum(run.suspicions_healthy_by_healthy > 0 for run in outcomes)
    if dead:
        parts.append(f"in {counted(dead, 'run')} a member was falsely held dead")
    parts.append(
        f"in {counted(accused, 'run')} a member was falsely accused" if accused else "nobody was falsely accused"
    )
    if violated := sum(not run.is_good for run in outcomes):
        parts.append(f"{counted(violated, 'run')} violated an invariant")
    if failed:
        parts.append(f"{counted(failed, 'run')} failed")
    return "; ".join(parts)


def _counts(run: Outcome, news: CrashMeasure | UpdateMeasure) -> bool:
    """Whether the line counts this news. Of a run that stopped, it counts only news that all knew by then."""
    return run.completed or not news.missing


# --- what happened


def _what_happened(plan: Plan, done: Sequence[AnyStep]) -> str:
    by_category: dict[str, list[AnyStep]] = {}
    for step in done:
        by_category.setdefault(step.category, []).append(step)
    clusters = f" in {plan.clusters} clusters" if plan.clusters > 1 else ""
    phrases = [f"{plan.nodes} started at once{clusters}"] if plan.joins else []
    phrases += [steps[0].describe(steps, partial(_named, plan)) for steps in by_category.values()]
    return ", ".join(phrases) or "nothing happened"


def _named(plan: Plan, keys: Collection[str]) -> Subject:
    """Nodes in words: one by its name, several by their groups or their number."""
    chosen = set(keys)
    if len(chosen) == 1:
        return Subject(next(iter(chosen)), is_plural=False)
    groups = in_words(chosen, plan.groups)
    if groups is None:
        return Subject(str(len(chosen)), is_plural=True)
    return Subject(f"{groups} ({len(chosen)} members)", is_plural=" and " in groups)


# --- who knew


def _who_knew(done: Sequence[AnyStep], spreads: Sequence[Spread], unaware: str) -> str:
    """Who knew of crashes, farewells and changes.

    A restart is a crash as well. The line tells only when all agreed after it, not who knew of it.
    """
    crashes = {(step.node, step.at) for step in done if isinstance(step, Crash)}
    told: dict[str, list[Spread]] = {}
    for each in spreads:
        news = each.news
        if _listeners(each) and (news.kind != "crash" or (news.node.key, news.at) in crashes):
            told.setdefault(NEWS[news.kind], []).append(each)
    if len(told) == 1:
        (found,) = told.values()
        if len({(each.news.at, _listeners(each)) for each in found}) == 1:
            return _of_one_moment(found, unaware)
    known = {what: [(each.last_s, each.missing) for each in found] for what, found in told.items()}
    return "; ".join(_known(known, unaware))


def _known(news: Mapping[str, Sequence[tuple[float | None, int]]], unaware: str = NEVER_KNEW) -> list[str]:
    """How far news spread.

    :param news: by kind, for each piece when the last member knew of it, and how many members did not.
    :param unaware: the phrase for those members.
    """
    lacking = {what: sum(missing > 0 for _, missing in found) for what, found in news.items()}
    known = [
        f"of {'the' if len(found) == 1 else 'each'} {what} within {seconds(max(last or 0.0 for last, _ in found))}"
        for what, found in news.items()
        if not lacking[what]
    ]
    unknown = [
        f"some {unaware} of {lacking[what]} of {counted(len(found), what)}"
        for what, found in news.items()
        if lacking[what]
    ]
    return [*([f"all others knew {', '.join(known)}"] if known else []), *unknown]


def _of_one_moment(found: Sequence[Spread], unaware: str) -> str:
    """Who knew of several pieces of news that began at one moment. A member knew if it learnt of all of them."""
    others, missing = _listeners(found[0]), max(each.missing for each in found)
    who = "other" if others == 1 else f"{others} others"
    if any(each.news.unaware for each in found):
        who = f"{others} who saw {'it' if len(found) == 1 else 'them'} then"
    if missing:
        some = "the" if others == 1 else "all the" if missing == others else f"{missing} of the"
        return f"{some} {who} {unaware}"
    return f"{'the' if others == 1 else 'all'} {who} knew within {_last(found)}"


def _listeners(spread: Spread) -> int:
    return len(spread.times) + spread.missing


def _last(found: Sequence[Spread]) -> str:
    return seconds(max(each.last_s or 0.0 for each in found))


def _agreement(plan: Plan, outcome: Outcome) -> str:
    """When all agreed, if there was more to agree on than one piece of news."""
    if outcome.joins is not None and not plan.steps:
        after = outcome.joins.all_see_all_s
        return "they never all saw all" if after is None else f"all saw all after {seconds(after)}"
    if all(isinstance(step, Crash | Leave | Update) for step in plan.steps):
        return ""
    if outcome.heal_s is None:
        return "not all agreed in the end"
    if outcome.heal_s < AT_ONCE_S:
        return "all agreed when it was over"
    return f"all agreed again {seconds(outcome.heal_s)} after it was over"


# --- who was wronged


def _who_was_wronged(plan: Plan, measures: Measures) -> str:
    """Which running members others accused or held dead.

    A belief of a healthy member about a healthy member is false. A fault explains all others.
    """
    falsely = measures.accused_falsely - measures.held_dead
    parts = []
    for keys, words in (
        (measures.wronged, "falsely held dead"),
        (measures.held_dead - measures.wronged, "held dead because of the fault"),
        (falsely, "falsely accused, and not held dead"),
        (measures.accused - measures.held_dead - falsely, "accused because of the fault, and not held dead"),
    ):
        if keys:
            who = _named(plan, keys)
            parts.append(f"{who.text} {who.was} {words}")
    if not falsely:
        parts.append("nobody else was falsely accused" if parts else "nobody was falsely accused")
    return ", ".join(parts)
