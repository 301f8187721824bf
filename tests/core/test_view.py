"""The view: its fingerprint, its ring, and what each merge leaves behind, checked against a plain model."""

from __future__ import annotations

import contextlib
import itertools
import random
from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gossip.core.config import Config
from gossip.core.state.entry import Entry, Refused
from gossip.core.state.member import Identity, Record, Status, record_fingerprint
from gossip.core.state.view import FINGERPRINT_MODULUS, View
from gossip.core.support.address import Address
from tests.core.worlds import examples

CONFIG = Config.lan(forget_after=10.0, max_members=8)
ADDRESS = Address("10.0.0.1", 7946)
LAST_ID = 2**64 - 1


def entry_for(identity: Identity, version: int = 1) -> Entry:
    """A living member with that identity."""
    return Entry.first(Record(identity, version, ADDRESS, {}), 1, 0.0)


def view_of(*ids: int, local: int = 50, config: Config = CONFIG) -> View:
    """A view of a local member and these others, all alive."""
    view = View(config, Record(Identity("local", 1, local), 1, ADDRESS, {}), 0.0)
    for each in ids:
        introduce(view, f"m{each}", each)
    return view


def introduce(
    view: View, name: str, member_id: int, *, generation: int = 1, version: int = 1, now: float = 0.0
) -> None:
    view.introduce(Record(Identity(name, generation, member_id), version, ADDRESS, {}), 5, now, 10**12)


def content(view: View) -> set[tuple[str, int, int, int]]:
    """What two views must share to be equal: identities and versions of the living."""
    return {
        (entry.identity.name, entry.identity.generation, entry.id, entry.registers.record.version)
        for entry in view
        if entry.status.is_living
    }


def check_consistency(view: View) -> None:
    """Everything the view keeps incrementally is what one would compute from scratch."""
    living = sorted(entry.id for entry in view if entry.status.is_living)
    assert [entry.id for entry in view.within(0, LAST_ID)] == living
    assert [entry.id for entry in view.walk(2, 60)] == [each for each in living if 2 <= each <= 60]
    assert view.alive == len(living)
    assert view.others == len([each for each in living if each != view.local.id])
    scratch = sum(record_fingerprint(entry.registers.record) for entry in view if entry.status.is_living)
    assert view.fingerprint == scratch % FINGERPRINT_MODULUS == view.range_fingerprint(0, LAST_ID)
    assert {entry.id for entry in view.gone()} == {entry.id for entry in view if not entry.status.is_living}
    assert all(view.get(entry.id) is entry and view.named(entry.identity.name) is entry for entry in view)
    assert all((entry.gone_at is None) == entry.status.is_living for entry in view)
    assert len(list(view)) <= CONFIG.max_members


IDS = st.sampled_from([1, 2, 3, 40, 60, LAST_ID])
STEPS = st.one_of(
    st.tuples(st.just("introduce"), st.sampled_from("abcd"), IDS, st.integers(1, 3), st.integers(1, 3)),
    st.tuples(st.just("heartbeat"), IDS, st.integers(0, 30)),
    st.tuples(st.just("accused"), IDS, st.integers(1, 30)),
    st.tuples(st.just("convicted"), IDS, st.integers(1, 30)),
    st.tuples(st.just("left"), IDS, st.integers(1, 30)),
    st.tuples(st.just("record"), IDS, st.integers(1, 5)),
    st.tuples(st.just("become"), st.integers(2, 9), st.integers(100, 120)),
    st.tuples(st.just("forget"), st.sampled_from([1.0, 6.0, 25.0])),
)


def apply(view: View, step: tuple[object, ...], now: float) -> float:
    """Do one of :data:`STEPS`; returns the time after it."""
    match step:
        case ("introduce", str(name), int(member_id), int(generation), int(version)):
            if view.get(member_id) is None:
                with contextlib.suppress(Refused):
                    introduce(view, name, member_id, generation=generation, version=version, now=now)
        case ("record", int(member_id), int(version)):
            if entry := view.get(member_id):
                view.merge(entry, now, record=Record(entry.identity, version, ADDRESS, {"v": str(version)}))
        case ("become", int(generation), int(member_id)):
            if view.get(member_id) is None and generation > view.local.identity.generation:
                view.become(Record(Identity("local", generation, member_id), 1, ADDRESS, {}), now)
        case ("forget", float(seconds)):
            now += seconds
            view.forget(now)
        case (str(register), int(member_id), int(value)):
            if entry := view.get(member_id):
                view.merge(entry, now, **dict[str, Any]({register: value}))
    return now


