"""What a node says about a member: encoded facts that stand for the registers as they are now.

Facts are made when a message is composed, so a message always carries the newest.
"""

from __future__ import annotations

from collections.abc import Sequence

from gossip.core.state.entry import Entry
from gossip.core.state.member import Status
from gossip.core.wire import encode_fact, encode_record, is_at_loopback
from gossip.core.wire.messages import MAX_ACCUSERS, AliveFact, DeadFact, LeftFact, SuspectFact


def record_fact(entry: Entry) -> bytes:
    """Who the member is and what it says of itself."""
    return encode_record(entry.registers.record, entry.registers.heartbeat)


def without_loopback(facts: Sequence[bytes]) -> list[bytes]:
    """The same encoded facts, without records of members at loopback addresses."""
    return [fact for fact in facts if not is_at_loopback(fact)]


def liveness_fact(entry: Entry) -> bytes:
    """Whether the member lives, and the counters and floors that show it.

    It tells whatever could change another's mind, so two nodes that correct each other agree after that.
    """
    registers = entry.registers
    match registers.status:
        case Status.ALIVE:
            return encode_fact(AliveFact(entry.id, registers.heartbeat))
        case Status.SUSPECT:
            accusers = entry.accusers[:MAX_ACCUSERS]
            return encode_fact(SuspectFact(entry.id, registers.accused, accusers, registers.heartbeat))
        case Status.DEAD:
            accusers = entry.accusers[:MAX_ACCUSERS]
            return encode_fact(DeadFact(entry.id, registers.convicted, accusers, registers.heartbeat))
        case _:  # it has left
            return encode_fact(LeftFact(entry.id, registers.left, entry.farewell))


def farewell_facts(entry: Entry) -> list[bytes]:
    """What a member that has left was, and that it has left.

    The record goes first: it may hold news that nobody has heard, and whoever does not know the member yet must not
    hear of it later and take it for one that lives.
    """
    if entry.registers.record.address.is_unspecified:
        return [liveness_fact(entry)]
    return [record_fact(entry), liveness_fact(entry)]


def all_facts(entry: Entry) -> list[bytes]:
    """Everything another view needs to hold the member as this one does.

    Of the dead and those who left, only that: whoever does not know them need not learn of them.
    """
    if not entry.registers.is_living:
        return [liveness_fact(entry)]
    if entry.registers.record.address.is_unspecified:
        return []  # this node, before it knows where others reach it
    if entry.status is Status.SUSPECT:
        return [record_fact(entry), liveness_fact(entry)]
    return [record_fact(entry)]
