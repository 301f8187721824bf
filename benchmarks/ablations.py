"""Ablations: the same protocol with one choice made otherwise, to see what each choice is worth.

Where a choice is a setting, the ablation changes the setting. Where it is not, because nobody should choose
otherwise in earnest, it replaces the method in which the choice is made, for as long as it is in force.
"""

from __future__ import annotations

import contextlib
import math
from bisect import bisect_left
from collections.abc import Callable, Iterator, Mapping, Sequence
from random import Random
from typing import Any

import attrs

from gossip.core.detection.detector import Detector, Suspicions
from gossip.core.detection.health import LocalHealth
from gossip.core.detection.probing import Result
from gossip.core.dissemination import Dissemination
from gossip.core.facts import liveness_fact
from gossip.core.hearing import Hearing
from gossip.core.member import Status
from gossip.core.outbox import Outbox, Path
from gossip.core.protocol import Protocol
from gossip.core.view import Entry, View
from gossip.core.wire.messages import Ack, Body, Ping

STALEST_OF = 2
"""Random candidates of whom the one silent for longest is asked."""

COUNTERS_SENT_ALONG = 5
"""Counters of others that ride on each ping and answer: some 60 bytes."""

_DICE = Random(0)
"""For choices that the protocol does not leave to chance. Runs with them depend on those before in their process."""

Patch = tuple[type, str, Callable[..., Any]]


@attrs.frozen(kw_only=True)
class Ablation:
    """One choice made otherwise."""

    name: str
    settings: Mapping[str, Any] = attrs.field(factory=dict)
    patches: Sequence[Patch] = ()

    @contextlib.contextmanager
    def in_force(self) -> Iterator[None]:
        """Replace what is to be replaced, and put it back."""
        before = [(owner, name, getattr(owner, name)) for owner, name, _ in self.patches]
        for owner, name, instead in self.patches:
            setattr(owner, name, instead)
        try:
            yield
        finally:
            for owner, name, original in before:
                setattr(owner, name, original)


# --- what takes the place of the protocol's own methods


def _ask_at_random(self: Detector) -> Entry | None:
    return next(iter(self._view.sample(1, self._random)), None)


def _ask_the_stalest(self: Detector) -> Entry | None:
    if self._rounds % 2:
        return self._view.successor()
    candidates = self._view.sample(STALEST_OF, self._random)
    return min(candidates, key=lambda entry: entry.estimate.advanced_at, default=None)


def _accuse_at_once(self: Detector, entry: Entry, result: Result, now: float) -> None:
    if result.helpers and not result.heard_helpers and not result.answered:
        self._health.worsen()
    self._after_second_look(entry, result, result.began, now)


def _after_a_delay(self: Dissemination, now: float) -> float:
    return now + self._config.push_delay


def _anybody(self: View, count: int) -> list[Entry]:
    return self.sample(count, _DICE)