@settings(max_examples=examples(100))
@given(st.lists(STEPS, max_size=30))
def test_what_is_kept_incrementally_equals_what_is_computed_from_scratch(steps: list[tuple[object, ...]]) -> None:
    view, now = view_of(), 0.0
    for step in steps:
        now = apply(view, step, now)
        check_consistency(view)


Fact = Callable[[View], None]


def the_fact(member_id: int, **what: int) -> Fact:
    """Something heard of a member that is known under its id."""

    def take(view: View) -> None:
        entry = view.get(member_id)
        if entry is None:
            introduce(view, f"m{member_id}", member_id)
            entry = view.get(member_id)
        assert entry is not None
        version = what.get("version", 1)
        floors = {name: value for name, value in what.items() if name != "version"}
        view.merge(entry, 0.0, record=Record(entry.identity, version, ADDRESS, {"v": str(version)}), **floors)

    return take


FACTS = st.builds(
    lambda member_id, what: the_fact(member_id, **what),
    st.sampled_from([1, 2, 60, LAST_ID]),
    st.dictionaries(st.sampled_from(["heartbeat", "accused", "convicted", "left", "version"]), st.integers(1, 9),
                    max_size=3),
)  # fmt: skip


@given(st.lists(FACTS, max_size=12), st.randoms(use_true_random=False))
def test_the_order_in_which_facts_are_taken_leaves_no_trace(facts: list[Fact], shuffle: random.Random) -> None:
    one, other = view_of(), view_of()
    for fact in facts:
        fact(one)
    again = [*facts, *facts[:3]]
    shuffle.shuffle(again)
    for fact in again:
        fact(other)
    assert content(one) == content(other)
    assert one.fingerprint == other.fingerprint
    assert {entry.id: entry.registers for entry in one} == {entry.id: entry.registers for entry in other}


@given(st.lists(FACTS, max_size=8), st.lists(FACTS, max_size=8))
def test_fingerprints_are_equal_exactly_when_views_are(some: list[Fact], others: list[Fact]) -> None:
    one, other = view_of(), view_of()
    for fact in some:
        fact(one)
    for fact in others:
        fact(other)
    assert (one.fingerprint == other.fingerprint) == (content(one) == content(other))


RECORDS = st.builds(
    Record,
    st.builds(Identity, st.text(min_size=1, max_size=4), st.integers(0, 3), st.integers(1, 3)),
    st.integers(1, 3),
    st.sampled_from([ADDRESS, Address("10.0.0.2", 1)]),
    st.dictionaries(st.sampled_from("ab"), st.sampled_from("xy"), max_size=2),
    st.sampled_from([b"", bytes(32)]),
)


@given(RECORDS, RECORDS)
def test_fingerprints_of_records_differ_unless_records_say_the_same(one: Record, other: Record) -> None:
    assert (one.fingerprint == other.fingerprint) == (one == other)


@given(st.sets(st.integers(1, LAST_ID), max_size=7), st.lists(st.integers(0, LAST_ID), max_size=5))
def test_fingerprints_of_ranges_add_up_to_the_whole(ids: set[int], cuts: list[int]) -> None:
    view = view_of(*ids - {50})
    bounds = [0, *sorted(set(cuts) - {0}), LAST_ID + 1]
    ranges = [(low, high - 1) for low, high in itertools.pairwise(bounds)]
    assert sum(view.range_fingerprint(*each) for each in ranges) % FINGERPRINT_MODULUS == view.fingerprint


@given(st.sets(st.integers(1, 300), max_size=40), st.integers(0, 20), st.sets(st.integers(1, 300), max_size=4),
       st.integers())  # fmt: skip
