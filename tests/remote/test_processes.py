"""The process of a node and that of its program: whichever ends, stops or forks, the other one does what is stated."""

from __future__ import annotations

import itertools
import os
import signal
import socket
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
import trio

from gossip import (
    Config,
    ConfigurationError,
    EventKind,
    MembershipEvent,
    Node,
    NodeProcessError,
    Status,
)
from gossip.errors import ForkedError
from gossip.remote import RemoteNode
from tests.node.nodes import PATIENCE_S, first_snapshot, local_node, until, until_event
from tests.remote.nodes import children, descriptors, program, remote_node, runs

if sys.version_info < (3, 11):
    from exceptiongroup import BaseExceptionGroup

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="looks into /proc")

PROGRAM = """
import os, sys, time, trio
from gossip import Config
from gossip.remote import open_remote_node

async def main():
    name, seed, profile, then = sys.argv[1:]
    config = getattr(Config, profile)()
    async with open_remote_node(name, bind="127.0.0.1:0", seeds=[seed], config=config) as node:
        await node.joined(20)
        with node.subscribe() as changes:
            await changes.__anext__()
            forked = os.fork() if then == "fork" else 0
            if then == "fork" and not forked:
                time.sleep(600)
            print(node.pid, forked, flush=True)
            async for item in changes:
                print(getattr(item, "kind", item), flush=True)

trio.run(main)
"""
"""Opens a node, and prints the id of its process, that of a child if it has forked one, and all events."""


@asynccontextmanager
async def member(
    name: str, of: Node, profile: str = "local", then: str = ""
) -> AsyncIterator[tuple[trio.Process, int]]:
    """A program with a node in a process of its own; with it comes the id of that process."""
    with trio.fail_after(2 * PATIENCE_S):
        async with program(PROGRAM, name, str(of.address), profile, then) as (process, lines):
            pid, _ = map(int, (await anext(lines)).split())
            try:
                yield process, pid
            finally:
                assert process.poll() is None or not runs(pid)


async def until_gone(*pids: int) -> None:
    await until(lambda: not any(runs(pid) for pid in pids))


# --- the process ends


async def test_leaving_the_block_leaves_nothing_behind() -> None:
    before = descriptors()
    async with remote_node("a") as a:
        assert runs(a.pid)
    assert not runs(a.pid)
    assert children() == set()
    assert descriptors() == before


async def test_a_process_that_is_killed_is_an_error_of_the_block() -> None:
    nodes: list[RemoteNode] = []

    async def run() -> None:
        async with remote_node("a") as a:
            nodes.append(a)
            os.kill(a.pid, signal.SIGKILL)
            await trio.sleep_forever()

    with pytest.raises(NodeProcessError) as raised:
        await run()
    (a,) = nodes
    assert str(raised.value) == (
        f"the process of node 'a' (pid {a.pid}) was ended by SIGKILL; peers see a crash. Its last line on standard "
        "error: nothing"
    )
    assert raised.value.returncode == -signal.SIGKILL
    assert a.members() == (a.local,)
    with pytest.raises(NodeProcessError, match="was ended by SIGKILL"):
        await a.leave()


async def test_calls_in_the_block_and_outside_of_it_are_told_of_the_end_and_it_is_raised_once() -> None:
    outside: list[BaseException] = []

    async def wait(node: RemoteNode) -> None:
        try:
            await node.until(lambda each: False)
        except NodeProcessError as error:
            outside.append(error)

    async def run(nursery: trio.Nursery) -> None:
        async with remote_node("a") as a:
            nursery.start_soon(wait, a)
            os.kill(a.pid, signal.SIGKILL)
            try:
                await trio.sleep_forever()
            finally:
                with trio.CancelScope(shield=True):
                    await a.leave()

    async with trio.open_nursery() as nursery:
        with pytest.raises(NodeProcessError):
            await run(nursery)
    assert len(outside) == 1


async def test_an_error_of_the_block_that_has_nothing_to_do_with_the_end_is_kept() -> None:
    async def run() -> None:
        async with remote_node("a") as a:
            os.kill(a.pid, signal.SIGKILL)
            try:
                await trio.sleep_forever()
            finally:
                raise KeyError("mine")

    with pytest.raises(BaseExceptionGroup) as raised:
        await run()
    assert {type(each) for each in raised.value.exceptions} == {NodeProcessError, KeyError}


async def test_what_it_writes_last_is_in_the_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gossip.remote.process._PROGRAM", "import sys; sys.exit('first line\\nno such thing')")
    before = descriptors()
    with pytest.raises(NodeProcessError) as raised:
        async with remote_node("a"):
            pass
    assert str(raised.value).endswith(
        "ended with exit code 1, before its node was open. Its last line on standard error: no such thing"
    )
    assert raised.value.returncode == 1
    assert raised.value.stderr == "first line\nno such thing"
    assert descriptors() == before


