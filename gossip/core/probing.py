"""Probing: ask one member, directly, through helpers and over a stream, until it answers or time is up.

A probe ends well when the member answers a ping of ours or a helper's, or when its counter, however
we learn of it, reaches the value it should have had when the probe began. It waits for no one who cannot
answer any more: where the systems of peers refuse our datagrams, because no process listens there, and
helpers say that they had no luck either, a stage is over as soon as the last has said no. What a failed probe
means is decided by its caller.

Sources: SWIM (Das, Gupta and Motivala 2002, section 3.1) for indirect probes; Lifeguard (Dadgar et
al. 2017, section IV-A) for the NACK.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

import attrs

from gossip.core.address import Address
from gossip.core.config import Config
from gossip.core.drops import Drops
from gossip.core.health import LocalHealth
from gossip.core.hearing import Hearing
from gossip.core.messages import Ping, PingRequest
from gossip.core.outbox import CloseStream, Outbox, Path
from gossip.core.rtt import RoundTrip
from gossip.core.shared_address import SharedAddresses
from gossip.core.source import RandomSource
from gossip.core.streams import Streams
from gossip.core.timers import Timer, Timers
from gossip.core.view import Entry, View
from gossip.core.wire import INDIRECT_ACK_BYTES, counter_excess


@attrs.frozen
class Attempt:
    """One stage of a probe."""

    patience: int
    """How long to wait, in answer timeouts."""
    helpers: bool = False
    """Whether to ask helpers as well."""
    stream: bool = False
    """Whether to try a stream as well, in case only datagrams are lost."""
    news: bool = True
    """Whether the ping takes news along. Not where something told by others made us ask, which may be forged."""


DIRECT = Attempt(1)
PLAIN = Attempt(1, news=False)
ASK_HELPERS = Attempt(3, helpers=True)
"""A helper pings twice; with the way to it and back that is three timeouts."""
TRY_EVERYTHING = Attempt(3, helpers=True, stream=True)

ROUND = (DIRECT, ASK_HELPERS)
"""The probe of every round."""
SECOND_LOOK = (DIRECT, TRY_EVERYTHING)
"""The private probe that follows a failed one."""
WITNESS = (PLAIN, PLAIN, PLAIN)
"""A witness asks over its own paths only, or it would be no independent one."""
HELP = (PLAIN, PLAIN)
LAST_QUESTION = (DIRECT, DIRECT)


class Result(NamedTuple):
    """How a probe ended."""

    answered: bool
    began: float
    """Local time of its first ping."""
    helpers: int = 0
    """Helpers that were asked."""
    heard_helpers: int = 0
    """Helpers that answered either way."""
    refused: bool = False
    """Whether it failed without silence: the member's system refused our ping, and nobody else had an answer."""
    heard: int = 0
    """Messages of whatever node that came after the first ping. They are counted, because a clock may show the same
    time for a question and its answer."""


@attrs.define(eq=False)
class _Probe:
    target: Entry
    attempts: Sequence[Attempt]
    done: Callable[[Result, float], None]
    began: float
    wanted: int
    """Counter value that shows the target was alive after the probe began: more than any seen before, which may
    have been a lie."""
    most: int | None = None
    """Bytes of each of its pings, at most, to a target that is not proven; None if nobody else made us ask."""
    stage: int = 0
    tokens: list[int] = attrs.Factory(list)
    timer: Timer | None = None
    stream: int | None = None
    heard_before: int = 0
    """Messages of others that this node had heard when the probe began."""
    helpers: int = 0
    nacks: set[int] = attrs.Factory(set)
    awaited: dict[int, Address] = attrs.Factory(dict)
    """Who may still answer in this stage, the target and helpers, and where they were asked."""


