"""Messages in words: their kind, and what they say about which member."""

from __future__ import annotations

from collections.abc import Callable

import attrs

from gossip.core.errors import WireError
from gossip.core.wire import Codec
from gossip.core.wire.messages import (
    ANONYMOUS,
    AliveFact,
    DeadFact,
    Fact,
    LeftFact,
    Message,
    RecordFact,
    SuspectFact,
)

from ..watching import kind_name

UNREADABLE = "?"
"""Kind of a message that cannot be decoded."""

MAX_FACTS_TOLD = 6
"""The most facts of one message that are shown: as many as fit beside the pointer."""

MAX_TEXT = 160
"""The most characters of one fact."""

NameOf = Callable[[int], str]
"""The name of the member with an id."""


@attrs.frozen
class Content:
    """What is in a message."""

    kind: str
    about: int = ANONYMOUS
    """Id of the member that it asks or answers for, if there is one."""
    facts: tuple[Fact, ...] = ()
    """The first facts in it."""
    more_facts: int = 0
    """How many more there are."""


def content(codec: Codec, data: bytes) -> Content:
    """What is in the message with these bytes."""
    try:
        message: Message = codec.decode(data)
    except WireError:
        return Content(UNREADABLE)
    about = getattr(message.body, "target", ANONYMOUS)
    facts = message.facts
    return Content(kind_name(type(message.body)), about, facts[:MAX_FACTS_TOLD], max(0, len(facts) - MAX_FACTS_TOLD))


def fact_in_words(fact: Fact, name_of: NameOf) -> str:
    """What a fact says, in one line."""
    text = _fact_in_words(fact, name_of)
    return text if len(text) <= MAX_TEXT else text[: MAX_TEXT - 1] + "…"


def _fact_in_words(fact: Fact, name_of: NameOf) -> str:
    match fact:
        case RecordFact():
            record = fact.record
            metadata = ", ".join(f"{key}={value}" for key, value in record.metadata.items())
            text = f"{record.identity.name} is at {record.address}, version {record.version}"
            return f"{text}: {metadata}" if metadata else text
        case AliveFact():
            return f"{name_of(fact.id)} is alive, counter {fact.heartbeat}"
        case SuspectFact():
            return f"{name_of(fact.id)} is suspect, floor {fact.floor}{_accusers(fact.accusers, name_of)}"
        case DeadFact():
            return f"{name_of(fact.id)} is dead, floor {fact.floor}{_accusers(fact.accusers, name_of)}"
        case LeftFact():
            return f"{name_of(fact.id)} has left, counter {fact.counter}"


def _accusers(accusers: tuple[int, ...], name_of: NameOf) -> str:
    return f", accused by {' '.join(map(name_of, accusers))}" if accusers else ""
