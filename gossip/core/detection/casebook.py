"""The casebook: the members under scrutiny, one object for each, and the evidence about them and about the last deaths.

It remembers and explains; it asks nobody and decides nothing. The detector moves members from stage to stage.
Everything is bounded: a few pieces of evidence for each member, and a number of deaths.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from itertools import islice
from typing import NamedTuple

import attrs

from gossip.core.detection.evidence import EVIDENCE_KEPT, NAMES_KEPT, Asked, Explanation, Told
from gossip.core.detection.probing import Probe
from gossip.core.detection.stages import Stage
from gossip.core.state.entry import Entry
from gossip.core.state.view import View
from gossip.core.support.timers import Timer, Timers
from gossip.core.wire.messages import ANONYMOUS

DEATHS_KEPT = 64
"""Deaths that can be explained, the last ones: as many as people read after a bad night."""


@attrs.define(eq=False, weakref_slot=False)
class Scrutiny:
    """One member under scrutiny: its two stages, and their data."""

    entry: Entry
    probing: Stage = Stage.NOT_PROBED
    suspicion: Stage = Stage.UNSUSPECTED
    probe: Probe | None = None
    """The latest probe of the stages of probing."""
    asked_since: float = 0.0
    """Local time of the first question that it has not answered."""
    last_probe: Probe | None = None
    """The latest probe of the stages of suspicion."""
    since: float = 0.0
    """Start of its time to refute: this node's first unanswered question, or the moment when this node heard of the
    suspicion."""
    public_since: float = 0.0
    """When this node first knew of the suspicion."""
    patience: float = 0.0
    """Extra seconds before this node acts if it only heard of the suspicion."""
    refused: bool = False
    """Whether this node accuses it and the member's system said that no process listens there."""
    condemned_floor: int = 0
    """The floor at which others have declared it dead; 0 if they have not."""
    timer: Timer | None = None
    """Ends its time to refute."""
    asked: deque[Asked] | None = None
    told: deque[Told] | None = None


class _Death(NamedTuple):
    entry: Entry
    at: float
    """When this node found the member dead, in local time."""
    stage: Stage
    """Its stage of suspicion until then."""
    since: float | None
    asked: tuple[Asked, ...]
    told: tuple[Told, ...]


