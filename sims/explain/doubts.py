"""Doubts: from the evidence about a member, what led to each time in which somebody did not believe it to be alive."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable

import attrs

from gossip.core.state.member import Status

from ..plan import Plan
from ..steps import Crash, Disturb, Restart, Step
from .evidence import Accusation, Happening, Inquiry, Life, Sending, Shown, Warned
from .witness import Witness


@attrs.frozen(kw_only=True)
class Held:
    """A process held the member dead for a while."""

    key: str
    since: float
    until: float | None
    """None: to the end of the run."""


@attrs.frozen(kw_only=True)
class Case:
    """An accusation, and the questions in vain that led to it, oldest first."""

    accusation: Accusation
    inquiries: tuple[Inquiry, ...]


@attrs.frozen(kw_only=True)
class Hearsay:
    """A process heard that others had convicted the member, and waited whether it would refute that."""

    key: str
    process: int
    told_by: str
    at: float
    end: Happening | None
    """What ended the wait: it convicted the member as well, or believed in it again, or ended itself; None if
    nothing did before the end of the run."""


@attrs.frozen(kw_only=True)
class Doubt:
    """A time in which at least one process suspected one life of the member, or held it dead."""

    life: Life
    began: float
    ended: float | None
    """When the last process believed in it again; None: not before the end of the run."""
    zero: float
    """The first question that led to an accusation; if there was none, when the doubt began."""
    cases: tuple[Case, ...]
    """Of all who accused it before it was held dead, in that order."""
    suspected: tuple[Happening, ...]
    """How each process came to suspect it, for the first time each."""
    died: tuple[Happening, ...]
    """How each process came to hold it dead, for the first time each."""
    restored: tuple[Happening, ...]
    """How each process came to believe in it again, for the last time each."""
    hearsay: tuple[Hearsay, ...]
    """Who heard of a conviction too early to believe it at once, for the first time each."""
    held: tuple[Held, ...]
    others_asked: tuple[Inquiry, ...]
    """What those asked meanwhile who did not accuse it."""
    warned: tuple[Warned, ...]
    """Messages that told the member of it, until it was over."""
    shown: tuple[Shown, ...]
    """Messages with counters at or past the floor, until it was over."""
    faults: tuple[Step, ...]
    """Steps of the plan that harm the member, its process or its ways, and may have been felt then."""
    accusers_faults: tuple[Step, ...]
    """The same of its accusers, but not those that harm the member too."""

    @property
    def is_death(self) -> bool:
        """Whether anybody held it dead."""
        return bool(self.died)

    @property
    def decided(self) -> float | None:
        """When the first process held it dead."""
        return self.died[0].at if self.died else None

    @property
    def floor(self) -> int:
        """The counter that would have cleared it."""
        return (self.died or self.suspected)[0].floor

    @property
    def was_running(self) -> bool:
        """Whether the member's process ran when it was first held dead, or suspected if it never was."""
        return self.life.was_running((self.died or self.suspected)[0].at)


def doubts_about(witness: Witness, plan: Plan) -> list[Doubt]:
    """All doubts about a member, in the order in which they began."""
    found = [
        _explained(witness, plan, life, happenings)
        for life in witness.lives.values()
        for happenings in _episodes(witness.happenings, life.id)
    ]
    return sorted(found, key=lambda doubt: doubt.began)


def _episodes(happenings: Iterable[Happening], member_id: int) -> list[list[Happening]]:
    """The events about one life, cut where nobody doubts it; each ends with the belief of the last, or the end."""
    episodes: list[list[Happening]] = []
    doubting: set[int] = set()
    for each in happenings:
        if each.member_id == member_id and each.is_doubt:
            if not doubting:
                episodes.append([])
            doubting.add(each.process)
        elif each.process not in doubting:
            continue
        else:  # it believes in this life again, or knows of a later one, or has ended
            doubting.discard(each.process)
        episodes[-1].append(each)
    return episodes


def _explained(witness: Witness, plan: Plan, life: Life, happenings: list[Happening]) -> Doubt:
    died = _first(each for each in happenings if each.status is Status.DEAD and each.member_id == life.id)
    suspected = _first(each for each in happenings if each.status is Status.SUSPECT and each.member_id == life.id)
    restored = tuple(each for each in happenings if each.kind is not None and not each.is_doubt)
    held, is_over = _held(happenings, life.id)
    began, ended = happenings[0].at, happenings[-1].at if is_over else None
    decided = died[0].at if died else happenings[-1].at
    until = float("inf") if ended is None else ended
    cases = _cases(witness, life, began, decided)
    zero = min((case.inquiries[0].at for case in cases if case.inquiries), default=began)
    accusers = {case.accusation.accuser for case in cases}
    floor = (died or suspected)[0].floor
    faults = _faults(plan, (life.node.key,), zero, decided)
    return Doubt(
        life=life, began=began, ended=ended, zero=zero, cases=cases, suspected=suspected, died=died,
        restored=restored, hearsay=_hearsay(witness, happenings, life.id), held=held,
        others_asked=tuple(
            each for each in witness.inquiries
            if zero <= each.at <= decided and each.asker not in accusers and not each.is_help
        ),
        warned=tuple(
            each for each in witness.warned if each.member_id == life.id and began <= each.sending.at <= until
        ),
        shown=tuple(
            each for each in witness.shown
            if each.member_id == life.id and each.counter >= floor and zero <= each.sending.at <= until
        ),
        faults=faults,
        accusers_faults=tuple(step for step in _faults(plan, accusers, zero, decided) if step not in faults),
    )  # fmt: skip


