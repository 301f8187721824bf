"""What a node on real sockets shows of its own standing, and how a program waits for it."""

from __future__ import annotations

import logging
import re
import time

import pytest
import trio

from gossip import (
    ClosedError,
    Config,
    DisplacedError,
    EventKind,
    GossipError,
    JoinError,
    Key,
    Keyring,
    LeftError,
    MembershipEvent,
    Node,
    Standing,
    Status,
)
from tests.node.nodes import PATIENCE_S, cluster, first_snapshot, local_node, until, until_event

NOBODY = "127.0.0.1:9"
"""The port of the discard service, which nobody runs."""


def standing(node: Node) -> Standing:
    """The standing of a node now."""
    return node.standing.standing


async def until_standing(node: Node, standing: Standing) -> None:
    """Return as soon as the node has this standing."""
    with trio.fail_after(PATIENCE_S):
        await node.until(lambda node: node.standing.standing is standing)


async def test_a_node_without_seeds_has_joined_at_once() -> None:
    async with local_node("a") as a:
        assert a.standing.standing is Standing.CONNECTED
        with trio.fail_after(PATIENCE_S):
            await a.joined()


async def test_who_waits_to_have_joined_sees_the_cluster() -> None:
    async with cluster(3) as nodes, local_node("new", seeds=[nodes[0].address]) as new:
        assert standing(new) is Standing.JOINING
        with trio.fail_after(PATIENCE_S):
            await new.joined()
        assert new.alive == 4
        assert standing(new) is Standing.CONNECTED


async def test_who_cannot_join_in_time_learns_why() -> None:
    async with local_node("a", seeds=[NOBODY]) as a:
        with pytest.raises(
            JoinError, match=rf"'a' is joining, not connected after 0\.1 s: it looks for its cluster at {NOBODY}"
        ):
            await a.joined(timeout=0.1)
        assert isinstance(JoinError("x"), GossipError)


async def test_a_port_that_nobody_listens_at_is_told_as_that_long_before_it_is_a_warning() -> None:
    async with local_node("a", seeds=[NOBODY]) as a:
        with pytest.raises(JoinError, match=f"at {NOBODY}: (no process listens|nobody answers) there"):
            await a.joined(timeout=3)
        assert not a.standing.is_warning


async def test_a_node_that_is_its_own_only_seed_has_joined_at_once_and_says_so() -> None:
    async with local_node("a") as a:
        bind = str(a.bound_address)
    async with local_node("a", bind=bind, seeds=[bind]) as a:
        await a.joined(timeout=1)
        assert a.standing.why == "it is its own only seed, so it begins a cluster of its own"


async def test_who_leaves_or_is_closed_has_not_joined() -> None:
    async with local_node("a", seeds=[NOBODY]) as a, trio.open_nursery() as nursery:
        nursery.start_soon(a.leave)
        with pytest.raises(LeftError, match="'a' has left"):
            await a.joined()
    async with local_node("b", seeds=[NOBODY]) as b:
        pass
    with pytest.raises(ClosedError, match="'b' is closed"):
        await b.joined()


async def test_waiting_for_a_condition_ends_with_the_step_that_makes_it_true() -> None:
    async with cluster(2) as (a, b):
        async with trio.open_nursery() as nursery:
            nursery.start_soon(a.until, lambda node: any(m.metadata.get("x") == "1" for m in node.members()))
            await trio.testing.wait_all_tasks_blocked()
            b.update({"x": "1"})
        with trio.fail_after(PATIENCE_S):
            await a.until(lambda node: node.get("node-1") == b.local)


