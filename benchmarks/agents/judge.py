"""Judges whether what agents told was right, given what is known to be true. Everything here is pure.

**A false death** is a member that some agent told to be dead without justification. A death is justified

- from the moment at which the member was killed, was told to leave, or ended;
- if the member was stopped for at least ``suspicion_min``, the shortest time that a suspect has to refute: from that
  long after the stop began until that long after it ended. A member must survive a shorter stop, and every member must
  survive after that time.

A stopped agent reads what was sent to it meanwhile when it continues. So what it tells until ``suspicion_min`` after
that may have been sent at any time since it was stopped. If the member in question ran all that time, the death is
false: no agent may convict others when it wakes.

Nothing else justifies a death, neither lost packets nor a busy machine.

**What must become known** are deeds: every agent has to learn of each within a bound. The judge asks only agents that
took part from some time before the deed and ran until the bound was over. Other agents may have good reasons not to
know.
"""

from __future__ import annotations

import bisect
from collections.abc import Iterable, Mapping, Sequence

import attrs

from benchmarks.agents.truth import Act, Deed, Life, Sight, Stop, Truth

JOINED_S = 5.0
"""So long after its start, an agent counts as one that knows the others."""

EARLY_S = 1.0
"""By how much too early a time an agent may tell. Versions before 0.1.0 read two clocks in an order that made the time
too early where the system kept them waiting between the two. This justifies no death. It only counts an early line as
news of the deed that it follows from."""

GONE = ("died", "left")
LIVING = ("restored", "suspected")
"""The events that tell that a dead member is dead no more."""


@attrs.frozen
class Rules:
    """The bounds on which the judgement depends."""

    least_suspicion_s: float
    """The shortest time that a suspect has to refute: ``suspicion_min``."""
    known_within_s: float
    """Every agent must know of a deed so long after it."""


@attrs.frozen
class Deaths:
    """What agents told of deaths."""

    told: int
    """How many times an agent told that a member is dead."""
    of_stopped: int
    """Deaths of members that were stopped, or had been until just before."""
    of_leavers: int
    """Deaths of members that had been told to leave, and whose farewell an agent missed."""
    false: tuple[str, ...]
    """Deaths without justification, each in words."""


@attrs.frozen
class Spread:
    """How one kind of deed became known."""

    deeds: int
    times_s: tuple[float, ...]
    """When each agent that was asked told of each deed, in seconds after it, sorted."""
    missing: tuple[str, ...]
    """The agents that did not tell in time, in words."""


def deaths(truth: Truth, rules: Rules) -> Deaths:
    """Judge every death that agents told."""
    told = of_stopped = of_leavers = 0
    false: list[str] = []
    for sight in truth.sights:
        if sight.kind != "died":
            continue
        told += 1
        life = truth.bearer(sight.subject, sight.generation)
        since = earliest(sight, rules)
        if life is None:
            false.append(_in_words(sight, truth, "which never was"))
        elif life.gone is not None and life.gone <= sight.time:
            of_leavers += life.killed is None
        elif deserved_by_standing_still(life, since, sight.time, rules):
            of_stopped += 1
        else:
            false.append(_in_words(sight, truth, _state(life, since, sight.time)))
    return Deaths(told, of_stopped, of_leavers, tuple(false))


def earliest(sight: Sight, rules: Rules) -> float:
    """The earliest time at which that could have been sent which made an agent tell something."""
    stop = last_stop(sight.observer, sight.time)
    if stop is None or (stop.ended is not None and sight.time > stop.ended + rules.least_suspicion_s):
        return sight.time
    return stop.began


def last_stop(life: Life, time: float) -> Stop | None:
    """The last stop that had begun by then; None if there was none."""
    return next((stop for stop in reversed(life.stops) if stop.began <= time), None)


def deserved_by_standing_still(life: Life, since: float, until: float, rules: Rules) -> bool:
    """Whether a process was stopped so long, at some moment in between, that others may take it for dead."""
    return any(
        stop.began + rules.least_suspicion_s <= until
        and (stop.ended is None or (is_long(stop, rules) and stop.ended + rules.least_suspicion_s >= since))
        for stop in life.stops
    )


def is_long(stop: Stop, rules: Rules) -> bool:
    """Whether a stop is over and was so long that a member need not survive it."""
    return stop.ended is not None and stop.ended - stop.began >= rules.least_suspicion_s


def oddities(truth: Truth) -> tuple[str, ...]:
    """What agents told, other than deaths, that cannot be: conflicts, unsaid farewells, members that were never
    started."""
    return tuple(
        _in_words(sight, truth, odd) for sight in truth.sights if sight.kind != "died" and (odd := _odd(sight, truth))
    )


def _odd(sight: Sight, truth: Truth) -> str:
    life = truth.bearer(sight.subject, sight.generation)
    if life is None:
        return "which never was"
    if life.generation not in (None, sight.generation):
        return f"under another generation than its own, {life.generation}"
    if sight.kind == "conflict":
        return "although no two processes had one name"
    if sight.kind == "left" and (life.leaving is None or life.leaving > sight.time + EARLY_S):
        return "which had not been told to leave"
    return ""


def spreads(truth: Truth, rules: Rules, until: float) -> dict[Deed, Spread]:
    """How each kind of deed became known. Deeds count whose bound is over by ``until``."""
    index = _Index(truth.sights)
    found: dict[Deed, Spread] = {}
    for deed in Deed:
        acts = [act for act in truth.acts if act.deed is deed and act.at + rules.known_within_s <= until]
        times: list[float] = []
        missing: list[str] = []
        for act in acts:
            learnt = learning(act, truth, index, rules)
            times += [time for time in learnt.values() if time is not None]
            missing += [_not_known(act, observer, truth) for observer, time in learnt.items() if time is None]
        found[deed] = Spread(len(acts), tuple(sorted(times)), tuple(missing))
    return found


