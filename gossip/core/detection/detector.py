"""The failure detector: which member to probe in each round, and what follows from its answer and from others'
messages.

A round probes one member. Rounds alternate between the next neighbour on the ring, so that everybody is asked
regularly, and a random member, so that no two sick neighbours can hide a third. The table of
:mod:`gossip.core.detection.stages` says what follows: this module reports what happens, looks up the row, and carries
    out its actions. A node that hears nobody suspects itself first.

Each node runs one timer per suspect. It starts long and shrinks with each independent accuser. The timers of accusers
count from their first unanswered question. The timers of other nodes only matter if all accusers fail, and so wait
longer. The shortest is the timer of an accuser that was not met with silence: the member's system told it that no
process listens there.

Sources: SWIM (Das, Gupta and Motivala 2002) for probing; van Renesse, Minsky and Hayden (1998) for the counter as
evidence; Lifeguard (Dadgar, Phillips and Currey 2017, section IV-B) for the timer of a suspicion; the second probe and
the floors are this project's own.
"""

from __future__ import annotations

import math

from gossip.core.changes import Changes
from gossip.core.config import Config
from gossip.core.detection.casebook import Casebook, Scrutiny
from gossip.core.detection.health import LocalHealth
from gossip.core.detection.probing import Probe, Prober, Reason
from gossip.core.detection.stages import TABLE, Action, Happening, Stage
from gossip.core.dissemination.facts import liveness_fact
from gossip.core.dissemination.outbox import Outbox, Path
from gossip.core.dissemination.push import Dissemination
from gossip.core.state.entry import Change, Entry
from gossip.core.state.hearing import CONVICTION_STEPS, SILENT_ROUNDS, Hearing
from gossip.core.state.member import Status
from gossip.core.state.view import View
from gossip.core.support.random_source import RandomSource
from gossip.core.support.timers import Timers

DEAF_SUSPICIONS = 3
"""Longest suspicions without a message from anybody after which a node believes that the others are gone, and no longer
that it is cut off itself. Cables, switches and wireless links that fail for some seconds are far more common than the
end of all peers at once."""


def suspicion_timeout(accusers: int, needed: int, shortest: float, longest: float) -> float:
    """Seconds that a suspect has to refute, from ``longest`` with one accuser down to ``shortest``.

    :param accusers: members that accuse it, at least 1.
    :param needed: accusers beyond the first that make the suspicion shortest; 0 if nobody else could confirm it.
    """
    if needed <= 0:
        return shortest
    share = math.log(max(1, accusers)) / math.log(needed + 1)
    return max(shortest, longest - (longest - shortest) * share)


