"""Nodes on real sockets join, tell, leave and die."""

from __future__ import annotations

import logging
from contextlib import AsyncExitStack

import pytest
import trio

from gossip import ClosedError, Config, ConfigurationError, EventKind, LeftError, Status
from tests.node.nodes import cluster, local_node, metadata_of, status_of, until, until_event


async def test_two_nodes_join_and_see_each_other() -> None:
    async with local_node("a", metadata={"role": "db"}) as a, local_node("b", seeds=[a.address]) as b:
        await until(lambda: a.alive == b.alive == 2)
        assert [member.name for member in b.members()] == ["a", "b"]
        assert metadata_of(b, "a") == {"role": "db"}
        await until(lambda: a.agreement == b.agreement == 1.0)


async def test_a_node_alone_knows_itself() -> None:
    async with local_node("a") as a:
        assert a.alive == 1
        assert a.members() == (a.local,)
        assert a.get("a") == a.local
        assert a.get("b") is None
        assert a.health == 0
        assert a.agreement is None, "nobody was heard"


async def test_sixteen_nodes_all_see_all_and_agree() -> None:
    async with cluster(16) as nodes:
        await until(lambda: all(node.agreement == 1.0 for node in nodes))


async def test_an_update_reaches_all() -> None:
    async with cluster(5) as nodes:
        nodes[2].update({"load": "7"})
        await until(lambda: all(metadata_of(node, "node-2") == {"load": "7"} for node in nodes))


async def test_a_bad_update_is_refused_and_changes_nothing() -> None:
    async with local_node("a", metadata={"x": "1"}) as a:
        with pytest.raises(ConfigurationError):
            a.update({"x": "y" * 2000})
        assert a.local.metadata == {"x": "1"}


async def test_leave_returns_who_acknowledged_and_the_others_see_it_left() -> None:
    async with cluster(4) as nodes:
        with nodes[0].subscribe() as changes:
            acknowledged = await nodes[3].leave()
            assert set(acknowledged) <= {"node-0", "node-1", "node-2"}
            assert acknowledged
            event = await until_event(changes, EventKind.LEFT, "node-3")
        assert event.alive == 3
        await until(lambda: all(status_of(node, "node-3") is Status.LEFT for node in nodes[:3]))
        with pytest.raises(LeftError):
            nodes[3].update({"too": "late"})


async def test_leaving_alone_ends_at_once_with_nobody_told() -> None:
    async with local_node("a", config=Config.local(leave_timeout=60)) as a:
        with trio.fail_after(5):
            assert await a.leave() == ()


async def test_two_tasks_may_leave_at_once() -> None:
    results: list[tuple[str, ...]] = []

    async with cluster(3) as nodes:

        async def leave() -> None:
            results.append(await nodes[0].leave())

        async with trio.open_nursery() as nursery:
            nursery.start_soon(leave)
            nursery.start_soon(leave)
    assert len(results) == 2
    assert all(results)


async def test_a_farewell_nobody_answers_ends_with_the_timeout() -> None:
    async with local_node("a", config=Config.local(leave_timeout=0.2)) as a:
        async with local_node("b", seeds=[a.address]) as b:
            await until(lambda: a.alive == b.alive == 2)
        with trio.fail_after(5):
            assert await a.leave() == ()


async def test_a_crashed_node_is_found_dead_with_its_accusers(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "gossip")
    async with cluster(4) as nodes, AsyncExitStack() as stack:
        victim = await stack.enter_async_context(local_node("victim", seeds=[nodes[0].address]))
        await until(lambda: all(node.alive == 5 for node in [*nodes, victim]))
        with nodes[0].subscribe() as changes:
            await stack.aclose()
            died = await until_event(changes, EventKind.DIED, "victim")
        assert died.accusers
        assert set(died.accusers) <= {node.local.name for node in nodes}
        assert died.silent_for is not None
        assert died.silent_for > nodes[0]._config.ack_timeout_max  # less would leave no time to refute
        await until(lambda: all(status_of(node, "victim") is Status.DEAD for node in nodes))
    assert any("'victim' died, silent for" in line and "accused by" in line for line in caplog.messages)
    assert any("'node-0': 'victim' joined at" in line for line in caplog.messages)


async def test_a_restarted_node_supersedes_its_former_self() -> None:
    async with local_node("a") as a:
        async with local_node("b", seeds=[a.address]) as b:
            await until(lambda: a.alive == 2)
            first, bind = b.local, str(b.bound_address)
        async with local_node("b", bind=bind, seeds=[a.address]) as b:
            await until(lambda: a.alive == 2 and a.get("b") == b.local)
            assert b.local.generation > first.generation


async def test_a_closed_node_keeps_its_last_view_and_refuses_changes() -> None:
    async with cluster(2) as nodes:
        closed = nodes[0]
    assert [member.name for member in closed.members()] == ["node-0", "node-1"]
    assert closed.alive == 2
    assert closed.stats.protocol.datagrams_sent > 0
    assert closed.agreement is None or 0 <= closed.agreement <= 1
    assert "node-0" in repr(closed)
    with pytest.raises(ClosedError, match="'node-0' is closed"):
        closed.update({})
    with pytest.raises(ClosedError, match="'node-0' is closed"):
        await closed.leave()
