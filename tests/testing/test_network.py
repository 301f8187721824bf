"""The network in memory: programs that open nodes of their own, names, datagrams and streams."""

from __future__ import annotations

import ssl

import pytest
import trio
import trustme

import gossip
from gossip import Address, BindError, JoinError, MutualTLS, Status
from gossip.telemetry import ShellCounters
from gossip.testing import Cluster, cluster
from gossip.testing.datagrams import MAX_DATAGRAM_BYTES
from gossip.testing.transport import MemoryTransport


async def program(started: trio.Event, seeds: list[str]) -> None:
    """As users write them: with the default address, and the name of the cluster."""
    async with gossip.open_node("web-1", seeds=seeds, insecure=True) as node:
        await node.joined()
        started.set()
        await trio.sleep_forever()


@pytest.mark.parametrize("seed", ["n0:7946", "n1.example.org:7946", "gossip.example.org:7946", "127.0.0.2:7946"])
async def test_a_program_joins_the_cluster_without_any_change(seed: str) -> None:
    async with cluster(3) as opened, trio.open_nursery() as nursery:
        started = trio.Event()
        nursery.start_soon(program, started, [seed])
        await started.wait()
        await opened.until_agreed()
        assert "web-1" in opened
        assert opened["n2"].get("web-1") == opened["web-1"].local
        nursery.cancel_scope.cancel()
    assert len(opened) == 0


async def test_a_program_whose_node_is_killed_goes_on_after_its_block() -> None:
    async with cluster(3) as opened:
        has_gone_on = False
        async with gossip.open_node("web-1", seeds=["n0:7946"], insecure=True) as node:
            await node.joined()
            await opened.crash("web-1")
            has_gone_on = True
        assert not has_gone_on
        await opened.until_agreed()
        member = opened["n0"].get("web-1")
        assert member is not None
        assert member.status is Status.DEAD
        with pytest.raises(gossip.ConfigurationError, match="name of a node that the cluster has started"):
            await opened.restart("web-1")


async def test_a_node_that_leaves_by_itself_is_no_disagreement() -> None:
    async with cluster(2) as opened, gossip.open_node("web-1", seeds=["n0:7946"], insecure=True) as node:
        await opened.until_agreed()
        assert await node.leave()
        await opened.until_agreed()
        assert {each.name: each.status for each in opened["n0"].members()}["web-1"] is Status.LEFT


async def test_a_node_alone_at_a_loopback_address_is_found_there() -> None:
    async with (
        cluster(0) as opened,
        gossip.open_node("a", bind="127.0.0.1:0") as a,
        gossip.open_node("b", bind="127.0.0.1:0", seeds=[a.address]) as b,
    ):
        await b.joined(timeout=5)
        await opened.until_agreed()
        assert a.bound_address != b.bound_address


async def test_a_name_that_stands_for_nothing_is_looked_up_again() -> None:
    async with cluster(0) as opened:
        await opened.start("n0")
        async with gossip.open_node("web-1", seeds=["127.0.9.9:7946"], insecure=True) as node:
            with pytest.raises(JoinError):
                await node.joined(timeout=5)


async def test_an_advertised_name_is_that_of_the_node_itself() -> None:
    async with (
        cluster(2) as opened,
        gossip.open_node("web-1", advertise="web-1.example.org:7946", seeds=["n0:7946"], insecure=True) as node,
    ):
        await opened.until_agreed()
        assert node.address == node.bound_address


async def test_outside_the_block_nodes_are_opened_on_sockets() -> None:
    async with cluster(1) as opened:
        address = opened["n0"].address
        async with cluster(1) as inner:
            await inner.start("only-here")
            assert "only-here" not in opened
        async with gossip.open_node("outer", insecure=True):
            assert "outer" in opened
    with pytest.raises(BindError):  # of the system: no such name
        async with gossip.open_node("a", bind="no-such-host.invalid:0"):
            pass
    assert address.port == 7946


async def test_clusters_may_end_in_any_order() -> None:
    ends = trio.Event()

    async def opened_first(task_status: trio.TaskStatus[Cluster]) -> None:
        async with cluster(1) as opened:
            task_status.started(opened)
            await ends.wait()

    async with trio.open_nursery() as nursery:
        first = await nursery.start(opened_first)
        async with cluster(1) as second:
            ends.set()
            await trio.testing.wait_all_tasks_blocked()
            assert len(first) == 0
            async with gossip.open_node("a", insecure=True):
                assert "a" in second
    async with gossip.open_node("b", bind="127.0.0.1:0"):
        assert "b" not in first
        assert "b" not in second


