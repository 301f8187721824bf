"""Accounts: what there was against one member in a run, in one value that people can read."""

from __future__ import annotations

from collections.abc import Iterable

import attrs

from ..plan import Plan, group_of
from ..running import Outcome
from ..steps import Crash, Disturb, Restart, Step
from .datagrams import Datagrams
from .doubts import Doubt, Life
from .text import doubt_lines

MAX_TOLD = 5
"""Doubts told in full: each fills a screen, and in a bad network they are much alike."""


@attrs.frozen(kw_only=True)
class Account:
    """What there was against one member in a run, and why."""

    name: str
    plan: Plan
    outcome: Outcome
    lives: tuple[Life, ...]
    """The generations of all processes that held the name, in order."""
    doubts: tuple[Doubt, ...]
    """Each time in which it was suspected or held dead, in the order in which they began."""
    datagrams: Datagrams
    """What the network did with the datagrams to and from it."""

    @property
    def deaths(self) -> tuple[Doubt, ...]:
        """The doubts in which somebody held it dead."""
        return tuple(doubt for doubt in self.doubts if doubt.is_death)

    def faults(self, doubt: Doubt) -> tuple[Step, ...]:
        """Steps of the plan that harm the member, its process or its ways, and may have been felt in a doubt."""
        return self._faults(doubt, {doubt.life.node.key})

    def accusers_faults(self, doubt: Doubt) -> tuple[Step, ...]:
        """Steps of the plan that harm its accusers and may have been felt in a doubt, but do not harm the member."""
        faults = self.faults(doubt)
        accusers = {each.key for each in doubt.accusers}
        return tuple(step for step in self._faults(doubt, accusers) if step not in faults)

    def _faults(self, doubt: Doubt, keys: set[str]) -> tuple[Step, ...]:
        began, grace = doubt.zero, self.plan.grace_s
        ended = next((at for at in (doubt.decided, doubt.ended) if at is not None), float("inf"))
        always = [way for way in self.plan.shape if _harms(way, keys)]
        felt = [step for step in self.plan.steps if step.at <= ended and began <= step.until + grace]
        return (*always, *(step for step in felt if _harms(step, keys)))

    def __str__(self) -> str:
        """The whole of it for people: what happened to the member, and why, in sections."""
        told = self.deaths or self.doubts
        group = group_of(self.name, self.plan.groups)
        member = [] if group is None else [f"It belongs to the group {group}."]
        lines = [*self._heads(), *member, *map(self._life, self.lives)]
        for number, doubt in enumerate(told[:MAX_TOLD], 1):
            lines += ["", *self._doubt(f"{'Death' if doubt.is_death else 'Suspicion'} {number}", doubt)]
        if len(told) > MAX_TOLD:
            rest = ", ".join(f"{doubt.began:.3f}" for doubt in told[MAX_TOLD : 3 * MAX_TOLD])
            lines += ["", f"And {len(told) - MAX_TOLD} more, which began at {rest} ... s."]
        return "\n".join(lines)

    def _heads(self) -> Iterable[str]:
        """How often the member was held dead or suspected; then the same of other processes that held its name, if it
        happened to them."""
        for key in dict.fromkeys([self.name, *(life.node.key for life in self.lives)]):
            who = key if key == self.name else f"The process {key}, which held the name {self.name},"
            doubts = [doubt for doubt in self.doubts if doubt.life.node.key == key]
            if deaths := [doubt for doubt in doubts if doubt.is_death]:
                most = max(len({each.key for each in death.died}) for death in deaths)
                others = f"{'up to ' if len(deaths) > 1 else ''}{most} {'other' if most == 1 else 'others'}"
                yield f"{who} was held dead {_times(len(deaths))}, by {others}."
            elif doubts:
                yield f"{who} was never held dead, but suspected {_times(len(doubts))}."
            elif key == self.name:
                yield f"{who} was never held dead, nor even suspected."

    def _life(self, life: Life) -> str:
        left = "" if life.left_at is None else f", said farewell at {life.left_at:.3f} s"
        ended = " on" if life.ended is None else f" to {life.ended:.3f} s"
        who = "It" if life.node.key == self.name else f"The process {life.node.key}, which held its name,"
        return f"{who} ran from {life.began:.3f} s{ended}{left}, with id {life.id:016x}."

    def _doubt(self, title: str, doubt: Doubt) -> Iterable[str]:
        whose = "" if doubt.life.node.key == self.name else f" of the process {doubt.life.node.key}"
        lines = doubt_lines(doubt, self.faults(doubt), self.accusers_faults(doubt), self.datagrams)
        return (f"{title}{whose}:", *(f"  {line}" for line in lines))


def _harms(step: Step, keys: set[str]) -> bool:
    """Whether a step harms one of these nodes, or all ways."""
    if isinstance(step, Disturb) and not step.sources and not step.destinations:
        return True
    can_harm = isinstance(step, (Crash, Restart, Disturb))
    return any(key in step.impairs or (can_harm and step.without([key]) != step) for key in keys)


def _times(count: int) -> str:
    return "once" if count == 1 else f"{count} times"