async def test_a_failure_of_the_node_itself_is_the_end_of_its_process(monkeypatch: pytest.MonkeyPatch) -> None:
    failing = """\
import sys
sys.path[:] = sys.argv[3:]
import gossip.net.driver
from gossip.remote.child import main
async def fail(driver): raise KeyError("a bug")
gossip.net.driver.Driver.run = fail
main(int(sys.argv[1]), int(sys.argv[2]))"""
    monkeypatch.setattr("gossip.remote.process._PROGRAM", failing)
    with pytest.raises(NodeProcessError, match=r"ended with exit code 1.* KeyError: 'a bug'"):
        async with remote_node("a"):
            await trio.sleep_forever()


@pytest.mark.parametrize("ends", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
async def test_a_signal_that_is_meant_for_the_program_does_not_end_its_node(ends: signal.Signals) -> None:
    async with local_node("b") as b, remote_node("a", seeds=[b.address]) as a:
        await a.joined(PATIENCE_S)
        os.kill(a.pid, ends)
        assert await a.leave() == ("b",)


async def test_a_process_that_does_not_end_is_killed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gossip.remote.process.CLOSING_S", 0.3)
    async with remote_node("a") as a:
        os.kill(a.pid, signal.SIGSTOP)
    assert not runs(a.pid)
    assert children() == set()


async def test_a_program_that_cannot_be_started_is_an_error_and_leaves_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    before = descriptors()
    monkeypatch.setattr(sys, "executable", "/nowhere/python")
    with pytest.raises(NodeProcessError, match=r"the process of the node cannot be started: .*/nowhere/python"):
        async with remote_node("a"):
            pass
    assert descriptors() == before


@pytest.mark.parametrize(("executable", "frozen"), [("", False), (sys.executable, True)])
async def test_a_program_without_an_interpreter_is_told_so(
    executable: str, frozen: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "executable", executable)
    monkeypatch.setattr(sys, "frozen", frozen, raising=False)
    with pytest.raises(ConfigurationError, match="needs a Python interpreter"):
        async with remote_node("a"):
            pass


async def test_it_does_not_look_for_modules_in_the_current_directory(
    tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path_factory.mktemp("current")
    for name in ("socket", "trio", "gossip", "logging"):
        (folder / f"{name}.py").write_text("raise SystemExit('a module of somebody else')")
    monkeypatch.chdir(folder)
    monkeypatch.setattr(sys, "path", [each for each in sys.path if each])
    async with remote_node("a") as a:
        assert a.alive == 1


async def test_secrets_are_neither_in_its_arguments_nor_in_its_environment() -> None:
    async with remote_node("a", metadata={"secret": "needle"}) as a:
        for file in ("cmdline", "environ"):
            with open(f"/proc/{a.pid}/{file}", "rb") as opened:  # noqa: ASYNC230
                assert b"needle" not in opened.read()


async def test_it_gets_none_of_the_files_of_the_program() -> None:
    with socket.socket() as ours:
        ours.set_inheritable(True)
        async with remote_node("a") as a:
            folder = f"/proc/{a.pid}/fd"
            theirs = {os.readlink(f"{folder}/{each}") for each in os.listdir(folder)}
            assert f"socket:[{os.fstat(ours.fileno()).st_ino}]" not in theirs


# --- cancelled


async def test_cancelling_at_any_point_leaves_no_process_and_no_file() -> None:
    async with remote_node("warm"):
        pass
    before = descriptors()
    opened = 0
    for step in itertools.count():
        with trio.move_on_after(0.01 * step) as scope:
            async with remote_node("a") as a:
                opened += 1
                await a.update({"x": "1"})
                await a.leave()
        assert children() == set()
        assert descriptors() == before
        if not scope.cancelled_caught:
            break
    assert opened > 0


async def test_a_call_that_is_cancelled_leaves_the_node_as_it_was() -> None:
    async with local_node("b") as b, remote_node("a", seeds=[b.address]) as a:
        await a.joined(PATIENCE_S)
        for _ in range(20):
            with trio.move_on_after(0):
                await a.update({"x": "1"})
            with trio.move_on_after(0.0005):
                await a.explain("b")
        assert a.local.metadata == {}
        await a.update({"x": "2"})
        assert a.local.metadata == {"x": "2"}


# --- the program ends


async def test_the_process_dies_with_a_program_that_is_killed_and_peers_see_a_crash() -> None:
    async with local_node("b") as b:
        with b.subscribe() as changes:
            async with member("a", b) as (process, pid):
                process.kill()
                await until_gone(pid)
            died = await until_event(changes, EventKind.DIED, "a")
    assert died.member.status is Status.DEAD


async def test_it_dies_even_if_another_child_of_the_program_holds_a_copy_of_the_channel() -> None:
    async with local_node("b") as b, program(PROGRAM, "a", str(b.address), "local", "fork") as (process, lines):
        pid, forked = map(int, (await anext(lines)).split())
        assert runs(pid)
        assert runs(forked)
        process.kill()
        await until_gone(pid)
        assert runs(forked)
        os.kill(forked, signal.SIGKILL)


WITHOUT_PIDFD = """\
import os, sys
del os.pidfd_open
sys.path[:] = sys.argv[3:]
from gossip.remote.child import main
main(int(sys.argv[1]), int(sys.argv[2]))"""


async def test_where_the_system_cannot_tell_the_end_of_the_program_it_dies_a_little_later() -> None:
    text = f"import gossip.remote.process as p\np._PROGRAM = {WITHOUT_PIDFD!r}\n{PROGRAM}"
    async with local_node("b") as b, program(text, "a", str(b.address), "local", "fork") as (process, lines):
        pid, forked = map(int, (await anext(lines)).split())
        process.kill()
        await until_gone(pid)
        assert runs(forked)
        os.kill(forked, signal.SIGKILL)


RAW_FORK = """
import ctypes, os, sys, time, trio
from gossip import Config
from gossip.remote import open_remote_node

async def main():
    async with open_remote_node("a", bind="127.0.0.1:0", config=Config.local()) as node:
        forked = ctypes.PyDLL(None).fork()
        if not forked:
            time.sleep(600)
        print(node.pid, forked, flush=True)
        await trio.sleep_forever()

trio.run(main)
"""
"""Forks in C, so that nothing closes the copies in the child."""


async def test_it_dies_even_if_the_other_child_was_forked_without_python() -> None:
    async with program(RAW_FORK) as (process, lines):
        pid, forked = map(int, (await anext(lines)).split())
        process.kill()
        await until_gone(pid)
        assert runs(forked)
        os.kill(forked, signal.SIGKILL)


async def test_a_forked_child_is_told_that_it_has_no_node_and_the_node_goes_on() -> None:
    async with local_node("b") as b, remote_node("a", seeds=[b.address]) as a:
        await a.joined(PATIENCE_S)
        child = os.fork()
        if not child:
            code = 1
            try:
                a.members()
            except ForkedError:
                code = 0 if repr(a) == "<gossip.remote.RemoteNode 'a' of the parent process>" else 2
            finally:
                os._exit(code)
        _, status = os.waitpid(child, 0)  # noqa: ASYNC222 - it does nothing that takes time
        assert os.waitstatus_to_exitcode(status) == 0
        await a.update({"x": "1"})
        assert await a.leave() == ("b",)


# --- the program stands still


async def test_a_program_that_is_stopped_for_5_seconds_is_not_missed_by_anybody() -> None:
    config = Config.lan()
    async with local_node("b", config=config) as b, local_node("c", seeds=[b.address], config=config) as c:
        with b.subscribe() as changes:
            async with member("a", b, "lan") as (process, pid):
                await until(lambda: b.alive == c.alive == 3)
                await first_snapshot(changes)
                seen = b.stats.protocol.suspicions
                process.send_signal(signal.SIGSTOP)
                await trio.sleep(5)
                process.send_signal(signal.SIGCONT)
                assert runs(pid)
                assert (b.alive, c.alive) == (3, 3)
                assert b.stats.protocol.suspicions == seen
                b.update({"x": "1"})
                kinds = []
                async for item in changes:
                    assert isinstance(item, MembershipEvent)
                    kinds.append(item.kind)
                    if item.kind is EventKind.UPDATED:
                        break
    assert EventKind.DIED not in kinds
    assert EventKind.SUSPECTED not in kinds


async def test_200_changes_a_second_come_in_order_and_without_a_gap() -> None:
    async with remote_node("a") as a:
        with a.subscribe() as changes:
            await first_snapshot(changes)
            async with trio.open_nursery() as nursery:

                async def update() -> None:
                    for number in range(1, 401):
                        nursery.start_soon(a.update, {"number": str(number)})
                        await trio.sleep(1 / 200)

                nursery.start_soon(update)
                with trio.fail_after(PATIENCE_S):
                    told = [await anext(changes) for _ in range(400)]
    assert [item.member.version for item in told if isinstance(item, MembershipEvent)] == list(range(2, 402))
