"""A fact that is not valid costs that fact only: the message it came in, and what else that says, counts."""

from __future__ import annotations

from typing import Any

import cbor2
import pytest

from gossip.core.errors import WireError
from gossip.core.support.address import Address
from gossip.core.wire import Codec
from gossip.core.wire.facts import MAX_BAD_FACTS
from gossip.core.wire.messages import AliveFact, News, RecordFact
from tests.core.test_wire import CODEC, message_with_facts, opened, sealed
from tests.core.worlds import STRANGER, cluster, dropped, forged

WHERE = Address("10.0.0.1", 7946).to_wire()
GOOD: list[Any] = [0, 8, "good", 1000, 1, WHERE, {}, 50]
BAD: dict[str, list[Any]] = {
    "bad name": [0, 9, "a\u202eb", 1000, 1, WHERE, {}, 50],
    "bad metadata": [0, 9, "name", 1000, 1, WHERE, {"a": 1}, 50],
    "not canonical": [0, 9, "name", 1000, 1, WHERE, {"b": "", "a": ""}, 50],
    "bad address": [0, 9, "name", 1000, 1, WHERE[:-1], {}, 50],
    "bad key or signature": [0, 9, "name", 1000, 1, WHERE, {}, b"", b"", 50],
    "number out of range": [1, 0, 1],
    "too many accusers": [2, 9, 60, [1, 2, 3, 4, 5], 50],
    "wrong shape": [1, 9],
    "unknown fact": [17, "of a version to come"],
}


@pytest.mark.parametrize("reason", BAD)
def test_a_fact_that_is_not_valid_costs_that_fact_only(reason: str) -> None:
    message = CODEC.decode(sealed(message_with_facts([1, 7, 70], BAD[reason], GOOD)))
    assert message.refused == (reason,)
    first, second = message.facts
    assert first == AliveFact(7, 70)
    assert isinstance(second, RecordFact)
    assert second.record.identity.name == "good"


def test_what_stands_beside_a_bad_fact_is_believed_and_the_bad_one_counted() -> None:
    sim = cluster(3)
    items = cbor2.loads(opened(forged(sim, body=News())))
    items[-1] = [BAD["bad name"], [0, 8, "good", 1_700_000_000_000, 1, WHERE, {}, 50], BAD["unknown fact"]]
    sim.inject("n1", sealed(cbor2.dumps(items)), STRANGER)
    node = sim.nodes["n1"]
    assert node.protocol.get("good") is not None
    assert dropped(node, "bad name") == dropped(node, "unknown fact") == 1


def test_a_message_of_bad_facts_costs_no_more_than_some() -> None:
    some = CODEC.decode(sealed(message_with_facts(*[1] * MAX_BAD_FACTS)))
    assert some.refused == ("wrong shape",) * MAX_BAD_FACTS
    with pytest.raises(WireError, match="too many bad facts"):
        CODEC.decode(sealed(message_with_facts(*[1] * (MAX_BAD_FACTS + 1))))


def test_a_name_that_an_older_table_does_not_know_keeps_nobody_apart() -> None:
    """U+1FAE8 was assigned in Unicode 15, which Python 3.10 and 3.11 do not know."""
    sim = cluster(3)
    node = sim.start("n3", name="shaking \U0001fae8", seeds=("n0",))
    sim.run(5)
    assert sim.all_agree()
    data = forged(sim, RecordFact(node.entry.registers.record, 50))
    assert Codec(sim.config.cluster).decode(data).refused == ()
