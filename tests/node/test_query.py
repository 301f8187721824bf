"""Asking a node for its view from outside."""

from __future__ import annotations

import pytest
import trio

from gossip import Address, Config, ConfigurationError, GossipError, Key, Keyring, QueryError, query_members
from gossip.security.framing import pack_frame
from tests.node.nodes import cluster, local_node


async def test_a_query_returns_the_members_and_joins_nothing() -> None:
    async with cluster(3) as nodes:
        members = await query_members(str(nodes[1].address), config=Config.local())
        assert {(member.name, member.status) for member in members} == {
            (member.name, member.status) for member in nodes[1].members()
        }
        assert [member.name for member in members] == ["node-0", "node-1", "node-2"]
        assert all(node.alive == 3 for node in nodes)


async def test_a_query_takes_a_name() -> None:
    async with local_node("a") as a:
        members = await query_members(f"localhost:{a.address.port}")
        assert [member.name for member in members] == ["a"]


async def test_a_refused_connection_is_a_query_error() -> None:
    async with local_node("a") as a:
        address = a.address
    with pytest.raises(QueryError, match=r"^cannot connect to 127\.0\.0\.1:\d+: Connection refused$") as info:
        await query_members(address)
    assert isinstance(info.value, GossipError)


async def test_a_server_that_says_nothing_is_a_query_error() -> None:
    listeners = await trio.open_tcp_listeners(0, host="127.0.0.1")
    address = Address(*listeners[0].socket.getsockname())
    async with listeners[0]:
        with pytest.raises(QueryError, match=r"does not answer within 0\.1 s"):
            await query_members(address, timeout=0.1)


@pytest.mark.parametrize("answer", [b"HTTP/1.1 400 Bad Request\r\n\r\n", pack_frame(b"garbage"), b""])
async def test_another_server_is_a_query_error(answer: bytes) -> None:
    async def serve(stream: trio.SocketStream) -> None:
        async with stream:
            await stream.receive_some()
            await stream.send_all(answer)

    listeners = await trio.open_tcp_listeners(0, host="127.0.0.1")
    address = Address(*listeners[0].socket.getsockname())
    async with trio.open_nursery() as nursery:
        nursery.start_soon(trio.serve_listeners, serve, listeners)
        with pytest.raises(QueryError, match="node"):
            await query_members(address)
        nursery.cancel_scope.cancel()


async def test_a_node_of_another_cluster_is_a_query_error() -> None:
    async with local_node("a", config=Config.local(cluster="blue")) as a:
        with pytest.raises(QueryError):
            await query_members(a.address, config=Config.local(cluster="green"), timeout=1)


KEYS, OTHER_KEYS = Keyring.of(Key.generate()), Keyring.of(Key.generate())


@pytest.mark.parametrize(
    ("theirs", "ours", "cluster", "said"),
    [
        (KEYS, None, "default", r"seals with another key; give the keyring of that cluster .*--keyring"),
        (KEYS, OTHER_KEYS, "default", r"seals with another key; give the keyring of that cluster"),
        (
            None,
            KEYS,
            "default",
            r"does not seal, so it belongs to a cluster without keys.*leave out the keyring .*--keyring",
        ),
        (KEYS, KEYS, "blue", r"seals for another cluster.*give the name of that cluster .*--cluster"),
        (None, None, "blue", r"belongs to another cluster; give the name of that cluster .*--cluster"),
    ],
)
async def test_a_query_that_is_not_understood_says_what_to_give(
    theirs: Keyring | None, ours: Keyring | None, cluster: str, said: str
) -> None:
    async with local_node("a", keyring=theirs) as a:
        with pytest.raises(QueryError, match=rf"^{a.address} answers, but {said}"):
            await query_members(a.address, config=Config.local(cluster=cluster), keyring=ours, timeout=2)


async def test_a_malformed_address_is_a_configuration_error() -> None:
    with pytest.raises(ConfigurationError, match="address"):
        await query_members("nonsense")


async def test_an_unresolvable_name_is_a_query_error() -> None:
    with pytest.raises(QueryError, match=r"cannot connect to no-such-host\.invalid:1"):
        await query_members("no-such-host.invalid:1")
