"""How one agent behaves toward its user: its files, its streams, its signals."""

from __future__ import annotations

import os
import shlex
import signal
import subprocess
import time
from pathlib import Path

import pytest
import trio

from gossip.cli.agent import loop as agent_loop
from gossip.cli.demo.cluster import NEWS_LIMIT_S, Cluster
from gossip.cli.demo.processes import AgentProcess
from gossip.cli.demo.steps import EXIT_LIMIT_S
from gossip.cli.output import Output
from tests.agents.helpers import GOSSIP, TEST_LIMIT_S, cluster_of

BUSY_EXIT_LIMIT_S = 5 * EXIT_LIMIT_S
"""How long an agent may take to end on a machine that has much else to do."""


async def updated_to(cluster: Cluster, name: str, metadata: dict[str, str]) -> None:
    """Wait until all others know this metadata."""
    await cluster.noticed(
        cluster.running(without=name),
        lambda s: s.kind == "updated" and s.subject == name and s.event["metadata"] == metadata,
        0,
        NEWS_LIMIT_S,
        f"{name} has {metadata}",
    )


async def test_sighup_rereads_the_metadata_file(tmp_path: Path) -> None:
    async with cluster_of(2, tmp_path) as cluster:
        agent, file = cluster.current["a2"], cluster.meta_file("a2")
        file.write_text("# a comment\n\nrelease=2\nformula = a=b\n")
        agent.send(signal.SIGHUP)
        await updated_to(cluster, "a2", {"release": "2", "formula": "a=b"})
        file.write_text('{"release": "3"}')
        agent.send(signal.SIGHUP)
        await updated_to(cluster, "a2", {"release": "3"})


async def test_sighup_tells_nobody_what_all_know_already(tmp_path: Path) -> None:
    async with cluster_of(2, tmp_path) as cluster:
        agent, file = cluster.current["a2"], cluster.meta_file("a2")
        agent.send(signal.SIGHUP)
        await trio.sleep(cluster.quiet_s)
        file.write_text("release=2\n")
        agent.send(signal.SIGHUP)
        await updated_to(cluster, "a2", {"release": "2"})
        assert len([s for s in cluster.journal.after(0, "updated") if s.observer == "a1"]) == 1


BAD_FILES = (b"no equals sign", b'{"release": 2}', b"{broken", b"\xff=\xfe", b"big=" + b"x" * 4000, b"x" * 70_000)


async def test_a_bad_metadata_file_changes_nothing_and_is_logged_in_one_line(tmp_path: Path) -> None:
    async with cluster_of(2, tmp_path) as cluster:
        agent, file = cluster.current["a2"], cluster.meta_file("a2")
        for number, content in enumerate(BAD_FILES, start=1):
            file.write_bytes(content)
            agent.send(signal.SIGHUP)
            await logged(agent, b"so it stays as it was", times=number)
        assert agent.errors.count(b"\n") == len(BAD_FILES), agent.errors
        file.unlink()
        agent.send(signal.SIGHUP)
        await logged(agent, b"No such file")
        file.write_text("release=2\n")
        agent.send(signal.SIGHUP)
        await updated_to(cluster, "a2", {"release": "2"})
        told = [s for s in cluster.journal.after(0, "updated") if s.observer == "a1"]
        assert len(told) == 1, "nothing of the bad files was told to anybody"


async def logged(agent: AgentProcess, text: bytes, *, times: int = 1) -> None:
    """Wait until it has logged this text so many times. No event announces a log line, so this polls."""
    while agent.errors.count(text) < times:  # noqa: ASYNC110
        await trio.sleep(0.02)


async def test_the_end_of_standard_input_makes_an_agent_leave(tmp_path: Path) -> None:
    async with cluster_of(2, tmp_path) as cluster:
        agent = cluster.current["a2"]
        cluster.ended.add("a2")
        await agent.close()
        await cluster.noticed(["a1"], lambda s: s.kind == "left" and s.subject == "a2", 0, NEWS_LIMIT_S, "a2 left")
        assert await agent.process.wait() == 0


