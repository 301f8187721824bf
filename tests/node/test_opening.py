"""Which sockets a node opens, under which address it is known, and what is refused."""

from __future__ import annotations

import errno
import socket

import pytest
import trio

from gossip import Address, BindError, Config, ConfigurationError, GossipError, open_node
from gossip.net.addresses import mapped_sockaddr, plain_address
from gossip.net.datagrams import DatagramEndpoint
from tests.node.nodes import local_node, until


async def test_port_0_is_one_free_port_for_udp_and_tcp() -> None:
    async with local_node("a") as node:
        host, port = node.bound_address
        assert host == "127.0.0.1"
        assert port > 0
        with socket.socket(type=socket.SOCK_DGRAM) as udp, pytest.raises(OSError, match="in use"):
            udp.bind((host, port))
        connection = await trio.open_tcp_stream(host, port)
        await connection.aclose()


async def test_a_node_bound_to_an_address_advertises_it() -> None:
    async with local_node("a") as node:
        assert node.address == node.bound_address == node.local.address


async def test_an_advertised_address_may_differ_from_the_bound_one() -> None:
    async with local_node("a", advertise="192.0.2.1:99") as node:
        assert node.address == Address("192.0.2.1", 99)
        assert node.bound_address.host == "127.0.0.1"


async def test_an_advertised_port_0_is_the_bound_port() -> None:
    async with local_node("a", advertise="192.0.2.1:0") as node:
        assert node.address == Address("192.0.2.1", node.bound_address.port)


async def test_an_advertised_name_is_resolved() -> None:
    async with local_node("a", advertise="localhost:0") as node:
        assert node.address.host in ("127.0.0.1", "::1")


