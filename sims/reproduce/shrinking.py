"""Shrinking: make a plan whose run violates an invariant as small as possible.

Steps, nodes, time, impairments of the network and settings are left out, one trial after the other. A smaller plan is
kept if its run violates the same invariant, by name. What is left is what the violation needs, and becomes a test.

Leaving something out changes no draw of the rest. Each node has a random stream that follows from its key and the
number of its processes. Each link has one that follows from its two addresses, which follow from the same.

Source: delta debugging, Zeller and Hildebrandt, "Simplifying and Isolating Failure-Inducing Input" (IEEE Transactions
on Software Engineering, 2002), section 3.2.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Collection, Iterable
from typing import Any, cast

import attrs

from gossip.core.errors import ConfigurationError

from ..plan import MIN_NODES, Plan
from ..plan.groups import first as first_nodes
from ..running import Run, Violation
from ..steps import AnyStep, Disturb, Start
from ..words import counted
from ..world import Link

MAX_TRIALS = 500
"""The most runs in all. A hundred steps of which two matter need about a hundred; after some hundreds, the gain is not
worth the wait."""

GRAIN_S = 1.0
"""The shortest cut in a run's duration. Less is hardly noticed."""

Progress = Callable[[int, Plan], None]
"""Called after each trial with the number of trials and the smallest plan so far."""


@attrs.frozen(kw_only=True)
class Shrunk:
    """The result of shrinking."""

    original: Plan
    plan: Plan
    """The smallest plan that was found."""
    violation: Violation
    """The violation of its run."""
    trials: int
    """The number of runs."""

    def __str__(self) -> str:
        return (
            f"{self.violation.invariant}: from {_size(self.original)} to {_size(self.plan)}, in {self.trials} trials"
            + (", the most that are made; a smaller plan may exist" if self.trials >= MAX_TRIALS else "")
        )


def _size(plan: Plan) -> str:
    return f"{counted(len(plan.steps), 'step')}, {plan.nodes} nodes, {plan.ends:.3f} s"


def shrink(plan: Plan, *, progress: Progress = lambda _trials, _plan: None) -> Shrunk:
    """Make a plan smaller as long as its run violates the same invariant.

    :raises ConfigurationError: if its run violates nothing.
    """
    plan = plan.resolved()
    violations = Run(plan).run().violations
    if not violations:
        raise ConfigurationError(
            f"the run of {plan.scenario} with seed {plan.seed} violates nothing, so it cannot be shrunk; "
            "give the seed of a run that violates something"
        )
    search = _Search(plan, violations[0], progress)
    before = None
    while before != search.plan and not search.is_exhausted:
        before = search.plan
        for simplify in _SIMPLIFICATIONS:
            simplify(search)
    return Shrunk(original=plan, plan=search.plan, violation=search.violation, trials=search.trials)


class _Search:
    """The smallest plan so far, and the number of trials."""

    def __init__(self, plan: Plan, violation: Violation, progress: Progress) -> None:
        self.plan = plan
        self.violation = violation
        self.trials = 1
        self._progress = progress
        self._tried = {plan.to_json()}

    @property
    def is_exhausted(self) -> bool:
        """Whether the trials are used up."""
        return self.trials >= MAX_TRIALS

    def adopt(self, **changes: Any) -> bool:
        """Try a changed plan, and keep it if its run still violates the invariant. Returns whether it was kept.

        A plan that was tried before, or is not valid, is not tried.
        """
        try:
            candidate = _sound(attrs.evolve(self.plan, **changes))
            _ = candidate.config
        except ConfigurationError:
            return False
        text = candidate.to_json()
        if text in self._tried or self.is_exhausted:
            return False
        self._tried.add(text)
        self.trials += 1
        found = self._violation_of(candidate)
        if found is not None:
            self.plan, self.violation = candidate, found
        self._progress(self.trials, self.plan)
        return found is not None

    def _violation_of(self, plan: Plan) -> Violation | None:
        violations = Run(plan).run().violations
        return next((each for each in violations if each.invariant == self.violation.invariant), None)


# --- what is taken away, in turn


def _drop_requirements(search: _Search) -> None:
    """Requirements that have no part in the violation make runs longer."""
    search.adopt(agree_within_s=None)
    search.adopt(spares="nobody")
    search.adopt(suspects_the_healthy=True)
    search.adopt(known_within_s=None)


def _drop_later_steps(search: _Search) -> None:
    """Steps after the violation have no part in it."""
    search.adopt(steps=[step for step in search.plan.steps if step.at <= search.violation.at])


def _drop_steps(search: _Search) -> None:
    """Delta debugging: leave out a part of the steps, then smaller parts, until each step is needed."""
    search.adopt(steps=())
    parts = 2
    while steps := search.plan.steps:
        size = math.ceil(len(steps) / parts)
        if any(search.adopt(steps=steps[:at] + steps[at + size :]) for at in range(0, len(steps), size)):
            parts = max(2, parts - 1)
        elif size > 1:
            parts = min(len(steps), 2 * parts)
        else:
            return


