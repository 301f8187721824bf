"""Shrinking: from a plan whose run breaks an invariant to the smallest one that still breaks it.

Whatever can be taken away is: steps, nodes, time, impairments of the network, settings. A smaller plan is kept if its
run breaks the same invariant, by name. What is left is what the fault needs, and a test can be made of it.

Taking something away changes no draw of what stays: each node draws from a stream of its own, derived from its key
and life, and each way from one derived from its two addresses, which derive from key and life as well.

Source: delta debugging, Zeller and Hildebrandt, "Simplifying and Isolating Failure-Inducing Input" (IEEE
Transactions on Software Engineering, 2002), section 3.2.
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
"""Runs tried in all. A hundred steps of which two matter take about a hundred; beyond some hundreds what is still
to be gained is not worth the wait."""

GRAIN_S = 1.0
"""A run is not shortened by less: about what it takes to notice."""

Progress = Callable[[int, Plan], None]
"""Told after each trial how many there have been, and the smallest plan found."""


@attrs.frozen(kw_only=True)
class Shrunk:
    """A plan made small."""

    original: Plan
    plan: Plan
    """The smallest that was found."""
    violation: Violation
    """What its run breaks."""
    trials: int
    """Runs it took."""

    def __str__(self) -> str:
        return (
            f"{self.violation.invariant}: from {_size(self.original)} to {_size(self.plan)}, in {self.trials} trials"
            + (", which is as many as are made; there may be more to gain" if self.trials >= MAX_TRIALS else "")
        )


def _size(plan: Plan) -> str:
    return f"{counted(len(plan.steps), 'step')}, {plan.nodes} nodes, {plan.ends:.3f} s"


def shrink(plan: Plan, *, progress: Progress = lambda _trials, _plan: None) -> Shrunk:
    """Make a plan smaller as long as its run breaks the same invariant.

    :raises ConfigurationError: if its run breaks none.
    """
    plan = plan.resolved()
    violations = Run(plan).run().violations
    if not violations:
        raise ConfigurationError(
            f"the run of {plan.scenario} with seed {plan.seed} violates nothing, so there is nothing to shrink"
        )
    search = _Search(plan, violations[0], progress)
    before = None
    while before != search.plan and not search.is_exhausted:
        before = search.plan
        for simplify in _SIMPLIFICATIONS:
            simplify(search)
    return Shrunk(original=plan, plan=search.plan, violation=search.violation, trials=search.trials)


class _Search:
    """The smallest plan so far, and the trials that led to it."""

    def __init__(self, plan: Plan, violation: Violation, progress: Progress) -> None:
        self.plan = plan
        self.violation = violation
        self.trials = 1
        self._progress = progress
        self._tried = {plan.to_json()}

    @property
    def is_exhausted(self) -> bool:
        """Whether no more trials are made."""
        return self.trials >= MAX_TRIALS

    def adopt(self, **changes: Any) -> bool:
        """Keep the plan with these changes if its run still breaks the invariant; whether it does.

        What was tried before is not tried again, nor is what is no plan.
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
    """What the plan demands and the fault has no part in makes runs longer."""
    search.adopt(agree_within_s=None)
    search.adopt(spares="nobody")
    search.adopt(suspects_the_healthy=True)
    search.adopt(known_within_s=None)


def _drop_later_steps(search: _Search) -> None:
    """What comes after the violation has no part in it."""
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


def _drop_ways(search: _Search) -> None:
    """Ways that are different from others all the time: all of them, or one by one."""
    if not search.adopt(shape=()):
        for way in search.plan.shape:
            search.adopt(shape=[each for each in search.plan.shape if each is not way])


def _renumber(search: _Search) -> None:
    """Give the nodes that steps name the lowest numbers, so that the others can go."""
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
    """Leave out the nodes with the highest numbers, half of all first, then fewer, with the steps that need them."""
    count = search.plan.nodes // 2
    while count:
        left = max(MIN_NODES, search.plan.nodes - count)
        groups = first_nodes(search.plan.groups, left)
        if not search.adopt(nodes=left, groups=groups, seeds=min(search.plan.seeds, left - 1)):
            count //= 2


def _shorten(search: _Search) -> None:
    """End just after the violation; if it is found at the end only, end as early as it is found at all."""
    search.adopt(duration_s=min(search.plan.duration_s, _in_ms(search.violation.at)))
    while (more := search.plan.duration_s - search.plan.faults_end) > GRAIN_S:
        if not search.adopt(duration_s=_in_ms(search.plan.faults_end + more / 2)):
            return


def _in_ms(seconds: float) -> float:
    return math.ceil(seconds * 1000) / 1000


def _simplify_network(search: _Search) -> None:
    """Set each property of the ways to its default, and let the nodes know each other from the beginning."""
    search.adopt(link=Link())
    for field in (each for each in attrs.fields(Link) if each.init):
        default: dict[str, Any] = {field.name: field.default}
        search.adopt(link=attrs.evolve(search.plan.link, **default))
    search.adopt(joins=False)
    search.adopt(clusters=1)


def _drop_settings(search: _Search) -> None:
    """Leave out what differs from the profile: all, or one by one."""
    if not search.adopt(settings={}):
        for name in search.plan.settings:
            search.adopt(settings={each: value for each, value in search.plan.settings.items() if each != name})


_SIMPLIFICATIONS = (
    _drop_requirements,
    _drop_later_steps,
    _drop_steps,
    _drop_ways,
    _renumber,
    _drop_nodes,
    _shorten,
    _simplify_network,
    _drop_settings,
)
"""In this order: what makes later trials cheaper comes first."""


# --- plans that hold together


def _sound(plan: Plan) -> Plan:
    """The plan without what needs nodes that are not there."""
    there = set(plan.keys)
    steps: list[AnyStep] = []
    for step in plan.steps:
        left = _without(step, _named(step) - there)
        if left is not None:
            steps.append(left)
            there |= {left.node} if isinstance(left, Start) else set()
    shape = [left for way in plan.shape if isinstance(left := _without(way, _named(way) - there), Disturb)]
    return attrs.evolve(plan, steps=tuple(steps), shape=tuple(shape))


def _named(step: AnyStep) -> set[str]:
    """Keys of the nodes that must be there, or between which something happens."""
    ends = (*step.sources, *step.destinations) if isinstance(step, Disturb) else ()
    return {*step.nodes, *getattr(step, "told", ()), *ends}


def _without(step: AnyStep, keys: Collection[str]) -> AnyStep | None:
    left: Any = step.without(keys) if keys else step  # of the type that the step has
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
