"""Nodes with keys, on real sockets: who becomes a member, who does not, and changing keys while they run."""

from __future__ import annotations

import builtins
import ssl
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any

import pytest
import trio
import trustme

from gossip import (
    PLAIN,
    Config,
    ConfigurationError,
    EventKind,
    Key,
    Keyring,
    MembershipEvent,
    MutualTLS,
    QueryError,
    open_node,
    query_members,
)
from gossip.security import sealing as sealing_module
from tests.node.nodes import cluster, local_node, metadata_of, until

KEY, OTHER_KEY = Key.generate(), Key.generate()
SEALED = Keyring.of(KEY)


def mutual_tls(authority: trustme.CA | None = None) -> MutualTLS:
    """Contexts with certificates of this authority, or of one that nobody knows."""
    authority = authority or trustme.CA()
    certificate = authority.issue_cert("127.0.0.1")
    accepting, connecting = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER), ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    accepting.verify_mode = ssl.CERT_REQUIRED
    for context in (accepting, connecting):
        certificate.configure_cert(context)
        authority.configure_trust(context)
    return MutualTLS(accepting, connecting)


async def test_nodes_with_one_key_see_each_other_and_nothing_they_say_can_be_read() -> None:
    async with cluster(3, keyring=SEALED) as nodes:
        nodes[0].update({"colour": "blue"})
        await until(lambda: all(node.get("node-0").metadata for node in nodes))  # type: ignore[union-attr]
        assert all(set(node.stats.opened) == {KEY.id} for node in nodes)
        assert not any(node.stats.protocol.dropped for node in nodes)


async def test_a_datagram_is_not_larger_for_being_sealed() -> None:
    config = Config.local(max_datagram=1200)
    async with local_node("a", config=config, keyring=SEALED) as a:
        assert a.keyring == SEALED
        receiver = trio.socket.socket(trio.socket.AF_INET, trio.socket.SOCK_DGRAM)
        with receiver:
            await receiver.bind(("127.0.0.1", 0))
            host, port = receiver.getsockname()
            async with local_node("b", config=config, keyring=SEALED, seeds=[f"{host}:{port}"]):
                data, _ = await receiver.recvfrom(65_536)
                assert data[:3] == b"\x01" + KEY.number
                assert len(data) <= 1200


@pytest.mark.parametrize("keyring", [Keyring.of(OTHER_KEY), None, Keyring.of(PLAIN)])
async def test_whoever_has_no_key_of_the_cluster_does_not_become_a_member(keyring: Keyring | None) -> None:
    async with (
        local_node("a", keyring=SEALED) as a,
        local_node("b", keyring=SEALED, seeds=[a.address]) as b,
        local_node("stranger", keyring=keyring, seeds=[a.address]) as stranger,
    ):
        reason = "sealed with an unknown key" if keyring == Keyring.of(OTHER_KEY) else "not sealed"
        await until(lambda: a.stats.protocol.dropped.get(reason, 0) >= 2)  # a datagram and a stream
        await until(lambda: b.alive == 2)
        assert stranger.alive == 1
        assert a.get("stranger") is None
        with pytest.raises(QueryError):
            await query_members(a.address, keyring=keyring)


async def test_the_members_are_told_to_whoever_has_the_key() -> None:
    async with local_node("a", keyring=SEALED) as a:
        assert [member.name for member in await query_members(a.address, keyring=SEALED)] == ["a"]


@pytest.mark.parametrize(
    ("keyring", "key_id"), [(Keyring.of(OTHER_KEY), OTHER_KEY.id), (None, "plain")], ids=["an old key", "no key"]
)
async def test_a_key_that_only_streams_are_sealed_with_is_seen_to_be_in_use(
    keyring: Keyring | None, key_id: str
) -> None:
    async with local_node("a", keyring=Keyring.of(KEY, OTHER_KEY, PLAIN)) as a:
        for count in range(1, 4):
            await query_members(a.address, keyring=keyring)
            assert set(a.stats.opened) == {key_id}
            assert a.stats.opened[key_id] >= count


async def test_keys_are_changed_on_running_nodes_without_a_change_of_membership() -> None:
    steps = [SEALED.add(OTHER_KEY), SEALED.add(OTHER_KEY).use(OTHER_KEY.id), Keyring.of(OTHER_KEY)]
    await _change_keys(SEALED, steps)


async def test_keys_are_rolled_over_a_running_cluster_of_32_and_nobody_sees_a_member_come_or_go() -> None:
    async with cluster(32, keyring=Keyring.of(PLAIN)) as nodes:
        with ExitStack() as stack:
            changes = [stack.enter_context(node.subscribe(10_000)) for node in nodes]
            for number, ring in enumerate(_sealed_and_rolled_over()):
                for node in nodes:
                    node.use_keyring(ring)
                    await trio.sleep(0.01)  # some have done the step and others have not, and all go on talking
                name, value = nodes[number].local.name, {"step": str(number)}
                nodes[number].update(value)
                await until(lambda: all(metadata_of(node, name) == value for node in nodes))  # noqa: B023 - in this turn
        for its in changes:
            kinds = {item.kind async for item in its if isinstance(item, MembershipEvent)}
            assert EventKind.UPDATED in kinds
            assert not kinds & {EventKind.JOINED, EventKind.LEFT, EventKind.DIED, EventKind.CONFLICT}
        assert all(node.alive == 32 for node in nodes)
        assert not any(node.stats.protocol.dropped for node in nodes)