def _neighbours_and_anybody(self: View, count: int) -> list[Entry]:
    ring, here = self._ring, bisect_left(self._ring, self.local.id)
    near = [ring[(here + step) % len(ring)] for step in (1, -1, 2, -2)[: count - count // 3]]
    near = [each for each in dict.fromkeys(near) if each != self.local.id]
    return [self._entries[each] for each in near] + self.sample(count - len(near), _DICE, near)


def _do_nothing(self: object, *_: object) -> None:
    pass


def _never(self: object, *_: object) -> bool:
    return False


_judged_aloud = Protocol._changed


def _believe_at_once(self: Suspicions, entry: Entry, floor: int, now: float) -> None:
    case = self._cases.get(entry.id)
    if case is not None:
        case.convicted_elsewhere = floor
        self._convict(case, now)


def _run_on(self: Hearing, _started: float) -> float:
    return math.inf


def _convict_at_the_accusation(self: Suspicions, case: Any, now: float) -> None:
    case.convicted_elsewhere = case.entry.registers.accused
    _convict(self, case, now)


_convict = Suspicions._convict
_send = Outbox.send


def _send_with_counters(self: Outbox, path: Path, body: Body, now: float, *, facts: Sequence[bytes] = (),
                        **options: Any) -> bool:  # fmt: skip
    if isinstance(body, (Ping, Ack)) and path.stream is None:
        fresh = sorted(self._view, key=lambda entry: -entry.estimate.advanced_at)
        living = [entry for entry in fresh if entry.status is Status.ALIVE and entry is not self._local.entry]
        facts = [*facts, *(liveness_fact(entry) for entry in living[:COUNTERS_SENT_ALONG])]
    return _send(self, path, body, now, facts=facts, **options)


_NO_HEALTH: Patch = (LocalHealth, "worsen", _do_nothing)
_NO_STALL_GUARD: Patch = (Protocol, "_stalled", _do_nothing)
_NO_WATCH: Patch = (Detector, "_after_round", _accuse_at_once)
_NO_ISOLATION: Patch = (Detector, "_is_isolated", _never)
_DEAF_SPEAK: Patch = (Protocol, "_judged", _judged_aloud)
_HEARSAY: Patch = (Suspicions, "convicted_elsewhere", _believe_at_once)

_RUN_ON: Patch = (Hearing, "vouched_until", _run_on)
_LOW_CONVICTION: Patch = (Suspicions, "_convict", _convict_at_the_accusation)
_HEAL_BY_CHANCE: Patch = (Hearing, "has_ceased", _never)

AS_BUILT = Ablation(name="as built")

GUARDS_OFF = Ablation(
    name="all guards off",
    patches=(_NO_HEALTH, _NO_STALL_GUARD, _NO_WATCH, _NO_ISOLATION, _DEAF_SPEAK, _HEARSAY),
)
"""Without whatever keeps a node that is sick itself from blaming others."""

ABLATIONS = (
    AS_BUILT,
    Ablation(name="no push, news only rides", settings={"push_fanout": 0}),
    Ablation(name="push to 2", settings={"push_fanout": 2}),
    Ablation(name="push to 4", settings={"push_fanout": 4}),
    Ablation(name="push to 8", settings={"push_fanout": 8}),
    Ablation(name="push to 6 at random", patches=((View, "relays", _anybody),)),
    Ablation(name="push to 4 ring neighbours, 2 at random", patches=((View, "relays", _neighbours_and_anybody),)),
    Ablation(name="push without coalescing", settings={"push_delay": 0.0}),
    Ablation(name="every push waits 3 ms", patches=((Dissemination, "_next_push", _after_a_delay),)),
    Ablation(name="20 ms between pushes", settings={"push_delay": 0.02}),
    Ablation(name="probing at random only", patches=((Detector, "_next_target", _ask_at_random),)),
    Ablation(name="stalest of two instead of random", patches=((Detector, "_next_target", _ask_the_stalest),)),
    Ablation(name="counters of others in spare room", patches=((Outbox, "send", _send_with_counters),)),
    Ablation(name="no private watch", patches=(_NO_WATCH,)),
    Ablation(name="no witnesses", settings={"witnesses": 0}),
    Ablation(name="one further accuser is enough", settings={"confirmations": 1}),
    Ablation(name="four further accusers needed", settings={"confirmations": 4}),
    Ablation(name="no local health", patches=(_NO_HEALTH,)),
    Ablation(name="no stall guard", patches=(_NO_STALL_GUARD,)),
    Ablation(name="hearsay convicts at once", patches=(_HEARSAY,)),
    Ablation(name="the deaf may accuse aloud", patches=(_DEAF_SPEAK,)),
    GUARDS_OFF,
)
"""Every choice that is examined, the protocol as built first."""

OF_THE_DEAF = (
    AS_BUILT,
    Ablation(name="counters run on", patches=(_RUN_ON,)),
    Ablation(name="convicted at the floor of the accusation", patches=(_LOW_CONVICTION,)),
    Ablation(name="healing by chance only", patches=(_HEAL_BY_CHANCE,)),
    Ablation(name="none of these", patches=(_RUN_ON, _LOW_CONVICTION, _HEAL_BY_CHANCE)),
)
"""Choices that matter where a member hears nobody; see :mod:`benchmarks.simulation.deaf`."""


def named(name: str) -> Ablation:
    """The ablation of this name."""
    return next(each for each in ABLATIONS if each.name == name)
