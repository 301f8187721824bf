"""Asking a running node why a member is where it is: from its own program, and from outside."""

from __future__ import annotations

import pytest
import trio

from gossip import (
    Address,
    Config,
    ConfigurationError,
    EventKind,
    Key,
    Keyring,
    QueryError,
    Stage,
    Status,
    explain_member,
    query_members,
)
from gossip.core.state.member import Identity, Record
from gossip.core.wire import MAX_FRAME_BYTES, Codec, encode_fact
from gossip.core.wire.messages import Ack, Explain, Explained, Ping, RecordFact
from gossip.security.framing import FrameReader, pack_frame
from tests.node.nodes import cluster, local_node, until, until_event

KEYS = Keyring.of(Key.generate())
ADA = [encode_fact(RecordFact(Record(Identity("ada", 1, 9), 1, Address("10.0.0.1", 7946), {}), 1))]


@pytest.mark.parametrize("keyring", [None, KEYS], ids=["plain", "sealed"])
async def test_a_death_is_explained_alike_by_event_by_node_and_from_outside(keyring: Keyring | None) -> None:
    async with cluster(2, keyring=keyring) as (ada, _):
        with ada.subscribe() as changes:
            async with local_node("node-2", seeds=[ada.address], keyring=keyring):
                await until(lambda: ada.alive == 3)
            event = await until_event(changes, EventKind.DIED, "node-2")
        own, told = ada.explain("node-2"), await explain_member(ada.address, "node-2", keyring=keyring)
        assert own is not None
        assert event.explanation is not None
        assert own.member.status is told.member.status is Status.DEAD
        assert own.node == told.node == "node-0"
        assert own.asked == event.explanation.asked
        assert own.told == event.explanation.told
        assert own.time == pytest.approx(trio.current_time(), abs=10)
        assert told.time == 0.0
        assert [str(each) for each in told.asked] == [str(each) for each in own.asked]
        assert [each.by for each in told.told] == [each.by for each in own.told]


async def test_the_living_and_the_departed_are_explained_too() -> None:
    async with cluster(3) as (ada, brook, cleo):
        await cleo.leave()
        await until(lambda: ada.alive == 2)
        told = await explain_member(str(ada.address), "node-1")
        assert (told.member, told.probing in (Stage.NOT_PROBED, Stage.PROBED)) == (ada.get("node-1"), True)
        assert str(told) == "'node-1' is alive: there is no evidence against it."
        assert str(await explain_member(brook.address, "node-2")) == "'node-2' has left the cluster: it said farewell."
        itself = await explain_member(brook.address, "node-1")
        assert itself.member == brook.local


async def test_a_name_that_nobody_bears_is_told_with_those_that_are_near() -> None:
    async with local_node("web-1") as a, local_node("web-2", seeds=[a.address]), local_node("db", seeds=[a.address]):
        await until(lambda: a.alive == 3)
        with pytest.raises(QueryError, match=rf"^{a.address} knows no member 'web-11'; it knows 'web-1' and 'web-2'$"):
            await explain_member(a.address, "web-11")
        with pytest.raises(QueryError, match=r"none of the 3 that it knows has a similar name$"):
            await explain_member(a.address, "???")
        assert a.explain("web-11") is None


async def test_a_closed_node_still_explains() -> None:
    async with local_node("a") as a, local_node("b", seeds=[a.address]):
        await until(lambda: a.alive == 2)
    told = a.explain("b")
    assert told is not None
    assert a.explain("b") == told


@pytest.mark.parametrize("name", ["", " ada", "a\nb", "x" * 129])
async def test_a_name_that_no_member_may_have_is_a_configuration_error(name: str) -> None:
    with pytest.raises(ConfigurationError, match="name"):
        await explain_member("127.0.0.1:1", name)


async def test_without_the_key_nothing_is_explained() -> None:
    async with local_node("a", keyring=KEYS) as a:
        with pytest.raises(QueryError, match="keyring"):
            await explain_member(a.address, "a")
        with pytest.raises(QueryError, match="keyring"):
            await explain_member(a.address, "a", keyring=Keyring.of(Key.generate()))


# --- other servers in the place of a node


async def asked_of(answer: object) -> str:
    """The error of a question to a server that gives this content as its explanation, or, for None, passes it over."""
    codec = Codec(Config.lan().cluster)

    async def serve(stream: trio.SocketStream) -> None:
        reader = FrameReader()
        async with stream:
            async for piece in stream:
                for data in reader.feed(bytes(piece)):
                    body = codec.decode(data).body
                    if isinstance(body, Explain) and answer is not None:
                        reply: Ack | Explained = Explained(body.token, answer)  # type: ignore[arg-type]
                    elif isinstance(body, Ping):
                        reply = Ack(body.token)
                    else:
                        continue
                    await stream.send_all(pack_frame(codec.encode(9, 1, 1, reply, ADA, MAX_FRAME_BYTES)[0]))

    listeners = await trio.open_tcp_listeners(0, host="127.0.0.1")
    async with trio.open_nursery() as nursery:
        nursery.start_soon(trio.serve_listeners, serve, listeners)
        with pytest.raises(QueryError) as info:
            await explain_member(Address(*listeners[0].socket.getsockname()), "ada")
        nursery.cancel_scope.cancel()
    return str(info.value)


async def test_a_node_of_an_older_version_is_told_by_its_silence() -> None:
    assert "it may run an older version, which cannot" in await asked_of(None)


@pytest.mark.parametrize("content", [[], [[]] * 60_000, "text"], ids=["nothing", "60,000 lists", "a text"])
async def test_what_is_no_explanation_is_a_query_error(content: object) -> None:
    assert (await asked_of(content)).endswith("not like a gossip node: wrong shape")


async def test_nodes_outlive_explanations_that_nobody_asked_for() -> None:
    async with local_node("a", config=Config.local()) as a:
        data, _ = Codec(Config.local().cluster).encode(0, 0, 0, Explained(7, [[]] * 65_000), (), MAX_FRAME_BYTES)
        async with await trio.open_tcp_stream(a.address.host, a.address.port) as stream:
            for _ in range(20):
                await stream.send_all(pack_frame(data))
            assert [member.name for member in await query_members(a.address)] == ["a"]
        assert a.stats.protocol.dropped == {}