class Detector:
    """Runs the rounds of one node, and takes members through the stages."""

    def __init__(self, config: Config, view: View, timers: Timers, random: RandomSource, prober: Prober,
                 casebook: Casebook, health: LocalHealth, hearing: Hearing, dissemination: Dissemination,
                 outbox: Outbox, changes: Changes) -> None:  # fmt: skip
        self._config = config
        self._view = view
        self._timers = timers
        self._random = random
        self._prober = prober
        self._casebook = casebook
        self._health = health
        self._hearing = hearing
        self._dissemination = dissemination
        self._outbox = outbox
        self._changes = changes
        self.accusations = 0
        """Times that this node accused a member."""
        self._rounds = 0

    # --- what happens

    def round(self, now: float) -> None:
        """Probe one member."""
        self._rounds += 1
        target = self._next_target()
        if target is not None:
            scrutiny = self._casebook.open(target)
            if scrutiny.probing is Stage.NOT_PROBED:
                self._probing(scrutiny, Happening.CHOSEN, now)

    def note_change(self, change: Change, told_by: int, now: float) -> None:
        """Take note that what this node knows about another member has changed.

        :param told_by: id of the member that told this node; 0 if it gave no id, or if this node found that out
            itself.
        """
        entry = change.entry
        scrutiny = self._casebook.get(entry)
        if change.after is not Status.SUSPECT:
            if change.after is Status.DEAD and change.before is not Status.DEAD:
                self._casebook.note_death(entry, now)
            if scrutiny is not None and scrutiny.suspicion is not Stage.UNSUSPECTED:
                self._suspicion(scrutiny, Happening.ENDED, now)
                self._casebook.note_end(scrutiny)
            return
        if scrutiny is None or scrutiny.suspicion is Stage.UNSUSPECTED:
            scrutiny = self._open_suspicion(entry, now)
        self._casebook.note_told(scrutiny, told_by, entry.registers.accused, False, now)
        self._suspicion(scrutiny, Happening.SUSPICION_HEARD, now)
        if change.before is Status.ALIVE:
            self._consider_witnessing(scrutiny, now)

    def convicted_elsewhere(self, entry: Entry, floor: int, told_by: int, now: float) -> None:
        """Take note that others have declared a suspect dead at this floor.

        This node believes the conviction if the member was under suspicion here for long enough to refute. A member may
        have been accused without this node's knowledge, by a node that is deaf or was cut off. Then this node gives it
        that time first, and probes it. It does the same for every suspect while there is so much news that a refutation
        may be late.
        """
        scrutiny = self._casebook.get(entry)
        if scrutiny is None or scrutiny.suspicion is Stage.UNSUSPECTED or scrutiny.condemned_floor:
            return
        scrutiny.condemned_floor = floor
        self._casebook.note_told(scrutiny, told_by, floor, True, now)
        had_time = now >= scrutiny.public_since + self._config.ack_timeout_max
        believed = had_time and not self._dissemination.is_busy(now)
        happening = Happening.CONVICTION_HEARD if believed else Happening.EARLY_CONVICTION_HEARD
        self._suspicion(scrutiny, happening, now)

    def is_deaf(self, now: float) -> bool:
        """Whether this node has heard nobody at all for so long that this is no passing fault of its own."""
        rounds = self._config.probe_interval
        patience = max(DEAF_SUSPICIONS * self._config.suspicion_max, SILENT_ROUNDS * rounds)
        return now - self._hearing.last_heard >= patience + rounds

    def _next_target(self) -> Entry | None:
        if self._rounds % 2:
            return self._view.successor()
        return next(iter(self._view.sample(1, self._random)), None)

    def _open_suspicion(self, entry: Entry, now: float) -> Scrutiny:
        """Open a suspicion that this node has just heard of. A node that does not accuse waits a little longer than
        accusers do."""
        if len(self._casebook) >= 2 * len(self._view):
            self._close_superseded(now)
        scrutiny = self._casebook.open(entry)
        scrutiny.since = scrutiny.public_since = now
        scrutiny.patience = self._config.probe_interval * (1 + self._random.random())
        scrutiny.refused, scrutiny.condemned_floor, scrutiny.last_probe = False, 0, None
        return scrutiny

    def _consider_witnessing(self, scrutiny: Scrutiny, now: float) -> None:
        """With a small probability, become a witness: probe a member that has just come under suspicion."""
        if scrutiny.probing is not Stage.NOT_PROBED or self._view.local.id in scrutiny.entry.accusers:
            return
        if self._random.random() * self._view.others < self._config.witnesses:
            self._probing(scrutiny, Happening.DRAWN, now)

    def _probing(self, scrutiny: Scrutiny, happening: Happening, now: float) -> None:
        """Move a member on in the stages of probing, which is what this node finds out for itself."""
        scrutiny.probing, actions = TABLE[scrutiny.probing, happening]
        for action in actions:
            _ACTIONS[action](self, scrutiny, now)
        if scrutiny.probing is Stage.NOT_PROBED and scrutiny.suspicion is Stage.UNSUSPECTED:
            self._casebook.close(scrutiny)

    def _suspicion(self, scrutiny: Scrutiny, happening: Happening, now: float) -> None:
        """Move a member on in the stages of suspicion, which is what is known in public."""
        scrutiny.suspicion, actions = TABLE[scrutiny.suspicion, happening]
        for action in actions:
            _ACTIONS[action](self, scrutiny, now)
        if scrutiny.probing is Stage.NOT_PROBED and scrutiny.suspicion is Stage.UNSUSPECTED:
            self._casebook.close(scrutiny)

    def _probing_due(self, scrutiny: Scrutiny, stage: Stage, now: float) -> None:
        if scrutiny.probing is stage:
            self._probing(scrutiny, Happening.DUE if self._is_there(scrutiny.entry) else Happening.GONE, now)

    def _probed(self, probe: Probe, now: float) -> None:
        """A probe of the stage of probing has ended."""
        scrutiny = self._casebook.get(probe.target)
        if scrutiny is None or scrutiny.probe is not probe:
            return
        if probe.answered:
            happening = Happening.ANSWERED
        elif not self._is_there(probe.target):
            happening = Happening.GONE
        else:
            alone = self._is_alone(probe, now)
            happening = Happening.UNHEARD if alone else Happening.UNANSWERED
            self._casebook.note_failed(scrutiny, probe, alone, now)
        self._probing(scrutiny, happening, now)

    def _suspicion_due(self, scrutiny: Scrutiny, stage: Stage, now: float) -> None:
        if scrutiny.suspicion is stage:
            is_known = self._view.get(scrutiny.entry.id) is scrutiny.entry
            self._suspicion(scrutiny, Happening.DUE if is_known else Happening.ENDED, now)

    def _last_probed(self, probe: Probe, now: float) -> None:
        """The last probe of a suspect has ended. It does not count for a member that was cleared or suspected anew
        meanwhile."""
        scrutiny = self._casebook.get(probe.target)
        if scrutiny is None or scrutiny.last_probe is not probe or scrutiny.suspicion is not Stage.LAST_PROBED:
            return
        if self._view.get(probe.target.id) is not probe.target:
            self._suspicion(scrutiny, Happening.ENDED, now)
            return
        if not probe.answered:
            self._casebook.note_failed(scrutiny, probe, False, now)
        self._suspicion(scrutiny, Happening.ANSWERED if probe.answered else Happening.UNANSWERED, now)

    def _close_superseded(self, now: float) -> None:
        """Close the suspicions of members whose name has gone to a later generation. Their timers would do so, too, but
        invented generations come faster."""
        for scrutiny in self._casebook:
            is_known = self._view.get(scrutiny.entry.id) is scrutiny.entry
            if scrutiny.suspicion is not Stage.UNSUSPECTED and not is_known:
                self._suspicion(scrutiny, Happening.ENDED, now)

    def _is_there(self, entry: Entry) -> bool:
        return entry.registers.is_living and self._view.get(entry.id) is entry and not self._view.local.registers.left

    def _is_alone(self, probe: Probe, now: float) -> bool:
        """Whether nobody at all was heard during the probe, so that the fault may well be this node's.

        With a single peer, its silence is all there is to hear. After a long silence from everybody this node believes
        that the others are gone: the last survivor must notice that it is the last.
        """
        return self._view.others > 1 and not probe.heard and not self.is_deaf(now)

    # --- actions of probing

    def _probe(self, scrutiny: Scrutiny, now: float) -> None:
        scrutiny.probe = self._prober.probe(scrutiny.entry, Reason.ROUND, self._probed, now)

    def _probe_again(self, scrutiny: Scrutiny, now: float) -> None:
        scrutiny.probe = self._prober.probe(scrutiny.entry, Reason.AGAIN, self._probed, now)

    def _probe_as_witness(self, scrutiny: Scrutiny, now: float) -> None:
        scrutiny.probe = self._prober.probe(scrutiny.entry, Reason.WITNESS, self._probed, now)

    def _look_at_once(self, scrutiny: Scrutiny, now: float) -> None:
        """By a timer, so that the probe is this node's own question and not an answer to the member that told it."""
        self._timers.at(now, self._probing_due, scrutiny, Stage.WITNESS_CALLED)

    def _wait_to_probe_again(self, scrutiny: Scrutiny, now: float) -> None:
        self._timers.at(now + self._config.watch_delay, self._probing_due, scrutiny, Stage.DOUBTED)

    def _count_silence(self, scrutiny: Scrutiny, _now: float) -> None:
        assert scrutiny.probe is not None
        scrutiny.asked_since = scrutiny.probe.began

    def _count_silence_anew(self, scrutiny: Scrutiny, now: float) -> None:
        scrutiny.asked_since = now

    def _distrust_own_health(self, scrutiny: Scrutiny, _now: float) -> None:
        """A living helper answers in either case. If none did, the others may not hear this node."""
        probe = scrutiny.probe
        if probe is not None and probe.helpers and not probe.nacks:
            self._health.worsen()

    def _accuse(self, scrutiny: Scrutiny, now: float) -> None:
        """Make this node an accuser of a member that does not answer, and tell the member directly.

        It joins a suspicion that exists, at its floor. Otherwise it raises a new floor, which shows whether anybody has
        seen the member alive after the last probe began.
        """
        entry, probe, local = scrutiny.entry, scrutiny.probe, self._view.local.id
        assert probe is not None
        if entry.status is not Status.SUSPECT:
            floor = max(entry.registers.heartbeat + 1, entry.estimate.floor(probe.began))
            change = self._view.accuse(entry, (local,), now, floor)
        elif local not in entry.accusers:
            change = self._view.accuse(entry, (*entry.accusers, local), now)
        else:
            return
        if change is None:
            return
        if scrutiny.suspicion is Stage.UNSUSPECTED:
            scrutiny.since, scrutiny.public_since = scrutiny.asked_since, now
            scrutiny.condemned_floor, scrutiny.last_probe = 0, None
        scrutiny.since = min(scrutiny.since, scrutiny.asked_since)
        scrutiny.patience, scrutiny.refused = 0.0, probe.is_refused
        self._casebook.note_told(scrutiny, local, entry.registers.accused, False, now)
        self._suspicion(scrutiny, Happening.ACCUSED, now)
        self.accusations += 1
        self._report_finding(change, now)
        self._outbox.send_pages(Path(entry.registers.record.address), [liveness_fact(entry)], now, 1)

    # --- actions of suspicion

    def _set_suspicion_timer(self, scrutiny: Scrutiny, now: float) -> None:
        self._stop_suspicion_timer(scrutiny, now)
        config = self._config
        due = max(scrutiny.public_since + config.ack_timeout_max, now)
        if not scrutiny.condemned_floor:
            needed = min(config.confirmations, self._view.others - 1)
            shortest = config.ack_timeout_max if scrutiny.refused else config.suspicion_min
            timeout = suspicion_timeout(len(scrutiny.entry.accusers), needed, shortest, config.suspicion_max)
            due = max(due, scrutiny.since + timeout * self._health.suspicion_factor + scrutiny.patience)
        scrutiny.timer = self._timers.at(due, self._suspicion_due, scrutiny, scrutiny.suspicion)

    def _stop_suspicion_timer(self, scrutiny: Scrutiny, _now: float) -> None:
        if scrutiny.timer is not None:
            scrutiny.timer.cancel()
            scrutiny.timer = None

    def _start_suspicion_anew(self, scrutiny: Scrutiny, now: float) -> None:
        scrutiny.since = scrutiny.public_since = now
        scrutiny.condemned_floor = 0

    def _probe_last(self, scrutiny: Scrutiny, now: float) -> None:
        scrutiny.last_probe = self._prober.probe(scrutiny.entry, Reason.LAST, self._last_probed, now)

    def _convict(self, scrutiny: Scrutiny, now: float) -> None:
        """Declare a suspect dead, at the floor of others' conviction, or at one above the floor of the accusation."""
        entry, told = scrutiny.entry, scrutiny.condemned_floor
        if self._view.get(entry.id) is not entry:
            self._suspicion(scrutiny, Happening.ENDED, now)
            return
        registers = entry.registers
        floor = told if told > registers.heartbeat else registers.accused + CONVICTION_STEPS
        if change := self._view.merge(entry, now, convicted=floor):
            self._casebook.note_told(scrutiny, self._view.local.id, floor, True, now)
            self.note_change(change, 0, now)
            self._report_finding(change, now)

    def _report_finding(self, change: Change, now: float) -> None:
        """Pass on what this node has found out about another member, unless the fault may be its own: a node that hears
        nobody is the last one alive or deaf, so it has nobody to tell or nothing to say."""
        self._changes.make_known(change, 0, now, spread=not self.is_deaf(now))


_ACTIONS = {
    Action.PROBE: Detector._probe,
    Action.PROBE_AGAIN: Detector._probe_again,
    Action.PROBE_AS_WITNESS: Detector._probe_as_witness,
    Action.LOOK_AT_ONCE: Detector._look_at_once,
    Action.WAIT_TO_PROBE_AGAIN: Detector._wait_to_probe_again,
    Action.COUNT_SILENCE: Detector._count_silence,
    Action.COUNT_SILENCE_ANEW: Detector._count_silence_anew,
    Action.DISTRUST_OWN_HEALTH: Detector._distrust_own_health,
    Action.ACCUSE: Detector._accuse,
    Action.SET_SUSPICION_TIMER: Detector._set_suspicion_timer,
    Action.STOP_SUSPICION_TIMER: Detector._stop_suspicion_timer,
    Action.START_SUSPICION_ANEW: Detector._start_suspicion_anew,
    Action.PROBE_LAST: Detector._probe_last,
    Action.CONVICT: Detector._convict,
}
"""The method that carries out each action."""
