"""A node without any protocol: what a test says of its members is what a program finds."""

from __future__ import annotations

import inspect
import math

import attrs
import pytest
import trio

import gossip
from gossip import (
    Address,
    ClosedError,
    ConfigurationError,
    DisplacedError,
    EventKind,
    Explanation,
    JoinError,
    Key,
    Keyring,
    LeftError,
    MembershipEvent,
    Node,
    Snapshot,
    Stage,
    Standing,
    Status,
)
from gossip.testing import FakeNode
from gossip.testing.faked import Faked

SHARED = {"subscribe", "until", "joined"}
"""What a fake node has from Node as it stands."""


def living(node: Node) -> list[str]:
    """A program under test, which knows of no fake."""
    return [member.name for member in node.members() if member.status.is_living]


def test_without_trio_a_program_finds_what_the_test_says() -> None:
    fake = FakeNode("me", members={"a": {"zone": "x"}, "b": {}}, metadata={"zone": "y"})
    assert isinstance(fake, Node)
    assert living(fake) == ["a", "b", "me"]
    assert fake.alive == 3
    assert fake.local.metadata == {"zone": "y"}
    fake.member_died("a")
    assert living(fake) == ["b", "me"]
    member = fake.get("a")
    assert member is not None
    assert (member.status, member.metadata) == (Status.DEAD, {"zone": "x"})
    assert fake.get("c") is None
    assert fake.members() == tuple(sorted(fake.members(), key=lambda each: each.name))
    assert repr(fake) == "<gossip.testing.FakeNode 'me', connected, 2 alive>"


@pytest.mark.parametrize(
    ("happens", "status"),
    [
        ("member_suspected", Status.SUSPECT),
        ("member_restored", Status.ALIVE),
        ("member_died", Status.DEAD),
        ("member_left", Status.LEFT),
    ],
)
def test_a_member_has_the_status_that_follows(happens: str, status: Status) -> None:
    fake = FakeNode(members=["a"])
    assert getattr(fake, happens)("a") == fake.get("a")
    assert [member.status for member in fake.members()] == [status, Status.ALIVE]
    with pytest.raises(KeyError, match=r"no member 'aa' \(did you mean 'a'\?\); there are a, me|there are a, me"):
        getattr(fake, happens)("aa")
    with pytest.raises(ConfigurationError, match="name must be the name of another member"):
        getattr(fake, happens)("me")


def test_who_joins_again_is_a_new_process() -> None:
    fake = FakeNode()
    first = fake.member_joined("a", {"zone": "x"}, address=Address("192.0.2.7", 80))
    assert first.address == Address("192.0.2.7", 80)
    second = fake.member_joined("a")
    assert second.generation > first.generation
    assert second.id != first.id
    assert second.metadata == {}
    fake.member_forgotten("a")
    assert fake.get("a") is None


def test_an_update_changes_what_is_given() -> None:
    fake = FakeNode(members={"a": {"zone": "x"}})
    before = fake.get("a")
    assert before is not None
    moved = fake.member_updated("a", address=Address("192.0.2.7", 80))
    assert moved == attrs.evolve(before, address=Address("192.0.2.7", 80), version=2)
    assert fake.member_updated("a", {"zone": "y"}) == attrs.evolve(moved, metadata={"zone": "y"}, version=3)
    fake.member_died("a")
    assert fake.member_updated("a", {}).status is Status.DEAD


async def test_events_reach_subscriptions_as_those_of_a_real_node_do() -> None:
    fake = FakeNode(members=["a"])
    with fake.subscribe() as changes:
        fake.member_joined("b")
        fake.member_updated("b", {"zone": "x"})
        fake.member_suspected("b")
        fake.member_restored("b")
        fake.member_died("b")
        fake.member_forgotten("b")
        fake.member_left("a")
        claimant = fake.member_conflicted("a")
        fake.standing_changed(Standing.ISOLATED, "cut off")
        fake.close()
        items = [item async for item in changes]
    snapshot, *events = items
    assert isinstance(snapshot, Snapshot)
    assert [member.name for member in snapshot.members] == ["a", "me"]
    told = [event for event in events if isinstance(event, MembershipEvent)]
    assert [(event.kind, event.member.name, event.alive, event.previous) for event in told] == [
        (EventKind.JOINED, "b", 3, None),
        (EventKind.UPDATED, "b", 3, Status.ALIVE),
        (EventKind.SUSPECTED, "b", 3, Status.ALIVE),
        (EventKind.RESTORED, "b", 3, Status.SUSPECT),
        (EventKind.DIED, "b", 2, Status.ALIVE),
        (EventKind.FORGOTTEN, "b", 2, Status.DEAD),
        (EventKind.LEFT, "a", 1, Status.ALIVE),
        (EventKind.CONFLICT, "a", 1, None),
        (EventKind.STANDING, "me", 1, None),
    ]
    assert told[-1].standing == fake.standing
    assert told[-2].member == claimant
    assert all(event.time == told[0].time for event in told)


