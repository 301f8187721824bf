"""The command as people meet it: help, mistakes, tables, and what it says where it cannot work."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from importlib import metadata
from pathlib import Path

import pytest
import trio

from gossip.cli.demo import steps
from tests.agents.helpers import COMMAND_LIMIT_S, GOSSIP, assert_one_line, cluster_of, run_command, run_gossip

AGENT = ("agent", "--name", "a", "--bind", "127.0.0.1:0")

MANY_SEEDS = [word for port in range(1, 66) for word in ("--join", f"127.0.0.1:{port}")]

WITHOUT_EXTRA = "import sys, runpy; sys.modules.update(dict.fromkeys({})); sys.argv[:] = ['gossip', 'demo']; {}"


@pytest.mark.parametrize("start", [GOSSIP, (str(Path(sys.executable).with_name("gossip")),)])
def test_the_version_is_that_of_the_installed_package(start: tuple[str, ...]) -> None:
    done = run_command(*start, "--version")
    assert (done.returncode, done.stdout) == (0, f"gossip, version {metadata.version('gossip-membership')}\n")


def test_a_checkout_that_is_not_installed_has_no_version_and_says_why() -> None:
    nothing = "from importlib import metadata; metadata.Distribution.discover = lambda **_: iter(()); "
    done = run_command(sys.executable, "-c", nothing + "import sys; sys.argv[1:] = ['--version']; "
                       "from gossip.cli import main; main()")  # fmt: skip
    assert done.returncode == 1
    assert "pip install --editable '.[cli]'" in assert_one_line(done.stderr)


@pytest.mark.parametrize("command", [(), ("agent",), ("members",), ("keygen",), ("keys",), ("keys", "use"), ("demo",)])
def test_help_explains_each_command_with_an_example(command: tuple[str, ...]) -> None:
    done = run_gossip(*command, "--help")
    assert done.returncode == 0
    assert f"gossip {' '.join(command)}".strip() in done.stdout
    assert "\n  gossip " in done.stdout.replace("    gossip", "  gossip")


def test_without_arguments_the_help_is_shown() -> None:
    done = run_gossip()
    assert "gossip demo" in done.stdout + done.stderr


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (("conquer",), "conquer"),
        (("agent",), "--name"),
        ((*AGENT, "--bind", "localhost"), "HOST:PORT"),
        ((*AGENT, "--bind", "127.0.0.1:http"), "port"),
        ((*AGENT, "--bind", "::1:80"), "brackets"),
        ((*AGENT, "--join", "127.0.0.1:0"), "port 0"),
        ((*AGENT, "--profile", "moon"), "moon"),
        ((*AGENT, "--events", "xml"), "xml"),
        ((*AGENT, "--meta", "novalue"), "KEY=VALUE"),
        ((*AGENT, "--meta", "a=1", "--meta", "a=2"), "twice"),
        ((*AGENT, "--meta", "a=" + "x" * 1000), "metadata"),
        ((*AGENT, "--meta-file", "/nowhere/at all"), "--meta-file: /nowhere/at all"),
        ((*AGENT, "--keyring", "/nowhere/at all"), "--keyring: /nowhere/at all"),
        ((*AGENT, "--identity", "/nowhere/at all"), "--identity: /nowhere/at all"),
        ((*AGENT, "--allowed", "/nowhere/at all"), "--allowed: /nowhere/at all"),
        ((*AGENT, *MANY_SEEDS), "'--join': 65 are given, but at most 64 are allowed"),
        ((*AGENT, "--cluster", ""), "cluster"),
        ((*AGENT, "--name", ""), "name"),
        ((*AGENT, "--name", "x" * 200), "name"),
        ((*AGENT, "--name", "two\nlines"), "name"),
        ((*AGENT, "--advertise", "0.0.0.0:0"), "advertise"),
        ((*AGENT, "--log-level", "loud"), "loud"),
        ((*AGENT, "extra"), "extra"),
        (("members",), "--join"),
        (("members", "--join", "nowhere"), "HOST:PORT"),
        (("members", "--join", "127.0.0.1:1", "--timeout", "0"), "timeout"),
        (("members", "--join", "127.0.0.1:1", "--timeout", "nan"), "not a number"),
        (("members", "--join", "127.0.0.1:1", "--explain", ""), "is not a valid name: a name has 1 to 128 bytes"),
        (
            ("members", "--join", "127.0.0.1:1", "--explain", "two\nlines"),
            "is not a valid name: a name has 1 to 128 bytes",
        ),
        (("demo", "--nodes", "2"), "2"),
        (("demo", "--nodes", "many"), "many"),
    ],
)
def test_a_bad_argument_is_explained_in_one_line_and_exits_with_2(arguments: tuple[str, ...], complaint: str) -> None:
    done = run_gossip(*arguments)
    assert done.returncode == 2
    assert complaint in assert_one_line(done.stderr)
    assert done.stdout == ""


def test_the_process_ends_as_the_command_in_it_does() -> None:
    done = run_command(*GOSSIP, "conquer")
    assert done.returncode == 2
    assert "conquer" in assert_one_line(done.stderr)
    assert done.stdout == ""


def test_a_port_in_use_exits_with_1_and_one_line() -> None:
    for kind in (socket.SOCK_DGRAM, socket.SOCK_STREAM):
        with socket.socket(socket.AF_INET, kind) as taken:
            taken.bind(("127.0.0.1", 0))
            if kind == socket.SOCK_STREAM:
                taken.listen()
            address = f"127.0.0.1:{taken.getsockname()[1]}"
            done = run_gossip("agent", "--name", "a", "--bind", address, "--events", "json")
        assert done.returncode == 1
        assert address in assert_one_line(done.stderr)
        assert done.stdout == ""


def test_an_address_that_cannot_be_bound_exits_with_1_and_one_line() -> None:
    for address in ("no-such-host.invalid:7946", "192.0.2.1:7946", f"{'x' * 300}:7946"):
        done = run_gossip("agent", "--name", "a", "--bind", address)
        assert done.returncode == 1
        assert address in assert_one_line(done.stderr)


def test_seeds_that_do_not_exist_are_no_error() -> None:
    with subprocess.Popen(
        [*GOSSIP, *AGENT, "--events", "json", "--join", "no-such-host.invalid:1", "--join", "127.0.0.1:1"],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
    ) as agent:
        try:
            assert agent.stdout is not None
            assert json.loads(agent.stdout.readline())["event"] == "started"
            agent.terminate()
            assert agent.wait(COMMAND_LIMIT_S) == 0
        finally:
            agent.kill()


async def test_members_lists_the_cluster_as_a_table_and_as_json(tmp_path: Path) -> None:
    async with cluster_of(3, tmp_path) as cluster:
        await steps.crash(cluster, "a3")
        address = cluster.current["a1"].address
        as_json = await trio.to_thread.run_sync(run_gossip, "members", "--join", address, "--json")
        assert as_json.returncode == 0
        listed = json.loads(as_json.stdout)
        assert [(m["name"], m["status"]) for m in listed] == [("a1", "alive"), ("a2", "alive"), ("a3", "dead")]
        assert listed[0]["address"] == address
        assert listed[0]["metadata"] == {"release": "1"}
        as_table = await trio.to_thread.run_sync(run_gossip, "members", "--join", address)
        assert as_table.returncode == 0
        header, *rows, summary = as_table.stdout.splitlines()
        assert header.split() == ["NAME", "STATUS", "ADDRESS", "STARTED", "METADATA"]
        assert [row.split()[:2] for row in rows] == [["a1", "alive"], ["a2", "alive"], ["a3", "dead"]]
        assert summary == "2 of 3 alive"
        for name in ("a1", "a2"):
            subjects = {s.subject for s in cluster.journal.sightings if s.observer == name}
            assert subjects == {"a1", "a2", "a3"}, "whoever asks does not become a member"


async def test_members_of_another_cluster_are_not_told(tmp_path: Path) -> None:
    async with cluster_of(2, tmp_path) as cluster:
        arguments = ("members", "--join", cluster.current["a1"].address, "--cluster", "other", "--timeout", "2")
        done = await trio.to_thread.run_sync(run_gossip, *arguments)
        assert done.returncode == 1
        assert_one_line(done.stderr)


def test_members_of_nobody_exits_with_1_and_one_line() -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))  # bound, but not listening
        address = f"127.0.0.1:{unused.getsockname()[1]}"
        done = run_gossip("members", "--join", address, "--timeout", "2")
    assert done.returncode == 1
    assert address in assert_one_line(done.stderr)


def test_text_output_shows_changes_and_no_control_characters(tmp_path: Path) -> None:
    nasty = tmp_path / "nasty.json"
    nasty.write_text(json.dumps({"note": "[red]\x1b[2J\nforged line\u202e"}))
    command = [*GOSSIP, "agent", "--profile", "local", "--bind", "127.0.0.1:0"]
    with subprocess.Popen(
        [*command, "--name", "first", "--events", "json"], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE
    ) as first:
        assert first.stdout is not None
        try:
            address = json.loads(first.stdout.readline())["address"]
            with subprocess.Popen(
                [*command, "--name", "second", "--join", address, "--meta-file", str(nasty)],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                text=True,
            ) as second:
                try:
                    assert second.stdout is not None
                    assert "started" in second.stdout.readline()
                    line = second.stdout.readline()
                    assert "joined" in line
                    assert "first" in line
                    assert "2 alive" in line
                    table = run_gossip("members", "--join", address).stdout
                finally:
                    second.terminate()
        finally:
            first.terminate()
    assert "\x1b" not in table
    assert "[red]" in table
    assert not any(row.startswith("forged") for row in table.splitlines())


@pytest.mark.parametrize(
    ("package", "start"),
    [("click", "runpy.run_module('gossip', run_name='__main__')"), ("rich", "from gossip.cli import main; main()")],
)
def test_without_the_extra_the_command_says_what_to_install(package: str, start: str) -> None:
    done = run_command(sys.executable, "-c", WITHOUT_EXTRA.format([package], start))
    assert done.returncode == 1
    assert "pip install 'gossip-membership[cli]'" in assert_one_line(done.stderr)
    assert done.stdout == ""


def test_the_library_needs_no_extra() -> None:
    code = WITHOUT_EXTRA.format(["click", "rich"], "import gossip; print(gossip.open_node)")
    done = run_command(sys.executable, "-c", code)
    assert done.returncode == 0, done.stderr


def test_help_into_a_closed_pipe_is_quiet() -> None:
    read_end, write_end = os.pipe()
    os.close(read_end)
    done = subprocess.run(
        [*GOSSIP, "--help"], stdout=write_end, stderr=subprocess.PIPE, timeout=COMMAND_LIMIT_S, check=False
    )
    os.close(write_end)
    assert done.stderr == b""


@pytest.fixture
def heeded_sigint() -> Iterator[None]:
    """A shell starts what it puts in the background with SIGINT ignored, and children inherit that."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.mark.usefixtures("heeded_sigint")
def test_an_interrupted_question_exits_quietly() -> None:
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        command = [*GOSSIP, "members", "--join", f"127.0.0.1:{silent.getsockname()[1]}", "--timeout", "60"]
        with subprocess.Popen(command, stdin=subprocess.DEVNULL, stderr=subprocess.PIPE) as asking:
            try:
                silent.settimeout(COMMAND_LIMIT_S)
                connection, _ = silent.accept()
                with connection:
                    asking.send_signal(signal.SIGINT)
                    assert asking.wait(COMMAND_LIMIT_S) == 130
                assert asking.stderr is not None
                assert asking.stderr.read().strip() == b""
            finally:
                asking.kill()