def learning(act: Act, truth: Truth, index: _Index, rules: Rules) -> Mapping[Life, float | None]:
    """When each agent that is asked knew of a deed, in seconds after it; None for an agent that never did."""
    until = act.at + rules.known_within_s
    asked = [
        life
        for life in truth.lives
        if life.name != act.life.name and life.is_steady(act.at - JOINED_S, until) and _can_know(act, until)
    ]
    if act.deed is Deed.WOKEN:
        return _restored(act, asked, index, until)
    first: dict[Life, float] = {}
    for sight in index.about(act.life.name, act.at - EARLY_S, until):
        if sight.observer not in first and _shows(act, sight):
            first[sight.observer] = max(0.0, sight.time - act.at)
    return {life: first.get(life) for life in asked}


def _can_know(act: Act, until: float) -> bool:
    """Whether the deed was not undone by then. An end cannot be undone."""
    if act.deed in (Deed.KILLED, Deed.LEFT):
        return True
    return act.life.gone is None or act.life.gone > until


def _shows(act: Act, sight: Sight) -> bool:
    generation = act.life.generation
    assert generation is not None
    if act.deed in (Deed.KILLED, Deed.LEFT):
        return (sight.kind in GONE and sight.generation == generation) or sight.generation > generation
    if sight.generation != generation:
        return False
    return act.deed is Deed.STARTED or sight.value == act.value


def _restored(act: Act, asked: Sequence[Life], index: _Index, until: float) -> Mapping[Life, float | None]:
    """Of the agents that took it for dead during its stop or just after: when each restored it for the last time."""
    stop = next(stop for stop in act.life.stops if stop.ended == act.at)
    dead: set[Life] = set()
    restored: dict[Life, float | None] = {}
    for sight in index.about(act.life.name, stop.began, until):
        if sight.generation != act.life.generation:
            continue
        if sight.kind == "died":
            dead.add(sight.observer)
            restored[sight.observer] = None
        elif sight.kind in LIVING and sight.observer in dead and restored[sight.observer] is None:
            restored[sight.observer] = max(0.0, sight.time - act.at)
    return {life: restored[life] for life in asked if life in dead}


class _Index:
    """What agents told, by the member it is about and in order of time."""

    def __init__(self, sights: Iterable[Sight]) -> None:
        self._about: dict[str, list[Sight]] = {}
        for sight in sorted(sights, key=lambda sight: sight.time):
            self._about.setdefault(sight.subject, []).append(sight)

    def about(self, name: str, since: float, until: float) -> Sequence[Sight]:
        """What agents told of a member in between."""
        told = self._about.get(name, [])
        first = bisect.bisect_left(told, since, key=lambda sight: sight.time)
        last = bisect.bisect_right(told, until, key=lambda sight: sight.time)
        return told[first:last]


def false_suspicions(truth: Truth, rules: Rules) -> int:
    """How many times an agent told that a running member is suspected. That is no fault, but tells how near one is."""
    count = 0
    for sight in truth.sights:
        life = truth.bearer(sight.subject, sight.generation) if sight.kind == "suspected" else None
        if life is not None and life.is_steady(earliest(sight, rules) - rules.least_suspicion_s, sight.time):
            count += 1
    return count


View = Mapping[str, tuple[int, str]]
"""The members that an agent takes for living, by name, with generation and the value in the metadata."""


def disagreements(truth: Truth, expected: Mapping[str, str], views: Mapping[str, View]) -> tuple[str, ...]:
    """Where the views of agents differ from the truth, in words.

    :param expected: the value in the metadata of each agent that runs.
    :param views: of each of these agents.
    """
    current = truth.current()
    wanted = {name: (current[name].generation, value) for name, value in expected.items()}
    found: list[str] = []
    for observer, view in sorted(views.items()):
        lacking = sorted(wanted.keys() - view.keys())
        extra = sorted(view.keys() - wanted.keys())
        other = sorted(name for name in wanted.keys() & view.keys() if wanted[name] != view[name])
        for what, names in (("does not see", lacking), ("still sees", extra), ("sees something outdated of", other)):
            if names:
                found.append(f"{observer} {what} {', '.join(names)}")
    return tuple(found)


# --- in words


def _in_words(sight: Sight, truth: Truth, odd: str) -> str:
    life = truth.bearer(sight.subject, sight.generation)
    by = f", accused by {', '.join(sight.accusers)}" if sight.accusers else ""
    return (
        f"{_clock(sight.time, truth)}: {sight.observer}{_own_state(sight)} told that {life or sight.subject} "
        f"{_TOLD.get(sight.kind, sight.kind)}{by}; {odd}"
    )


_TOLD = {"left": "said farewell", "conflict": "is in conflict with another"}


def _own_state(sight: Sight) -> str:
    stop = last_stop(sight.observer, sight.time)
    if stop is None or stop.ended is None:
        return ""
    return f", which had gone on {sight.time - stop.ended:.2f} s before," if sight.time < stop.ended + 30 else ""


def _state(life: Life, since: float, until: float) -> str:
    stop = last_stop(life, until)
    if stop is not None and (stop.ended is None or stop.ended > since - 30):
        length = "" if stop.ended is None else f" for {stop.ended - stop.began:.2f} s"
        return f"it had been stopped {until - stop.began:.2f} s before{length}"
    return "it ran all the time" if life.started is not None and life.started <= until else "it was just starting"


def _not_known(act: Act, observer: Life, truth: Truth) -> str:
    return f"{_clock(act.at, truth)}: {act.life} {act.deed.value}; {observer} did not tell so in time"


def _clock(time: float, truth: Truth) -> str:
    return f"{time - truth.lives[0].spawned:.2f} s"
