"""Standard output that cannot be written, for want of room or of a reader."""

from __future__ import annotations

import errno
import json
import logging
import os
import resource
import signal
import subprocess
import sys
import tempfile
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
import trio

from gossip import Address, Config, Node, Status
from gossip.cli.agent import loop as agent_loop
from gossip.cli.agent.logs import BackgroundHandler
from gossip.cli.agent.loop import AgentOptions, run_agent
from gossip.cli.demo.command import _Demo
from gossip.cli.demo.journal import Journal, Sighting
from gossip.cli.main import run
from gossip.cli.output import NoRoom, Output
from tests.agents.helpers import GOSSIP, assert_one_line
from tests.node.nodes import PATIENCE_S, local_node, status_of, until


class Disk:
    """A file that takes so many bytes more, in place of a descriptor."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, path: Path, room: float = 0, code: int = errno.ENOSPC) -> None:
        self.path = path
        self.room = room
        self.code = code
        self.refused = 0
        self.descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
        self._write = os.write
        monkeypatch.setattr(os, "write", self.write)

    def write(self, descriptor: int, data: bytes) -> int:
        if descriptor != self.descriptor:
            return self._write(descriptor, data)
        if not self.room:
            self.refused += 1
            raise OSError(self.code, os.strerror(self.code))
        taken = self._write(descriptor, data[: int(min(self.room, len(data)))])
        self.room -= taken
        return taken

    @property
    def text(self) -> str:
        return self.path.read_text()


# --- single lines


async def test_a_line_that_was_cut_by_a_full_disk_is_completed_before_the_next_one(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    disk = Disk(monkeypatch, tmp_path / "log", room=12)
    out = Output(disk.descriptor)
    await out.write("one")
    with pytest.raises(NoRoom):
        await out.write("two, a long one")
    for _ in range(2):
        with pytest.raises(NoRoom):
            await out.write("lost")
    disk.room = 3
    with pytest.raises(NoRoom):
        await out.write("lost, too")
    disk.room = 1000
    await out.write("three\nfour")
    assert disk.text == "one\ntwo, a long one\nthree\nfour\n"


async def test_a_line_that_was_cut_is_not_completed_in_a_file_that_was_emptied_to_make_room(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    disk = Disk(monkeypatch, tmp_path / "log", room=8)
    out = Output(disk.descriptor)
    with pytest.raises(NoRoom):
        await out.write("a line of more than eight bytes")
    os.truncate(disk.path, 0)
    disk.room = 1000
    await out.write("another")
    assert disk.text == "another\n"


async def test_a_full_disk_is_told_once_each_way(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    disk = Disk(monkeypatch, tmp_path / "log")
    out = Output(disk.descriptor)
    for _ in range(3):
        with pytest.raises(NoRoom):
            await out.write("nothing")
    disk.room = 100
    for _ in range(3):
        await out.write("something")
    first, second = (record.getMessage() for record in caplog.records)
    assert "No space left on device" in first
    assert "goes on" in first
    assert "again" in second


# --- agents


def options(peer: Node, *, as_json: bool = True) -> AgentOptions:
    return AgentOptions(
        name="told", bind=Address("127.0.0.1", 0), advertise=None, join=(peer.address,), config=Config.local(),
        metadata={}, metadata_file=None, keyring_file=None, insecure=False, identity_file=None, allowed_file=None,
        as_json=as_json, exit_on_eof=False,
    )  # fmt: skip


@asynccontextmanager
async def agent_beside(
    peer: Node, monkeypatch: pytest.MonkeyPatch, descriptor: int, *, as_json: bool = True
) -> AsyncIterator[list[int]]:
    """An agent in this process that writes to a descriptor; yields its exit code, once it has one."""
    codes: list[int] = []

    async def running() -> None:
        codes.append(await run_agent(options(peer, as_json=as_json)))

    monkeypatch.setattr(agent_loop, "Output", lambda: Output(descriptor))
    monkeypatch.setattr("gossip.cli.agent.report.RETRY_S", 0.02)
    with trio.fail_after(PATIENCE_S):
        async with trio.open_nursery() as nursery:
            nursery.start_soon(running)
            yield codes
            if not codes:
                os.kill(os.getpid(), signal.SIGTERM)


async def test_a_full_disk_is_no_reason_to_leave(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    full = os.open("/dev/full", os.O_WRONLY)
    refused: list[object] = []
    write = Output.write

    async def counted(self: Output, lines: str | Callable[[], str]) -> None:
        try:
            await write(self, lines)
        except NoRoom:
            refused.append(lines)
            raise

    monkeypatch.setattr(Output, "write", counted)
    async with local_node("peer") as peer:
        async with agent_beside(peer, monkeypatch, full) as codes:
            await until(lambda: status_of(peer, "told") is Status.ALIVE)
            await until(lambda: len(refused) > 5)
            assert status_of(peer, "told") is Status.ALIVE
            assert not codes
        assert codes == [0]
        await until(lambda: status_of(peer, "told") is Status.LEFT)
    os.close(full)
    told = [record for record in caplog.records if "standard output" in record.getMessage()]
    assert len(told) == 1, "once, however long it lasts"


@pytest.mark.parametrize("code", [errno.ENOSPC, errno.EDQUOT, errno.EFBIG])
@pytest.mark.parametrize("room", [0, 40, 300])
async def test_an_agent_catches_up_by_a_snapshot_when_there_is_room_again(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, code: int, room: int
) -> None:
    async with local_node("peer") as peer, local_node("other", seeds=[peer.address]) as other:
        disk = Disk(monkeypatch, tmp_path / "out", room, code)
        async with agent_beside(peer, monkeypatch, disk.descriptor):
            await until(lambda: status_of(peer, "told") is Status.ALIVE and disk.refused > 2)
            await other.leave()
            peer.update({"number": "7"})
            await until(lambda: status_of(peer, "other") is Status.LEFT)
            before = disk.refused
            await until(lambda: disk.refused > before + 2)
            disk.room = 10**9
            await until(lambda: "snapshot" in disk.text and "\n" in disk.text.rpartition("snapshot")[2])
            peer.update({"number": "8"})
            await until(lambda: '"number": "8"' in disk.text.rpartition("snapshot")[2])
        lines = [json.loads(line) for line in disk.text.splitlines()]  # and so none is cut in two
        (snapshot,) = [line for line in lines if line["event"] == "snapshot"]
        assert snapshot["name"] == "told"
        after = {member["name"]: member for member in snapshot["members"]}
        later = {line["name"]: line for line in lines[lines.index(snapshot) + 1 :]}
        assert (after | later)["other"]["status"] == "left"
        assert (after | later)["peer"]["metadata"] == {"number": "8"}
        assert snapshot["alive"] == sum(member["status"] in ("alive", "suspect") for member in after.values())


async def test_people_are_told_a_snapshot_as_lines(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    async with local_node("peer", metadata={"role": "web"}) as peer:
        disk = Disk(monkeypatch, tmp_path / "out")
        async with agent_beside(peer, monkeypatch, disk.descriptor, as_json=False):
            await until(lambda: status_of(peer, "told") is Status.ALIVE and disk.refused > 2)
            disk.room = 10**9
            await until(lambda: disk.text.count("\n") >= 4)
        head, *rows = [line.split(maxsplit=1)[1] for line in disk.text.splitlines()]
        assert head.startswith("snapshot   told at 127.0.0.1:")
        assert head.endswith("sees 2 members, 2 alive")
        assert rows[0] == "standing   connected: it has found its cluster"
        assert rows[1] == f"alive      peer ({peer.address}; role=web)"
        assert rows[2].startswith("alive      told (")


@pytest.mark.parametrize("code", [errno.EPIPE, errno.EIO])
async def test_an_agent_leaves_when_its_reader_is_gone(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, code: int
) -> None:
    async with local_node("peer") as peer:
        disk = Disk(monkeypatch, tmp_path / "out", room=0, code=code)
        async with agent_beside(peer, monkeypatch, disk.descriptor) as codes:
            await until(lambda: bool(codes))
        assert codes == [1]


def test_a_journal_takes_what_a_snapshot_says_for_what_is_believed() -> None:
    journal = Journal()
    for event in (
        {"event": "started", "name": "a", "time": 1.0},
        {"event": "joined", "name": "b", "time": 2.0, "status": "alive"},
        {"event": "snapshot", "name": "a", "time": 3.0, "members": [{"name": "c", "status": "dead"}]},
    ):
        journal.record(Sighting("a", 1, event))
    assert (journal.belief("a", "b"), journal.belief("a", "c")) == (None, "dead")


async def test_a_real_agent_goes_on_beyond_the_largest_size_of_a_file_and_catches_up(tmp_path: Path) -> None:
    """With a process: the test removes the limit from outside, as a person does who makes room on a disk."""
    out = tmp_path / "out"
    async with local_node("peer") as peer:
        command = [
            *GOSSIP,
            "agent",
            "--name",
            "told",
            "--bind",
            "127.0.0.1:0",
            "--profile",
            "local",
            "--events",
            "json",
        ]
        with out.open("wb") as file:
            agent = await trio.lowlevel.open_process(
                [*command, "--join", str(peer.address)],
                env=os.environ | {"PYTHONDONTWRITEBYTECODE": "1"},
                stdin=subprocess.DEVNULL,
                stdout=file,
                stderr=subprocess.PIPE,
            )
        try:
            with trio.fail_after(PATIENCE_S):
                resource.prlimit(agent.pid, resource.RLIMIT_FSIZE, (150, resource.RLIM_INFINITY))
                await until(lambda: status_of(peer, "told") is Status.ALIVE)
                peer.update({"number": "7"})
                assert agent.stderr is not None
                assert b"File too large" in await agent.stderr.receive_some(1000)
                assert agent.poll() is None
                assert status_of(peer, "told") is Status.ALIVE
                resource.prlimit(agent.pid, resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
                await until(lambda: "snapshot" in out.read_text() and out.read_text().endswith("\n"))
                agent.terminate()
                assert await agent.wait() == 0
            events = [json.loads(line)["event"] for line in out.read_text().splitlines()]
            assert events.count("snapshot") == 1
        finally:
            agent.kill()
            with trio.CancelScope(shield=True):
                await agent.wait()
                assert agent.stderr is not None
                await agent.stderr.aclose()


def test_the_log_goes_on_after_its_disk_was_full(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    disk = Disk(monkeypatch, tmp_path / "log")
    handler = BackgroundHandler(disk.descriptor)
    record = logging.LogRecord("gossip", logging.WARNING, "", 0, "lost", (), None)
    handler.emit(record)
    while not disk.refused:
        pass
    disk.room = 1000
    handler.emit(logging.LogRecord("gossip", logging.WARNING, "", 0, "kept", (), None))
    handler.finish(PATIENCE_S)
    assert disk.text.startswith("kept\n")
    assert "dropped 1 log lines" in disk.text


# --- other commands without room, or without places to write to


def test_a_command_without_room_for_its_output_says_so_in_one_line(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    with open("/dev/full", "w", encoding="utf-8") as full:
        monkeypatch.setattr(sys, "stdout", full)
        assert run(["--help"]) == 1
    assert "No space left on device" in assert_one_line(capsys.readouterr().err)


def test_a_demonstration_without_a_place_for_files_says_so(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def refuse(*_: object, **__: object) -> str:
        raise FileNotFoundError(errno.ENOENT, "No usable temporary directory found in ['/tmp']")

    monkeypatch.setattr(tempfile, "mkdtemp", refuse)
    assert run(["demo"]) == 1
    said = " ".join(capsys.readouterr().out.split())
    assert "No usable temporary directory" in said
    assert "set TMPDIR" in said


def test_a_demonstration_whose_files_have_no_room_says_so(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def refuse(*_: object, **__: object) -> int:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(Path, "write_text", refuse)
    assert trio.run(_Demo(3, "local").run) == 1
    assert "No space left on device" in " ".join(capsys.readouterr().out.split())


@pytest.mark.parametrize(
    "arguments",
    [
        ("keygen", "keys"),
        ("identity", "new", "key"),
        ("keys", "list", "--keyring", "keys"),
        ("identity", "show", "key"),
        ("agent", "--name", "a", "--bind", "127.0.0.1:0", "--keyring", "keys"),
        ("agent", "--name", "a", "--bind", "127.0.0.1:0", "--meta-file", "meta"),
        ("members", "--join", "127.0.0.1:1", "--keyring", "keys"),
    ],
)
def test_a_command_in_a_folder_that_is_gone_says_so_in_one_line(
    arguments: tuple[str, ...], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.delenv("HOME")
    (tmp_path / "gone").mkdir()
    monkeypatch.chdir(tmp_path / "gone")
    (tmp_path / "gone").rmdir()
    assert run(arguments) == 2
    assert "No such file or directory" in assert_one_line(capsys.readouterr().err)
