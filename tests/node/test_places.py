"""Addresses that cannot work: refused with a sentence where they are given, and told once where they turn up later."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator

import pytest
import trio

from gossip import Address, Config, ConfigurationError, open_node
from gossip.core.support.drop_reasons import Drop
from gossip.core.support.drops import Drops
from gossip.telemetry.drops import MAX_HOSTS_TOLD, PERIOD_S, DropLog
from tests.node.nodes import local_node, until
from tests.node.test_seeds import Names

ELSEWHERE = "192.0.2.1:7946"


@pytest.fixture
async def names() -> AsyncIterator[Names]:
    resolver = Names()
    trio.socket.set_custom_hostname_resolver(resolver)
    yield resolver
    trio.socket.set_custom_hostname_resolver(None)


# --- link-local addresses


@pytest.mark.parametrize("argument", ["bind", "advertise", "seeds"])
@pytest.mark.parametrize("address", ["[fe80::1%eth0]:7946", "[fe80::1%2]:7946", "[fe80::1]:7946", "[febf::1]:7946"])
async def test_a_link_local_address_is_refused_with_what_to_do_instead(argument: str, address: str) -> None:
    arguments: dict[str, object] = {"bind": "[::]:0", argument: [address] if argument == "seeds" else address}
    with pytest.raises(ConfigurationError, match=f"^{argument}: .*link-local address.*give a global") as info:
        async with open_node("a", insecure=True, **arguments):  # type: ignore[arg-type]
            pass
    assert address in str(info.value)


async def test_a_scope_that_would_be_thrown_away_is_refused() -> None:
    with pytest.raises(ConfigurationError, match=r"^seeds: \[2001:db8::1%eth0\]:7946: the scope .* leave it out$"):
        async with open_node("a", bind="[::]:0", insecure=True, seeds=["[2001:db8::1%eth0]:7946"]):
            pass


async def test_a_seed_whose_name_leads_to_link_local_addresses_only_is_told(
    names: Names, caplog: pytest.LogCaptureFixture
) -> None:
    names.known["near.test"] = ["fe80::1"]
    async with local_node("a", bind="[::]:0", seeds=["near.test:7946"]):
        await until(lambda: "seed near.test:7946 has no address that is not link-local" in caplog.text)


async def test_a_datagram_from_a_link_local_address_is_dropped_and_counted() -> None:
    async with local_node("a", bind="[::]:0") as node:
        node._driver._open(b"anything", Address("fe80::1", 7946), trio.current_time())
        assert dict(node.stats.protocol.dropped) == {"from a link-local address": 1}


# --- loopback and other machines


@pytest.mark.parametrize(
    ("bind", "advertise", "guilty"),
    [("127.0.0.1:0", None, "bind"), ("localhost:0", None, "bind"), ("0.0.0.0:0", "127.0.0.1:0", "advertise")],
)
async def test_a_node_that_only_this_machine_can_reach_takes_no_seed_elsewhere(
    bind: str, advertise: str | None, guilty: str
) -> None:
    with pytest.raises(ConfigurationError, match=f"^{guilty}: only this machine can reach .*{ELSEWHERE}"):
        async with open_node("a", bind=bind, advertise=advertise, seeds=[ELSEWHERE], insecure=True):
            pass


async def test_a_node_that_only_this_machine_can_reach_tells_of_a_seed_elsewhere_that_a_name_leads_to(
    names: Names, caplog: pytest.LogCaptureFixture
) -> None:
    names.known["far.test"] = ["192.0.2.1"]
    async with local_node("a", seeds=["far.test:7946"]):
        await until(lambda: "the seed 192.0.2.1:7946 is on another machine" in caplog.text)
    told = [each for each in caplog.records if "another machine" in each.getMessage()]
    assert [each.levelno for each in told] == [logging.WARNING]


# --- other clusters


async def test_another_cluster_is_told_of_once_for_each_host_with_what_to_do(caplog: pytest.LogCaptureFixture) -> None:
    drops = Drops()
    log = DropLog("a", drops)
    for second in range(3600):
        drops.note(Drop.OTHER_CLUSTER, Address("192.0.2.7", 7946))
        drops.note(Drop.OTHER_CLUSTER, Address("192.0.2.8", 7946 + second % 50))
        log.look(second * PERIOD_S)
    (told,) = caplog.messages
    assert "192.0.2.8" in told
    assert "give both the same cluster name" in told
    assert "there is nothing to do" in told


async def test_of_other_clusters_only_so_many_hosts_are_named(caplog: pytest.LogCaptureFixture) -> None:
    drops = Drops()
    log = DropLog("a", drops)
    for number in range(200):
        drops.note(Drop.OTHER_CLUSTER, Address(f"192.0.2.{number}", 7946))
        log.look(number * PERIOD_S)
    assert len(caplog.messages) == MAX_HOSTS_TOLD


async def test_a_cluster_without_name_and_keys_that_may_merge_with_another_is_told_of(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def resolve(address: Address) -> tuple[Address, ...]:
        hosts = {"localhost": ["127.0.0.1", "::1"], "elsewhere.test": ["127.0.0.1", "192.0.2.1"]}
        return tuple(Address(host, address.port) for host in hosts.get(address.host, [address.host]))

    monkeypatch.setattr("gossip.net.system.resolve", resolve)
    caplog.set_level(logging.DEBUG, "gossip.net.seeds")
    for config, seed, told in [
        (Config.local(), "127.0.0.1:1", 0),
        (Config.local(), "localhost:1", 0),
        (Config.local(cluster="blue"), "192.0.2.1:7946", 0),
        (Config.local(), "192.0.2.1:7946", 1),
        (Config.local(), "elsewhere.test:7946", 1),
    ]:
        caplog.clear()
        async with local_node("a", bind="0.0.0.0:0", seeds=[seed], config=config):
            await until(lambda: any("seeds are" in message for message in caplog.messages))
            await trio.testing.wait_all_tasks_blocked()
            assert sum("Give each cluster a name" in message for message in caplog.messages) == told, seed
