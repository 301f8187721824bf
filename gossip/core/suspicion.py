"""Suspicion: how long an accused member may take to show a counter past the floor, and what then.

Each node runs a timer per suspect. It starts long and shrinks with each independent accuser. Accusers
count from their first unanswered question; others only lend their timer in case all accusers fail, and
so wait longer. Shortest is the timer of an accuser that did not meet with silence, but was told by the
member's system that no process listens there. When it runs out, one last question is asked, then the
member is convicted. Whoever hears of a conviction without having known of the suspicion gives the member
time to refute first, and asks it.

Source: Lifeguard (Dadgar, Phillips and Currey 2017), section IV-B, "Local Health Aware Suspicion".
"""

from __future__ import annotations

import math
from collections.abc import Callable

import attrs

from gossip.core.config import Config
from gossip.core.dissemination import Dissemination
from gossip.core.health import LocalHealth
from gossip.core.hearing import CONVICTION_STEPS
from gossip.core.member import Status
from gossip.core.probing import LAST_QUESTION, Prober, Result
from gossip.core.source import RandomSource
from gossip.core.timers import Timer, Timers
from gossip.core.view import Change, Entry, View


def suspicion_timeout(accusers: int, needed: int, shortest: float, longest: float) -> float:
    """Seconds that a suspect has, from ``longest`` with one accuser down to ``shortest``.

    :param accusers: members that accuse it, at least 1.
    :param needed: accusers beyond the first that make the suspicion shortest; 0 if there is nobody
        else who could confirm it.
    """
    if needed <= 0:
        return shortest
    share = math.log(max(1, accusers)) / math.log(needed + 1)
    return max(shortest, longest - (longest - shortest) * share)


@attrs.define(eq=False)
class _Case:
    """One suspect, as this node follows it."""

    entry: Entry
    since: float
    """First unanswered question of ours, or when we heard of the suspicion."""
    public_since: float
    patience: float
    """Extra time before a mere listener acts."""
    refused: bool = False
    """Whether we accuse it, and its system told us that no process listens there."""
    convicted_elsewhere: int = 0
    """The floor at which others have convicted it; 0 if they have not."""
    timer: Timer | None = None
    is_asked: bool = False
    """Whether the last question is under way: what else is heard meanwhile does not ask it a second time."""


class Suspicions:
    """The suspects of one node, and the timers that end in their conviction."""

    def __init__(self, config: Config, view: View, timers: Timers, random: RandomSource,
                 prober: Prober, health: LocalHealth, dissemination: Dissemination) -> None:  # fmt: skip
        self._config = config
        self._view = view
        self._timers = timers
        self._random = random
        self._prober = prober
        self._health = health
        self._dissemination = dissemination
        self._cases: dict[int, _Case] = {}
        self.changed: Callable[[Change, float], None] = lambda _change, _now: None
        """Set by the protocol: told of each conviction."""

    def __len__(self) -> int:
        return len(self._cases)

    def follow(self, change: Change, now: float) -> None:
        """Open, revise or close the case of a member after its registers changed."""
        entry = change.entry
        case = self._cases.get(entry.id)
        if change.after is not Status.SUSPECT:
            if case is not None:
                self._close(case)
        elif case is None:
            if len(self._cases) >= 2 * len(self._view):
                self._close_moot()
            patience = self._config.probe_interval * (1 + self._random.random())
            case = self._cases[entry.id] = _Case(entry, now, now, patience)
            self._arm(case, now)
        else:
            self._arm(case, now)

    def convicted_elsewhere(self, entry: Entry, floor: int, now: float) -> None:
        """Take note that others have convicted a suspect at this floor.

        It is believed of a member that has been under suspicion here long enough to refute. One that was
        accused behind our back, by somebody who is deaf or was cut off from us, gets as long first, and is asked;
        and so is everyone while there is so much news that a refutation may be late.
        """
        case = self._cases.get(entry.id)
        if case is None or case.convicted_elsewhere:
            return
        case.convicted_elsewhere = floor
        if now >= case.public_since + self._config.ack_timeout_max and not self._dissemination.is_busy(now):
            self._convict(case, now)
        else:
            self._arm(case, now)

    def accuse(self, entry: Entry, asked_since: float, floor_since: float, refused: bool,
               now: float) -> Change | None:  # fmt: skip
        """Make this node an accuser of a member that has not answered since ``asked_since``.

        It seconds a standing suspicion at its floor, or raises a new floor: one that shows whether
        anybody has seen the member alive after ``floor_since``. None if it accused before.

        :param refused: whether its system told us that no process listens there.
        """
        local = self._view.local.id
        if entry.status is Status.SUSPECT:
            if local in entry.accusers:
                return None
            entry.accusers = (*entry.accusers, local)
            change: Change | None = Change(entry, Status.SUSPECT, Status.SUSPECT)
        else:
            entry.accusers = (local,)
            floor = max(entry.registers.heartbeat + 1, entry.estimate.floor(floor_since))
            change = self._view.merge(entry, now, accused=floor)
        if change is not None:
            self._cases.setdefault(entry.id, _Case(entry, asked_since, now, 0.0))
            case = self._cases[entry.id]
            case.patience, case.since, case.refused = 0.0, min(case.since, asked_since), refused
            self._arm(case, now)
        return change

    def _arm(self, case: _Case, now: float) -> None:
        config = self._config
        if case.is_asked:
            return
        if case.timer is not None:
            case.timer.cancel()
        earliest = max(case.public_since + config.ack_timeout_max, now)
        if case.convicted_elsewhere:
            case.timer = self._timers.at(earliest, lambda now: self._last_question(case, now))
            return
        needed = min(config.confirmations, self._view.others - 1)
        shortest = config.ack_timeout_max if case.refused else config.suspicion_min
        timeout = suspicion_timeout(len(case.entry.accusers), needed, shortest, config.suspicion_max)
        deadline = case.since + timeout * self._health.suspicion_factor + case.patience
        case.timer = self._timers.at(max(deadline, earliest), lambda now: self._last_question(case, now))

    def _last_question(self, case: _Case, now: float) -> None:
        if self._is_moot(case):
            return
        case.is_asked = True
        self._prober.probe(case.entry, LAST_QUESTION, lambda result, now: self._judge(case, result, now), now)

    def _judge(self, case: _Case, result: Result, now: float) -> None:
        if self._is_moot(case):
            return
        case.is_asked = False
        if result.answered:
            # It lives, and yet did not jump over the floor: the floor is one that it refuses.
            case.since = case.public_since = now
            case.convicted_elsewhere = 0
            self._arm(case, now)
        else:
            self._convict(case, now)

    def _convict(self, case: _Case, now: float) -> None:
        if self._is_moot(case):
            return
        registers, told = case.entry.registers, case.convicted_elsewhere
        floor = told if told > registers.heartbeat else registers.accused + CONVICTION_STEPS
        if change := self._view.merge(case.entry, now, convicted=floor):
            self.changed(change, now)

    def _is_moot(self, case: _Case) -> bool:
        """Whether the case is closed, or its subject has been superseded by a later generation."""
        if self._view.get(case.entry.id) is not case.entry and self._cases.get(case.entry.id) is case:
            self._close(case)
        return self._cases.get(case.entry.id) is not case

    def _close_moot(self) -> None:
        """Close the cases of those whose name has meanwhile gone to a later generation; their timers would, too, but
        invented generations come faster."""
        for case in list(self._cases.values()):
            self._is_moot(case)

    def _close(self, case: _Case) -> None:
        if case.timer is not None:
            case.timer.cancel()
        del self._cases[case.entry.id]