class Prober:
    """All probes of one node that are under way."""

    def __init__(self, config: Config, view: View, timers: Timers, random: RandomSource, outbox: Outbox,
                 health: LocalHealth, hearing: Hearing, streams: Streams, drops: Drops,
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
        self.shared_addresses = shared_addresses
        """Where somebody else than the one asked has answered."""
        self._waiting: dict[int, tuple[_Probe, float, Address | None]] = {}
        """By token: for what was asked, when, and at which address; None if a helper was, or over a stream."""
        self.under_way = 0
        """Number of probes, for this node and for others, that have begun and not ended."""
        self.round_trip = RoundTrip()
        self.answered_by_stream = 0
        self.answered_through_helpers = 0
        self.datagrams_refused = 0

    def probe(self, target: Entry, attempts: Sequence[Attempt], done: Callable[[Result, float], None],
              now: float, most: int | None = None) -> None:  # fmt: skip
        """Ask ``target`` in these ways, one after the other; ``done(result, now)`` is called once.

        With too many under way already, that begins later: silence to a question not asked is nobody's fault.

        :param most: bytes of each ping, at most, to a target that is not proven; None if nobody else made us ask.
        """
        if self.is_full:
            self._drops.note("too many probes")
            self._timers.at(now + self.timeout(target), lambda now: self.probe(target, attempts, done, now, most))
            return
        self.under_way += 1
        wanted = max(target.estimate.floor(now), target.registers.heartbeat + 1)
        probe = _Probe(target, attempts, done, now, wanted, most, heard_before=self._hearing.messages)
        self._attempt(probe, now)

    def acknowledged(self, token: int, sender: int, heartbeat: int, over_stream: bool, now: float) -> bool:
        """Match an ACK with the ping it answers. Whether it was one of ours, answered by its target."""
        probe, sent_at, address = self._waiting.get(token, (None, 0.0, None))
        if probe is None:
            return False
        if probe.target.id != sender:
            self.shared_addresses.answered_by_another(probe.target, self._view.get(sender), now)
            return False
        probe.target.estimate.fresh(heartbeat, sent_at, now)
        if over_stream:
            self.answered_by_stream += 1
        else:
            self.round_trip.sample(now - sent_at)
            if probe.target.round_trip is None:
                probe.target.round_trip = RoundTrip()
                if probe.target.answering_since is None:
                    probe.target.answering_since = now
            probe.target.round_trip.sample(now - sent_at)
            if address is not None:
                self._outbox.prove(address, now)
                probe.target.answered_at = address
        self._finish(probe, True, now)
        return True

    def acknowledged_indirectly(self, token: int, target: int, now: float) -> bool:
        """Match a helper's good news with the request it answers."""
        probe, _, _ = self._waiting.get(token, (None, 0.0, None))
        if probe is None or probe.target.id != target:
            return False
        self.answered_through_helpers += 1
        self._finish(probe, True, now)
        return True

    def refused_by_helper(self, token: int, target: int, helper: int, now: float) -> None:
        """Take note that a helper answered, though it has no good news."""
        probe, _, _ = self._waiting.get(token, (None, 0.0, None))
        if probe is not None and probe.target.id == target and len(probe.nacks) < probe.helpers:
            probe.nacks.add(helper)
            probe.awaited.pop(helper, None)
            self._end_if_hopeless(probe, now)

    def refused(self, address: Address, now: float) -> None:
        """Take note that the system at ``address`` refuses datagrams: no process listens there."""
        self.datagrams_refused += 1
        for probe in dict.fromkeys(probe for probe, _, _ in self._waiting.values()):
            who = [member for member, asked_at in probe.awaited.items() if asked_at == address]
            for member in who:
                del probe.awaited[member]
            if who:
                self._end_if_hopeless(probe, now)

    def stream_closed(self, stream: int, now: float) -> None:
        """Take note that a stream has ended, or could not be opened."""
        for probe in dict.fromkeys(probe for probe, _, _ in self._waiting.values()):
            if probe.stream == stream:
                probe.stream = None
                self._end_if_hopeless(probe, now)

    def new_token(self) -> int:
        """A number for a question, unpredictable and not in use."""
        while (token := self._random.getrandbits(32)) in self._waiting:
            pass
        return token

    def timeout(self, target: Entry) -> float:
        """How long to wait for an answer of this member, local health included."""
        measured = target.round_trip or self.round_trip
        return measured.timeout(self._config) * self._health.timeout_factor

    @property
    def is_full(self) -> bool:
        """Whether so many probes are under way that another has to wait."""
        return self.under_way >= self._config.max_probes

    def _attempt(self, probe: _Probe, now: float) -> None:
        attempt = probe.attempts[probe.stage]
        target = probe.target
        probe.awaited = {target.id: target.registers.record.address}
        self._ask(probe, now)
        if attempt.helpers:
            self._ask_helpers(probe, now)
        if attempt.stream:
            probe.stream = self._streams.open(target.registers.record.address)
            self._ask(probe, now, probe.stream)
        deadline = now + attempt.patience * self.timeout(target)
        probe.timer = self._timers.at(deadline, lambda now: self._give_up_attempt(probe, now))

    def _ask(self, probe: _Probe, now: float, stream: int | None = None) -> None:
        address, news = probe.target.registers.record.address, probe.attempts[probe.stage].news
        token = self._token_for(probe, now, address if stream is None else None)
        self._outbox.send(Path(address, stream, probe.most), Ping(token), now, to=probe.target, news=news)

    def _ask_helpers(self, probe: _Probe, now: float) -> None:
        helpers = self._view.sample(self._config.indirect_probes, self._random, (probe.target.id,))
        token = self._token_for(probe, now)
        probe.helpers += len(helpers)
        for helper in helpers:
            probe.awaited[helper.id] = helper.registers.record.address
            excess = counter_excess(helper.registers.heartbeat) + counter_excess(probe.target.registers.heartbeat)
            path, request = Path(helper.registers.record.address), PingRequest(token, probe.target.id)
            self._outbox.send(path, request, now, least=INDIRECT_ACK_BYTES + excess)

    def _token_for(self, probe: _Probe, now: float, address: Address | None = None) -> int:
        token = self.new_token()
        self._waiting[token] = (probe, now, address)
        probe.tokens.append(token)
        return token

    def _end_if_hopeless(self, probe: _Probe, now: float) -> None:
        """End a stage in which nobody is left who may answer."""
        if not probe.awaited and probe.stream is None and probe.timer is not None:
            probe.timer.cancel()
            self._give_up_attempt(probe, now)

    def _give_up_attempt(self, probe: _Probe, now: float) -> None:
        if probe.target.registers.heartbeat >= probe.wanted:
            self._finish(probe, True, now)
        elif probe.stage + 1 < len(probe.attempts):
            probe.stage += 1
            self._attempt(probe, now)
        else:
            self._finish(probe, False, now)

    def _finish(self, probe: _Probe, answered: bool, now: float) -> None:
        if probe.timer is not None:
            probe.timer.cancel()
            probe.timer = None
        for token in probe.tokens:
            self._waiting.pop(token, None)
        if probe.stream is not None:
            self._outbox.act(CloseStream(probe.stream))
        self.under_way -= 1
        if answered:
            self._health.improve()
        is_refused = not answered and not probe.awaited
        heard = self._hearing.messages - probe.heard_before
        probe.done(Result(answered, probe.began, probe.helpers, len(probe.nacks), is_refused, heard), now)