async def test_a_crashed_process_refuses_and_a_machine_that_is_cut_off_does_not() -> None:
    async with cluster(4) as opened:
        opened.split({"n2"})
        await opened["n0"].until(lambda node: _is_dead(node, "n2"))
        assert opened["n0"].stats.protocol.datagrams_refused == 0
        await opened.crash("n3")
        await opened.until_agreed()
        assert sum(node.stats.protocol.datagrams_refused for node in opened) > 0


def _is_dead(node: gossip.Node, name: str) -> bool:
    member = node.get(name)
    return member is not None and member.status is Status.DEAD


async def test_streams_may_be_secured_by_tls() -> None:
    authority = trustme.CA()
    keyring = gossip.Keyring.of(gossip.Key.generate())
    tls = _mutual_tls(authority)
    async with (
        cluster(0) as opened,
        gossip.open_node("a", keyring=keyring, tls=tls) as a,
        gossip.open_node("b", keyring=keyring, tls=tls, seeds=[a.address]) as b,
    ):
        await b.joined(timeout=10)
        known = await gossip.query_members(a.address, keyring=keyring, tls=tls)
        assert [member.name for member in known] == ["a", "b"]
        assert opened["a"].stats.streams_accepted > 0
        assert a.stats.streams_failed == 0


def _mutual_tls(authority: trustme.CA) -> MutualTLS:
    cert = authority.issue_cert(*(f"127.0.0.{number}" for number in range(1, 5)))
    accepting = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    connecting = ssl.create_default_context(ssl.Purpose.SERVER_AUTH)
    for context in (accepting, connecting):
        cert.configure_cert(context)
        authority.configure_trust(context)
        context.verify_mode = ssl.CERT_REQUIRED
    return MutualTLS(accepting=accepting, connecting=connecting)


async def test_nodes_can_be_asked_without_being_one() -> None:
    async with cluster(3, loss=0.2) as opened:
        assert await gossip.query_members("n1:7946", timeout=20) == opened["n1"].members()
        explanation = await gossip.explain_member(opened["n1"].address, "n2", timeout=20)
        assert explanation.member == opened["n2"].local
        opened.split({"n0"})
        with pytest.raises(gossip.QueryError, match="does not accept a connection within 5 s"):
            await gossip.query_members("n0:7946")
        await opened.crash("n1")
        with pytest.raises(gossip.QueryError, match="cannot connect to n1:7946: Connection refused"):
            await gossip.query_members("n1:7946")


async def test_a_view_that_fits_no_datagram_passes_by_stream_whatever_is_lost() -> None:
    async with cluster(8, metadata={"long": "x" * 400}, loss=0.3) as opened:
        assert sum(node.stats.streams_opened for node in opened) > 0
        assert sum(node.stats.streams_failed for node in opened) == 0


# --- parts of it, one by one


async def test_a_datagram_that_is_too_large_is_lost_and_counted() -> None:
    async with cluster(2) as opened:
        transport = opened["n0"]._transport
        assert isinstance(transport, MemoryTransport)
        counters = ShellCounters()
        datagrams = transport.datagrams("n0", counters)
        datagrams.send(bytes(MAX_DATAGRAM_BYTES), opened["n1"].address)
        assert counters.send_errors == 0
        datagrams.send(bytes(MAX_DATAGRAM_BYTES + 1), opened["n1"].address)
        assert counters.send_errors == 1


async def test_connecting_is_refused_where_no_node_is_any_more_and_waits_where_none_ever_was() -> None:
    async with cluster(2) as opened:
        transport = opened["n0"]._transport
        gone = opened["n1"].address
        await opened.crash("n1")
        with pytest.raises(ConnectionRefusedError):
            await transport.connect(gone)
        with trio.move_on_after(100) as waited:
            await transport.connect(Address("127.0.9.9", 7946))
        assert waited.cancelled_caught


async def test_connecting_through_a_cut_succeeds_once_it_heals() -> None:
    async with cluster(2) as opened:
        opened.split({"n0"})
        began = trio.current_time()
        async with trio.open_nursery() as nursery:
            nursery.start_soon(_connect_and_close, opened["n0"], opened["n1"].address)
            await trio.sleep(3.5)
            opened.heal()
        assert 3.5 < trio.current_time() - began < 5.5


async def _connect_and_close(node: gossip.Node, address: Address) -> None:
    connection = await node._transport.connect(address)
    connection.close()