def _sealed_and_rolled_over() -> Iterator[Keyring]:
    """Sealing is turned on, and then the key is replaced."""
    yield Keyring.of(PLAIN, KEY)
    yield Keyring.of(KEY, PLAIN)
    yield SEALED
    yield SEALED.add(OTHER_KEY)
    yield SEALED.add(OTHER_KEY).use(OTHER_KEY.id)
    yield Keyring.of(OTHER_KEY)


async def test_sealing_is_turned_on_on_running_nodes_without_a_change_of_membership() -> None:
    steps = [Keyring.of(PLAIN, KEY), Keyring.of(KEY, PLAIN), SEALED]
    await _change_keys(Keyring.of(PLAIN), steps)


async def _change_keys(start: Keyring, steps: list[Keyring]) -> None:
    async with cluster(4, keyring=start) as nodes:
        with nodes[0].subscribe() as changes:
            for number, keyring in enumerate(steps):
                for node in nodes:
                    node.use_keyring(keyring)
                    value = {"step": f"{number} {node.local.name}"}
                    node.update(value)
                    await until(lambda: all(each.get(node.local.name).metadata == value for each in nodes))  # type: ignore[union-attr]  # noqa: B023 - called within this turn
            async for item in changes:
                if isinstance(item, MembershipEvent):
                    assert item.kind is EventKind.UPDATED
                    if item.member.metadata["step"] == f"{len(steps) - 1} node-3":
                        break
        assert not any(node.stats.protocol.dropped for node in nodes)
        assert all(node.keyring == steps[-1] for node in nodes)


async def test_a_node_opened_without_a_keyring_takes_none_later() -> None:
    async with local_node("a") as node:
        assert node.keyring is None
        with pytest.raises(ConfigurationError, match="opened without one"):
            node.use_keyring(SEALED)


async def test_datagrams_need_room_to_be_sealed() -> None:
    config = Config.local(max_datagram=600, max_metadata=100)
    with pytest.raises(ConfigurationError, match="max_datagram must be 32 bytes larger"):
        async with local_node("a", config=config, keyring=SEALED):
            pass
    async with local_node("a", config=config):
        pass


@pytest.mark.parametrize("keyring", [None, Keyring.of(PLAIN)])
@pytest.mark.parametrize("bind", ["0.0.0.0:0", "[::]:0"])
async def test_without_a_key_a_node_does_not_bind_where_others_can_reach_it(bind: str, keyring: Keyring | None) -> None:
    with pytest.raises(ConfigurationError, match="without a keyring anybody who can send a packet") as caught:
        async with open_node("a", bind=bind, keyring=keyring):
            pass
    assert "gossip keygen" in str(caught.value)
    assert "insecure=True" in str(caught.value)


async def test_without_a_key_a_node_binds_to_loopback_or_if_it_is_told_to() -> None:
    for bind, insecure in [("127.0.0.1:0", False), ("[::1]:0", False), ("localhost:0", False), ("0.0.0.0:0", True)]:
        async with open_node("a", bind=bind, insecure=insecure):
            pass
    async with open_node("a", bind="0.0.0.0:0", keyring=SEALED):
        pass


async def test_a_missing_package_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    real = builtins.__import__

    def without_cryptography(name: str, *arguments: Any, **more: Any) -> Any:
        if name.startswith("cryptography"):
            raise ImportError(name)
        return real(name, *arguments, **more)

    sealing_module._primitives.cache_clear()
    monkeypatch.setattr(builtins, "__import__", without_cryptography)
    try:
        with pytest.raises(ConfigurationError, match=r"pip install 'gossip-membership\[crypto\]'"):
            async with open_node("a", bind="127.0.0.1:0", keyring=SEALED):
                pass
        async with open_node("a", bind="127.0.0.1:0"):
            pass
    finally:
        sealing_module._primitives.cache_clear()


async def test_streams_inside_mutual_tls() -> None:
    tls = mutual_tls()
    async with cluster(3, keyring=SEALED, tls=tls) as nodes:
        await until(lambda: sum(node.stats.streams_accepted for node in nodes) >= 2)
        found = await query_members(nodes[0].address, keyring=SEALED, tls=tls)
        assert [member.name for member in found] == ["node-0", "node-1", "node-2"]
        await until(lambda: not any(node.stats.streams_active for node in nodes))
        assert not any(node.stats.streams_failed for node in nodes)
        assert all(set(node.stats.opened) == {KEY.id} for node in nodes)  # what is inside TLS does not count as plain


@pytest.mark.parametrize("theirs", [mutual_tls, lambda: None])
async def test_a_stream_with_the_wrong_certificate_or_none_gets_no_answer(
    theirs: Callable[[], MutualTLS | None],
) -> None:
    async with local_node("a", keyring=SEALED, tls=mutual_tls()) as a:
        with pytest.raises(QueryError):
            await query_members(a.address, keyring=SEALED, tls=theirs(), timeout=2.0)
        await until(lambda: a.stats.streams_failed > 0)


def test_a_context_that_lets_in_whoever_shows_no_certificate_is_refused() -> None:
    good = mutual_tls()
    with pytest.raises(ConfigurationError, match="accepting does not ask its peer for a certificate"):
        MutualTLS(ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER), good.connecting)
    with pytest.raises(ConfigurationError, match=r"connecting must be an ssl\.SSLContext"):
        MutualTLS(good.accepting, "certificate.pem")  # type: ignore[arg-type]
