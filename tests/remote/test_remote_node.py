"""A node in a process of its own is the node that a program would have in its own process."""

from __future__ import annotations

import logging
import re
import ssl
import threading
import time
from types import MappingProxyType
from typing import Any

import pytest
import trio

from gossip import (
    PLAIN,
    BindError,
    ClosedError,
    Config,
    ConfigurationError,
    DisplacedError,
    EventKind,
    GossipError,
    JoinError,
    Key,
    Keyring,
    LeftError,
    MembershipEvent,
    MutualTLS,
    NodeProcessError,
    SigningKey,
    Snapshot,
    Standing,
    Status,
    open_node,
)
from gossip.remote import RemoteNode, open_remote_node
from tests.node.nodes import PATIENCE_S, cluster, first_snapshot, local_node, metadata_of, status_of, until, until_event
from tests.remote.nodes import remote_node


async def test_it_sees_what_a_node_in_this_process_sees() -> None:
    async with local_node("b", metadata={"role": "db"}) as b, remote_node("a", seeds=[b.address]) as a:
        await a.joined(PATIENCE_S)
        await until(lambda: a.members() == b.members())
        assert a.local == b.get("a")
        assert a.get("b") == b.local
        assert hash(a.get("b")) == hash(b.local)
        assert a.get("nobody") is None
        assert a.address == a.bound_address == a.local.address
        assert a.alive == 2
        assert a.standing.standing is Standing.CONNECTED
        assert a.keyring is None
        assert a.clock_dispute is None
        assert a.health == 0
        assert a.members() is a.members()
        assert repr(a) == f"<gossip.remote.RemoteNode 'a' at {a.address}, connected, 2 alive, process {a.pid}>"
        with pytest.raises(ConfigurationError, match="name must be"):
            a.get(7)  # type: ignore[arg-type]


async def test_what_changes_without_an_event_comes_soon_after() -> None:
    async with cluster(2) as nodes, remote_node("a", seeds=[nodes[0].address]) as a:
        await a.until(lambda node: node.agreement == 1.0)
        await a.until(lambda node: node.stats.protocol.datagrams_received > 10)
        assert a.stats.streams_opened > 0
        assert a.stats.opened["plain"] > 0


async def test_times_are_those_of_the_monotonic_clock() -> None:
    before = time.monotonic()
    async with remote_node("a") as a:
        assert before < a.standing.since < time.monotonic()
        explanation = await a.explain("a")
        assert explanation is None or before < explanation.time < time.monotonic()


async def test_when_a_call_returns_everything_that_it_has_changed_can_be_read() -> None:
    keys = Keyring.of(Key.generate())
    async with remote_node("a", keyring=keys) as a:
        for number in range(20):
            await a.update({"number": str(number)})
            assert a.local.metadata == {"number": str(number)}
            assert a.members()[0] == a.local
        more = keys.add(Key.generate())
        await a.use_keyring(more)
        assert a.keyring == more
        assert await a.leave() == ()
        assert a.standing.standing is Standing.LEFT
        assert a.local.status is Status.LEFT


async def test_a_snapshot_comes_first_and_every_change_after_it() -> None:
    async with local_node("b") as b, remote_node("a", seeds=[b.address]) as a:
        await until(lambda: a.alive == b.alive == 2)
        with a.subscribe() as changes:
            snapshot = await first_snapshot(changes)
            assert snapshot == Snapshot(a.members(), a.standing)
            for number in range(200):
                await a.update({"number": str(number)})
            told = [(await until_event(changes, EventKind.UPDATED, "a")).member for _ in range(200)]
            assert [member.metadata["number"] for member in told] == [str(number) for number in range(200)]


async def test_what_an_event_tells_can_be_read_before_the_event_comes() -> None:
    async with remote_node("a") as a, trio.open_nursery() as nursery:
        seen: list[tuple[MembershipEvent, Any]] = []

        async def read() -> None:
            with a.subscribe() as changes:
                async for item in changes:
                    if isinstance(item, MembershipEvent):
                        seen.append((item, a.get(item.member.name)))

        nursery.start_soon(read)
        await trio.testing.wait_all_tasks_blocked()
        async with local_node("b", seeds=[a.address]) as b:
            await a.until(lambda node: node.alive == 2)
            b.update({"x": "1"})
            await a.until(lambda node: any(member.metadata for member in node.members()))
            await b.leave()
        await a.until(lambda node: node.alive == 1)
        await trio.testing.wait_all_tasks_blocked()
        nursery.cancel_scope.cancel()
    kinds = [event.kind for event, _ in seen]
    assert [kind for kind in kinds if kind is not EventKind.STANDING] == [
        EventKind.JOINED,
        EventKind.UPDATED,
        EventKind.LEFT,
    ]
    for event, member in seen:
        assert (member.version, member.status) >= (event.member.version, event.member.status) or member == event.member