async def test_what_a_condition_raises_passes_out_and_closing_ends_the_wait() -> None:
    async with local_node("a") as a:
        with pytest.raises(ZeroDivisionError):
            await a.until(lambda _node: bool(1 // 0))
    for answer in (False, True):
        with pytest.raises(ClosedError):
            await a.until(lambda _node: answer)  # noqa: B023 - it is called at once

    async def wait(node: Node) -> None:
        with pytest.raises(ClosedError):
            await node.until(lambda _node: False)

    async with trio.open_nursery() as nursery, local_node("a") as a:
        nursery.start_soon(wait, a)
        await trio.testing.wait_all_tasks_blocked()


async def test_a_subscription_begins_with_the_standing_and_tells_each_change_of_it() -> None:
    async with local_node("a") as a, local_node("b", seeds=[a.address]) as b:
        with b.subscribe() as changes:
            snapshot = await first_snapshot(changes)
            assert snapshot.standing.standing is Standing.JOINING
            event = await until_event(changes, EventKind.STANDING, "b")
            assert event.member == b.local
            assert event.standing == b.standing
            assert event.standing is not None
            assert event.standing.standing is Standing.CONNECTED
            assert snapshot.standing.since <= event.standing.since == event.time


async def test_a_node_whose_loop_was_blocked_says_so_once_each_way(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.WARNING, "gossip.telemetry.events")
    async with cluster(3) as nodes:
        node = nodes[1]
        await node.joined()
        with node.subscribe() as changes:
            time.sleep(1.5 * Config.local().suspicion_min)  # noqa: ASYNC251 - all three stand still
            held = await until_event(changes, EventKind.STANDING, "node-1")
            assert held.standing is not None
            assert held.standing.standing is Standing.HELD_DEAD
            assert "its loop stood still for 1." in held.standing.why
            back = await until_event(changes, EventKind.STANDING, "node-1")
            assert back.standing is not None
            assert back.standing.standing is Standing.CONNECTED
    about = [line for line in caplog.messages if line.startswith("'node-1': this node is")]
    assert len(about) == 2
    assert "held dead: its loop stood still for 1." in about[0]


async def test_the_loser_of_a_name_is_told_and_its_updates_are_refused_with_the_reason() -> None:
    async with local_node("a") as a, local_node("b", seeds=[a.address]) as first:
        await first.joined()
        async with local_node("b", seeds=[a.address]) as second:
            await second.joined()
            await until_standing(first, Standing.DISPLACED)
            assert first.local.status is Status.DISPLACED
            assert first.local in first.members()
            assert second.local in first.members()
            with pytest.raises(DisplacedError, match=f"at {second.address} holds its name, 'b'"):
                first.update({"x": "1"})


async def test_of_two_nodes_the_one_left_alone_is_told_both() -> None:
    async with local_node("a") as a:
        with a.subscribe() as changes:
            async with local_node("b", seeds=[a.address]) as b:
                await b.joined()
            await until_event(changes, EventKind.DIED, "b")
        await until_standing(a, Standing.ISOLATED)
        assert "nobody was heard for" in a.standing.why


async def test_who_hears_nobody_of_several_any_more_is_told_that_alone() -> None:
    config = Config.local(probe_interval=0.1, ack_timeout_max=0.2, suspicion_min=0.5, suspicion_max=0.7)
    async with local_node("a", config=config) as a:
        with a.subscribe() as changes:
            async with local_node("b", seeds=[a.address]), local_node("c", seeds=[a.address]) as c:
                await until(lambda: a.alive == c.alive == 3)
            await until_standing(a, Standing.ISOLATED)
            await until(lambda: a.alive == 1)
        told = [item.kind async for item in changes if isinstance(item, MembershipEvent)]
        assert EventKind.STANDING in told
        assert EventKind.DIED not in told


KEYS, OTHER_KEYS = Keyring.of(Key.generate()), Keyring.of(Key.generate())


@pytest.mark.parametrize(
    ("theirs", "ours", "their_cluster", "said"),
    [
        (KEYS, OTHER_KEYS, "default", "sealed with a key that this node does not have; give it the cluster's keyring"),
        (KEYS, None, "default", "sealed with a key that this node does not have; give it the cluster's keyring"),
        (None, KEYS, "default", "no seal, but this node has keys; give the member that answers the cluster's keyring"),
        (None, None, "blue", "a cluster with another name; give both nodes the same cluster name"),
        (KEYS, KEYS, "blue", "forged without this node's key; give both nodes the same cluster name"),
    ],
)
async def test_who_asks_the_members_of_another_cluster_is_told_what_is_wrong(
    theirs: Keyring | None, ours: Keyring | None, their_cluster: str, said: str
) -> None:
    config = Config.local(cluster=their_cluster)
    async with (
        local_node("a", config=config, keyring=theirs) as a,
        local_node("b", seeds=[a.address], keyring=ours) as b,
    ):
        with trio.fail_after(PATIENCE_S):
            await b.until(lambda node: node.standing.why.endswith(said) and node.standing.is_warning)
        assert b.standing.standing is Standing.JOINING
        assert re.match(rf"it looks for its cluster at {re.escape(str(a.address))}, for \d+ s", b.standing.why)
        assert a.standing.standing is Standing.CONNECTED
        assert a.alive == b.alive == 1
