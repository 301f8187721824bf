"""Facts about a member: the encoded form of its registers as they are now.

A node makes the facts when it composes a message, so a message always carries the newest state.
"""

from __future__ import annotations

from collections.abc import Sequence

from gossip.core.state.entry import Entry
from gossip.core.state.member import Status
from gossip.core.wire import encode_fact, encode_record, is_at_loopback
from gossip.core.wire.messages import MAX_ACCUSERS, AliveFact, DeadFact, LeftFact, SuspectFact


def record_fact(entry: Entry) -> bytes:
    """The member's record and counter."""
    return encode_record(entry.registers.record, entry.registers.heartbeat)


def without_loopback(facts: Sequence[bytes]) -> list[bytes]:
    """The same encoded facts, without records of members at loopback addresses."""
    return [fact for fact in facts if not is_at_loopback(fact)]


def liveness_fact(entry: Entry) -> bytes:
    """Whether the member lives, with the counters and floors that show it.

    The fact carries everything that could change another node's verdict, so two nodes that correct each other agree.
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
    """The record of a member that has left, and its farewell.

    The record goes first, because it may hold news that nobody has heard. A node that does not know the member yet
    needs both, or it could hear the record later and take the member for a living one.
    """
    if entry.registers.record.address.is_unspecified:
        return [liveness_fact(entry)]
    return [record_fact(entry), liveness_fact(entry)]


def all_facts(entry: Entry) -> list[bytes]:
    """Everything that another view needs to see the member as this one does.

    For the dead and those that left, this is the liveness alone: a node that does not know them need not learn about
    them.
    """
    if not entry.registers.is_living:
        return [liveness_fact(entry)]
    if entry.registers.record.address.is_unspecified:
        return []  # this node, before it knows where others reach it
    if entry.status is Status.SUSPECT:
        return [record_fact(entry), liveness_fact(entry)]
    return [record_fact(entry)]
