"""The failure detector: whom to ask each round, and when silence becomes an accusation.

A round asks one member. In turn it is the next neighbour on the ring, so that everybody is asked
regularly by somebody, and a random one, so that no two sick neighbours can hide a third. A member that
does not answer is put on a private watch and asked again, before anybody is told. Only then does this
node raise a floor against it. Some of those who hear of a suspicion become witnesses and ask for
themselves. A node that hears from nobody suspects itself first.

Sources: SWIM (Das, Gupta and Motivala 2002) for probing; van Renesse, Minsky and Hayden (1998) for
the counter as evidence; the watch and the floors are this project's own.
"""

from __future__ import annotations

from collections.abc import Callable

from gossip.core.config import Config
from gossip.core.health import LocalHealth
from gossip.core.hearing import SILENT_ROUNDS, Hearing
from gossip.core.probing import ROUND, SECOND_LOOK, WITNESS, Prober, Result
from gossip.core.source import RandomSource
from gossip.core.suspicion import Suspicions
from gossip.core.timers import Timers
from gossip.core.view import Change, Entry, View

DEAF_SUSPICIONS = 3
"""Longest suspicions without a word from anybody after which a node takes the others for gone rather than itself for
cut off. Cables, switches and wireless links that fail for some seconds are far more common than the end of all peers
at once."""


class Detector:
    """Runs the rounds of one node and follows up on those who do not answer."""

    def __init__(self, config: Config, view: View, timers: Timers, random: RandomSource, prober: Prober,
                 suspicions: Suspicions, health: LocalHealth, hearing: Hearing) -> None:  # fmt: skip
        self._config = config
        self._view = view
        self._timers = timers
        self._random = random
        self._prober = prober
        self._suspicions = suspicions
        self._health = health
        self._hearing = hearing
        self.accusations = 0
        self._rounds = 0
        self._asked: dict[int, None] = {}
        self.changed: Callable[[Change, float], None] = lambda _change, _now: None
        """Set by the protocol: told of each accusation."""

    def round(self, now: float) -> None:
        """Ask one member."""
        self._rounds += 1
        target = self._next_target()
        if target is not None and target.id not in self._asked:
            self._asked[target.id] = None
            self._prober.probe(target, ROUND, lambda result, now: self._after_round(target, result, now), now)

    def witness(self, change: Change, now: float) -> None:
        """With a small probability, look for ourselves at a member that has just come under suspicion."""
        entry = change.entry
        if entry.id in self._asked or self._view.local.id in entry.accusers:
            return
        if self._random.random() * self._view.others < self._config.witnesses:
            self._asked[entry.id] = None
            self._timers.at(now, lambda now: self._look(entry, now))  # a look of our own, no answer to whoever told

    def _look(self, entry: Entry, now: float) -> None:
        self._prober.probe(
            entry, WITNESS, lambda result, now: self._after_second_look(entry, result, result.began, now), now
        )

    def is_deaf(self, now: float) -> bool:
        """Whether nobody at all was heard for so long that it is no passing fault of ours."""
        rounds = self._config.probe_interval
        patience = max(DEAF_SUSPICIONS * self._config.suspicion_max, SILENT_ROUNDS * rounds)
        return now - self._hearing.last_heard >= patience + rounds

    def _next_target(self) -> Entry | None:
        if self._rounds % 2:
            return self._view.successor()
        return next(iter(self._view.sample(1, self._random)), None)

    def _after_round(self, entry: Entry, result: Result, now: float) -> None:
        if result.answered or not self._still_there(entry):
            del self._asked[entry.id]
            return
        if result.helpers and not result.heard_helpers:
            self._health.worsen()
        self._watch(entry, result.began, now)

    def _watch(self, entry: Entry, asked_since: float, now: float) -> None:
        """Ask again soon, before telling anybody."""
        self._timers.at(now + self._config.watch_delay, lambda now: self._look_again(entry, asked_since, now))

    def _look_again(self, entry: Entry, asked_since: float, now: float) -> None:
        if not self._still_there(entry):
            del self._asked[entry.id]
            return
        self._prober.probe(
            entry, SECOND_LOOK, lambda result, now: self._after_second_look(entry, result, asked_since, now), now
        )

    def _after_second_look(self, entry: Entry, result: Result, asked_since: float, now: float) -> None:
        if result.answered or not self._still_there(entry):
            del self._asked[entry.id]
        elif self._is_isolated(result, now):
            self._watch(entry, now, now)  # silence for which the fault may be ours does not count
        else:
            del self._asked[entry.id]
            if change := self._suspicions.accuse(entry, asked_since, result.began, result.refused, now):
                self.accusations += 1
                self.changed(change, now)

    def _still_there(self, entry: Entry) -> bool:
        return entry.registers.is_living and self._view.get(entry.id) is entry and not self._view.local.registers.left

    def _is_isolated(self, result: Result, now: float) -> bool:
        """Whether nobody at all was heard while we asked, so that the fault may well be ours.

        With a single peer its silence is all there is to hear. After a long silence from everybody the
        node believes that they are gone after all: the last survivor must notice that it is one.
        """
        return self._view.others > 1 and not result.heard and not self.is_deaf(now)