async def test_a_reader_that_falls_behind_continues_from_a_fresh_snapshot() -> None:
    async with remote_node("a") as a:
        with a.subscribe(buffer=3) as slow:
            for number in range(5):
                await a.update({"number": str(number)})
            assert (await first_snapshot(slow)).missed == 0
            fresh = await slow.__anext__()
            assert isinstance(fresh, Snapshot)
            assert fresh.missed == 5
            assert fresh.members[0].metadata == {"number": "4"}
            assert a.stats.events_missed == 5


async def test_it_explains_a_death() -> None:
    async with remote_node("a") as a, local_node("b", seeds=[a.address]):
        await a.until(lambda node: node.alive == 2)
        with a.subscribe() as changes:
            async with local_node("c", seeds=[a.address]):
                await a.until(lambda node: node.alive == 3)
            died = await until_event(changes, EventKind.DIED, "c")
        assert died.explanation is not None
        why = await a.explain("c")
        assert why is not None
        assert str(why).startswith("'c' is dead in the view of 'a'")
        assert await a.explain("nobody") is None
        with pytest.raises(ConfigurationError, match="name must be"):
            await a.explain(7)  # type: ignore[arg-type]


async def test_while_it_is_isolated_it_shows_what_it_guesses_and_tells_it_later() -> None:
    config = Config.local(probe_interval=0.1, ack_timeout_max=0.2, suspicion_min=0.5, suspicion_max=0.7)
    async with remote_node("a", config=config) as a:
        with a.subscribe() as changes:
            async with local_node("b", seeds=[a.address]), local_node("c", seeds=[a.address]) as c:
                await until(lambda: a.alive == c.alive == 3)
            await a.until(lambda node: node.standing.standing is Standing.ISOLATED and node.alive == 1)
            await a.until(lambda node: status_of(node, "b") is Status.DEAD)
            with a.subscribe() as later:
                assert [each.status for each in (await first_snapshot(later)).members] == [Status.ALIVE] * 3
            async with local_node("d", seeds=[a.address], config=config):
                await until_event(changes, EventKind.DIED, "b")
                with a.subscribe() as after:
                    assert (await first_snapshot(after)).members == a.members()


async def test_the_loser_of_a_name_is_told_as_in_this_process() -> None:
    async with local_node("a") as a, remote_node("b", seeds=[a.address]) as first:
        await first.joined(PATIENCE_S)
        async with local_node("b", seeds=[a.address]) as second:
            await first.until(lambda node: node.standing.standing is Standing.DISPLACED)
            assert first.local.status is Status.DISPLACED
            await first.until(lambda node: node.get("b") == second.local)
            assert [each.name for each in first.members()] == ["a", "b", "b"]
            assert first.local in first.members()
            with pytest.raises(DisplacedError, match=f"at {second.address} holds its name, 'b'"):
                await first.update({"x": "1"})


ARGUMENTS: dict[str, dict[str, Any]] = {
    "name": {"name": " a"},
    "name-type": {"name": object},
    "bind": {"bind": "nowhere"},
    "bind-type": {"bind": lambda: "127.0.0.1:0"},
    "advertise": {"advertise": 7},
    "seeds": {"seeds": "127.0.0.1:1"},
    "seed": {"seeds": ["127.0.0.1"]},
    "far-seed": {"seeds": ["192.0.2.1:7946"]},
    "metadata": {"metadata": {"number": 7}},
    "large-metadata": {"metadata": {"text": "x" * 1000}},
    "config": {"config": Config},
    "keyring": {"keyring": b"secret"},
    "identity": {"identity": b"secret"},
    "allowed": {"allowed": {"a": b"x"}},
    "not-allowed": {"identity": SigningKey.generate(), "allowed": {"b": SigningKey.generate().public}},
    "insecure": {"insecure": 1},
    "unsealed": {"bind": "0.0.0.0:0"},
    "taken": {"bind": "192.0.2.1:0"},
    "no-such-host": {"bind": "no such host:0"},
    "small-datagrams": {"config": Config(max_datagram=576, max_metadata=256), "keyring": Keyring.of(Key.generate())},
}


