"""Messages and the facts in them: what one node can say to another, apart from the bytes.

A message has a sender, its counter, the fingerprint of its view, a body that says what the message is for, and facts. A
fact is one assertion about one member.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from gossip.core.state.member import Record
from gossip.core.support.address import Address
from gossip.core.support.drop_reasons import Drop

MAX_ID = 2**64 - 1
MAX_TOKEN = 2**32 - 1
ANONYMOUS = 0
"""Sender of a message that comes from no member: a client that only asks."""

MAX_ACCUSERS = 4
"""Accusers named in one fact: as many as shorten a suspicion, and one more."""

DIGEST_RANGES = 16
"""Parts into which a digest splits its range: 128 bytes of hashes find one difference among 5,000 members in two
steps."""


# --- facts -------------------------------------------------------------------------------------------


class RecordFact(NamedTuple):
    """What a member announces about itself; its counter has been seen at this value."""

    record: Record
    heartbeat: int

    @property
    def id(self) -> int:
        """Shorthand for ``record.identity.id``."""
        return self.record.identity.id


class AliveFact(NamedTuple):
    """Its counter has been seen at this value."""

    id: int
    heartbeat: int


class SuspectFact(NamedTuple):
    """The accusers got no counter at or above this floor from it; ``heartbeat`` is the highest counter seen."""

    id: int
    floor: int
    accusers: tuple[int, ...]
    heartbeat: int = 0


class DeadFact(NamedTuple):
    """It did not reach this floor in time; the accusers accused it; ``heartbeat`` is the highest counter seen."""

    id: int
    floor: int
    accusers: tuple[int, ...]
    heartbeat: int = 0


class LeftFact(NamedTuple):
    """It said farewell when its counter had this value."""

    id: int
    counter: int
    signature: bytes = b""
    """The member's own signature, where identities are signed."""


Fact = RecordFact | AliveFact | SuspectFact | DeadFact | LeftFact


# --- messages ----------------------------------------------------------------------------------------


class Ping(NamedTuple):
    """Are you there? Answered by an :class:`Ack` with the same token."""

    token: int
    padding: bytes = b""
    """Zeros, so that the answer need not be larger than the question; see
    :mod:`gossip.core.dissemination.address_validation`."""


class Ack(NamedTuple):
    """The answer to the ping with this token: I run."""

    token: int
    observed: Address | None = None
    """Where the ping came from. A node tells it only to senders that it does not know, or knows at another address, and
    only if their ping is large enough."""
    cookie: int | None = None
    """The sender of the ping repeats it in the digest that compares the views, so that the digest is answered in full;
    see
    :mod:`gossip.core.dissemination.address_validation`.
    """


class PingRequest(NamedTuple):
    """Please ping this member for me. Answered by :class:`IndirectAck` or :class:`Nack`."""

    token: int
    target: int
    padding: bytes = b""
    """As in a :class:`Ping`."""


class Nack(NamedTuple):
    """I asked the target for you and heard nothing, or I do not know it."""

    token: int
    target: int


class IndirectAck(NamedTuple):
    """I asked the target for you; it answered me just now with this counter."""

    token: int
    target: int
    target_heartbeat: int


class News(NamedTuple):
    """Facts only. The receiver answers, with news, only if they are outdated."""


class Digest(NamedTuple):
    """Hashes of my view over equal parts of the id range ``low..high``, both inclusive."""

    low: int
    high: int
    hashes: tuple[int, ...]
    cookie: int = 0
    """Every answer to this digest in a datagram repeats it; see :mod:`gossip.core.dissemination.address_validation`."""
    repeats: int | None = None
    """Cookie of the ack or digest that this one answers; None if it answers none."""


class Entries(NamedTuple):
    """The facts of this message are all I know about the ids ``low..high``, both inclusive."""

    low: int
    high: int
    repeats: int | None = None
    """Cookie of the digest that this message answers in a datagram."""


class Clock(NamedTuple):
    """I do not believe your generation: it is too far ahead of my clock, which shows this."""

    wall_ms: int
    """Unix time in milliseconds."""


class Explain(NamedTuple):
    """Where does the holder of this name stand in your eyes, and why? Asked over a stream; any sender may ask."""

    token: int
    name: str


class Explained(NamedTuple):
    """Answers an :class:`Explain` with the same token; the facts of the message say who the member is."""

    token: int
    content: list[Any] | None
    """An explanation as :mod:`gossip.core.detection.evidence` encodes it; None if nobody holds that name."""


Body = Ping | Ack | PingRequest | Nack | IndirectAck | News | Digest | Entries | Clock | Explain | Explained


class Message(NamedTuple):
    """One decoded message."""

    sender: int
    """Id of the sending member, or :data:`ANONYMOUS`."""
    heartbeat: int
    """The sender's own counter."""
    fingerprint: int
    """Fingerprint of the sender's view."""
    body: Body
    facts: tuple[Fact, ...] = ()
    refused: tuple[Drop, ...] = ()
    """Why facts of this message were refused, one reason for each. The valid facts are in ``facts``."""
