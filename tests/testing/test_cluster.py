"""A cluster in memory: what a test can do with it, and what errors say."""

from __future__ import annotations

import time

import pytest
import trio
from trio.testing import MockClock

import gossip
from gossip import (
    BindError,
    ClosedError,
    Config,
    ConfigurationError,
    EventKind,
    JoinError,
    Keyring,
    MembershipEvent,
    Snapshot,
    Standing,
    Status,
    open_node,
)
from gossip.testing import Cluster, cluster


def status(opened: Cluster, seen_by: str, name: str) -> Status | None:
    member = opened[seen_by].get(name)
    return None if member is None else member.status


async def test_its_nodes_have_names_and_agree_when_the_block_begins() -> None:
    async with cluster(5) as opened:
        assert [node.local.name for node in opened] == ["n0", "n1", "n2", "n3", "n4"]
        assert all(node.alive == 5 and node.standing.standing is Standing.CONNECTED for node in opened.nodes)
        assert len(opened) == 5
        assert "n4" in opened
        assert "n5" not in opened
        assert repr(opened) == "<gossip.testing.Cluster of n0, n1, n2, n3, n4>"
    assert len(opened) == 0
    assert repr(opened) == "<gossip.testing.Cluster of no nodes>"


async def test_names_metadata_settings_and_keys_can_be_given() -> None:
    config = Config.local(cluster="orders")
    keyring = Keyring.of(gossip.Key.generate())
    async with cluster(
        ["db-1", "web-1"], metadata=lambda name: {"role": name[:-2]}, config=config, keyring=keyring
    ) as opened:
        assert {each.name: dict(each.metadata) for each in opened["db-1"].members()} == {
            "db-1": {"role": "db"},
            "web-1": {"role": "web"},
        }
        assert opened["db-1"].keyring == keyring
        async with open_node("stranger", seeds=["db-1:7946"], insecure=True, config=config) as stranger:
            with pytest.raises(JoinError):
                await stranger.joined(timeout=5)
    async with cluster(1, metadata={"zone": "a"}) as opened:
        assert dict(opened["n0"].local.metadata) == {"zone": "a"}


async def test_a_cluster_may_begin_without_nodes() -> None:
    async with cluster(0) as opened:
        assert opened.nodes == ()
        await opened.start("first")
        await opened.start("second")
        await opened.until_agreed()
        assert opened["first"].alive == 2


async def test_who_crashes_is_found_dead_and_says_no_farewell() -> None:
    async with cluster(4) as opened:
        with opened["n0"].subscribe() as changes:
            await opened.crash("n2", "n3")
            await opened.until_agreed()
            seen = [changes.__anext__ for _ in range(3)]
            items = [await each() for each in seen]
        assert isinstance(items[0], Snapshot)
        assert status(opened, "n1", "n2") is status(opened, "n1", "n3") is Status.DEAD
        assert [node.local.name for node in opened] == ["n0", "n1"]
        kinds = {item.kind for item in items if isinstance(item, MembershipEvent)}
        assert EventKind.LEFT not in kinds
        with pytest.raises(ClosedError):
            opened["n2"].update({})
        await opened.crash("n2")  # again: nothing to do


async def test_who_restarts_has_its_address_again_and_a_higher_generation() -> None:
    async with cluster(3, metadata=lambda name: {"name": name}) as opened:
        before = opened["n1"].local
        await opened.restart("n1")  # a node that runs is killed first
        await opened.until_agreed()
        after = opened["n1"].local
        assert after.address == before.address
        assert after.generation > before.generation
        assert after.metadata == {"name": "n1"}
        await opened.crash("n0", "n1", "n2")
        await opened.restart("n0")
        await opened.restart("n1")
        await opened.until_agreed()
        assert opened["n0"].alive == 2


async def test_who_leaves_is_known_to_have_left() -> None:
    async with cluster(3) as opened:
        assert set(await opened.leave("n1")) <= {"n0", "n2"}
        await opened.until_agreed()
        assert status(opened, "n0", "n1") is Status.LEFT
        with pytest.raises(ClosedError):
            await opened.leave("n1")


async def test_a_started_node_joins_with_what_it_is_given() -> None:
    async with cluster(3, metadata={"zone": "a"}) as opened:
        node = await opened.start("n7", metadata={"zone": "b"}, config=Config.local())
        await node.joined(timeout=10)
        await opened.until_agreed()
        member = opened["n0"].get("n7")
        assert member is not None
        assert member.metadata == {"zone": "b"}
        with pytest.raises(ConfigurationError, match="name must be the name of a node that does not run"):
            await opened.start("n7")


async def test_each_side_of_a_split_agrees_by_itself_and_all_do_once_it_heals() -> None:
    async with cluster(5) as opened:
        opened.split({"n0", "n1"})
        await opened.until_agreed()
        assert status(opened, "n0", "n1") is status(opened, "n2", "n4") is Status.ALIVE
        assert status(opened, "n0", "n2") is status(opened, "n4", "n1") is Status.DEAD
        opened.split({"n0"}, ["n1", "n2"])
        await opened.until_agreed()
        assert opened["n0"].standing.standing is Standing.ISOLATED
        assert status(opened, "n1", "n2") is status(opened, "n3", "n4") is Status.ALIVE
        assert status(opened, "n2", "n3") is Status.DEAD
        opened.heal()
        await opened.until_agreed()
        assert all(node.alive == 5 for node in opened)