@pytest.mark.parametrize("arguments", ARGUMENTS.values(), ids=ARGUMENTS)
async def test_a_bad_argument_is_the_same_error_as_in_this_process(arguments: dict[str, Any]) -> None:
    given = {"name": "a", "bind": "127.0.0.1:0"} | arguments
    with pytest.raises(GossipError) as here:
        async with open_node(**given):
            pass
    with pytest.raises(GossipError) as there:
        async with open_remote_node(**given):
            pass
    assert type(there.value) is type(here.value)
    assert re.sub(r"0:\d+", "0:PORT", str(there.value)) == re.sub(r"0:\d+", "0:PORT", str(here.value))
    if isinstance(here.value, BindError):
        assert isinstance(there.value, BindError)
        assert there.value.errno == here.value.errno


async def test_values_of_types_that_only_the_program_knows_get_across() -> None:
    class Text(str):
        pass

    async with remote_node(
        Text("a"), seeds=(text for text in [Text("127.0.0.1:1")]), metadata=MappingProxyType({Text("k"): Text("v")})
    ) as a:
        assert (a.local.name, a.local.metadata) == ("a", {"k": "v"})
        await a.update(MappingProxyType({Text("k"): Text("w")}))
        assert a.local.metadata == {"k": "w"}


async def test_a_bad_call_is_the_same_error_as_in_this_process() -> None:
    async with local_node("a") as here, remote_node("a") as there:
        calls: list[tuple[Any, Any]] = [
            (lambda: here.update(7), lambda: there.update(7)),  # type: ignore[arg-type]
            (lambda: here.update({"x": "y" * 1000}), lambda: there.update({"x": "y" * 1000})),
            (lambda: here.use_keyring(None), lambda: there.use_keyring(None)),  # type: ignore[arg-type]
            (lambda: here.use_keyring(Keyring.of(PLAIN)), lambda: there.use_keyring(Keyring.of(PLAIN))),
        ]
        for call, remote_call in calls:
            with pytest.raises(ConfigurationError) as expected:
                call()
            with pytest.raises(ConfigurationError) as raised:
                await remote_call()
            assert str(raised.value) == str(expected.value)
        await here.leave()
        await there.leave()
        with pytest.raises(LeftError) as left:
            here.update({})
        with pytest.raises(LeftError) as left_there:
            await there.update({})
        assert str(left_there.value) == str(left.value)


async def test_it_waits_as_a_node_in_this_process_does() -> None:
    async with remote_node("a", seeds=["127.0.0.1:1"]) as a:
        with pytest.raises(JoinError, match=r"joining, not connected after 0 s: .*127\.0\.0\.1:1"):
            await a.joined(0)
        with pytest.raises(ConfigurationError, match="timeout"):
            await a.joined(-1)
        with pytest.raises(ConfigurationError, match="condition"):
            await a.until(True)  # type: ignore[arg-type]
        with trio.move_on_after(0.05) as scope:
            await a.joined()
        assert scope.cancelled_caught


async def test_tls_cannot_cross_and_the_error_says_so() -> None:
    contexts = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER), ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    contexts[0].verify_mode = ssl.CERT_REQUIRED
    with pytest.raises(ConfigurationError, match="tls: a node in a process of its own cannot have it"):
        async with open_remote_node("a", bind="127.0.0.1:0", tls=MutualTLS(*contexts)):
            pass


async def test_keys_and_identities_get_across() -> None:
    keys = Keyring.of(Key.generate())
    first, second = SigningKey.generate(), SigningKey.generate()
    allowed = {"a": first.public, "b": second.public}
    async with (
        remote_node("a", keyring=keys, identity=first, allowed=allowed) as a,
        remote_node("b", seeds=[a.address], keyring=keys, identity=second, allowed=allowed) as b,
    ):
        await b.joined(PATIENCE_S)
        await until(lambda: a.members() == b.members() and a.alive == 2)
        assert b.get("a") == a.local
        assert a.local.key == first.public
        both = keys.add(Key.generate())
        await a.use_keyring(both)
        await b.use_keyring(both)
        newer = both.use(both.keys[1].id)
        await a.use_keyring(newer)
        await b.use_keyring(newer)
        await a.update({"x": "1"})
        await until(lambda: metadata_of(b, "a") == {"x": "1"})
        await b.until(lambda node: node.stats.opened.get(newer.in_use.id, 0) > 0)


