"""Probing: ask one member, directly, through helpers and over a stream, until it answers or the time is up.

A probe succeeds when the member answers a ping of this node or of a helper. It also succeeds when the member's counter,
on whatever way this node hears of it, reaches the value that it should have had when the probe began. A probe does not
wait for anybody that can no longer answer: an attempt ends early when nobody is left to wait for, because the system of
each asked node refused the datagram (no process listens there) or a helper reported no answer. The caller decides what
a failed probe means.

Sources: SWIM (Das, Gupta and Motivala 2002, section 3.1) for indirect probes; Lifeguard (Dadgar et al. 2017, section
IV-A) for the NACK.
"""

from __future__ import annotations

import enum
from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import NamedTuple

import attrs

from gossip.core.config import Config
from gossip.core.detection.health import LocalHealth
from gossip.core.detection.shared_address import SharedAddresses
from gossip.core.dissemination.outbox import CloseStream, Outbox, Path
from gossip.core.dissemination.questions import Purpose, Question, Questions
from gossip.core.dissemination.streams import Streams
from gossip.core.state.entry import Entry
from gossip.core.state.hearing import Hearing
from gossip.core.state.round_trip import RoundTrip
from gossip.core.state.view import View
from gossip.core.support.address import Address
from gossip.core.support.drop_reasons import Drop
from gossip.core.support.drops import Drops
from gossip.core.support.random_source import RandomSource
from gossip.core.support.timers import Timer, Timers
from gossip.core.wire import INDIRECT_ACK_BYTES, counter_excess
from gossip.core.wire.messages import Ping, PingRequest


class Reason(enum.Enum):
    """Why a member is probed."""

    __hash__ = object.__hash__  # faster: the hash of enum is a call in Python

    ROUND = "probe of a round"
    AGAIN = "second probe"
    """The private probe that follows a failed one."""
    WITNESS = "probe as a witness"
    LAST = "last probe"
    """Before a suspect is declared dead."""
    HELP = "probe for another member"


class Attempt(NamedTuple):
    """One step of a probe."""

    patience: int
    """How long to wait, in answer timeouts."""
    helpers: bool = False
    """Whether to ask helpers as well."""
    stream: bool = False
    """Whether to try a stream as well, in case only datagrams are lost."""
    news: bool = True
    """Whether news is piggybacked on the ping. It is not if others' messages caused the probe, because they may be
    forged."""


DIRECT = Attempt(1)
WITHOUT_NEWS = Attempt(1, news=False)
THROUGH_HELPERS = Attempt(3, helpers=True)
"""A helper pings twice; with the way to the helper and back this takes three timeouts."""
EVERY_WAY = Attempt(3, helpers=True, stream=True)

ATTEMPTS: dict[Reason, Sequence[Attempt]] = {
    Reason.ROUND: (DIRECT, THROUGH_HELPERS),
    Reason.AGAIN: (DIRECT, EVERY_WAY),
    Reason.WITNESS: (WITHOUT_NEWS, WITHOUT_NEWS, WITHOUT_NEWS),
    Reason.LAST: (DIRECT, DIRECT),
    Reason.HELP: (WITHOUT_NEWS, WITHOUT_NEWS),
}
"""The attempts of a probe, one after the other. A witness asks over its own paths only, because it has to be
independent."""


NOBODY: Mapping[int, str] = MappingProxyType({})


@attrs.define(eq=False, weakref_slot=False)
class Probe:
    """One member that is being asked."""

    target: Entry
    reason: Reason
    done: Callable[[Probe, float], None]
    """Called once, when the probe has ended."""
    max_bytes: int | None = None
    """Bytes of each of its pings, at most, to an address that is not validated; None if no message of another caused
    the probe."""
    began: float = 0.0
    """Local time of its first ping."""
    floor: int = 0
    """Counter value that shows that the target was alive after the probe began. It is above every value seen before,
    because those may have been lies."""
    attempt: int = 0
    """Index of the attempt under way in :data:`ATTEMPTS`."""
    helpers: Mapping[int, str] = NOBODY
    """Names, by id, of the helpers that were asked."""
    nacks: Mapping[int, str] = NOBODY
    """The helpers that answered that they heard nothing, by id."""
    is_under_way: bool = False
    target_refused: bool = False
    """Whether the member's system said that no process listens there."""
    answered: bool = False
    heard_before: int = 0
    """Messages of any node that came before the first ping. This node counts messages, because a clock may show the
    same time for a question and its answer."""
    heard: int = 0
    """Messages of any node that came during the probe; known when it ends."""
    tokens: list[int] = attrs.Factory(list)
    timer: Timer | None = None
    stream: int | None = None
    awaited: dict[int, Address] = attrs.Factory(dict)
    """The target and helpers that may still answer in this attempt, and where they were asked."""

    @property
    def is_refused(self) -> bool:
        """Whether it failed without silence: the member's system refused the ping, and every helper reported no
        answer."""
        return not self.answered and not self.awaited

    @property
    def used_stream(self) -> bool:
        """Whether a stream was tried as well."""
        return any(each.stream for each in ATTEMPTS[self.reason][: self.attempt + 1])


