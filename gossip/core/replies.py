"""Replies: does what the body of a message asks for, and answers it.

A ping is answered at once. An ack belongs to a question of this node and goes to the module that asked it. A digest and
a list of entries are compared with the view. An answer also carries corrections: facts that the sender knows less well
than this node.
"""

from __future__ import annotations

from gossip.core.detection.casebook import Casebook
from gossip.core.detection.helping import Helping
from gossip.core.detection.probing import Prober
from gossip.core.dissemination.address_validation import AddressValidation
from gossip.core.dissemination.facts import all_facts, liveness_fact, record_fact
from gossip.core.dissemination.outbox import Outbox, Path
from gossip.core.dissemination.questions import Purpose, Question, Questions
from gossip.core.dissemination.reconciliation import Reconciler
from gossip.core.dissemination.streams import Streams
from gossip.core.intake import Intake
from gossip.core.presence.farewell import Farewell
from gossip.core.presence.joining import Joining
from gossip.core.presence.names import Names
from gossip.core.presence.own_address import OwnAddress
from gossip.core.presence.standing import OwnStanding
from gossip.core.state.entry import Entry
from gossip.core.state.heartbeat import FLOOR_SLACK_STEPS
from gossip.core.state.local import LocalMember
from gossip.core.state.view import View
from gossip.core.wire import ACK_BYTES, COOKIE_BYTES, OBSERVED_BYTES
from gossip.core.wire.messages import (
    ANONYMOUS,
    Ack,
    AliveFact,
    Clock,
    Digest,
    Entries,
    Explain,
    Explained,
    IndirectAck,
    Message,
    Nack,
    News,
    Ping,
    PingRequest,
)  # fmt: skip

MAX_CORRECTIONS = 8
"""Datagrams of corrections for the sender of outdated facts, at most."""


