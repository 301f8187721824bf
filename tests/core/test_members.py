"""Registers and records: merging is a join, whatever the order, and status follows from it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gossip.core.state.member import Identity, Record, Registers, Status
from gossip.core.support.address import Address
from tests.core import strategies

ADA = Identity("ada", 1, 1)
RECORD = Record(ADA, 1, Address("10.0.0.1", 1), {})
DEADLINESS = {Status.ALIVE: 0, Status.SUSPECT: 1, Status.DEAD: 2, Status.LEFT: 3}


@given(strategies.registers, strategies.registers)
def test_merging_is_commutative(one: Registers, other: Registers) -> None:
    assert one.merge(other) == other.merge(one)


@given(strategies.registers, strategies.registers, strategies.registers)
def test_merging_is_associative(one: Registers, other: Registers, third: Registers) -> None:
    assert one.merge(other).merge(third) == one.merge(other.merge(third))


@given(strategies.registers, strategies.registers)
def test_merging_is_idempotent(one: Registers, other: Registers) -> None:
    assert one.merge(one) == one
    assert one.merge(other).merge(other) == one.merge(other)


@given(strategies.registers, strategies.registers)
def test_no_register_ever_goes_down(one: Registers, other: Registers) -> None:
    merged = one.merge(other)
    for name in ("heartbeat", "accused", "convicted", "left"):
        assert getattr(merged, name) == max(getattr(one, name), getattr(other, name))
    assert merged.record in (one.record, other.record)
    assert merged.record.version == max(one.record.version, other.record.version)


@given(st.lists(strategies.registers, min_size=1, max_size=6), st.randoms(use_true_random=False))
def test_any_order_with_any_repetition_gives_the_same(heard: list[Registers], random: st.DataObject) -> None:
    first = heard[0]
    for each in heard[1:]:
        first = first.merge(each)
    again = [*heard, *heard]
    random.shuffle(again)  # type: ignore[attr-defined]
    second = again[0]
    for each in again[1:]:
        second = second.merge(each)
    assert second == first


@given(strategies.registers, strategies.small)
def test_a_higher_heartbeat_never_makes_a_member_more_dead(registers: Registers, heartbeat: int) -> None:
    after = registers.merge(Registers(registers.record, heartbeat)).status
    assert DEADLINESS[after] <= DEADLINESS[registers.status]


@given(strategies.registers, strategies.registers)
def test_left_sticks(registers: Registers, heard: Registers) -> None:
    gone = registers._replace(left=1)
    assert gone.merge(heard).status is Status.LEFT


@pytest.mark.parametrize(
    ("heartbeat", "accused", "convicted", "left", "status"),
    [
        (0, 0, 0, 0, Status.ALIVE),
        (5, 0, 0, 0, Status.ALIVE),
        (5, 5, 0, 0, Status.ALIVE),
        (5, 6, 0, 0, Status.SUSPECT),
        (6, 6, 0, 0, Status.ALIVE),
        (5, 6, 5, 0, Status.SUSPECT),
        (5, 6, 6, 0, Status.DEAD),
        (5, 0, 6, 0, Status.DEAD),
        (6, 6, 6, 0, Status.ALIVE),
        (6, 7, 6, 0, Status.SUSPECT),
        (9, 0, 0, 1, Status.LEFT),
        (1, 9, 9, 1, Status.LEFT),
    ],
)
def test_status_follows_from_the_registers(
    heartbeat: int, accused: int, convicted: int, left: int, status: Status
) -> None:
    assert Registers(RECORD, heartbeat, accused, convicted, left).status is status


@pytest.mark.parametrize("status", list(Status))
def test_only_the_dead_and_those_who_left_are_not_living(status: Status) -> None:
    assert status.is_living == (status in (Status.ALIVE, Status.SUSPECT))


@given(strategies.records, strategies.records)
def test_the_newest_record_does_not_depend_on_who_asks(one: Record, other: Record) -> None:
    assert one.newest(other) == other.newest(one)
    assert one.newest(other) in (one, other)
    assert one.newest(other).version == max(one.version, other.version)


@given(strategies.records, strategies.records, strategies.records)
def test_the_newest_of_three_records_does_not_depend_on_the_order(one: Record, other: Record, third: Record) -> None:
    assert one.newest(other).newest(third) == one.newest(other.newest(third))


def test_a_record_keeps_its_own_copy_of_the_metadata() -> None:
    given_metadata = {"k": "v"}
    record = Record(ADA, 1, Address("10.0.0.1", 1), given_metadata)
    given_metadata["k"] = "changed"
    assert record.metadata == {"k": "v"}
    with pytest.raises(TypeError):
        record.metadata["k"] = "changed"  # type: ignore[index]


@pytest.mark.parametrize(
    ("later", "earlier", "supersedes"),
    [
        (Identity("a", 2, 1), Identity("a", 1, 9), True),
        (Identity("a", 1, 9), Identity("a", 2, 1), False),
        (Identity("a", 1, 2), Identity("a", 1, 1), True),
        (Identity("a", 1, 1), Identity("a", 1, 1), False),
        (Identity("a", 2, 1), Identity("b", 1, 1), False),
    ],
)
def test_a_later_generation_of_the_same_name_supersedes(later: Identity, earlier: Identity, supersedes: bool) -> None:
    assert later.supersedes(earlier) is supersedes
