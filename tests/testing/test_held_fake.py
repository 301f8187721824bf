"""Fake nodes of the facades: what the program sees of them is what it sees of a node."""

from __future__ import annotations

import asyncio
import inspect
import threading
from typing import Any

import pytest

import gossip.aio
import gossip.blocking
import gossip.testing
import gossip.testing.aio
import gossip.testing.blocking
from gossip import (
    ClosedError,
    ConfigurationError,
    DisplacedError,
    EventKind,
    JoinError,
    Key,
    Keyring,
    LeftError,
    MembershipEvent,
    Snapshot,
    Standing,
    Status,
)
from gossip.testing.faked import Faked
from tests.facade.flavours import next_item, outcome, trio_threads, wait_until
from tests.testing.flavours import Flavour, in_each_flavour


def told(item: Any) -> str:
    return item.kind.value if isinstance(item, MembershipEvent) else type(item).__name__


@in_each_flavour
def test_it_is_a_node_whose_questions_need_no_loop(flavour: Flavour) -> None:
    fake = flavour.testing.FakeNode("me", members={"a": {"zone": "x"}, "b": {}}, metadata={"zone": "y"})
    assert isinstance(fake, flavour.facade.Node)
    assert not isinstance(fake, gossip.Node)
    assert fake.member_died("a").status is Status.DEAD
    assert [(each.name, each.status.value) for each in fake.members()] == [
        ("a", "dead"),
        ("b", "alive"),
        ("me", "alive"),
    ]
    assert (fake.alive, fake.local.metadata["zone"], fake.get("c")) == (2, "y", None)
    assert repr(fake) == f"<{flavour}.FakeNode 'me', connected, 2 alive>"
    fake.agreement, fake.health = 0.5, 3
    assert (fake.agreement, fake.health) == (0.5, 3)
    assert not trio_threads()


@in_each_flavour
def test_all_of_a_node_is_there(flavour: Flavour) -> None:
    node, fake = flavour.facade.Node, flavour.testing.FakeNode
    reading = {name for name in dir(node) if not name.startswith("_")}
    for name in reading - {"agreement", "health", "clock_dispute", "keyring"}:
        theirs, ours = inspect.getattr_static(node, name), inspect.getattr_static(fake, name)
        if inspect.isfunction(theirs):
            assert inspect.signature(ours) == inspect.signature(theirs), name
            assert inspect.iscoroutinefunction(ours) == inspect.iscoroutinefunction(theirs), name
        else:
            assert isinstance(ours, property), name
            assert name in vars(Faked), f"{name} would be asked of a real node"


@in_each_flavour
def test_subscriptions_get_a_snapshot_and_then_each_event(flavour: Flavour) -> None:
    async def scenario() -> None:
        fake = flavour.testing.FakeNode(members=["a"])
        changes = fake.subscribe()
        fake.member_joined("b")
        fake.member_suspected("a")
        fake.member_restored("a")
        fake.member_left("a")
        fake.member_updated("b", {"zone": "x"})
        fake.standing_changed(Standing.ISOLATED, "cut off")
        fake.close()
        items = [await next_item(changes) for _ in range(7)]
        with pytest.raises(StopAsyncIteration):
            await next_item(changes)
        assert [told(item) for item in items] == [
            "Snapshot", "joined", "suspected", "restored", "left", "updated", "standing",
        ]  # fmt: skip
        assert [member.name for member in items[0].members] == ["a", "me"]

    flavour.run(scenario)


@in_each_flavour
def test_a_reader_that_falls_behind_goes_on_with_a_snapshot(flavour: Flavour) -> None:
    async def scenario() -> None:
        fake = flavour.testing.FakeNode()
        changes = fake.subscribe(buffer=2)
        for name in ("a", "b", "c"):
            fake.member_joined(name)
        assert isinstance(await next_item(changes), Snapshot)
        again = await next_item(changes)
        assert (again.missed, len(again.members)) == (3, 4)
        assert fake.stats.events_missed == 3
        fake.member_joined("d")
        assert (await next_item(changes)).member.name == "d"

    flavour.run(scenario)


