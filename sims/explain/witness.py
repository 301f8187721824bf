"""The witness: watches a run, and takes down all that concerns one member.

It goes by what is on the wire and by what processes tell; it looks into no core but for what that shows to anybody.
So a helper's second ping is told from a ping of its own by being the next one only; if a node has both reasons to
ask, one may be taken for the other.
"""

from __future__ import annotations

import cbor2

from gossip.core.config import Config
from gossip.core.errors import WireError
from gossip.core.events import EventKind, MembershipEvent
from gossip.core.support.address import Address
from gossip.core.wire import Codec
from gossip.core.wire.messages import (
    Ack,
    DeadFact,
    IndirectAck,
    LeftFact,
    Message,
    Nack,
    Ping,
    PingRequest,
    SuspectFact,
)

from ..world import Observer, SimulatedNode
from .evidence import (
    Accusation,
    Condemned,
    Counters,
    Happening,
    HelpRequest,
    Inquiry,
    Life,
    Question,
    Sending,
    Shown,
    Warned,
)

ROUNDING = 0.001
"""Share by which an interval may seem too short because a clock is wrong or numbers are rounded."""

NOT_CONNECTED = "no connection"
"""Why a frame was lost that waited for its stream in vain."""


class Witness(Observer):
    """Everything about the member of one name, in the order in which it happened."""

    def __init__(self, name: str, config: Config) -> None:
        self.name = name
        self.names: dict[str, None] = {}
        """Names of all processes that ever ran."""
        self.lives: dict[int, Life] = {}
        """By id."""
        self.inquiries: list[Inquiry] = []
        self.accusations: list[Accusation] = []
        self.happenings: list[Happening] = []
        self.shown: list[Shown] = []
        self.warned: list[Warned] = []
        self.condemned: list[Condemned] = []
        self._config = config
        self._codec = Codec(config.cluster)
        self._subjects: set[int] = set()
        self._addresses: set[Address] = set()
        self._needles: list[bytes] = []
        self._under_way: dict[tuple[Address, Address, bytes], Sending] = {}
        self._frames: dict[int, list[Sending]] = {}
        self._questions: dict[tuple[str, int], Question] = {}
        self._requests: dict[tuple[str, str, int], HelpRequest] = {}
        self._open_requests: dict[str, list[HelpRequest]] = {}
        self._requested: dict[tuple[Address, Address, bytes], HelpRequest] = {}
        self._helping: HelpRequest | None = None
        self._connecting: dict[int, set[int]] = {}
        self._inquiry: Inquiry | None = None
        self._accusing: set[tuple[int, int]] = set()

    # --- processes

    def started(self, node: SimulatedNode) -> None:
        """One more process; perhaps the member."""
        self.names[node.name] = None
        if node.name == self.name:
            self._subjects.add(id(node))
            self._addresses.add(node.address)
            self._begin_life(node)

    def stopped(self, node: SimulatedNode) -> None:
        """A process believes nothing any more."""
        self.happenings.append(Happening(at=self.sim.now, key=node.key, process=id(node), kind=None))
        if id(node) in self._subjects:
            self.lives[node.id].ended = self.sim.now

    def handled(self, node: SimulatedNode) -> None:
        """All that a process had to say at this moment has been said."""
        if self._helping is not None and not self._helping.questions:
            self._join_in(node, self._helping)
        self._helping = None
        if frames := self._frames.get(id(node)):
            self._take_frames(frames)
        before, connecting = self._connecting.get(id(node), set()), set(node.connecting)
        if self._inquiry is not None:
            self._end_inquiry(node, self._inquiry, connecting - before)
        if connecting != before:
            self._connecting[id(node)] = connecting
        if id(node) in self._subjects:
            self._look_at_itself(node)
        for life in self.lives.values():
            self._look_for_accusation(node, life)

    def _join_in(self, node: SimulatedNode, request: HelpRequest) -> None:
        """A helper that is asking the member for somebody else already asks no more for another."""
        others = [each for each in self._open_requests.get(node.key, []) if each.questions and each.reply is None]
        if others:
            request.questions = others[-1].questions

    def _begin_life(self, node: SimulatedNode) -> None:
        self.lives[node.id] = Life(node, node.id, self.sim.now)
        self._needles.append(cbor2.dumps(node.id))

    def _look_at_itself(self, node: SimulatedNode) -> None:
        """The member may have begun a new generation, or said farewell."""
        if node.id not in self.lives:
            for life in self.lives.values():
                if life.node is node and life.ended is None:
                    life.ended = self.sim.now
            self._begin_life(node)
        life = self.lives[node.id]
        if life.left_at is None and node.protocol.view.local.registers.left:
            life.left_at = self.sim.now

    def _look_for_accusation(self, node: SimulatedNode, life: Life) -> None:
        entry, case = node.protocol.view.get(life.id), (id(node), life.id)
        if entry is None or not entry.accusers or node.id not in entry.accusers:
            self._accusing.discard(case)
        elif case not in self._accusing:
            self._accusing.add(case)
            self.accusations.append(
                Accusation(
                    at=self.sim.now, accuser=node.key, member_id=life.id, floor=entry.registers.accused,
                    raised=entry.accusers[0] == node.id, counters=self._counters(node, life),
                )
            )  # fmt: skip

    def _counters(self, node: SimulatedNode, life: Life) -> Counters:
        entry, member, now = node.protocol.view.get(life.id), life.node, self.sim.now
        runs = life.was_running(now) and member.paused_until <= now
        own = member.protocol.view.local.registers.heartbeat
        if runs:
            own = member.protocol.heartbeat(member.clock.local(now))
        return Counters(seen=entry.registers.heartbeat if entry is not None else 0, own=own, runs=runs)

    # --- events

    def happened(self, node: SimulatedNode, event: MembershipEvent, cause: Address | None) -> None:
        """Somebody learnt or found something about the member."""
        member = event.member
        if member.name != self.name or event.kind is EventKind.CONFLICT or id(node) in self._subjects:
            return
        life = self.lives.get(member.id)
        self.happenings.append(
            Happening(
                at=self.sim.now, key=node.key, process=id(node), kind=event.kind, member_id=member.id,
                status=member.status, told_by=None if cause is None else self.sim.key_at(cause), floor=event.floor,
                accusers=event.accusers, counters=None if life is None else self._counters(node, life),
            )
        )  # fmt: skip

    # --- messages

    def sent(self, node: SimulatedNode, data: bytes, destination: Address, arrivals: list[tuple[float, bytes]],
             lost_to: str) -> None:  # fmt: skip
        """Take down a datagram that concerns the member."""
        is_subject, to_subject = id(node) in self._subjects, destination in self._addresses
        if not (is_subject or to_subject or self._names_it(data)):
            return
        whole = [delay for delay, copy in arrivals if copy == data]
        sending = Sending(self.sim.now, node.key, self.sim.key_at(destination), "" if arrivals else lost_to)
        sending.damaged = bool(arrivals) and not whole
        if arrivals:
            sending.arrives = self.sim.now + min(whole or [delay for delay, _ in arrivals])
        way = (node.address, destination, data)
        self._under_way[way] = sending
        message = self._codec.decode(data)
        self._take(node, message, sending, is_subject, to_subject)
        if isinstance(message.body, PingRequest) and message.body.target in self.lives:
            self._ask_for_help(node, message.body, sending, way)

    def framed(self, node: SimulatedNode, peer: SimulatedNode, data: bytes, delay: float | None) -> None:
        """Take down a frame that concerns the member."""
        is_subject, to_subject = id(node) in self._subjects, id(peer) in self._subjects
        if not (is_subject or to_subject or self._names_it(data)):
            return
        sending = Sending(self.sim.now, node.key, peer.key, "cut" if delay is None else "")
        message = self._codec.decode(data)
        if isinstance(message.body, Ping) and (question := self._questions.get((node.key, message.body.token))):
            sending = question.sending  # it has waited for its stream, which is connected now
            sending.lost_to = "cut" if delay is None else ""
        if delay is not None:
            sending.arrives = self.sim.now + delay
            self._frames.setdefault(id(peer), []).append(sending)
        self._take(node, message, sending, is_subject, to_subject)

    def received(self, node: SimulatedNode, data: bytes, source: Address) -> None:
        """Take note that a process came to a datagram."""
        way = (source, node.address, data)
        sending = self._under_way.get(way)
        if sending is not None:
            if sending.handled is None:
                sending.handled = self.sim.now
            self._helping = self._requested.get(way)
        elif self._names_it(data):
            self._hear_from_outside(node, data, source)

    def _take_frames(self, frames: list[Sending]) -> None:
        """A process that handles anything has handled the frames that have arrived."""
        for each in frames:
            if each.arrives is not None and each.arrives <= self.sim.now:
                each.handled = self.sim.now
        frames[:] = [each for each in frames if each.handled is None]

    def _hear_from_outside(self, node: SimulatedNode, data: bytes, source: Address) -> None:
        """Something that no process sent: it was damaged on the way, or forged."""
        try:
            message = self._codec.decode(data)
        except WireError:
            return
        now = self.sim.now
        sending = Sending(now, self.sim.key_at(source), node.key, arrives=now, handled=now)
        self._take_counters(message, sending, id(node) in self._subjects)

    def _take(self, node: SimulatedNode, message: Message, sending: Sending, is_subject: bool,
              to_subject: bool) -> None:  # fmt: skip
        match message.body:
            case Ping(token) if to_subject and not is_subject:
                self._ask(node, token, sending)
            case Ack(token) if is_subject:
                if question := self._questions.get((sending.destination, token)):
                    question.answer = sending
            case IndirectAck(token, target) | Nack(token, target) if target in self.lives:
                if request := self._requests.get((sending.destination, node.key, token)):
                    request.reply, request.is_good_news = sending, isinstance(message.body, IndirectAck)
        self._take_counters(message, sending, to_subject)

    def _take_counters(self, message: Message, sending: Sending, to_subject: bool) -> None:
        if message.sender in self.lives:
            self.shown.append(Shown(sending, message.sender, message.heartbeat, True))
        if isinstance(message.body, IndirectAck) and message.body.target in self.lives:
            self.shown.append(Shown(sending, message.body.target, message.body.target_heartbeat, False))
        for fact in message.facts:
            if fact.id not in self.lives or fact.id == message.sender or isinstance(fact, LeftFact):
                continue
            if to_subject and isinstance(fact, (SuspectFact, DeadFact)):
                self.warned.append(Warned(sending, fact.id, fact.floor))
            elif not to_subject:
                self.shown.append(Shown(sending, fact.id, fact.heartbeat, False))
            if not to_subject and isinstance(fact, DeadFact):
                self.condemned.append(Condemned(sending, fact.id))

    # --- questions

    def _ask(self, node: SimulatedNode, token: int, sending: Sending) -> None:
        if (node.key, token) in self._questions:
            return  # over a stream, and known since that was being connected
        question = self._questions[node.key, token] = Question(sending)
        self._open_inquiry(node).pings.append(question)

    def _ask_for_help(self, node: SimulatedNode, body: PingRequest, sending: Sending,
                      way: tuple[Address, Address, bytes]) -> None:  # fmt: skip
        request = self._requests[node.key, sending.destination, body.token] = HelpRequest(sending)
        self._requested[way] = request
        self._open_requests.setdefault(sending.destination, []).append(request)
        self._open_inquiry(node).helpers.append(request)

    def _open_inquiry(self, node: SimulatedNode) -> Inquiry:
        if self._inquiry is None:
            self._inquiry = Inquiry(node.key, self.sim.now, self._wanted(node))
            self.inquiries.append(self._inquiry)
            if self._helping is not None:
                self._inquiry.is_help = True
                self._helping.questions = self._inquiry.pings
        return self._inquiry

    def _wanted(self, node: SimulatedNode) -> int:
        entry = node.protocol.view.named(self.name)
        return 0 if entry is None else entry.estimate.floor(node.clock.local(self.sim.now))

    def _end_inquiry(self, node: SimulatedNode, inquiry: Inquiry, streams: set[int]) -> None:
        self._inquiry = None
        if inquiry.helpers:
            self._take_streams(node, inquiry, streams)
        elif not inquiry.is_help:
            self._take_for_help(node, inquiry)

    def _take_streams(self, node: SimulatedNode, inquiry: Inquiry, streams: set[int]) -> None:
        """A stream opened at this moment, for nothing but a ping, belongs to the question just asked."""
        for number in sorted(streams):
            waiting = node.connecting[number]
            body = self._codec.decode(waiting[0]).body if waiting else None
            if isinstance(body, Ping):
                question = Question(Sending(self.sim.now, node.key, self.name, NOT_CONNECTED))
                self._questions[node.key, body.token] = question
                inquiry.streams.append(question)

    def _take_for_help(self, node: SimulatedNode, inquiry: Inquiry) -> None:
        """A helper asks twice: the second ping follows the first by an answer timeout, if nobody answered."""
        requests = self._open_requests.get(node.key, [])
        requests[:] = [each for each in requests if each.reply is None]
        for request in requests:
            waited = [inquiry.at - question.sending.at for question in request.questions]
            if len(waited) == 1 and waited[0] >= self._config.ack_timeout_min * (1 - ROUNDING):
                first = request.questions
                for each in requests:
                    if each.questions is first:
                        each.questions = [*first, *inquiry.pings]
                inquiry.is_help = True
                return

    def _names_it(self, data: bytes) -> bool:
        return any(needle in data for needle in self._needles)