async def test_a_slow_reader_misses_events_and_is_told_so() -> None:
    fake = FakeNode()
    with fake.subscribe(buffer=2) as changes:
        await changes.__anext__()
        for name in "abc":
            fake.member_joined(name)
        item = await changes.__anext__()
    assert isinstance(item, Snapshot)
    assert item.missed == 3
    assert fake.stats.events_missed == 3


async def test_until_and_joined_wait_for_what_the_test_says() -> None:
    fake = FakeNode()
    await fake.joined()
    async with trio.open_nursery() as nursery:
        nursery.start_soon(fake.until, lambda node: node.get("a") is not None)
        await trio.testing.wait_all_tasks_blocked()
        fake.member_joined("a")
    fake.standing_changed(Standing.JOINING, "nobody answers")
    with pytest.raises(JoinError, match="'me' is joining, not connected after 5 s: nobody answers"):
        await fake.joined(timeout=5)


async def test_what_the_program_does_is_kept() -> None:
    fake = FakeNode(members=["a", "b"])
    fake.member_died("b")
    fake.update({"busy": "yes"})
    fake.update({})
    assert fake.updates == [{"busy": "yes"}, {}]
    assert fake.local.metadata == {}
    with pytest.raises(ConfigurationError, match="metadata must map texts to texts"):
        fake.update({"busy": 1})  # type: ignore[dict-item]
    assert not fake.has_left
    assert await fake.leave() == ("a",)
    assert await fake.leave() == ("a",)
    assert fake.has_left
    assert fake.local.status is Status.LEFT
    with pytest.raises(LeftError):
        fake.update({})
    with pytest.raises(LeftError):
        await fake.joined()


async def test_it_refuses_what_a_real_node_refuses() -> None:
    fake = FakeNode()
    fake.standing_changed(Standing.DISPLACED, "another process is newer")
    assert fake.local.status is Status.DISPLACED
    with pytest.raises(DisplacedError, match="another process is newer"):
        fake.update({})
    fake.close()
    fake.close()
    with pytest.raises(ClosedError):
        fake.update({})
    with pytest.raises(ClosedError):
        fake.use_keyring(Keyring.of(Key.generate()))
    for wait in (fake.joined, fake.leave):
        with pytest.raises(ClosedError):
            await wait()


def test_keys_are_kept_if_the_test_gives_the_node_some() -> None:
    fake = FakeNode()
    one, other = Keyring.of(Key.generate()), Keyring.of(Key.generate())
    with pytest.raises(ConfigurationError, match=r"set FakeNode\.keyring in the test"):
        fake.use_keyring(one)
    fake.keyring = one
    fake.use_keyring(other)
    assert fake.keyring is other
    assert fake.keyrings == [other]


def test_what_nobody_could_derive_is_what_the_test_sets() -> None:
    fake = FakeNode(members=["a"])
    assert (fake.agreement, fake.health, fake.clock_dispute, fake.keyring) == (1.0, 0, None, None)
    fake.agreement, fake.health = 0.5, 3
    assert (fake.agreement, fake.health) == (0.5, 3)
    assert fake.explain("a") is None
    why = Explanation(fake.local, "me", 0.0, Stage.NOT_PROBED, Stage.UNSUSPECTED, None, 1, 0.0, 0, (), None, (), ())
    fake.explanations["a"] = why
    assert fake.explain("a") is why
    assert fake.address == fake.bound_address == fake.local.address
    assert fake.stats.protocol.datagrams_sent == 0


@pytest.mark.parametrize("members", ["a", 3, [""], ["me"], {"a": {"zone": 1}}, {"a": {"x": "x" * 10_000}}])
def test_members_that_cannot_be_are_refused(members: list[str]) -> None:
    with pytest.raises(ConfigurationError):
        FakeNode("me", members)


def test_all_of_a_node_works_on_a_fake() -> None:
    names = {name for name in vars(Node) if not name.startswith("_")} - {"forked"}
    assert names - SHARED - vars(FakeNode).keys() - vars(Faked).keys() == set()
    for name in names - {"clock_dispute", "agreement", "health", "keyring"}:
        ours, theirs = inspect.getattr_static(FakeNode, name), inspect.getattr_static(Node, name)
        if inspect.isfunction(theirs):
            assert inspect.signature(ours) == inspect.signature(theirs), name
            assert inspect.iscoroutinefunction(ours) == inspect.iscoroutinefunction(theirs), name
        else:
            assert isinstance(ours, property), name


def test_time_is_that_of_trio_where_trio_runs() -> None:
    assert FakeNode().standing.since == 0.0

    async def main() -> None:
        await trio.sleep(5)
        assert FakeNode().standing.since == 5.0

    gossip.testing.run(main)
    assert not math.isnan(FakeNode().standing.since)