@in_each_flavour
def test_what_the_program_does_is_kept_and_refused_as_by_a_node(flavour: Flavour) -> None:
    async def scenario() -> None:
        fake = flavour.testing.FakeNode(members=["a", "b"])
        await outcome(fake.update({"role": "db"}))
        assert fake.updates == [{"role": "db"}]
        assert fake.local.metadata == {"role": "db"}
        one, other = Keyring.of(Key.generate()), Keyring.of(Key.generate())
        with pytest.raises(ConfigurationError, match=r"set FakeNode\.keyring"):
            await outcome(fake.use_keyring(one))
        fake.keyring = one
        await outcome(fake.use_keyring(other))
        assert (fake.keyring, fake.keyrings) == (other, [other])
        assert await outcome(fake.explain("a")) is None
        with pytest.raises(ConfigurationError, match="name must be"):
            await outcome(fake.explain(3))
        fake.standing_changed(Standing.DISPLACED)
        with pytest.raises(DisplacedError):
            await outcome(fake.update({}))
        fake.standing_changed(Standing.CONNECTED)
        assert await outcome(fake.leave()) == ("a", "b")
        assert fake.has_left
        with pytest.raises(LeftError):
            await outcome(fake.update({}))
        with pytest.raises(LeftError):
            await outcome(fake.joined())
        fake.close()
        fake.close()
        for use in (lambda: fake.update({}), fake.leave, fake.joined, lambda: fake.until(lambda _: True)):
            with pytest.raises(ClosedError, match="node 'me' is closed: the test has closed it"):
                await outcome(use())
        assert fake.updates == [{"role": "db"}]

    flavour.run(scenario)


@in_each_flavour
def test_joined_says_in_time_why_the_node_is_not_connected(flavour: Flavour) -> None:
    async def scenario() -> None:
        fake = flavour.testing.FakeNode()
        await outcome(fake.joined(timeout=0))
        fake.standing_changed(Standing.JOINING, "no seed answers")
        with pytest.raises(JoinError, match=r"is joining, not connected after 0 s: no seed answers"):
            await outcome(fake.joined(timeout=0))
        with pytest.raises(ConfigurationError, match="timeout must be"):
            await outcome(fake.joined(timeout=-1))

    flavour.run(scenario)


def test_asyncio_tasks_wait_for_what_the_test_says() -> None:
    async def scenario() -> None:
        fake = gossip.testing.aio.FakeNode()
        fake.standing_changed(Standing.JOINING)
        with pytest.raises(ConfigurationError, match="condition must be a function"):
            await fake.until(asyncio.sleep)  # type: ignore[arg-type]
        waits = [
            asyncio.create_task(fake.joined(timeout=60)),
            asyncio.create_task(fake.until(lambda node: node.alive == 3)),
            asyncio.create_task(fake.until(lambda node: 1 / (3 - node.alive) < 0)),
            asyncio.create_task(fake.until(lambda _: False)),
            asyncio.create_task(fake.until(lambda _: False)),
        ]
        await asyncio.sleep(0)
        fake.member_joined("a")
        await asyncio.sleep(0)
        fake.member_joined("b")
        fake.standing_changed(Standing.CONNECTED)
        await asyncio.gather(*waits[:2])
        with pytest.raises(ZeroDivisionError):
            await waits[2]
        waits[3].cancel()
        with pytest.raises(asyncio.CancelledError):
            await waits[3]
        fake.close()
        with pytest.raises(ClosedError):
            await waits[4]

    asyncio.run(scenario())


def test_an_asyncio_fake_may_be_used_in_one_loop_after_another() -> None:
    fake = gossip.testing.aio.FakeNode()
    with pytest.raises(RuntimeError, match="no event loop runs this code"):
        fake.subscribe()
    for name in ("a", "b"):
        asyncio.run(fake.update({"run": name}))
    assert [each["run"] for each in fake.updates] == ["a", "b"]


def test_threads_wait_for_what_another_thread_says() -> None:
    fake = gossip.testing.blocking.FakeNode(members=["a"])
    changes = fake.subscribe(timeout=60)
    seen: list[str] = []

    def read() -> None:
        seen.extend(told(item) for item in changes)

    def wait() -> None:
        fake.until(lambda node: node.alive == 102, timeout=60)
        seen.append("until")

    threads = [threading.Thread(target=target) for target in (read, wait)]
    for thread in threads:
        thread.start()
    for number in range(100):
        fake.member_joined(f"b{number}")
    threads[1].join()
    fake.close()
    threads[0].join()
    assert seen.count("joined") == 100
    assert "until" in seen
    with pytest.raises(ClosedError):
        fake.until(lambda _: False)


def test_a_blocking_fake_says_when_nothing_has_come() -> None:
    fake = gossip.testing.blocking.FakeNode()
    with fake.subscribe(timeout=0) as changes:
        assert isinstance(next(changes), Snapshot)
        assert next(changes) is None
        fake.member_joined("a")
        assert told(next(changes)) == EventKind.JOINED.value
    with pytest.raises(TimeoutError):
        fake.until(lambda _: False, timeout=0)


def test_many_threads_change_and_read_one_fake() -> None:
    fake = gossip.testing.blocking.FakeNode()

    def change(first: str) -> None:
        for number in range(200):
            fake.member_joined(f"{first}{number}")
            assert fake.alive > 1
            assert fake.get("me") in fake.members()
        for number in range(200):
            fake.member_forgotten(f"{first}{number}")

    threads = [threading.Thread(target=change, args=(first,)) for first in "abc"]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    wait_until(lambda: fake.alive == 1)
    assert [member.name for member in fake.members()] == ["me"]
