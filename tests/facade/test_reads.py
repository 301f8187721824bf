"""Eight threads read a node while its cluster is in turmoil: no error, no member in pieces, nothing late."""

from __future__ import annotations

import sys
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

import gossip.blocking
from gossip import EventKind, Member, MembershipEvent, Status
from tests.facade.flavours import LOCAL

READERS = 8
ROUNDS = 2


@contextmanager
def quick_switches() -> Iterator[None]:
    """Have Python go from thread to thread as often as it can."""
    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    try:
        yield
    finally:
        sys.setswitchinterval(interval)


def check_members(members: tuple[Member, ...]) -> None:
    names = [member.name for member in members]
    assert names == sorted(names)
    holders = [member.name for member in members if member.status is not Status.DISPLACED]
    assert len(set(holders)) == len(holders)
    assert "a" in names
    for member in members:
        assert len(set(member.metadata.values())) <= 1, "the two words are written together, and always equal"


def read_all(node: gossip.blocking.Node) -> None:
    """Ask everything that can be asked in any thread."""
    check_members(node.members())
    assert node.local.name == "a"
    assert node.alive >= 1
    assert 0 <= node.health <= 8
    assert node.agreement is None or 0 <= node.agreement <= 1
    assert node.stats.protocol.datagrams_sent >= 0
    assert node.standing.why
    assert node.clock_dispute is None
    assert node.address == node.bound_address
    assert "'a'" in repr(node)
    b = node.get("b")
    assert b is None or b.name == "b"


def follow(node: gossip.blocking.Node, changes: Any) -> int:
    """Check that what each event tells can be read at once; returns how many there were."""
    events = 0
    for item in changes:
        if isinstance(item, MembershipEvent) and item.kind not in (EventKind.FORGOTTEN, EventKind.CONFLICT):
            events += 1
            member = next(each for each in node.members() if each.name == item.member.name)
            assert (member.generation, member.version) >= (item.member.generation, item.member.version)
            held = node.get(item.member.name)
            assert held is not None
            assert held.generation >= item.member.generation
    return events


def cause_turmoil(address: gossip.Address) -> None:
    """Nodes come, change, go and come again under their names."""
    for number in range(ROUNDS):
        words = [{"one": f"{number} {step}", "two": f"{number} {step}"} for step in range(30)]
        with (
            gossip.blocking.open_node("b", seeds=[address], metadata=words[0], **LOCAL) as b,
            gossip.blocking.open_node("c", seeds=[address], metadata=words[0], **LOCAL) as c,
        ):
            b.joined(timeout=20)
            c.joined(timeout=20)
            for each in words:
                b.update(each)
                c.update(each)
            b.leave()


def test_reads_are_whole_while_the_cluster_is_in_turmoil() -> None:
    with gossip.blocking.open_node("a", **LOCAL) as node, ThreadPoolExecutor(READERS + 1) as pool, quick_switches():
        is_over = threading.Event()

        def read() -> int:
            rounds = 0
            while not is_over.is_set():
                read_all(node)
                rounds += 1
            return rounds

        with node.subscribe(10_000) as changes:
            following = pool.submit(follow, node, changes)
            reading = [pool.submit(read) for _ in range(READERS)]
            try:
                cause_turmoil(node.address)
            finally:
                is_over.set()
        assert all(each.result() for each in reading)
        assert following.result() > 2 * ROUNDS


def test_members_are_made_anew_only_after_a_change() -> None:
    with gossip.blocking.open_node("a", **LOCAL) as node:
        before = node.members()
        assert node.members() is before
        node.update({"x": "1"})
        assert node.members() is not before
        assert node.members() is node.members()
