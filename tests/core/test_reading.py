"""A thread that reads a view between two lines of a change sees the members as they were before it or after."""

from __future__ import annotations

import sys
from collections.abc import Callable
from types import FrameType
from typing import Any

import pytest

from gossip.core.state import entry as entry_module
from gossip.core.state import listing as listing_module
from gossip.core.state import view as view_module
from gossip.core.state.member import Identity, Member, Record, Status
from gossip.core.state.view import View
from tests.core.test_view import ADDRESS, CONFIG, introduce, view_of

FILES = {view_module.__file__, entry_module.__file__, listing_module.__file__}


def read_between_lines(view: View, change: Callable[[], object]) -> list[tuple[tuple[Member, ...], Member]]:
    """Make a change; returns what a thread reads that comes between any two lines of it."""
    read: list[tuple[tuple[Member, ...], Member]] = []

    def trace(frame: FrameType, event: str, _: Any) -> Any:
        if frame.f_code.co_filename not in FILES:
            return None
        sys.settrace(None)
        read.append((view.listing.members(), view.listing.local))
        sys.settrace(trace)
        return trace

    before = sys.gettrace()
    sys.settrace(trace)
    try:
        change()
    finally:
        sys.settrace(before)
    return read


def own_generation(number: int) -> Record:
    return Record(Identity("local", number, 50 + number), 1, ADDRESS, {})


def displace(view: View, generation: int = 5) -> None:
    view.introduce(Record(Identity("local", generation, 90), 1, ADDRESS, {}), 5, 0.0, 10**12)


def convict(view: View, member_id: int, now: float = 1.0) -> None:
    entry = view.get(member_id)
    assert entry is not None
    view.merge(entry, now, convicted=entry.registers.heartbeat + 10)


def revive(view: View) -> None:
    entry = view.get(10)
    assert entry is not None
    view.merge(entry, 2.0, heartbeat=1000)


def leave(view: View) -> None:
    entry = view.get(20)
    assert entry is not None
    view.merge(entry, 1.0, left=entry.registers.heartbeat)


def full(view: View) -> None:
    for each in range(CONFIG.max_members - 4):
        introduce(view, f"n{each}", 60 + each)
    convict(view, 10)


CHANGES: dict[str, tuple[Callable[[View], object], Callable[[View], object]]] = {
    "somebody joins": (lambda view: None, lambda view: introduce(view, "new", 45)),
    "somebody restarts": (lambda view: None, lambda view: introduce(view, "m10", 45, generation=2)),
    "the dead restart": (lambda view: convict(view, 10), lambda view: introduce(view, "m10", 45, generation=2)),
    "somebody dies": (lambda view: None, lambda view: convict(view, 10)),
    "somebody shows that it lives": (lambda view: convict(view, 10), revive),
    "somebody leaves": (lambda view: None, leave),
    "the dead are forgotten": (lambda view: convict(view, 10), lambda view: view.forget(1000.0)),
    "the dead make room": (full, lambda view: introduce(view, "new", 45)),
    "an id is taken": (lambda view: None, lambda view: introduce(view, "z", 10)),
    "this node is displaced": (lambda view: None, displace),
    "this node becomes another generation": (lambda view: None, lambda view: view.become(own_generation(2), 1.0)),
    "this node is displaced no longer": (displace, lambda view: view.become(own_generation(6), 1.0)),
    "who displaces this node dies": (displace, lambda view: convict(view, 90)),
}


@pytest.mark.parametrize(("prepare", "change"), CHANGES.values(), ids=CHANGES)
def test_a_reader_sees_the_members_before_a_change_or_after_it(
    prepare: Callable[[View], object], change: Callable[[View], object]
) -> None:
    view = view_of(10, 20, 30)
    prepare(view)
    before = view.listing.members(), view.listing.local
    read = read_between_lines(view, lambda: change(view))
    after = view.listing.members(), view.listing.local
    assert len(read) > 5
    known = {*before[0], *after[0]}
    stay = {member.name for member in before[0]} & {member.name for member in after[0]}
    for members, local in read:
        assert local in (before[1], after[1])
        assert stay <= {member.name for member in members}
        assert [member.name for member in members] == sorted(member.name for member in members)
        believed = [member.name for member in members if member.status is not Status.DISPLACED]
        assert len(set(believed)) == len(believed)
        assert known.issuperset(members)
    assert after[0] == view_without_cache(view)


def view_without_cache(view: View) -> tuple[Member, ...]:
    """The members, computed anew."""
    view.listing.outdate()
    return view.listing.members()
