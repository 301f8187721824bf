"""Seeds: names become addresses, a bad one hinders nobody, and all of it can be cancelled."""

from __future__ import annotations

import socket
from collections.abc import AsyncIterator
from typing import Any

import pytest
import trio
from trio.abc import HostnameResolver

from gossip import Address, ConfigurationError, JoinError
from gossip.net.seeds import parse_seeds
from tests.node.nodes import local_node, until

_NAME_UNKNOWN = socket.gaierror(socket.EAI_NONAME, "Name or service not known")


class Names(HostnameResolver):
    """A name server in this process: names to addresses, None for one that never answers."""

    def __init__(self) -> None:
        self.known: dict[str, list[str] | None] = {}
        self.asked: list[str] = []

    async def getaddrinfo(
        self,
        host: Any,
        port: Any,
        family: int = 0,
        type: int = 0,  # noqa: A002 - trio's name for it
        proto: int = 0,
        flags: int = 0,
    ) -> list[Any]:
        name = host.decode() if isinstance(host, bytes) else str(host)
        self.asked.append(name)
        addresses = self.known.get(name, [])
        if addresses is None:
            await trio.sleep_forever()
        if not addresses:
            raise _NAME_UNKNOWN
        return [
            (socket.AF_INET6 if ":" in address else socket.AF_INET, socket.SOCK_DGRAM, 17, "", (address, port))
            for address in addresses
        ]

    async def getnameinfo(self, sockaddr: Any, flags: int) -> tuple[str, str]:
        raise _NAME_UNKNOWN


@pytest.fixture
async def names() -> AsyncIterator[Names]:
    resolver = Names()
    trio.socket.set_custom_hostname_resolver(resolver)
    yield resolver
    trio.socket.set_custom_hostname_resolver(None)


async def test_a_seed_may_be_a_name() -> None:
    async with (
        local_node("a") as a,
        local_node("b", seeds=[f"localhost:{a.address.port}"]) as b,
    ):
        await until(lambda: a.alive == b.alive == 2)


async def test_a_name_stands_for_all_its_addresses(names: Names) -> None:
    async with local_node("a", bind="127.0.0.2:0") as a:
        names.known["seeds.test"] = ["127.0.0.9", "127.0.0.2"]
        async with local_node("b", seeds=[f"seeds.test:{a.address.port}"]) as b:
            await until(lambda: a.alive == b.alive == 2)


async def test_addresses_of_the_other_ip_version_are_left_out(names: Names) -> None:
    async with local_node("a") as a:
        names.known["seeds.test"] = ["::1", "127.0.0.1"]
        async with local_node("b", seeds=[f"seeds.test:{a.address.port}"]) as b:
            await until(lambda: a.alive == b.alive == 2)
            assert b.stats.send_errors == 0


async def test_seeds_that_fail_or_hang_do_not_hinder_the_others(names: Names) -> None:
    names.known["hangs.test"] = None
    async with (
        local_node("a") as a,
        local_node("b", seeds=["unknown.test:1", "hangs.test:1", a.address]) as b,
    ):
        await until(lambda: a.alive == b.alive == 2)
        assert b.stats.seed_lookups_failed >= 1


async def test_an_unresolvable_seed_is_tried_until_it_resolves(names: Names, caplog: pytest.LogCaptureFixture) -> None:
    async with local_node("a") as a, local_node("b", seeds=[f"late.test:{a.address.port}"]) as b:
        await until(lambda: names.asked.count("late.test") >= 2)
        assert b.alive == 1
        names.known["late.test"] = ["127.0.0.1"]
        await until(lambda: a.alive == b.alive == 2)
    assert sum("cannot resolve seed late.test" in line for line in caplog.messages) == 1


