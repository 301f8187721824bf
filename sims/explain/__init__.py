"""Explaining: why one member was declared dead in a run, or suspected; from its plan and the member's name.

The run is made again, with a witness that takes down all that concerns the member (``witness``, ``evidence``). From
that follow the doubts that there were about it, and what led to each (``doubts``), and a text (``text``).
"""

from __future__ import annotations

import attrs

from gossip.core.errors import ConfigurationError

from ..plan import Plan, group_of
from ..running import Outcome, Run
from ..words import nearest, offered
from .doubts import Doubt, doubts_about
from .evidence import Life
from .text import doubt_lines
from .witness import Witness

MAX_TOLD = 5
"""Doubts told in full: each fills a screen, and in a bad network they are much alike."""


@attrs.frozen(kw_only=True)
class Explanation:
    """What there was against one member in a run, and why."""

    name: str
    group: str | None
    """The group that it belongs to, if any."""
    outcome: Outcome
    lives: tuple[Life, ...]
    """Its generations, in order."""
    doubts: tuple[Doubt, ...]
    """Each time in which it was suspected or held dead, in the order in which they began."""

    @property
    def deaths(self) -> tuple[Doubt, ...]:
        """The doubts in which somebody held it dead."""
        return tuple(doubt for doubt in self.doubts if doubt.is_death)

    def __str__(self) -> str:
        name, deaths = self.name, self.deaths
        told = deaths or self.doubts
        if deaths:
            most = max(len({each.key for each in death.died}) for death in deaths)
            others = f"{'up to ' if len(deaths) > 1 else ''}{most} {'other' if most == 1 else 'others'}"
            head = f"{name} was held dead {_times(len(deaths))}, by {others}."
        elif told:
            head = f"{name} was never held dead, but suspected {_times(len(told))}."
        else:
            head = f"{name} was never held dead, nor even suspected."
        member = [] if self.group is None else [f"It belongs to the group {self.group}."]
        lines = [head, *member, *self._life_lines()]
        for number, doubt in enumerate(told[:MAX_TOLD], 1):
            what = "Death" if doubt.is_death else "Suspicion"
            lines += ["", f"{what} {number}:", *(f"  {line}" for line in doubt_lines(doubt))]
        if len(told) > MAX_TOLD:
            rest = ", ".join(f"{doubt.began:.3f}" for doubt in told[MAX_TOLD : 3 * MAX_TOLD])
            lines += ["", f"And {len(told) - MAX_TOLD} more, which began at {rest} ... s."]
        return "\n".join(lines)

    def _life_lines(self) -> list[str]:
        lines = []
        for life in self.lives:
            left = "" if life.left_at is None else f", said farewell at {life.left_at:.3f} s"
            ended = " on" if life.ended is None else f" to {life.ended:.3f} s"
            lines.append(f"It ran from {life.began:.3f} s{ended}{left}, with id {life.id:016x}.")
        return lines


def explain(plan: Plan, name: str) -> Explanation:
    """Run a plan again and find out what there was against the member of this name.

    :raises ConfigurationError: if nobody has this name in the run.
    """
    plan = plan.resolved()
    witness = Witness(name, plan.config)
    outcome = Run(plan, observers=[witness]).run()
    if not witness.lives:
        raise ConfigurationError(
            f"no member of this run has the name {name!r}{nearest(name, witness.names)}; "
            f"there are {offered(witness.names)}"
        )
    doubts = doubts_about(witness, plan)
    group = group_of(name, plan.groups)
    return Explanation(
        name=name, group=group, outcome=outcome, lives=tuple(witness.lives.values()), doubts=tuple(doubts)
    )


def _times(count: int) -> str:
    return "once" if count == 1 else f"{count} times"