async def test_a_node_never_takes_the_port_that_a_stream_comes_from_for_its_own(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Its datagrams are lost at first, so that the first answer is the copy of the view on a stream."""
    send = DatagramEndpoint.send
    async with local_node("a") as a:
        monkeypatch.setattr(DatagramEndpoint, "send", lambda *_: None)
        async with local_node("b", bind="0.0.0.0:0", seeds=[a.address]) as b:
            await until(lambda: b.alive == 2)
            monkeypatch.setattr(DatagramEndpoint, "send", send)
            await until(lambda: a.get("b") is not None)
            assert b.local.address == Address("127.0.0.1", b.bound_address.port)


async def test_a_node_bound_to_all_addresses_learns_its_own_from_a_peer() -> None:
    async with local_node("a", bind="0.0.0.0:0") as a, local_node("b", bind="127.0.0.1:0") as b:
        assert a.address == a.bound_address
        async with local_node("c", bind="0.0.0.0:0", seeds=[b.address]) as c:
            await until(lambda: c.address == Address("127.0.0.1", c.bound_address.port))
            await until(lambda: b.alive == 2)


async def test_two_nodes_see_each_other_over_ipv6() -> None:
    async with local_node("a", bind="[::1]:0") as a, local_node("b", bind="[::1]:0", seeds=[a.address]) as b:
        assert a.address.host == "::1"
        await until(lambda: a.alive == b.alive == 2)


async def test_a_dual_stack_node_speaks_ipv4_and_ipv6() -> None:
    async with local_node("both", bind="[::]:0") as both:
        port = both.bound_address.port
        async with (
            local_node("four", bind="127.0.0.1:0", seeds=[f"127.0.0.1:{port}"]) as four,
            local_node("six", bind="[::1]:0", seeds=[f"[::1]:{port}"]) as six,
        ):
            await until(lambda: both.get("four") is not None and both.get("six") is not None)
            await until(lambda: four.get("both") is not None and six.get("both") is not None)
            known = both.get("four")
            assert known is not None
            assert known.address == four.address


async def test_a_bound_name_is_resolved() -> None:
    async with local_node("a", bind="localhost:0") as node:
        assert node.bound_address.host in ("127.0.0.1", "::1")


async def test_a_port_in_use_is_a_bind_error_that_says_so() -> None:
    async with local_node("a") as node:
        with pytest.raises(
            BindError, match=r"^cannot bind to 127\.0\.0\.1:\d+: another program uses that port$"
        ) as info:
            async with local_node("b", bind=str(node.bound_address)):
                pass
    assert info.value.errno == errno.EADDRINUSE
    assert isinstance(info.value, OSError)
    assert isinstance(info.value, GossipError)


async def test_a_udp_port_in_use_frees_the_tcp_port_again() -> None:
    with socket.socket(type=socket.SOCK_DGRAM) as udp:
        udp.bind(("127.0.0.1", 0))
        bind = f"127.0.0.1:{udp.getsockname()[1]}"
        with pytest.raises(BindError, match="another program uses that port"):
            async with local_node("a", bind=bind):
                pass
    async with local_node("a", bind=bind) as node:
        assert str(node.bound_address) == bind


async def test_an_address_of_another_machine_is_a_bind_error() -> None:
    with pytest.raises(BindError, match="this machine does not have that address"):
        async with local_node("a", bind="192.0.2.1:0"):
            pass


@pytest.mark.parametrize("host", ["no-such-host.invalid", "x" * 100 + ".test"])
async def test_an_unresolvable_host_is_a_bind_error(host: str) -> None:
    with pytest.raises(BindError, match="host name cannot be resolved"):
        async with local_node("a", bind=f"{host}:0"):
            pass


async def test_an_unresolvable_advertised_name_is_a_bind_error_and_closes_the_sockets() -> None:
    with pytest.raises(BindError, match=r"cannot advertise no-such-host\.invalid"):
        async with local_node("a", advertise="no-such-host.invalid:1"):
            pass


async def test_an_advertised_address_of_the_other_ip_version_is_a_bind_error() -> None:
    with pytest.raises(BindError, match="the node is bound to another IP version"):
        async with local_node("a", advertise="[2001:db8::1]:0"):
            pass


@pytest.mark.parametrize(
    ("argument", "value"),
    [
        ("bind", "7946"),
        ("bind", "127.0.0.1:70000"),
        ("bind", Address("127.0.0.1", 70_000)),
        ("bind", "::1:7946"),
        ("advertise", "0.0.0.0:1"),
        ("advertise", "nonsense"),
        ("seeds", ["127.0.0.1"]),
        ("seeds", ["127.0.0.1:0"]),
        ("seeds", "127.0.0.1:7946"),
        ("seeds", [7946]),
        ("metadata", {"size": "x" * 2000}),
        ("name", ""),
    ],
)
async def test_malformed_arguments_are_configuration_errors(argument: str, value: object) -> None:
    arguments: dict[str, object] = {"name": "a", "bind": "127.0.0.1:0", argument: value}
    with pytest.raises(ConfigurationError, match=argument):
        async with open_node(**arguments):  # type: ignore[arg-type]
            pass


async def test_the_lan_profile_is_the_default() -> None:
    async with open_node("a", bind="127.0.0.1:0") as node:
        assert node._config == Config.lan()


@pytest.mark.parametrize(
    ("sockaddr", "address"),
    [
        (("10.0.0.1", 5), Address("10.0.0.1", 5)),
        (("::ffff:10.0.0.1", 5, 0, 0), Address("10.0.0.1", 5)),
        (("fe80::1%eth0", 5, 0, 2), Address("fe80::1", 5)),
        (("2001:db8::1", 5, 0, 0), Address("2001:db8::1", 5)),
    ],
)
def test_socket_addresses_become_plain(sockaddr: tuple[object, ...], address: Address) -> None:
    assert plain_address(sockaddr) == address


def test_ipv4_is_mapped_for_a_dual_stack_socket() -> None:
    assert mapped_sockaddr(Address("10.0.0.1", 5)) == ("::ffff:10.0.0.1", 5)
    assert mapped_sockaddr(Address("2001:db8::1", 5)) == ("2001:db8::1", 5)
