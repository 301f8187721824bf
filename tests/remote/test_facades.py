"""A node in a process of its own, held by an asyncio program and by threads."""

from __future__ import annotations

import asyncio
import os
import signal
import ssl
import time

import pytest

import gossip.aio
import gossip.blocking
from gossip import (
    Config,
    ConfigurationError,
    EventKind,
    LeftError,
    MembershipEvent,
    MutualTLS,
    NodeProcessError,
    Snapshot,
    Standing,
)
from tests.remote.nodes import children

CONFIG = Config.local()


def test_an_asyncio_program_holds_it_as_it_holds_one_in_its_thread() -> None:
    async def main() -> None:
        async with (
            gossip.aio.open_node("a", bind="127.0.0.1:0", config=CONFIG, isolation="process") as a,
            gossip.aio.open_node("b", bind="127.0.0.1:0", config=CONFIG, seeds=[a.address]) as b,
        ):
            with a.subscribe() as changes:
                assert isinstance(await anext(changes), Snapshot)
                await asyncio.wait_for(b.joined(), 20)
                await a.until(lambda node: node.alive == 2)
                await a.update({"x": "1"})
                assert a.local.metadata == {"x": "1"}
                await b.update({"y": "2"})
                async for item in changes:
                    assert isinstance(item, MembershipEvent)
                    if item.kind is EventKind.UPDATED and item.member.name == "b":
                        break
                assert a.get("b") == b.local
                assert a.members() == b.members()
                assert repr(a).startswith(f"<gossip.aio.Node 'a' at {a.address}, connected, 2 alive, process ")
                explanation = await a.explain("b")
                assert explanation is not None
                assert abs(explanation.time - time.monotonic()) < 5
                assert await a.leave() == ("b",)
                with pytest.raises(LeftError):
                    await a.update({})

    asyncio.run(main())
    assert children() == set()


def test_threads_hold_it_as_they_hold_one_in_a_thread() -> None:
    with gossip.blocking.open_node("a", bind="127.0.0.1:0", config=CONFIG, isolation="process") as a:
        with a.subscribe() as changes:
            assert isinstance(next(changes), Snapshot)
            a.update({"x": "1"})
            event = next(changes)
            assert isinstance(event, MembershipEvent)
            assert event.member == a.local
        assert a.leave() == ()
        assert a.standing.standing is Standing.LEFT
    assert children() == set()


def test_a_process_that_is_killed_is_an_error_of_the_asyncio_block() -> None:
    async def main() -> None:
        async with gossip.aio.open_node("a", bind="127.0.0.1:0", config=CONFIG, isolation="process"):
            (pid,) = children()
            os.kill(pid, signal.SIGKILL)
            await asyncio.sleep(60)

    with pytest.raises(NodeProcessError, match="was ended by SIGKILL"):
        asyncio.run(main())


def test_a_process_that_is_killed_is_an_error_of_each_blocking_call_and_of_the_block() -> None:
    def run() -> None:
        with gossip.blocking.open_node("a", bind="127.0.0.1:0", config=CONFIG, isolation="process") as a:
            (pid,) = children()
            os.kill(pid, signal.SIGKILL)
            with pytest.raises(NodeProcessError, match="was ended by SIGKILL"):
                a.until(lambda node: False)

    with pytest.raises(NodeProcessError, match="was ended by SIGKILL"):
        run()


def test_what_cannot_cross_is_refused_by_both() -> None:
    contexts = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER), ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    contexts[0].verify_mode = ssl.CERT_REQUIRED
    with pytest.raises(ConfigurationError, match="tls: a node in a process of its own cannot have it"):
        gossip.blocking.open_node("a", bind="127.0.0.1:0", tls=MutualTLS(*contexts), isolation="process").__enter__()
