"""Asking a running node without becoming a member: one question and one ping, over one stream.

A node answers the messages of a stream in order, so the ack of the ping says that the answer is complete.
:class:`Query` is the common part of all questions; each subclass is one question.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable

from gossip.core.config import Config
from gossip.core.detection.evidence import Explanation
from gossip.core.state.member import Member, Record, Status
from gossip.core.support.random_source import RandomSource
from gossip.core.wire import MAX_FRAME_BYTES, Codec
from gossip.core.wire.messages import (
    ANONYMOUS,
    DIGEST_RANGES,
    MAX_ID,
    MAX_TOKEN,
    Ack,
    AliveFact,
    Body,
    DeadFact,
    Digest,
    Explain,
    Explained,
    Fact,
    LeftFact,
    Message,
    Ping,
    RecordFact,
    SuspectFact,
)

_SAYS = {SuspectFact: Status.SUSPECT, DeadFact: Status.DEAD, LeftFact: Status.LEFT, AliveFact: Status.ALIVE}


class Query(ABC):
    """One question to one node. Send :meth:`frames`, and feed in what comes back, until :attr:`done`."""

    def __init__(self, config: Config, random: RandomSource) -> None:
        self._codec = Codec(config.cluster)
        self._token = random.getrandbits(MAX_TOKEN.bit_length())
        self.done = False
        """Whether the node has answered or skipped the question."""

    def frames(self) -> list[bytes]:
        """The messages to send, in order, each in a frame of its own."""
        bodies = (self._question(), Ping(self._token))
        return [self._codec.encode(ANONYMOUS, 0, 0, body, (), MAX_FRAME_BYTES)[0] for body in bodies]

    def receive_frame(self, data: bytes) -> None:
        """Take in one message of the answer.

        :raises WireError: if it is no message of the protocol.
        """
        message = self._codec.decode(data)
        self._take(message)
        self.done = self.done or (isinstance(message.body, Ack) and message.body.token == self._token)

    @abstractmethod
    def _question(self) -> Body:
        """The body of the question."""

    @abstractmethod
    def _take(self, message: Message) -> None:
        """Take in a message of the node."""


class ViewQuery(Query):
    """Which members the node knows. The question is the digest of an empty view, so the answer lists everything."""

    def __init__(self, config: Config, random: RandomSource) -> None:
        super().__init__(config, random)
        self._told = _ToldMembers(config.max_members)

    @property
    def members(self) -> tuple[Member, ...]:
        """The members whose records the node has told, by name."""
        return tuple(sorted(self._told.members(), key=lambda member: member.name))

    def _question(self) -> Digest:
        return Digest(0, MAX_ID, (0,) * DIGEST_RANGES)

    def _take(self, message: Message) -> None:
        self._told.take(message.facts)


class ExplanationQuery(Query):
    """Where one member stands in the node's view, and why."""

    def __init__(self, config: Config, random: RandomSource, name: str) -> None:
        """:param name: of the member; has to be one that a member may have."""
        super().__init__(config, random)
        self._name = name
        self.is_answered = False
        """Whether the node has answered the question. A node of an older version skips it."""
        self.explanation: Explanation | None = None
        """The answer, with its moment as time 0; None if the node knows no such member."""

    def _question(self) -> Explain:
        return Explain(self._token, self._name)

    def _take(self, message: Message) -> None:
        body = message.body
        if not isinstance(body, Explained) or body.token != self._token:
            return
        self.is_answered = True
        told = _ToldMembers(1)
        told.take(message.facts)
        for member in told.members():
            if member.name == self._name and body.content is not None:
                self.explanation = Explanation.from_wire(body.content, member)


class _ToldMembers:
    """Members as the facts of a node tell them: a record of each, and what became of it."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._records: dict[int, Record] = {}
        self._status: dict[int, Status] = {}

    def take(self, facts: Iterable[Fact]) -> None:
        """Take in facts; those about a member without a record, or about one too many, are passed over."""
        for fact in facts:
            if not isinstance(fact, RecordFact):
                if fact.id in self._records:
                    self._status[fact.id] = _SAYS[type(fact)]
            elif len(self._records) < self._most:
                self._records[fact.id] = fact.record

    def members(self) -> list[Member]:
        """The members of which a record was told."""
        return [record.member(self._status.get(each, Status.ALIVE)) for each, record in self._records.items()]
