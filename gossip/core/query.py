"""Asking a running node for its view without becoming a member: one digest, one ping, over one stream.

The digest is that of an empty view, so the answer lists everything; the ack of the ping, which is
answered in order, says that the list is complete.
"""

from __future__ import annotations

from gossip.core.config import Config
from gossip.core.state.member import Member, Record, Status
from gossip.core.support.random_source import RandomSource
from gossip.core.wire import MAX_FRAME_BYTES, Codec
from gossip.core.wire.messages import (
    ANONYMOUS,
    DIGEST_RANGES,
    MAX_ID,
    Ack,
    AliveFact,
    DeadFact,
    Digest,
    LeftFact,
    Ping,
    RecordFact,
    SuspectFact,
)


class ViewQuery:
    """One question to one node. Send :meth:`frames`, feed what comes back, until :attr:`done`."""

    def __init__(self, config: Config, random: RandomSource) -> None:
        self._codec = Codec(config.cluster)
        self._token = random.getrandbits(32)
        self._records: dict[int, Record] = {}
        self._status: dict[int, Status] = {}
        self._max_members = config.max_members
        self.done = False
        """Whether the answer is complete."""

    def frames(self) -> list[bytes]:
        """The messages to send, in order, each in a frame of its own."""
        digest = Digest(0, MAX_ID, (0,) * DIGEST_RANGES)
        return [
            self._codec.encode(ANONYMOUS, 0, 0, body, (), MAX_FRAME_BYTES)[0] for body in (digest, Ping(self._token))
        ]

    def receive_frame(self, data: bytes) -> None:
        """Take in one message of the answer.

        :raises WireError: if it is none.
        """
        message = self._codec.decode(data)
        for fact in message.facts:
            if isinstance(fact, RecordFact) and len(self._records) < self._max_members:
                self._records[fact.id] = fact.record
            elif fact.id not in self._records:
                continue
            elif isinstance(fact, SuspectFact):
                self._status[fact.id] = Status.SUSPECT
            elif isinstance(fact, DeadFact):
                self._status[fact.id] = Status.DEAD
            elif isinstance(fact, LeftFact):
                self._status[fact.id] = Status.LEFT
            elif isinstance(fact, AliveFact):
                self._status.pop(fact.id, None)
        self.done = self.done or (isinstance(message.body, Ack) and message.body.token == self._token)

    @property
    def members(self) -> tuple[Member, ...]:
        """The members of whom the node told a record, by name."""
        found = (
            record.member(self._status.get(member_id, Status.ALIVE)) for member_id, record in self._records.items()
        )
        return tuple(sorted(found, key=lambda member: member.name))