async def test_a_node_alone_looks_a_name_up_again(names: Names, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gossip.net.seeds.ALONE_REFRESH_S", 0.05)
    names.known["moved.test"] = ["127.0.0.9"]
    async with local_node("a") as a, local_node("b", seeds=[f"moved.test:{a.address.port}"]) as b:
        await until(lambda: names.asked.count("moved.test") >= 2)
        names.known["moved.test"] = ["127.0.0.1"]
        await until(lambda: a.alive == b.alive == 2)


async def test_an_own_address_among_the_seeds_is_harmless() -> None:
    async with local_node("a") as a:
        bind = str(a.bound_address)
    async with local_node("a", bind=bind, seeds=[bind]) as a, local_node("b", seeds=[bind]) as b:
        await until(lambda: a.alive == b.alive == 2)
        assert len(a.members()) == 2


async def test_a_seed_of_the_other_ip_version_is_left_out_and_said_once(caplog: pytest.LogCaptureFixture) -> None:
    async with local_node("a") as a, local_node("b", seeds=["[::1]:9", a.address]) as b:
        await until(lambda: a.alive == b.alive == 2)
        assert b.stats.send_errors == 0
    assert [line for line in caplog.messages if "has no address of the IP version" in line] == [
        "'b': seed [::1]:9 has no address of the IP version that this node is bound to, so this node cannot use it"
    ]


async def test_a_name_that_cannot_be_one_does_not_end_the_node(names: Names) -> None:
    async with local_node("a") as a, local_node("b", seeds=["..:1", "x" * 100 + ":1", a.address]) as b:
        await until(lambda: a.alive == b.alive == 2)
        await until(lambda: b.stats.seed_lookups_failed >= 2)


async def test_a_system_that_allows_no_more_threads_does_not_end_the_node(monkeypatch: pytest.MonkeyPatch) -> None:
    async def fail(*_: Any, **__: Any) -> None:
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr("gossip.net.system.resolve", fail)
    async with local_node("a") as a, local_node("b", seeds=["seed.test:1", a.address]) as b:
        await until(lambda: a.alive == b.alive == 2)
        await until(lambda: b.stats.seed_lookups_failed >= 1)


async def test_a_name_with_more_addresses_than_are_kept_is_said_once(
    names: Names, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("gossip.net.seeds.ALONE_REFRESH_S", 0.05)
    names.known["many.test"] = [f"127.0.1.{number}" for number in range(1, 71)]
    async with local_node("b", seeds=["many.test:9"]):
        await until(lambda: names.asked.count("many.test") >= 2)
        names.known["many.test"] = [f"127.0.1.{number}" for number in range(1, 81)]
        await until(lambda: names.asked.count("many.test") >= 4)
    (line,) = [line for line in caplog.messages if "addresses" in line]
    assert line.startswith("'b': the seeds have 70 addresses, and this node uses only the first 64")


async def test_a_seed_whose_name_is_not_known_is_named_as_the_reason(names: Names) -> None:
    async with local_node("b", seeds=["late.test:7946"]) as b:
        with pytest.raises(JoinError, match=r"at late\.test:7946: no address is known for late\.test:7946"):
            await b.joined(timeout=2)


async def test_closing_does_not_wait_for_a_look_up(names: Names) -> None:
    names.known["hangs.test"] = None
    with trio.fail_after(5):
        async with local_node("a", seeds=["hangs.test:1"]):
            await until(lambda: "hangs.test" in names.asked)


def test_seeds_are_normalised_and_none_is_kept_twice() -> None:
    seeds = parse_seeds(["[::0001]:5", "[::1]:5", Address("::1", 5), "[::ffff:10.0.0.1]:5", "10.0.0.1:5", "x.test:5"])
    assert seeds == (Address("::1", 5), Address("10.0.0.1", 5), Address("x.test", 5))


def test_an_address_nobody_can_send_to_is_no_seed() -> None:
    with pytest.raises(ConfigurationError, match=r"nobody can send to 0\.0\.0\.0:7946"):
        parse_seeds(["0.0.0.0:7946"])