class Replies:
    """Answers the messages of one node."""

    def __init__(self, view: View, local: LocalMember, casebook: Casebook, intake: Intake, prober: Prober,
                 helping: Helping, questions: Questions, farewell: Farewell, joining: Joining,
                 reconciler: Reconciler, names: Names, own_address: OwnAddress, standing: OwnStanding,
                 validation: AddressValidation, streams: Streams, outbox: Outbox) -> None:  # fmt: skip
        self._view = view
        self._local = local
        self._casebook = casebook
        self._intake = intake
        self._prober = prober
        self._helping = helping
        self._questions = questions
        self._farewell = farewell
        self._joining = joining
        self._reconciler = reconciler
        self._names = names
        self._own_address = own_address
        self._standing = standing
        self._validation = validation
        self._streams = streams
        self._outbox = outbox

    def answer(self, message: Message, sender: Entry | None, path: Path, corrections: list[bytes],
                now: float) -> None:  # fmt: skip
        """Do what the body of a message asks for.

        :param corrections: facts, encoded, that its sender should be told.
        """
        match message.body:
            case Ping(token=token):
                self._answer_ping(message, token, sender, path, corrections, now)
                return
            case Ack():
                self._acknowledged(message, message.body, path, now)
            case PingRequest(token=token, target=target):
                self._helping.help(path, token, target, now)
                return
            case Nack(token=token, target=target):
                self._prober.note_nack(token, target, message.sender, now)
            case IndirectAck(token=token, target=target, target_heartbeat=heartbeat):
                self._intake.facts([AliveFact(target, heartbeat)], message.sender, path, now)
                self._prober.note_answer_to_helper(token, target, now)
            case Explain(token=token, name=name):
                self._explain(token, name, path, now)
            case Digest() | Entries():
                corrections += self._compare(message, message.body, path, now)
            case News() | Clock() | Explained():
                pass  # the facts are all of it; or it was heard before; or only a query asks for it
        self._outbox.send_answer(path, corrections, now, MAX_CORRECTIONS)

    def _compare(self, message: Message, body: Digest | Entries, path: Path, now: float) -> list[bytes]:
        """Compare the sender's view with this node's; returns the facts to answer with."""
        if message.sender == ANONYMOUS and isinstance(body, Digest):
            if path.stream is not None:
                self._reconciler.answer_query(path, now)
            return []
        self._validation.repeated(body.repeats, path.address, now)
        if isinstance(body, Digest):
            self._reconciler.answer_digest(body, path, now)
            return []
        return self._reconciler.missing_from(body, message.facts, path, now)

    def _explain(self, token: int, name: str, path: Path, now: float) -> None:
        """Answer, over a stream because it may be long, where a member stands in this node's view, and why."""
        if path.stream is None:
            return
        entry = self._casebook.holder(name)
        path.is_query = True
        if entry is None:
            self._outbox.send(path, Explained(token, None), now)
        else:
            content = self._casebook.explanation(entry, now).to_wire()
            self._outbox.send(path, Explained(token, content), now, facts=[record_fact(entry), liveness_fact(entry)])

    def _answer_ping(self, message: Message, token: int, sender: Entry | None, path: Path, corrections: list[bytes],
                     now: float) -> None:  # fmt: skip
        if path.stream is None:
            self._own_address.asked_at = now
        agrees = message.fingerprint == self._view.fingerprint
        is_plain = agrees and sender is not None and not _is_away(sender, path)
        ack = Ack(token) if is_plain else self._ack(token, sender, agrees, path, now)
        self._outbox.send(path, ack, now, to=sender, facts=corrections, agrees=agrees)

    def _ack(self, token: int, sender: Entry | None, agrees: bool, path: Path, now: float) -> Ack:
        """The answer to a ping, with everything that there is reason and room for. It says where the ping came from if
        this node does not know the sender, or knows it at another address and the ping leaves room for that. It asks
        for a cookie if the sender's address is not validated and a comparison of views may follow."""
        room = self._outbox.limit(path, now) - ACK_BYTES
        if sender is None:
            says_where = room >= OBSERVED_BYTES
        else:
            says_where = _is_away(sender, path) and (path.credit or 0) >= ACK_BYTES + OBSERVED_BYTES
        observed = path.address if says_where else None
        room -= OBSERVED_BYTES if observed is not None else 0
        wants_cookie = not agrees and room >= COOKIE_BYTES and not self._outbox.is_validated(path, now)
        return Ack(token, observed, self._outbox.cookie(path, now) if wants_cookie else None)

    def _acknowledged(self, message: Message, ack: Ack, path: Path, now: float) -> None:
        question = self._questions.get(ack.token)
        stream = None if path.stream is None else self._streams.get(path.stream)
        if question is not None and self._deliver(question, message, ack, stream is not None, now):
            if question.purpose is Purpose.PROBE and stream is None and message.fingerprint != self._view.fingerprint:
                self._reconciler.ask_again(message, path, now)
            self._answered(question, message, ack, path, now)
        elif stream is not None and stream.copies_view:
            self._streams.close(stream.number)
            self._joining.copied_view(now)
            self._own_address.copied_view(now)

    def _deliver(self, question: Question, message: Message, ack: Ack, over_stream: bool, now: float) -> bool:
        """Give an ack to the module that asked. Returns whether it shows that a member, or a node at a seed, is
        there."""
        match question.purpose:
            case Purpose.PROBE:
                return self._prober.note_answer(question, message.sender, message.heartbeat, over_stream, now)
            case Purpose.CONTACT if question.address is not None:
                self._joining.note_answer(ack.token, question.address, now)
                self._intake.answer_of_contact(message, question.address, question.asked_at, now)
                return True
            case Purpose.FAREWELL:
                self._farewell.acknowledged(question, message.sender)
            case Purpose.CHALLENGE:
                self._names.note_answer(question, message.sender, now)
            case Purpose.INVITATION if question.address is not None:
                self._outbox.validate(question.address, now)
        return False

    def _answered(self, question: Question, message: Message, ack: Ack, path: Path, now: float) -> None:
        """Take in what an answer says beyond its token: where the peer sees this node, and what the peer knows."""
        self._standing.note_answer(ack.observed != self._view.local.registers.record.address, now)
        if path.stream is None:
            if question.purpose is Purpose.CONTACT and question.address is not None:
                self._own_address.note_answer(question.address, ack.observed, now)
            elif ack.observed is not None:
                self._own_address.seen_at(ack.observed, now)
        self._tell_of_excess(message.sender, path, now)
        if ack.observed is not None and self._local.address_known:
            self._outbox.send_pages(path, all_facts(self._view.local), now, 1)

    def _tell_of_excess(self, member: int, path: Path, now: float) -> None:
        """Tell a member whose counter is well below the value that this node believes it has seen. The member has to
        jump over that value: until then, nobody could tell from its counter that it has stopped."""
        entry = self._view.get(member)
        if entry is not None and entry.registers.heartbeat > entry.estimate.expected(now) + FLOOR_SLACK_STEPS:
            self._outbox.send_pages(path, [liveness_fact(entry)], now, 1)


def _is_away(sender: Entry, path: Path) -> bool:
    """Whether a datagram came from another address than its sender's known one."""
    return path.stream is None and sender.registers.record.address != path.address