class Casebook:
    """The scrutinies of one node, and the evidence of the last deaths."""

    def __init__(self, view: View, timers: Timers) -> None:
        self._view = view
        self._timers = timers
        self._open: dict[int, Scrutiny] = {}
        self._deaths: dict[int, _Death] = {}

    def __iter__(self) -> Iterator[Scrutiny]:
        return iter(list(self._open.values()))

    @property
    def suspects(self) -> int:
        """Number of members under suspicion."""
        return sum(each.suspicion is not Stage.UNSUSPECTED for each in self._open.values())

    @property
    def deaths(self) -> int:
        """Number of deaths whose evidence is kept."""
        return len(self._deaths)

    def __len__(self) -> int:
        return len(self._open)

    def get(self, entry: Entry) -> Scrutiny | None:
        """The scrutiny of a member; None if it is not under scrutiny."""
        scrutiny = self._open.get(entry.id)
        return scrutiny if scrutiny is not None and scrutiny.entry is entry else None

    def open(self, entry: Entry) -> Scrutiny:
        """The scrutiny of a member; a new one if it is not under scrutiny."""
        scrutiny = self._open.get(entry.id)
        if scrutiny is None or scrutiny.entry is not entry:
            scrutiny = self._open[entry.id] = Scrutiny(entry)
        return scrutiny

    def close(self, scrutiny: Scrutiny) -> None:
        """Forget a scrutiny, with its evidence."""
        if self._open.get(scrutiny.entry.id) is scrutiny:
            del self._open[scrutiny.entry.id]

    def stood_still(self, seconds: float) -> None:
        """Take note that this node's process did not run for this many seconds. No member could refute to it
        meanwhile, so no time to refute passed."""
        for scrutiny in self._open.values():
            scrutiny.asked_since += seconds
            scrutiny.since += seconds
            scrutiny.public_since += seconds

    # --- evidence

    def note_failed(self, scrutiny: Scrutiny, probe: Probe, alone: bool, now: float) -> None:
        """Keep how a member was asked, and that it did not answer."""
        if scrutiny.asked is None:
            scrutiny.asked = deque(maxlen=EVIDENCE_KEPT)
        scrutiny.asked.append(_asked(probe, now, alone and not probe.is_refused))

    def note_told(self, scrutiny: Scrutiny, told_by: int, floor: int, is_conviction: bool, now: float) -> None:
        """Keep that another member, or this node, accuses a member or has declared it dead.

        :param told_by: the id of the member that told this node, or of this node itself.
        """
        if scrutiny.told is None:
            scrutiny.told = deque(maxlen=EVIDENCE_KEPT)
        accusers = self.names(scrutiny.entry.accusers)
        scrutiny.told.append(Told(now, self.name(told_by), accusers, floor, is_conviction))

    def note_end(self, scrutiny: Scrutiny) -> None:
        """Take note that a suspicion is over: what was told does not belong to the next one."""
        scrutiny.told = None

    def note_death(self, entry: Entry, now: float) -> None:
        """Keep the evidence about a member that this node has just found dead. If there is no room, the deaths of
        members that never answered give way first: others can invent them."""
        scrutiny = self.get(entry)
        self._deaths.pop(entry.id, None)
        while len(self._deaths) >= DEATHS_KEPT:
            never_answered = (key for key, each in self._deaths.items() if each.entry.round_trip is None)
            del self._deaths[next(never_answered, next(iter(self._deaths)))]
        if scrutiny is None:
            self._deaths[entry.id] = _Death(entry, now, Stage.UNSUSPECTED, None, (), ())
        else:
            asked, told = tuple(scrutiny.asked or ()), tuple(scrutiny.told or ())
            self._deaths[entry.id] = _Death(entry, now, scrutiny.suspicion, scrutiny.since, asked, told)

    def explain(self, name: str, now: float) -> Explanation | None:
        """Where the holder of a name stands, and why; None if nobody is known by it."""
        entry = self.holder(name)
        return None if entry is None else self.explanation(entry, now)

    def holder(self, name: str) -> Entry | None:
        """The member with a name: the one in the view, or the last one whose death can still be explained."""
        deaths = (each.entry for each in reversed(self._deaths.values()))
        return self._view.named(name) or next((each for each in deaths if each.identity.name == name), None)

    def explanation(self, entry: Entry, now: float) -> Explanation:
        """Where a member stands, and why."""
        scrutiny, death, registers = self.get(entry), self._death_of(entry), entry.registers
        is_dead = not registers.is_living and not registers.left
        asked: tuple[Asked, ...] = ()
        told: tuple[Told, ...] = ()
        suspicion, since = Stage.UNSUSPECTED, None
        if is_dead and death is not None:
            suspicion, since = death.stage, death.since
        elif scrutiny is not None and not is_dead:
            under_way = [each for each in (scrutiny.probe, scrutiny.last_probe) if each and each.is_under_way]
            asked = (*(scrutiny.asked or ()), *(_asked(each, None, False) for each in under_way))
            told, suspicion = tuple(scrutiny.told or ()), scrutiny.suspicion
            since = scrutiny.since if suspicion is not Stage.UNSUSPECTED else None
        if death is not None and not (asked or told):
            asked, told = death.asked, death.told
        return Explanation(
            member=entry.snapshot(),
            node=self._view.local.identity.name,
            time=now,
            probing=Stage.NOT_PROBED if scrutiny is None else scrutiny.probing,
            suspicion=suspicion,
            since=since,
            died_at=None if death is None else death.at,
            counter=registers.heartbeat,
            silent_for=max(0.0, now - entry.estimate.time_of(registers.heartbeat)),
            floor=0 if not registers.is_below_floor else max(registers.accused, registers.convicted),
            accusers=self.names(entry.accusers) if registers.is_below_floor else (),
            deadline=None if scrutiny is None or scrutiny.timer is None else self._timers.deadline(scrutiny.timer),
            asked=asked,
            told=told,
        )

    def _death_of(self, entry: Entry) -> _Death | None:
        """The last death of a member, or of an earlier process of its name."""
        name = entry.identity.name
        named = (each for each in reversed(self._deaths.values()) if each.entry.identity.name == name)
        return self._deaths.get(entry.id) or next(named, None)

    def names(self, member_ids: tuple[int, ...]) -> tuple[str, ...]:
        """The names of members, as far as they are known."""
        return tuple(self.name(each) for each in member_ids)

    def name(self, member_id: int) -> str:
        """The name of a member, or a text that says that its name is unknown."""
        if member_id == ANONYMOUS:
            return "anonymous"
        known = self._view.get(member_id) or (self._view.local if member_id == self._view.local.id else None)
        return f"unknown {member_id:016x}" if known is None else known.identity.name


def _asked(probe: Probe, ended: float | None, alone: bool) -> Asked:
    helpers = dict(islice(probe.helpers.items(), NAMES_KEPT))
    return Asked(
        reason=probe.reason.value,
        began=probe.began,
        ended=ended,
        pings=probe.attempt + 1,
        address=str(probe.target.registers.record.address),
        helpers=tuple(helpers.values()),
        nacks=tuple(name for helper, name in probe.nacks.items() if helper in helpers),
        over_stream=probe.used_stream,
        refused=ended is not None and probe.target_refused,
        unheard=ended is not None and not probe.heard and not probe.target_refused,
        alone=alone,
    )
