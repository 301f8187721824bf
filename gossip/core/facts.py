"""What a node says about a member: the facts that stand for the registers as they are now.

Facts are made when a message is composed, never stored, so a message always carries the newest.
"""

from __future__ import annotations

from gossip.core.member import Status
from gossip.core.view import Entry
from gossip.core.wire import (
    MAX_ACCUSERS,
    AliveFact,
    DeadFact,
    Fact,
    LeftFact,
    RecordFact,
    SuspectFact,
)


def record_fact(entry: Entry) -> RecordFact:
    """Who the member is and what it says of itself."""
    who, registers = entry.identity, entry.registers
    record = registers.record
    return RecordFact(
        who.id, who.name, who.generation, record.version, record.address, record.metadata, registers.heartbeat
    )


def liveness_fact(entry: Entry) -> Fact:
    """Whether the member lives, and the counter or floor that shows it."""
    registers = entry.registers
    match registers.status:
        case Status.ALIVE:
            return AliveFact(entry.id, registers.heartbeat)
        case Status.SUSPECT:
            return SuspectFact(entry.id, registers.accused, entry.accusers[:MAX_ACCUSERS])
        case Status.DEAD:
            return DeadFact(entry.id, registers.convicted, entry.accusers[:MAX_ACCUSERS])
        case Status.LEFT:
            return LeftFact(entry.id, registers.left)


def all_facts(entry: Entry) -> list[Fact]:
    """Everything another view needs to hold the member as this one does.

    Of the dead and those who left, only that: whoever does not know them need not learn of them.
    """
    if not entry.status.is_living:
        return [liveness_fact(entry)]
    if entry.registers.record.address.is_unspecified:
        return []  # this node, before it knows where others reach it
    if entry.status is Status.SUSPECT:
        return [record_fact(entry), liveness_fact(entry)]
    return [record_fact(entry)]