async def test_an_agent_that_nobody_reads_stays_alive_and_leaves_in_time(tmp_path: Path) -> None:
    async with cluster_of(2, tmp_path) as cluster:
        command = [*GOSSIP, "agent", "--name", "unread", "--bind", "127.0.0.1:0", "--profile", "local"]
        unread = await trio.lowlevel.open_process(
            [*command, "--events", "json", "--log-level", "debug", "--join", cluster.current["a1"].address],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
        try:
            await cluster.noticed(["a1", "a2"], lambda s: s.subject == "unread", 0, NEWS_LIMIT_S, "it joined")
            await fill_pipes(cluster, "a2")
            assert not [s for s in cluster.journal.after(0, "suspected", "died") if s.subject == "unread"]
            began = time.monotonic()
            unread.terminate()
            assert await unread.wait() == 0
            assert time.monotonic() - began < BUSY_EXIT_LIMIT_S
        finally:
            unread.kill()
            with trio.CancelScope(shield=True):
                await unread.wait()
                for stream in (unread.stdout, unread.stderr):
                    assert stream is not None
                    await stream.aclose()


async def fill_pipes(cluster: Cluster, name: str) -> None:
    """Make so many updates that the events of no agent fit into a pipe (64 KiB) that is not read."""
    for number in range(200):
        metadata = {"number": str(number), "filler": "x" * 400}
        cluster.meta_file(name).write_text("".join(f"{key}={value}\n" for key, value in metadata.items()))
        cluster.current[name].send(signal.SIGHUP)
        await trio.sleep(0.01)
    await updated_to(cluster, name, metadata)


async def test_a_second_signal_ends_an_agent_at_once(tmp_path: Path) -> None:
    async with cluster_of(2, tmp_path) as cluster:
        agent, only_peer = cluster.current["a2"], cluster.current["a1"]
        cluster.ended.update(("a1", "a2"))
        only_peer.send(signal.SIGSTOP)  # nobody can acknowledge the farewell
        agent.send(signal.SIGTERM)
        await trio.sleep(0.3)
        assert agent.returncode is None
        agent.send(signal.SIGTERM)
        assert await agent.process.wait() == 128 + signal.SIGTERM, "had it gone on with its farewell, this would be 0"
        assert b"Traceback" not in agent.errors


async def test_a_signal_that_arrives_twice_is_one_wish_to_leave_and_nobody_is_waited_for_long(
    tmp_path: Path,
) -> None:
    async with cluster_of(2, tmp_path) as cluster:
        agent = cluster.current["a2"]
        cluster.ended.update(("a1", "a2"))
        cluster.current["a1"].send(signal.SIGSTOP)
        began = time.monotonic()
        agent.send(signal.SIGTERM)
        await trio.sleep(0.02)
        agent.send(signal.SIGTERM)
        assert await agent.process.wait() == 0
        assert time.monotonic() - began < BUSY_EXIT_LIMIT_S


async def test_an_agent_without_standard_streams_is_a_member_like_any_other(tmp_path: Path) -> None:
    async with cluster_of(2, tmp_path) as cluster:
        command = f"exec {shlex.join(GOSSIP)} agent --name a3 --bind 127.0.0.1:0 --profile local"
        command += f" --join {cluster.current['a1'].address} <&- >&- 2>&-"
        agent = await trio.lowlevel.open_process(["sh", "-c", command], stdin=subprocess.DEVNULL)
        try:
            await cluster.noticed(["a1", "a2"], lambda s: s.subject == "a3", 0, NEWS_LIMIT_S, "a3 joined")
            agent.terminate()
            await cluster.noticed(
                ["a1", "a2"], lambda s: s.kind == "left" and s.subject == "a3", 0, NEWS_LIMIT_S, "a3 left"
            )
            assert await agent.wait() == 0
        finally:
            agent.kill()
            with trio.CancelScope(shield=True):
                await agent.wait()


async def test_a_closed_output_ends_an_agent_quietly() -> None:
    read_end, write_end = os.pipe()
    agent = await trio.lowlevel.open_process(
        [*GOSSIP, "agent", "--name", "a", "--bind", "127.0.0.1:0", "--profile", "local"],
        stdin=subprocess.DEVNULL,
        stdout=write_end,
        stderr=subprocess.PIPE,
    )
    os.close(write_end)
    os.close(read_end)
    try:
        with trio.fail_after(TEST_LIMIT_S):
            assert await agent.wait() == 1
        assert agent.stderr is not None
        assert await agent.stderr.receive_some(1000) == b""
    finally:
        agent.kill()
        with trio.CancelScope(shield=True):
            await agent.wait()
            assert agent.stderr is not None
            await agent.stderr.aclose()


async def test_descriptors_that_do_not_block_are_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    """Another program at the same terminal, or at the other end of a shared descriptor, may have made them so."""
    read_end, write_end = os.pipe()
    os.set_blocking(read_end, False)
    os.set_blocking(write_end, False)
    monkeypatch.setattr(agent_loop, "STANDARD_INPUT", read_end)
    line = "x" * 1_000_000
    read = b""
    with trio.fail_after(TEST_LIMIT_S):
        async with trio.open_nursery() as nursery:
            nursery.start_soon(Output(write_end).write, line)
            while not read.endswith(b"\n"):
                read += await trio.to_thread.run_sync(agent_loop._read_some)
    os.close(read_end)
    os.close(write_end)
    assert read.decode() == f"{line}\n"