async def test_lines_of_its_log_reach_the_loggers_of_the_program(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.WARNING, "gossip")
    async with remote_node("a") as a:
        await a.update({"x": "1"})
        assert not caplog.records
        caplog.set_level(logging.INFO, "gossip")
        await a.until(lambda node: node._log_level == logging.INFO)
        await until_told_of(a, caplog)
    (record, *_) = [each for each in caplog.records if "is now version" in each.getMessage()]
    assert record.name == "gossip.telemetry.events"
    assert record.levelno == logging.INFO
    assert record.process == a.pid
    assert record.getMessage().startswith("'a': 'a' is now version")


async def until_told_of(node: RemoteNode, caplog: pytest.LogCaptureFixture) -> None:
    """Update the node until a line about that comes: its process may have been told late that we want such lines."""
    with trio.fail_after(PATIENCE_S):
        while not caplog.records:
            await node.update({"x": "2"})
            await node.step_after(node.steps)


async def test_after_the_block_it_gives_the_last_state_and_does_nothing_more() -> None:
    async with remote_node("a", metadata={"x": "1"}) as a:
        changes = a.subscribe()
        with changes:
            await first_snapshot(changes)
    assert a.members() == (a.local,)
    assert a.get("a") == a.local
    assert a.stats.events_missed == 0
    with pytest.raises(StopAsyncIteration):
        await changes.__anext__()
    with a.subscribe() as late:
        assert [item async for item in late] == [Snapshot((a.local,), a.standing)]
    for call in (a.leave, a.joined, lambda: a.update({}), lambda: a.explain("a"), lambda: a.step_after(a.steps)):
        with pytest.raises(ClosedError, match="node 'a' is closed: its async with block has ended"):
            await call()
    with pytest.raises(ClosedError, match="is closed"):
        await a.until(lambda node: True)


async def test_closing_it_wakes_those_who_wait_outside_of_the_block() -> None:
    errors: list[BaseException] = []

    async def wait(node: RemoteNode) -> None:
        try:
            await node.until(lambda each: False)
        except ClosedError as error:
            errors.append(error)

    with trio.fail_after(PATIENCE_S):
        async with trio.open_nursery() as nursery, remote_node("a") as a:
            nursery.start_soon(wait, a)
            nursery.start_soon(wait, a)
            await trio.testing.wait_all_tasks_blocked()
    assert len(errors) == 2


async def test_an_exception_of_the_block_passes_out_as_itself() -> None:
    with pytest.raises(KeyError, match="mine"):
        async with remote_node("a"):
            raise KeyError("mine")


async def test_it_is_read_in_any_thread_and_called_in_that_of_trio() -> None:
    async with remote_node("a") as a:
        found: list[object] = []

        def read() -> None:
            found.extend([a.members(), a.get("a"), a.local, a.standing, a.stats.protocol.suspicions])

        thread = threading.Thread(target=read)
        thread.start()
        thread.join()
        assert found == [(a.local,), a.local, a.local, a.standing, 0]
        with pytest.raises(RuntimeError, match="node 'a' needs trio"):
            await trio.to_thread.run_sync(_begin, a.leave())


def _begin(call: Any) -> None:
    try:
        call.send(None)
    finally:
        call.close()


def test_without_trio_the_error_says_so() -> None:
    with pytest.raises(RuntimeError, match="open_remote_node needs trio"):
        open_remote_node("a").__aenter__().send(None)


def test_the_error_of_a_process_is_one_of_the_package() -> None:
    assert issubclass(NodeProcessError, GossipError)


async def test_many_of_them_find_each_other() -> None:
    async with (
        remote_node("a") as a,
        remote_node("b", seeds=[a.address]) as b,
        remote_node("c", seeds=[a.address]) as c,
    ):
        await until(lambda: a.members() == b.members() == c.members() and a.alive == 3)
        await c.leave()
        await until(lambda: status_of(a, "c") is Status.LEFT)
