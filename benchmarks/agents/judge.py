"""Whether what agents told was right, by what is known to be true. Nothing here does anything; all of it is pure.

**A false death** is a member told to be dead by anybody, although it has not deserved that. It has deserved it

- from the moment on at which it was killed, told to leave, or ended;
- if it stood still for at least ``suspicion_min``, which is the shortest time that anybody suspected has to refute:
  from that long after it was stopped until that long after it went on. Whoever stands still for less must survive, and
  so must everybody after that time.

An agent that itself stood still reads, when it goes on, what was sent to it meanwhile. So what it tells until
``suspicion_min`` after that counts as told at any time since it was stopped. What it tells of a member that ran all
that time is false: nobody may convict others on waking.

There is no other excuse: not the loss of packets, and not how busy the machine is.

**What is to be known** are deeds, each of which all are to learn within a bound. Asked are those agents that took part
from some time before the deed and ran until the bound was over; others may have good reasons not to know.
"""

from __future__ import annotations

import bisect
from collections.abc import Iterable, Mapping, Sequence

import attrs

from benchmarks.agents.truth import Act, Deed, Life, Sight, Stop, Truth

JOINED_S = 5.0
"""An agent counts as one that knows the others so long after it has started."""

EARLY_S = 1.0
"""By how much an agent may tell too early a time: those of versions before 0.1.0 looked at two clocks in an order that,
where they were kept waiting in between, made it so. It excuses no death, only what is known to have been told of a deed
that it follows from."""

GONE = ("died", "left")
LIVING = ("restored", "suspected")
"""What is told of a member that was dead and is so no more."""


@attrs.frozen
class Rules:
    """What the judgement depends on."""

    least_suspicion_s: float
    """The shortest time that a suspect has to refute: ``suspicion_min``."""
    known_within_s: float
    """By then all must know of a deed."""


@attrs.frozen
class Deaths:
    """What was told of deaths."""

    told: int
    """How many times a member was told to be dead."""
    of_stopped: int
    """Those of members that stood still, or had until just before."""
    of_leavers: int
    """Those of members that had been told to leave, and whose farewell was not heard."""
    false: tuple[str, ...]
    """Those that were not deserved, each in words."""


@attrs.frozen
class Spread:
    """How one kind of deed became known."""

    deeds: int
    times_s: tuple[float, ...]
    """When each of those asked told of each deed, in seconds after it, sorted."""
    missing: tuple[str, ...]
    """Who did not, in words."""


def deaths(truth: Truth, rules: Rules) -> Deaths:
    """Look at every death that was told."""
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
    """When that which an agent told can have been sent to it at the earliest."""
    stop = last_stop(sight.observer, sight.time)
    if stop is None or (stop.ended is not None and sight.time > stop.ended + rules.least_suspicion_s):
        return sight.time
    return stop.began


def last_stop(life: Life, time: float) -> Stop | None:
    """The last stop that had begun by then."""
    return next((stop for stop in reversed(life.stops) if stop.began <= time), None)


def deserved_by_standing_still(life: Life, since: float, until: float, rules: Rules) -> bool:
    """Whether a process stood still, at some moment in between, for so long that it may be taken for dead."""
    return any(
        stop.began + rules.least_suspicion_s <= until
        and (stop.ended is None or (is_long(stop, rules) and stop.ended + rules.least_suspicion_s >= since))
        for stop in life.stops
    )


def is_long(stop: Stop, rules: Rules) -> bool:
    """Whether a stop that is over was so long that it need not be survived."""
    return stop.ended is not None and stop.ended - stop.began >= rules.least_suspicion_s


def oddities(truth: Truth) -> tuple[str, ...]:
    """What agents told, other than deaths, that cannot be: conflicts, farewells nobody said, members nobody started."""
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
    """How each kind of deed became known, of those whose bound is over by ``until``."""
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
    """When each agent that is asked knew of a deed, in seconds after it; None for never."""
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
    """Whether what was done held until then. An end cannot be undone."""
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
    """Of those that held it for dead at some time of its stop, or just after: when it was the last time restored."""
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
    """What was told, by whom it is about and in order of time."""

    def __init__(self, sights: Iterable[Sight]) -> None:
        self._about: dict[str, list[Sight]] = {}
        for sight in sorted(sights, key=lambda sight: sight.time):
            self._about.setdefault(sight.subject, []).append(sight)

    def about(self, name: str, since: float, until: float) -> Sequence[Sight]:
        """What was told of a member in between."""
        told = self._about.get(name, [])
        first = bisect.bisect_left(told, since, key=lambda sight: sight.time)
        last = bisect.bisect_right(told, until, key=lambda sight: sight.time)
        return told[first:last]


def false_suspicions(truth: Truth, rules: Rules) -> int:
    """How many times a member was told to be suspected that ran. That is no fault, but tells how near one is."""
    count = 0
    for sight in truth.sights:
        life = truth.bearer(sight.subject, sight.generation) if sight.kind == "suspected" else None
        if life is not None and life.is_steady(earliest(sight, rules) - rules.least_suspicion_s, sight.time):
            count += 1
    return count


View = Mapping[str, tuple[int, str]]
"""Whom an agent holds for living, by name, with generation and what the metadata says."""


def disagreements(truth: Truth, expected: Mapping[str, str], views: Mapping[str, View]) -> tuple[str, ...]:
    """Where the views of agents differ from the truth, in words.

    :param expected: what the metadata of each agent that runs says.
    :param views: of each of them.
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