class Prober:
    """All probes of one node that are under way."""

    def __init__(self, config: Config, view: View, timers: Timers, random: RandomSource, outbox: Outbox,
                 health: LocalHealth, hearing: Hearing, streams: Streams, drops: Drops, questions: Questions,
                 shared_addresses: SharedAddresses) -> None:  # fmt: skip
        self._config = config
        self._view = view
        self._timers = timers
        self._random = random
        self._outbox = outbox
        self._health = health
        self._hearing = hearing
        self._streams = streams
        self._drops = drops
        self._questions = questions
        self._shared_addresses = shared_addresses
        self._probes: dict[Probe, None] = {}
        """The probes under way."""
        self.round_trip = RoundTrip()
        """Round trip to all members together, for members without a measurement of their own."""
        self.answered_by_stream = 0
        self.answered_through_helpers = 0
        self.datagrams_refused = 0

    @property
    def under_way(self) -> int:
        """Number of probes, for this node and for others, that have begun and not ended."""
        return len(self._probes)

    @property
    def is_full(self) -> bool:
        """Whether so many probes are under way that another one has to wait."""
        return len(self._probes) >= self._config.max_probes

    def probe(self, target: Entry, reason: Reason, done: Callable[[Probe, float], None], now: float,
              max_bytes: int | None = None) -> Probe:  # fmt: skip
        """Probe ``target``; ``done(probe, now)`` is called once.

        If too many probes are under way, the probe begins later: silence proves nothing before the question was asked.

        :param max_bytes: bytes of each ping, at most, to an address that is not validated; None if no message of
            another caused the probe.
        """
        probe = Probe(target, reason, done, max_bytes)
        self._begin(probe, now)
        return probe

    def note_answer(self, question: Question, sender: int, heartbeat: int, over_stream: bool, now: float) -> bool:
        """Take in an ack. Returns whether it came from the target of the probe."""
        probe: Probe = question.target
        target = probe.target
        if target.id != sender:
            self._shared_addresses.answered_by_another(target, self._view.get(sender), now)
            return False
        if over_stream:
            self.answered_by_stream += 1
            self._view.note_answer(target, heartbeat, question.asked_at, now)
        else:
            self.round_trip.sample(now - question.asked_at)
            self._view.note_acknowledgement(target, heartbeat, question.address, question.asked_at, now)
            if question.address is not None:
                self._outbox.validate(question.address, now)
        self._finish(probe, True, now)
        return True

    def note_answer_to_helper(self, token: int, target: int, now: float) -> None:
        """Take in a helper's report that the target answered it."""
        probe = self._probe_of(token, target)
        if probe is not None:
            self.answered_through_helpers += 1
            self._finish(probe, True, now)

    def note_nack(self, token: int, target: int, helper: int, now: float) -> None:
        """Take in a helper's report that it heard nothing from the target, or cannot help."""
        probe = self._probe_of(token, target)
        if probe is not None and helper in probe.helpers:
            probe.nacks = {**probe.nacks, helper: probe.helpers[helper]}
            probe.awaited.pop(helper, None)
            self._end_if_hopeless(probe, now)

    def refused(self, address: Address, now: float) -> None:
        """Take note that the system at ``address`` refuses datagrams: no process listens there."""
        self.datagrams_refused += 1
        for probe in list(self._probes):
            who = [member for member, asked_at in probe.awaited.items() if asked_at == address]
            for member in who:
                del probe.awaited[member]
                probe.target_refused |= member == probe.target.id
            if who:
                self._end_if_hopeless(probe, now)

    def stream_closed(self, stream: int, now: float) -> None:
        """Take note that a stream has ended, or could not be opened."""
        for probe in list(self._probes):
            if probe.stream == stream:
                probe.stream = None
                self._end_if_hopeless(probe, now)

    def timeout(self, target: Entry) -> float:
        """How long to wait for an answer of this member, stretched by local health."""
        measured = target.round_trip or self.round_trip
        return measured.timeout(self._config) * self._health.timeout_factor

    def _probe_of(self, token: int, target: int) -> Probe | None:
        question = self._questions.get(token)
        if question is None or question.purpose is not Purpose.PROBE:
            return None
        probe: Probe = question.target
        return probe if probe.target.id == target else None

    def _begin(self, probe: Probe, now: float) -> None:
        target = probe.target
        if self.is_full:
            self._drops.note(Drop.TOO_MANY_PROBES)
            self._timers.at(now + self.timeout(target), self._begin, probe)
            return
        self._probes[probe] = None
        probe.is_under_way, probe.began, probe.heard_before = True, now, self._hearing.messages
        probe.floor = max(target.estimate.floor(now), target.registers.heartbeat + 1)
        self._attempt(probe, now)

    def _attempt(self, probe: Probe, now: float) -> None:
        attempt, target = ATTEMPTS[probe.reason][probe.attempt], probe.target
        address = target.registers.record.address
        probe.awaited = {target.id: address}
        self._ask(probe, attempt, Path(address, None, probe.max_bytes), now)
        if attempt.helpers:
            self._ask_helpers(probe, now)
        if attempt.stream:
            probe.stream = self._streams.open(target.registers.record.address)
            self._ask(probe, attempt, Path(address, probe.stream, probe.max_bytes), now)
        probe.timer = self._timers.at(now + attempt.patience * self.timeout(target), self._give_up_attempt, probe)

    def _ask(self, probe: Probe, attempt: Attempt, path: Path, now: float) -> None:
        token = self._token_for(probe, path.address if path.stream is None else None, now)
        self._outbox.send(path, Ping(token), now, to=probe.target, news=attempt.news)

    def _ask_helpers(self, probe: Probe, now: float) -> None:
        helpers = self._view.sample(self._config.indirect_probes, self._random, (probe.target.id,))
        token = self._token_for(probe, None, now)
        probe.helpers = {**probe.helpers, **{helper.id: helper.identity.name for helper in helpers}}
        for helper in helpers:
            address = helper.registers.record.address
            probe.awaited[helper.id] = address
            excess = counter_excess(helper.registers.heartbeat) + counter_excess(probe.target.registers.heartbeat)
            request = PingRequest(token, probe.target.id)
            self._outbox.send(Path(address), request, now, min_bytes=INDIRECT_ACK_BYTES + excess)

    def _token_for(self, probe: Probe, address: Address | None, now: float) -> int:
        token = self._questions.ask(Question(Purpose.PROBE, now, address, probe))
        probe.tokens.append(token)
        return token

    def _end_if_hopeless(self, probe: Probe, now: float) -> None:
        """End an attempt if nobody is left that may answer."""
        if not probe.awaited and probe.stream is None and probe.timer is not None:
            probe.timer.cancel()
            self._give_up_attempt(probe, now)

    def _give_up_attempt(self, probe: Probe, now: float) -> None:
        if probe.target.registers.heartbeat >= probe.floor:
            self._finish(probe, True, now)
        elif probe.attempt + 1 < len(ATTEMPTS[probe.reason]):
            probe.attempt += 1
            self._attempt(probe, now)
        else:
            self._finish(probe, False, now)

    def _finish(self, probe: Probe, answered: bool, now: float) -> None:
        if probe.timer is not None:
            probe.timer.cancel()
            probe.timer = None
        for token in probe.tokens:
            self._questions.close(token)
        if probe.stream is not None:
            self._outbox.act(CloseStream(probe.stream))
        del self._probes[probe]
        probe.is_under_way, probe.answered = False, answered
        if answered:
            self._health.improve()
        probe.heard = self._hearing.messages - probe.heard_before
        probe.done(probe, now)