def _drop_links(search: _Search) -> None:
    """Drop links that differ in the whole run: all of them, or one by one."""
    if not search.adopt(shape=()):
        for link in search.plan.shape:
            search.adopt(shape=[each for each in search.plan.shape if each is not link])


def _renumber(search: _Search) -> None:
    """Give the lowest numbers to the nodes that steps name, so that the other nodes can be dropped."""
    data = json.loads(search.plan.to_json())
    parts = [data.get("steps", []), data.get("shape", [])]
    named = _texts(parts)
    keys = [key for key in search.plan.keys if key in named]
    for first in (0, search.plan.seeds or 1):
        lowest = search.plan.keys[first : first + len(keys)]
        if keys and search.plan.keys.index(keys[-1]) >= first + len(keys):
            steps, shape = _replaced(parts, dict(zip(keys, lowest, strict=True)))
            renamed = Plan.from_json(json.dumps({**data, "steps": steps, "shape": shape}))
            if search.adopt(steps=renamed.steps, shape=renamed.shape):
                return


def _drop_nodes(search: _Search) -> None:
    """Drop the nodes with the highest numbers, with the steps that need them: half of all first, then fewer."""
    count = search.plan.nodes // 2
    while count:
        left = max(MIN_NODES, search.plan.nodes - count)
        groups = first_nodes(search.plan.groups, left)
        if not search.adopt(nodes=left, groups=groups, seeds=min(search.plan.seeds, left - 1)):
            count //= 2


def _shorten(search: _Search) -> None:
    """End just after the violation. If only the check at the end finds it, end as early as that check still finds
    it."""
    search.adopt(duration_s=min(search.plan.duration_s, _in_ms(search.violation.at)))
    while (more := search.plan.duration_s - search.plan.faults_end) > GRAIN_S:
        if not search.adopt(duration_s=_in_ms(search.plan.faults_end + more / 2)):
            return


def _in_ms(seconds: float) -> float:
    return math.ceil(seconds * 1000) / 1000


def _simplify_network(search: _Search) -> None:
    """Reset each property of the links to its default, and make the nodes know each other from the beginning."""
    search.adopt(link=Link())
    for field in (each for each in attrs.fields(Link) if each.init):
        default: dict[str, Any] = {field.name: field.default}
        search.adopt(link=attrs.evolve(search.plan.link, **default))
    search.adopt(joins=False)
    search.adopt(clusters=1)


def _drop_settings(search: _Search) -> None:
    """Drop settings that differ from the profile: all, or one by one."""
    if not search.adopt(settings={}):
        for name in search.plan.settings:
            search.adopt(settings={each: value for each, value in search.plan.settings.items() if each != name})


_SIMPLIFICATIONS = (
    _drop_requirements,
    _drop_later_steps,
    _drop_steps,
    _drop_links,
    _renumber,
    _drop_nodes,
    _shorten,
    _simplify_network,
    _drop_settings,
)
"""The order matters: simplifications that make later trials cheaper come first."""


# --- plans that hold together


def _sound(plan: Plan) -> Plan:
    """The plan without steps that need missing nodes."""
    there = set(plan.keys)
    steps: list[AnyStep] = []
    for step in plan.steps:
        left = _without(step, _named(step) - there)
        if left is not None:
            steps.append(left)
            there |= {left.node} if isinstance(left, Start) else set()
    shape = [left for link in plan.shape if isinstance(left := _without(link, _named(link) - there), Disturb)]
    return attrs.evolve(plan, steps=tuple(steps), shape=tuple(shape))


def _named(step: AnyStep) -> set[str]:
    """Keys of the nodes that a step needs, or that it happens between."""
    ends = (*step.sources, *step.destinations) if isinstance(step, Disturb) else ()
    return {*step.nodes, *getattr(step, "told", ()), *ends}


def _without(step: AnyStep, keys: Collection[str]) -> AnyStep | None:
    left: Any = step.without(keys) if keys else step  # has the type of the step
    return cast("AnyStep | None", left)


def _texts(data: Any) -> set[str]:
    """All texts in some JSON."""
    if isinstance(data, str):
        return {data}
    nested: Iterable[Any] = data.values() if isinstance(data, dict) else data if isinstance(data, list) else ()
    return {text for each in nested for text in _texts(each)}


def _replaced(data: Any, texts: dict[str, str]) -> Any:
    """The same JSON with some texts replaced."""
    if isinstance(data, str):
        return texts.get(data, data)
    if isinstance(data, dict):
        return {key: _replaced(value, texts) for key, value in data.items()}
    return [_replaced(each, texts) for each in data] if isinstance(data, list) else data
