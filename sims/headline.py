"""The first line of a report: what happened in a run, who knew of it when, and who was wronged, in words.

As in: 8 crashed; all 16 others knew within 6.4 s; nobody was falsely accused.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any

from gossip.core.events import EventKind

from .groups import in_words
from .measures import Measures, Spread
from .outcome import Outcome
from .plan import Plan
from .steps import (
    AnyStep,
    Block,
    Crash,
    Disturb,
    Drift,
    Forge,
    Hold,
    Leave,
    Pause,
    Reseed,
    Restart,
    Slow,
    Start,
    Update,
)

INSTANT_S = 0.1
"""Below it, times are told in milliseconds."""

AT_ONCE_S = 0.0005
"""Below it, they are told as none at all."""

NEWS = {EventKind.DIED: "crash", EventKind.LEFT: "farewell", EventKind.UPDATED: "change"}
"""By the event by which news is heard of, what it is news of."""


def headline(plan: Plan, outcome: Outcome, measures: Measures) -> str:
    """The line for a run.

    :param plan: with steps that name single nodes.
    """
    parts = [
        _what_happened(plan),
        _who_knew(plan, measures.spreads),
        _agreement(plan, outcome),
        _who_was_wronged(plan, measures),
    ]
    if outcome.violations:
        broken = dict.fromkeys(each.invariant for each in outcome.violations)
        parts.append(f"violated: {', '.join(broken)}")
    return "; ".join(part for part in parts if part)


def headline_of_many(outcomes: Sequence[Outcome], failed: int = 0) -> str:
    """The line for the runs of a sweep, which is about all of them.

    :param failed: runs that came to no outcome.
    """
    leaves = [leave for run in outcomes for leave in run.leaves]
    found: dict[str, list[tuple[float | None, int]]] = {
        "crash": [(crash.last_dead_s, crash.missing) for run in outcomes for crash in run.crashes],
        "farewell": [(leave.last_s, leave.missing) for leave in leaves],
        "change": [(update.last_s, update.missing) for run in outcomes for update in run.updates],
    }
    parts = [number(len(outcomes), "run"), *_known({what: all_such for what, all_such in found.items() if all_such})]
    if heals := [run.heal_s for run in outcomes if run.heal_s is not None]:
        parts.append(f"all agreed again within {seconds(max(heals))}")
    dead = sum(run.false_deaths.healthy_by_healthy > 0 for run in outcomes)
    accused = sum(run.suspicions > 0 for run in outcomes)
    if dead:
        parts.append(f"in {number(dead, 'run')} somebody was falsely held dead")
    parts.append(
        f"in {number(accused, 'run')} somebody was falsely accused" if accused else "nobody was falsely accused"
    )
    if violated := sum(not run.is_good for run in outcomes):
        parts.append(f"{number(violated, 'run')} violated what must hold")
    if failed:
        parts.append(f"{number(failed, 'run')} came to no outcome")
    return "; ".join(parts)


def seconds(value: float) -> str:
    """A time that was measured."""
    return f"{1000 * value:.0f} ms" if value < INSTANT_S else f"{value:.1f} s"


def number(count: int, noun: str) -> str:
    """So many things."""
    plural = f"{noun}es" if noun.endswith("sh") else f"{noun}s"
    return f"{count:,} {noun if count == 1 else plural}"


# --- what happened


def _what_happened(plan: Plan) -> str:
    by_kind: dict[str, list[Any]] = {}
    for step in plan.steps:
        by_kind.setdefault(_kind(step), []).append(step)
    clusters = f" in {plan.clusters} clusters" if plan.clusters > 1 else ""
    phrases = [f"{plan.nodes} started at once{clusters}"] if plan.joins else []
    phrases += [_PHRASES[kind](plan, steps) for kind, steps in by_kind.items()]
    return ", ".join(phrases) or "nothing happened"


def _kind(step: AnyStep) -> str:
    """Steps of one kind are told together."""
    if isinstance(step, Start) and step.name is not None:
        return "rival"
    if type(step) is Disturb and step.change is not None:
        return "no datagrams" if step.change.streams_only else "worse"
    return type(step).__name__


def _who(plan: Plan, keys: Collection[str]) -> tuple[str, bool]:
    """Nodes in words, and whether they are several."""
    chosen = set(keys)
    if len(chosen) == 1:
        return next(iter(chosen)), False
    groups = in_words(chosen, plan.groups)
    return (str(len(chosen)), True) if groups is None else (f"{groups} ({len(chosen)} members)", " and " in groups)


def _were(several: bool) -> str:
    return "were" if several else "was"


def _for(steps: Sequence[Any]) -> str:
    lengths = [step.for_s for step in steps]
    return f" for {'up to ' if len(set(lengths)) > 1 else ''}{round(max(lengths), 1):g} s"


def _did(words: str, *, were: bool = False, lasts: bool = False) -> Callable[[Plan, Sequence[Any]], str]:
    """A phrase for what single nodes did, or were."""

    def phrase(plan: Plan, steps: Sequence[Any]) -> str:
        who, several = _who(plan, [step.node for step in steps])
        verb = f"{_were(several)} " if were else ""
        return f"{who} {verb}{words.format(its='their' if several else 'its')}{_for(steps) if lasts else ''}"

    return phrase


def _cut(plan: Plan, steps: Sequence[Disturb]) -> str:
    if len(steps) > 1:
        return f"connections were cut {len(steps)} times,{_for(steps)}"
    (cut,) = steps
    sources, several = _who(plan, cut.sources) if cut.sources else ("", False)
    destinations, several_destinations = _who(plan, cut.destinations) if cut.destinations else ("", False)
    if not sources and not destinations:
        what = "all connections were cut"
    elif sources and destinations:
        both_ways = f"{sources} and {destinations} could not reach each other"
        what = both_ways if cut.both_ways else f"{destinations} heard nothing of {sources}"
    elif cut.both_ways:
        what = f"{sources or destinations} {_were(several or several_destinations)} cut off from all others"
    else:
        what = f"{destinations} heard nothing" if destinations else f"{sources} {_were(several)} heard by nobody"
    return what + _for(steps)


def _no_datagrams(_: Plan, steps: Sequence[Disturb]) -> str:
    return f"only streams passed in {number(len(steps), 'place')}{_for(steps)}"


def _worse(plan: Plan, steps: Sequence[Disturb]) -> str:
    return f"the connections of {_whose(plan, steps)} were worse than usual{_for(steps)}"


def _held(plan: Plan, steps: Sequence[Hold]) -> str:
    return f"the datagrams of {_whose(plan, steps)} were held back{_for(steps)}"


def _whose(plan: Plan, steps: Sequence[Disturb]) -> str:
    if not all(step.sources or step.destinations for step in steps):
        return "all"
    return _who(plan, {key for step in steps for key in (*step.sources, *step.destinations)})[0]


def _rivals(_: Plan, steps: Sequence[Start]) -> str:
    names = {step.name for step in steps if step.name is not None}
    whose = next(iter(names)) if len(names) == 1 else f"each of {len(names)} members"
    return f"a second process came by the name of {whose}"


def _lies(_: Plan, steps: Sequence[Forge]) -> str:
    return f"{'a lie was' if len(steps) == 1 else f'{len(steps)} lies were'} told"


_PHRASES: dict[str, Callable[[Plan, Sequence[Any]], str]] = {
    Crash.__name__: _did("crashed"),
    Leave.__name__: _did("left"),
    Update.__name__: _did("changed {its} metadata"),
    Restart.__name__: _did("restarted", were=True),
    Start.__name__: _did("joined"),
    Reseed.__name__: _did("told other seeds", were=True),
    Pause.__name__: _did("stood still", lasts=True),
    Block.__name__: _did("blocked", were=True, lasts=True),
    Slow.__name__: _did("slow", were=True, lasts=True),
    Drift.__name__: _did("had clocks that ran wrong"),
    Disturb.__name__: _cut,
    Hold.__name__: _held,
    Forge.__name__: _lies,
    "rival": _rivals,
    "no datagrams": _no_datagrams,
    "worse": _worse,
}
"""By kind of step, what is said of all such steps of a plan."""


# --- who knew


def _who_knew(plan: Plan, spreads: Mapping[EventKind, Sequence[Spread]]) -> str:
    """A restart is a crash as well; what is known of that is part of the agreement afterwards."""
    crashes = {(step.node, step.at) for step in plan.steps if isinstance(step, Crash)}
    told: dict[str, list[Spread]] = {}
    for kind, found in spreads.items():
        for each in found:
            if each.heard + each.missing and (kind is not EventKind.DIED or (each.key, each.at) in crashes):
                told.setdefault(NEWS[kind], []).append(each)
    if len(told) == 1:
        (found,) = told.values()
        if len({(each.at, each.heard + each.missing) for each in found}) == 1:
            return _of_one_moment(found)
    return "; ".join(_known({what: [(each.last_s, each.missing) for each in found] for what, found in told.items()}))


def _known(news: Mapping[str, Sequence[tuple[float | None, int]]]) -> list[str]:
    """How far news came: by kind, of each piece when the last knew of it, and how many never did."""
    lacking = {what: sum(missing > 0 for _, missing in found) for what, found in news.items()}
    known = [
        f"of {'the' if len(found) == 1 else 'each'} {what} within {seconds(max(last or 0.0 for last, _ in found))}"
        for what, found in news.items()
        if not lacking[what]
    ]
    unknown = [
        f"some never knew of {lacking[what]} of {number(len(found), what)}"
        for what, found in news.items()
        if lacking[what]
    ]
    return [*([f"all others knew {', '.join(known)}"] if known else []), *unknown]


def _of_one_moment(found: Sequence[Spread]) -> str:
    """Of all that happened at one moment: who did not learn of all of it did not know."""
    others, missing = found[0].heard + found[0].missing, max(each.missing for each in found)
    who = "other" if others == 1 else f"{others} others"
    if any(each.unaware for each in found):
        who = f"{others} who saw {'it' if len(found) == 1 else 'them'} then"
    if missing:
        some = "the" if others == 1 else "all the" if missing == others else f"{missing} of the"
        return f"{some} {who} never knew"
    return f"{'the' if others == 1 else 'all'} {who} knew within {_last(found)}"


def _last(found: Sequence[Spread]) -> str:
    return seconds(max(each.last_s or 0.0 for each in found))


def _agreement(plan: Plan, outcome: Outcome) -> str:
    """When all agreed, where there was more to agree on than one piece of news."""
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
    """Wronged are those held dead whom no fault touched, by others whom none did; a fault explains all other deaths."""
    accused = measures.accused - measures.held_dead
    parts = []
    for keys, words in (
        (measures.wronged, "falsely held dead"),
        (measures.held_dead - measures.wronged, "held dead because of the fault"),
        (accused, "falsely accused, and not held dead"),
    ):
        if keys:
            who, several = _who(plan, keys)
            parts.append(f"{who} {_were(several)} {words}")
    if not accused:
        parts.append("nobody else was falsely accused" if parts else "nobody was falsely accused")
    return ", ".join(parts)
