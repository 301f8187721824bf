"""Nodes that sign what they say of themselves, on real sockets."""

from __future__ import annotations

import pytest

from gossip import Config, ConfigurationError, SigningKey, open_node, query_members
from tests.node.nodes import until

KEYS = {name: SigningKey.generate() for name in ("ada", "brook", "cleo")}
PUBLIC = {name: key.public for name, key in KEYS.items()}


async def test_nodes_that_sign_see_each_other_and_say_with_which_key() -> None:
    async with open_node("ada", bind="127.0.0.1:0", config=Config.local(), identity=KEYS["ada"]) as ada:
        seeds = [ada.address]
        async with open_node(
            "brook", bind="127.0.0.1:0", seeds=seeds, config=Config.local(), identity=KEYS["brook"]
        ) as brook:
            await until(lambda: ada.alive == brook.alive == 2)
            assert {member.name: member.key for member in ada.members()} == {n: PUBLIC[n] for n in ("ada", "brook")}
            assert await query_members(ada.address) == ada.members()
            assert await brook.leave() == ("ada",)
        await until(lambda: ada.alive == 1)


async def test_a_node_with_another_key_does_not_get_a_name_that_is_taken() -> None:
    async with open_node("ada", bind="127.0.0.1:0", config=Config.local(), identity=KEYS["ada"]) as ada:
        seeds = [ada.address]
        async with open_node("ada", bind="127.0.0.1:0", seeds=seeds, config=Config.local(), identity=KEYS["cleo"]):
            await until(lambda: ada.stats.protocol.dropped.get("name of another key", 0) > 0)
            assert ada.get("ada") == ada.local


async def test_a_node_that_does_not_sign_is_not_believed() -> None:
    local = Config.local()
    async with open_node("ada", bind="127.0.0.1:0", config=local, identity=KEYS["ada"], allowed=PUBLIC) as ada:
        async with open_node("brook", bind="127.0.0.1:0", seeds=[ada.address], config=local):
            await until(lambda: ada.stats.protocol.dropped.get("record not signed", 0) > 0)
        assert ada.alive == 1


async def test_what_is_allowed_can_be_checked_only_by_a_node_that_signs() -> None:
    with pytest.raises(ConfigurationError, match="give identity"):
        async with open_node("ada", bind="127.0.0.1:0", allowed=PUBLIC):
            pass


def test_a_signing_key_shows_its_public_half_only() -> None:
    key = KEYS["ada"]
    assert key.secret.hex() not in repr(key)
    assert repr(key.secret) not in repr(key)
    assert key.public.hex() in repr(key)
    assert SigningKey(key.secret) == key


@pytest.mark.parametrize("secret", [b"", b"short", "x" * 32, bytes(33)])
def test_a_secret_of_another_length_is_refused(secret: bytes) -> None:
    with pytest.raises(ConfigurationError, match="must be 32 bytes"):
        SigningKey(secret)


def test_a_signature_counts_for_one_statement_and_one_key() -> None:
    key, other = KEYS["ada"], KEYS["brook"]
    signature = key.sign(b"statement")
    assert key.verify(key.public, signature, b"statement")
    assert not key.verify(key.public, signature, b"another")
    assert not key.verify(other.public, signature, b"statement")
    assert not key.verify(key.public, bytes(64), b"statement")
    assert not key.verify(b"\x02" * 32, signature, b"statement")
