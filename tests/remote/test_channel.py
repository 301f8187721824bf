"""The socket between a program and the process of its node carries values as they are."""

from __future__ import annotations

import pickle
import socket
from types import MappingProxyType

import attrs
import pytest
import trio

import gossip
from gossip import BindError, GossipError, Key, Keyring, SigningKey
from gossip.core import errors as core_errors
from gossip.core.support.drop_reasons import Drop
from gossip.remote import channel as channel_module
from gossip.remote.channel import Channel, ChannelEnded, dumps
from gossip.remote.child import portable


def pair() -> tuple[Channel, Channel]:
    one, other = (trio.SocketStream(trio.socket.from_stdlib_socket(each)) for each in socket.socketpair())
    return Channel(one), Channel(other)


async def closed(channel: Channel) -> None:
    await channel._stream.aclose()


async def test_messages_come_one_after_the_other_whatever_their_length() -> None:
    one, other = pair()
    messages = [0, "x" * 10, b"y" * 1_000_000, {"z": (1, None)}, "end"]

    async def send() -> None:
        for message in messages:
            await one.send(message)

    async with trio.open_nursery() as nursery:
        nursery.start_soon(send)
        assert [await other.receive() for _ in messages] == messages
    await closed(one)
    with pytest.raises(ChannelEnded):
        await other.receive()
    with pytest.raises(ChannelEnded):
        await other.send("nobody there")
    await closed(other)
    with pytest.raises(ChannelEnded):
        await other.receive()


async def test_who_is_cancelled_while_receiving_loses_nothing() -> None:
    one, other = pair()
    content = dumps("whole")
    await one._stream.send_all(len(content).to_bytes(4, "big") + content[:5])
    with trio.move_on_after(0.01):
        await other.receive()
    await one._stream.send_all(content[5:])
    assert await other.receive() == "whole"
    await closed(one)
    await closed(other)


async def test_a_length_beyond_all_messages_is_refused_in_both_directions(monkeypatch: pytest.MonkeyPatch) -> None:
    one, other = pair()
    await one._stream.send_all((channel_module.MAX_MESSAGE_BYTES + 1).to_bytes(4, "big"))
    with pytest.raises(ValueError, match="longer than"):
        await other.receive()
    monkeypatch.setattr(channel_module, "MAX_MESSAGE_BYTES", 100)
    with pytest.raises(ValueError, match="longer than 100"):
        await one.send("x" * 200)
    await closed(one)
    await closed(other)


def test_keys_and_read_only_mappings_are_the_same_on_the_other_side() -> None:
    key = SigningKey.generate()
    there = pickle.loads(dumps(key))
    assert there == key
    assert there.sign(b"x") == key.sign(b"x")
    ring = Keyring.of(Key.generate(), Key.generate())
    assert pickle.loads(dumps(ring)) == ring
    assert pickle.loads(dumps(ring)).in_use.id == ring.in_use.id
    mapping = pickle.loads(dumps(MappingProxyType({"x": "1"})))
    assert type(mapping) is MappingProxyType
    assert mapping == {"x": "1"}


ERRORS = [each for each in vars(gossip).values() if isinstance(each, type) and issubclass(each, GossipError)]


@pytest.mark.parametrize("kind", ERRORS, ids=lambda kind: kind.__name__)
def test_every_error_of_the_package_crosses(kind: type[GossipError]) -> None:
    there = pickle.loads(dumps(portable(kind("a sentence"))))
    assert type(there) is kind
    assert str(there) == "a sentence"


def test_what_errors_carry_crosses_with_them() -> None:
    bind = pickle.loads(dumps(BindError("taken", 98)))
    assert (str(bind), bind.errno) == ("taken", 98)
    wire = pickle.loads(dumps(core_errors.WireError(Drop.WRONG_SHAPE)))
    assert wire.reason is Drop.WRONG_SHAPE
    process = pickle.loads(dumps(gossip.NodeProcessError("gone", -9, "its last words")))
    assert (str(process), process.returncode, process.stderr) == ("gone", -9, "its last words")


def test_an_exception_that_cannot_cross_is_shown_by_another() -> None:
    @attrs.define
    class Local(Exception):
        what: object

    error = portable(Local(lambda: None))
    assert type(error) is RuntimeError
    assert str(error).startswith("Local in the process of the node: ")