def _first(happenings: Iterable[Happening]) -> tuple[Happening, ...]:
    """The first of each process."""
    first: dict[int, Happening] = {}
    for each in happenings:
        first.setdefault(each.process, each)
    return tuple(first.values())


def _hearsay(witness: Witness, happenings: list[Happening], member_id: int) -> tuple[Hearsay, ...]:
    """Who heard of a conviction while it suspected the member, and did not convict it at that moment."""
    told: dict[str, list[Sending]] = defaultdict(list)
    for message in witness.condemned:
        if message.member_id == member_id and not message.sending.damaged:
            told[message.sending.destination].append(message.sending)
    found: dict[int, Hearsay] = {}
    for number, each in enumerate(happenings):
        if each.status is not Status.SUSPECT or each.member_id != member_id or each.process in found:
            continue
        later = (one for one in happenings[number + 1 :] if one.process == each.process)
        end = next((one for one in later if one.status is not Status.SUSPECT or one.member_id != member_id), None)
        until = float("inf") if end is None else end.at
        heard = [(one.handled, one.source) for one in told[each.key] if one.handled is not None]
        first = min((one for one in heard if each.at <= one[0] < until), default=None)
        if first is not None:
            at, teller = first
            found[each.process] = Hearsay(key=each.key, process=each.process, told_by=teller, at=at, end=end)
    return tuple(sorted(found.values(), key=lambda one: one.at))


def _held(happenings: list[Happening], member_id: int) -> tuple[tuple[Held, ...], bool]:
    """Who held it dead and for how long; and whether nobody doubts it any more."""
    dead_since: dict[int, Happening] = {}
    doubting: set[int] = set()
    held: list[Held] = []
    for each in happenings:
        is_dead = each.status is Status.DEAD and each.member_id == member_id
        if is_dead:
            dead_since.setdefault(each.process, each)
        elif (since := dead_since.pop(each.process, None)) is not None:
            held.append(Held(key=each.key, since=since.at, until=each.at))
        if each.is_doubt and each.member_id == member_id:
            doubting.add(each.process)
        else:
            doubting.discard(each.process)
    held += [Held(key=each.key, since=each.at, until=None) for each in dead_since.values()]
    return tuple(sorted(held, key=lambda one: one.since)), not doubting


def _cases(witness: Witness, life: Life, began: float, decided: float) -> tuple[Case, ...]:
    """The accusations of a doubt, each with the questions in vain that led to it."""
    heard: dict[str, list[Shown]] = defaultdict(list)
    for each in witness.shown:
        if each.member_id == life.id:
            heard[each.sending.destination].append(each)
    return tuple(
        Case(
            accusation=each,
            inquiries=_in_vain(
                [one for one in witness.inquiries if one.asker == each.accuser and life.began <= one.at <= decided],
                each.at,
                heard[each.accuser],
            ),
        )
        for each in witness.accusations
        if each.member_id == life.id and began <= each.at <= decided
    )


def _in_vain(inquiries: list[Inquiry], accused_at: float, heard: list[Shown]) -> tuple[Inquiry, ...]:
    """The questions of an accuser since it last heard from the member, those after its accusation included."""
    own = [each for each in inquiries if not each.is_help]
    chain: list[Inquiry] = [each for each in own if each.at > accused_at]
    before = [each for each in own if each.at <= accused_at]
    deadline = accused_at
    for number, each in reversed(list(enumerate(before))):
        answered = each.answered_from
        if answered is not None and answered <= deadline:
            break
        asked = before[number - 1] if each.helpers and number else each  # helpers are asked when a ping was in vain
        if any(shown.counter >= asked.wanted and shown.sending.was_heard(deadline) for shown in heard):
            break
        chain.insert(0, each)
        deadline = each.at
    return tuple(chain)


def _faults(plan: Plan, keys: Iterable[str], began: float, ended: float) -> tuple[Step, ...]:
    """Steps that harm one of these nodes, or all ways, and may have been felt at some time from ``began`` on."""
    names = list(keys)

    def concerns(step: Step) -> bool:
        if isinstance(step, Disturb) and not step.sources and not step.destinations:
            return True
        can_harm = isinstance(step, (Crash, Restart, Disturb))
        return any(key in step.impairs or (can_harm and step.without([key]) != step) for key in names)

    always = [way for way in plan.shape if concerns(way)]
    return (
        *always,
        *(step for step in plan.steps if step.at <= ended and began <= step.until + plan.grace_s and concerns(step)),
    )