def test_a_sample_is_of_others_without_repetition_and_as_large_as_possible(
    ids: set[int], count: int, without: set[int], seed: int
) -> None:
    view = view_of(*ids - {50}, config=Config.lan())
    sample = [entry.id for entry in view.sample(count, random.Random(seed), tuple(without))]
    candidates = ids - {50} - without
    assert set(sample) <= candidates
    assert len(sample) == len(set(sample)) == min(count, len(candidates))


def test_every_other_member_is_sampled_about_equally_often() -> None:
    view, source = view_of(*range(100, 120), config=Config.lan()), random.Random(1)
    counts = dict.fromkeys(range(100, 120), 0)
    for _ in range(4000):
        for entry in view.sample(1, source):
            counts[entry.id] += 1
    assert all(120 < count < 280 for count in counts.values()), counts


def relays_of(ids: set[int], count: int) -> dict[int, set[int]]:
    """Whom each of these members passes news to, if all know each other."""
    views = {local: view_of(*ids - {local}, local=local, config=Config.lan()) for local in ids}
    return {local: {entry.id for entry in view.push_targets(count)} for local, view in views.items()}


@given(st.sets(st.integers(1, 999), min_size=1, max_size=80), st.integers(0, 8))
def test_news_is_passed_on_to_as_many_others_as_there_are_and_should(ids: set[int], count: int) -> None:
    for local, relays in relays_of(ids, count).items():
        assert local not in relays
        assert relays <= ids
        assert len(relays) == min(count, len(ids) - 1)


@given(st.sets(st.integers(1, 999), min_size=2, max_size=80), st.integers(2, 8))
def test_news_reaches_everybody_in_the_fewest_hops_that_so_many_pushes_can(ids: set[int], count: int) -> None:
    """What makes a push certain without loss, from whomever it comes."""
    relays = relays_of(ids, count)
    most_hops = next(hops for hops in itertools.count(1) if count**hops >= len(ids))
    for origin in ids:
        knows = {origin}
        for _ in range(most_hops):
            knows |= {told for each in knows for told in relays[each]}
        assert knows == ids


@given(st.sets(st.integers(1, 999), min_size=9, max_size=80), st.integers(1, 8))
def test_everybody_is_told_by_several_others(ids: set[int], count: int) -> None:
    """What makes up for loss."""
    pushers = Counter(told for relays in relays_of(ids, count).values() for told in relays)
    assert all(pushers[each] >= count - 1 for each in ids)
    assert sum(pushers.values()) == count * len(ids)


@given(st.sets(st.integers(1, 99), max_size=12))
def test_the_successor_is_the_next_on_the_ring_and_never_oneself(ids: set[int]) -> None:
    ids -= {50}
    successor = view_of(*ids, config=Config.lan()).successor()
    ring = sorted(ids | {50})
    expected = ring[(ring.index(50) + 1) % len(ring)]
    assert (None if successor is None else successor.id) == (None if expected == 50 else expected)


@given(st.sets(st.integers(1, 99), min_size=2, max_size=12))
def test_everybody_is_the_successor_of_exactly_one_other(ids: set[int]) -> None:
    successors = [view_of(*ids - {local}, local=local, config=Config.lan()).successor() for local in ids]
    assert sorted(each.id for each in successors if each is not None) == sorted(ids)


def test_the_dead_are_on_no_ring_and_in_no_sample() -> None:
    view = view_of(40, 60, 70)
    dead = view.get(60)
    assert dead is not None
    view.merge(dead, 0.0, convicted=99)
    assert {entry.id for entry in view.push_targets(5)} == {40, 70}
    assert {entry.id for entry in view.sample(5, random.Random(0))} == {40, 70}
    assert view.successor() is view.get(70)
    assert view.gone(revivable=True) == [dead]


def test_a_later_generation_takes_the_name_and_the_earlier_is_gone_without_trace() -> None:
    view = view_of(60)
    introduce(view, "m60", 70, generation=2)
    assert view.get(60) is None
    assert content(view) == content(view) & {("local", 1, 50, 1), ("m60", 2, 70, 1)}
    with pytest.raises(Refused, match="superseded"):
        introduce(view, "m60", 60)