async def test_until_agreed_waits_for_metadata_and_says_who_does_not_agree() -> None:
    async with cluster(3) as opened:
        opened["n1"].update({"busy": "yes"})
        assert opened["n0"].members() != opened["n1"].members()
        await opened.until_agreed()
        assert opened["n0"].members() == opened["n1"].members() == opened["n2"].members()
        await opened.crash("n2")
        with pytest.raises(AssertionError, match="do not agree after 0 s: n0 still sees n2 alive; n1 still sees n2"):
            await opened.until_agreed(timeout=0)
        opened.split({"n0"})
        await opened.until_agreed()
        opened.heal()
        opened["n1"].update({})
        with pytest.raises(AssertionError, match=r"n0 sees n1 dead|n0 is isolated"):
            await opened.until_agreed(timeout=0)
        with pytest.raises(ConfigurationError, match="timeout must be"):
            await opened.until_agreed(timeout=-1)


async def test_loss_and_latency_can_be_changed_while_it_runs() -> None:
    async with cluster(3, loss=0.2, latency=0.02) as opened:
        assert (opened.loss, opened.latency) == (0.2, 0.02)
        opened.loss = 1.0
        await opened["n0"].until(lambda node: node.standing.standing is Standing.ISOLATED)
        opened.loss = 0.0
        opened.latency = 0.2
        await opened.until_agreed()
        began = trio.current_time()
        opened["n0"].update({"sent": "now"})
        await opened["n1"].until(lambda node: any(each.metadata for each in node.members()))
        assert trio.current_time() - began >= 0.1


@pytest.mark.parametrize("loss", [-0.1, 1.1, float("nan"), True, "much", None])
async def test_a_loss_that_is_no_share_is_refused(loss: float) -> None:
    async with cluster(0) as opened:
        with pytest.raises(ConfigurationError, match="loss must be a share from 0 to 1"):
            opened.loss = loss


@pytest.mark.parametrize("latency", [-1, float("inf"), float("nan"), False, "long"])
async def test_a_latency_that_is_no_time_is_refused(latency: float) -> None:
    async with cluster(0) as opened:
        with pytest.raises(ConfigurationError, match="latency must be a finite number of seconds"):
            opened.latency = latency


async def test_errors_name_what_there_is() -> None:
    async with cluster(["db-1", "web-1"]) as opened:
        for use in (opened.crash, opened.restart, opened.leave):
            with pytest.raises(KeyError, match=r"no node 'web-2' \(did you mean 'web-1'\?\); there are db-1, web-1"):
                await use("web-2")
        with pytest.raises(KeyError, match="did you mean 'db-1'"):
            opened["db1"]
        with pytest.raises(KeyError, match="'nobody'"):
            opened.split({"db-1", "nobody"})
        with pytest.raises(ConfigurationError, match="have none in common"):
            opened.split({"db-1"}, {"db-1", "web-1"})
        with pytest.raises(ConfigurationError, match="groups must be sets of names"):
            opened.split("db-1")


@pytest.mark.parametrize("nodes", [-1, True, 1.5, "n0", None])
async def test_a_wrong_number_of_nodes_is_refused(nodes: int) -> None:
    with pytest.raises(ConfigurationError, match="nodes must be a number of nodes, or a list of their names"):
        async with cluster(nodes):
            pass


async def test_a_seed_that_is_no_number_is_refused() -> None:
    with pytest.raises(ConfigurationError, match="seed must be a whole number"):
        async with cluster(seed="x"):  # type: ignore[arg-type]
            pass


async def test_an_exception_of_the_block_passes_out_as_itself() -> None:
    async def fail() -> None:
        async with cluster(3) as opened:
            await opened.crash("n1")
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await fail()


async def test_settings_that_a_node_refuses_pass_out_as_the_error_of_that_node() -> None:
    with pytest.raises(ConfigurationError, match="metadata"):
        async with cluster(2, metadata={"a": "x" * 10_000}):
            pass


async def test_nothing_is_opened_twice_at_one_address() -> None:
    async with cluster(1), open_node("a", bind="127.0.0.1:8001"):
        second = open_node("b", bind="127.0.0.1:8001")
        with pytest.raises(BindError, match=r"cannot bind to 127\.0\.0\.1:8001: node 'a' of this test is there"):
            await second.__aenter__()


def test_a_clock_that_stands_still_is_named() -> None:
    async def main() -> None:
        async with cluster():
            pass

    with pytest.raises(RuntimeError, match="autojump_clock in place of mock_clock"):
        trio.run(main, clock=MockClock())


def test_on_a_real_clock_time_passes_as_it_does() -> None:
    async def main() -> None:
        began = time.monotonic()
        async with cluster(2, config=Config.local()) as opened:
            await opened.crash("n1")
            await opened.until_agreed()
            assert status(opened, "n0", "n1") is Status.DEAD
        assert time.monotonic() > began

    trio.run(main)


def test_it_is_entered_by_async_with() -> None:
    with pytest.raises(TypeError, match=r"cluster\(\.\.\.\) needs 'async with'"), cluster():  # type: ignore[attr-defined]
        pass
