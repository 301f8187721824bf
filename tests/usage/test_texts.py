"""What a program sees that prints an object of the library, or shows it in a debugger."""

from __future__ import annotations

import re

import attrs
import pytest

from gossip import PLAIN, Address, Key, Keyring, Member, SigningKey, Snapshot, Status
from tests.node.nodes import local_node, until


def member(name: str = "brook", **metadata: str) -> Member:
    return Member(name, 1, 0xBEEF, Address("10.0.0.1", 7946), metadata, 3, Status.SUSPECT, b"key", b"signature")


def test_a_member_shows_who_and_where_it_is_and_what_it_publishes() -> None:
    assert repr(member()) == "<Member 'brook' at 10.0.0.1:7946, suspect (version 3, id 000000000000beef)>"
    assert "suspect, {'role': 'db'} (version 3" in repr(member(role="db"))


def test_no_metadata_moves_the_cursor_of_a_terminal() -> None:
    assert repr(member(role="\x1b[2J\n")).isprintable()


async def test_a_node_shows_its_name_its_address_and_its_standing_until_it_is_closed() -> None:
    async with local_node("ada") as ada:
        assert repr(ada) == f"<gossip.Node 'ada' at {ada.address}, connected, 1 alive>"
        async with local_node("brook", seeds=["127.0.0.1:1"]) as brook:
            assert repr(brook) == f"<gossip.Node 'brook' at {brook.address}, joining, 1 alive>"
    assert repr(ada) == f"<gossip.Node 'ada' at {ada.address}, closed, 1 alive>"


async def test_a_subscription_shows_its_node_and_what_waits_for_its_reader() -> None:
    async with local_node("ada") as ada:
        changes = ada.subscribe(buffer=1)
        assert repr(changes) == "<gossip.Subscription of 'ada', not entered yet, waiting: 0, missed: 0>"
        with changes:
            assert repr(changes) == "<gossip.Subscription of 'ada', open, waiting: 1, missed: 0>"
            await anext(changes)
            assert repr(changes) == "<gossip.Subscription of 'ada', open, waiting: 0, missed: 0>"
            async with local_node("brook", seeds=[ada.address]) as brook:
                await until(lambda: ada.alive == 2)
                await brook.leave()
                await until(lambda: ada.alive == 1)
            assert re.search("open, waiting: 1, missed: [2-9]>", repr(changes)), "a snapshot in place of all events"
        assert "'ada', ended" in repr(changes)


async def test_a_snapshot_shows_numbers_and_not_all_members() -> None:
    async with local_node("ada") as ada:
        left = attrs.evolve(member(), status=Status.LEFT)
        snapshot = Snapshot((ada.local, member("cleo"), left), ada.standing, 7)
        assert repr(snapshot) == "<Snapshot of 3 members, 2 alive; connected, missed: 7>"


@pytest.mark.parametrize("keys", [(Key.generate(),), (Key.generate("chacha20-poly1305"), Key.generate(), PLAIN)])
def test_a_keyring_shows_the_ids_and_algorithms_of_its_keys_and_no_secret(keys: tuple[Key, ...]) -> None:
    shown = repr(Keyring.of(*keys))
    for key in keys:
        assert key.algorithm in shown
        assert key.number.hex() in shown
        assert key.is_plain or (key.secret.hex() not in shown and repr(key.secret)[2:-1] not in shown)


def test_a_signing_key_shows_its_public_key_only() -> None:
    key = SigningKey.generate()
    assert repr(key) == f"SigningKey(public={key.public.hex()})"