def test_a_tombstone_admits_the_later_and_the_revived_only() -> None:
    view = view_of(60)
    dead = view.get(60)
    assert dead is not None
    view.merge(dead, 0.0, convicted=20)
    view.forget(11.0)
    assert view.get(60) is None
    with pytest.raises(Refused, match="buried"):
        introduce(view, "m60", 60)
    record = Record(Identity("m60", 1, 60), 1, ADDRESS, {})
    view.introduce(record, 20, 12.0, 10**12)
    assert view.get(60) is not None
    check_consistency(view)


def test_a_tombstone_of_one_who_left_admits_later_generations_only() -> None:
    view = view_of(60)
    gone = view.get(60)
    assert gone is not None
    view.merge(gone, 0.0, left=20)
    view.forget(11.0)
    with pytest.raises(Refused, match="buried"):
        view.introduce(Record(Identity("m60", 1, 60), 1, ADDRESS, {}), 10_000, 12.0, 10**12)
    introduce(view, "m60", 61, generation=2, now=12.0)


def test_tombstones_do_not_stand_for_ever() -> None:
    view = view_of(60)
    dead = view.get(60)
    assert dead is not None
    view.merge(dead, 0.0, convicted=20)
    view.forget(11.0)
    view.forget(22.0)
    introduce(view, "m60", 60, now=22.0)


def test_a_full_view_buries_the_longest_gone_first_and_then_refuses() -> None:
    view = view_of(1, 2, 3, 4, 5, 6, 7)
    for member_id, when in ((3, 1.0), (5, 2.0)):
        gone = view.get(member_id)
        assert gone is not None
        view.merge(gone, when, convicted=99)
    introduce(view, "new1", 101, now=3.0)
    assert view.get(3) is None
    assert view.get(5) is not None
    introduce(view, "new2", 102, now=3.0)
    assert view.get(5) is None
    before = content(view)
    with pytest.raises(Refused, match="full"):
        introduce(view, "new3", 103, now=3.0)
    assert content(view) == before
    check_consistency(view)


def test_a_snapshot_stays_the_same_object_until_something_changes() -> None:
    view = view_of(60)
    entry = view.get(60)
    assert entry is not None
    first = entry.snapshot()
    view.merge(entry, 0.0, heartbeat=9)
    assert entry.snapshot() is first
    view.merge(entry, 0.0, accused=99)
    assert entry.snapshot().status is Status.SUSPECT
    assert first.status is Status.ALIVE


def test_only_what_others_should_hear_of_is_a_change() -> None:
    view = view_of(60)
    entry = view.get(60)
    assert entry is not None
    assert view.merge(entry, 0.0, heartbeat=9) is None
    view.merge(entry, 0.0, accused=3)
    assert entry.status is Status.ALIVE
    change = view.merge(entry, 0.0, accused=12)
    assert change is not None
    assert (change.before, change.after) == (Status.ALIVE, Status.SUSPECT)
    assert view.merge(entry, 0.0, accused=12) is None
    restored = view.merge(entry, 0.0, heartbeat=12)
    assert restored is not None
    assert (restored.before, restored.after) == (Status.SUSPECT, Status.ALIVE)


def test_those_known_for_the_shortest_time_lose_their_tombstones_first() -> None:
    """Inventions may answer, too, but not for as long as a member has."""
    config = Config.lan(max_members=20, forget_after=1000.0)
    view = View(config, Record(Identity("local", 1, 50), 1, ADDRESS, {}), 0.0)
    for member_id in (60, *range(100, 160)):
        now = 100.0 + member_id
        introduce(view, f"m{member_id}", member_id, now=now)
        entry = view.get(member_id)
        assert entry is not None
        entry.answering_since = now - (50.0 if member_id == 60 else 10.0)
        view.merge(entry, now, left=20)
        view.forget(now + 1001)
    assert view.owners(Identity("m60", 2, 1)) == [b""]
    assert view.tombstones <= 20
    introduce(view, "m60", 61, generation=2, now=200.0)
    later = view.get(61)
    assert later is not None
    assert later.acquaintance(200.0) == 50.0, "what a member has earned is that of its name"
    check_consistency(view)
