"""The inbox: takes in a message, piece by piece, and has it answered.

It reads a message in this order: the fingerprint of the sender's view, the sender's counter, the facts, the body. Each
piece goes to the module that judges it. The inbox judges nothing itself.
"""

from __future__ import annotations

from gossip.core.dissemination.outbox import PACKET_OVERHEAD_BYTES, Outbox, Path
from gossip.core.dissemination.reconciliation import DIGEST_BYTES, Reconciler
from gossip.core.dissemination.streams import Streams
from gossip.core.errors import WireError
from gossip.core.intake import Intake
from gossip.core.journal import Journal
from gossip.core.presence.joining import Joining
from gossip.core.presence.names import Names
from gossip.core.presence.own_address import OwnAddress
from gossip.core.presence.standing import OwnStanding
from gossip.core.replies import Replies
from gossip.core.state.entry import Entry
from gossip.core.state.hearing import Hearing
from gossip.core.state.local import LocalMember
from gossip.core.state.view import View
from gossip.core.support.drop_reasons import Drop
from gossip.core.support.drops import Drops
from gossip.core.wire import Codec
from gossip.core.wire.messages import ANONYMOUS, Ack, Clock, Message, News, Ping, PingRequest

DIGEST_ROOM = DIGEST_BYTES + PACKET_OVERHEAD_BYTES
"""Bytes kept in an answer for the digest that starts a comparison of views."""


class Inbox:
    """Takes in the messages of one node."""

    def __init__(self, view: View, codec: Codec, local: LocalMember, hearing: Hearing, intake: Intake,
                 replies: Replies, reconciler: Reconciler, joining: Joining, names: Names, own_address: OwnAddress,
                 standing: OwnStanding, journal: Journal, streams: Streams, outbox: Outbox,
                 drops: Drops) -> None:  # fmt: skip
        self._view = view
        self._codec = codec
        self._local = local
        self._hearing = hearing
        self._intake = intake
        self._replies = replies
        self._reconciler = reconciler
        self._joining = joining
        self._names = names
        self._own_address = own_address
        self._standing = standing
        self._journal = journal
        self._streams = streams
        self._outbox = outbox
        self._drops = drops

    def receive(self, data: bytes, path: Path, now: float) -> None:
        """Take in a message, and answer it."""
        try:
            message = self._codec.decode(data)
        except WireError as error:
            self._refuse(path, error.reason, now)
            return
        for reason in message.refused:
            self._drops.note(reason)
        if message.sender == self._view.local.id:
            self._came_back(message, path, now)
            return
        sender = self._view.get(message.sender)
        if sender is not None or (message.sender != ANONYMOUS and not self._view.others):
            # A node that knows nobody hears every sender.
            self._hearing.note(now)
        is_due = message.sender != ANONYMOUS and self._reconciler.heard(sender, message, path, now)
        self._local.refresh(now)
        if sender is not None:
            self._intake.counter(sender, message.heartbeat, now)
        corrections: list[bytes] = []
        if message.facts:
            corrections = self._intake.facts(message.facts, message.sender, path, now)
            sender = sender or self._introduced(message.sender, now)
            if self._own_address.is_waiting:
                self._own_address.heard_facts(now)
        if is_due or sender is None or isinstance(message.body, Clock):
            self._respond(message, sender, path, corrections, is_due, now)
        else:
            self._replies.answer(message, sender, path, corrections, now)
        if self._standing.is_unsettled and message.sender != ANONYMOUS:
            self._heard_unsettled(message, sender, now)

    def _heard_unsettled(self, message: Message, sender: Entry | None, now: float) -> None:
        """Take in a message that may change this node's standing: one from a member, or from a reported claimant of a
        name."""
        claimant = self._journal.claimant(message.sender) if sender is None else None
        if sender is not None or claimant is not None:
            if sender is not None and sender.registers.is_living:
                self._standing.heard_living(now)
            self._standing.heard(message.fingerprint == self._view.fingerprint, claimant, now)

    def _came_back(self, message: Message, path: Path, now: float) -> None:
        """Drop a message of this node's own. A ping that comes from its own destination shows that this node itself is
        there. A node that does not know its address yet learns this in no other way."""
        self._drops.note(Drop.OUR_OWN_MESSAGE)
        body = message.body
        if path.stream is None and isinstance(body, Ping) and self._joining.came_back(body.token, path.address):
            self._standing.own_seed_found(now)

    def _introduced(self, sender_id: int, now: float) -> Entry | None:
        """The sender, if its own message has just made it known; from now on it counts as heard."""
        sender = self._view.get(sender_id)
        if sender is not None:
            self._hearing.note(now)
            self._local.refresh(now)
        return sender

    def _respond(self, message: Message, sender: Entry | None, path: Path, corrections: list[bytes], is_due: bool,
                 now: float) -> None:  # fmt: skip
        """Answer an unusual message: its sender is unknown, or does not believe this node's generation, or its view
        differs and a comparison of views is due."""
        body = message.body
        if isinstance(body, Clock):
            self._names.refused_for_clock(body, path, now)
        elif sender is None and message.facts and self._names.refuses_for_clock(message, path, now):
            # A comparison of views would not help while this node refuses the sender.
            self._replies.answer(message, sender, path, corrections, now)
            self._outbox.send(path, Clock(self._local.wall.time_ms(now)), now)
        elif is_due and not isinstance(body, PingRequest):  # a request's credit is kept for its answer
            reserved = path.reserve(DIGEST_ROOM)
            self._replies.answer(message, sender, path, corrections, now)
            path.release(reserved)
            self._reconciler.start(path, now, body.cookie if isinstance(body, Ack) else None)
        else:
            self._replies.answer(message, sender, path, corrections, now)

    def _refuse(self, path: Path, reason: Drop, now: float) -> None:
        """Count bytes that are no message. A peer that connected from another cluster gets a message of this cluster,
        so that it learns that this is another one."""
        self._drops.note(reason)
        stream = None if path.stream is None else self._streams.get(path.stream)
        if reason is Drop.OTHER_CLUSTER and stream is not None and stream.incoming:
            self._outbox.send(path, News(), now)
