"""What README.rst promises: its commands, its example, and that no part of the API is missing from it."""

from __future__ import annotations

import os
import re
import shlex
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from subprocess import PIPE

import attrs
import pytest
import trio

import gossip
from gossip import Config, EventKind, Node, Status
from gossip.cli.main import run
from tests.node.nodes import local_node, metadata_of, status_of, until
from tests.rst import ROOT, document, literal_blocks, table

README = document("README.rst")

SET_UP = [
    f"python3 -m venv .venv && .venv/bin/python -m pip install --quiet --editable '.[{extra}]' && .venv/bin/{command}"
    for extra, command in (("cli", "gossip demo"), ("test", "python -m pytest"))
]


def example() -> str:
    (code,) = [block for block in literal_blocks(README) if "trio.run(" in block]
    return code


class Output:
    """The lines that a process has written so far."""

    def __init__(self) -> None:
        self.text = ""

    def has_line(self, line: str) -> Callable[[], bool]:
        return lambda: line in self.text.splitlines()

    async def collect(self, stream: trio.abc.ReceiveStream) -> None:
        async for piece in stream:
            self.text += piece.decode()


@asynccontextmanager
async def running_example(folder: Path, *arguments: str) -> AsyncIterator[tuple[trio.Process, Output]]:
    """The example as a process of its own, with warnings as errors; killed if it is still there at the end."""
    script = folder / "example.py"
    script.write_text(example(), encoding="utf-8")
    output = Output()
    async with trio.open_nursery() as nursery:
        process = await trio.lowlevel.open_process(
            [sys.executable, "-u", "-W", "error", str(script), *arguments],
            stdout=PIPE,
            env=os.environ | {"PYTHONPATH": str(ROOT)},
        )
        assert process.stdout is not None
        nursery.start_soon(output.collect, process.stdout)
        try:
            yield process, output
        finally:
            if process.returncode is None:
                process.kill()
            with trio.CancelScope(shield=True):
                await process.wait()
        nursery.cancel_scope.cancel()


async def test_the_example_joins_tells_every_change_and_leaves_as_it_stands(tmp_path: Path) -> None:
    async with local_node("brook", metadata={"release": "1"}, config=Config.lan()) as brook:
        arguments = ("ada", "127.0.0.1:0", str(brook.address))
        async with running_example(tmp_path, *arguments) as (process, output):
            await until(lambda: status_of(brook, "ada") is Status.ALIVE)
            assert metadata_of(brook, "ada") == {"role": "web"}
            await until(output.has_line("joined brook {'release': '1'}"))
            assert output.text.splitlines()[0] == "here are ada"
            await until(output.has_line("standing ada connected: it has found its cluster"))
            brook.update({"release": "2"})
            await until(output.has_line("updated brook {'release': '2'}"))
            process.send_signal(signal.SIGTERM)
            with trio.fail_after(10):
                assert await process.wait() == 0
            await until(output.has_line("farewell heard by brook"))
            await until(lambda: status_of(brook, "ada") is Status.LEFT)


async def test_the_example_tells_that_a_member_died_where_it_did_not_take_its_leave(tmp_path: Path) -> None:
    async with AsyncExitStack() as stack:
        brook = await stack.enter_async_context(local_node("brook"))
        arguments = ("ada", "127.0.0.1:0", str(brook.address))
        _, output = await stack.enter_async_context(running_example(tmp_path, *arguments))
        await until(output.has_line("joined brook {}"))
        async with local_node("cleo", seeds=[brook.address]):
            await until(output.has_line("joined cleo {}"))
        await until(output.has_line("died cleo {}"))
        assert not output.has_line("left cleo {}")()


async def test_the_example_says_farewell_even_if_it_is_interrupted_twice(tmp_path: Path) -> None:
    async with AsyncExitStack() as stack:
        brook = await stack.enter_async_context(local_node("brook", config=Config.lan()))
        arguments = ("ada", "127.0.0.1:0", str(brook.address))
        process, output = await stack.enter_async_context(running_example(tmp_path, *arguments))
        await until(output.has_line("joined brook {}"))
        process.send_signal(signal.SIGINT)
        process.send_signal(signal.SIGINT)
        await until(output.has_line("farewell heard by brook"))
        await until(lambda: status_of(brook, "ada") is Status.LEFT)


async def test_the_example_makes_a_cluster_by_the_commands_that_stand_below_it(tmp_path: Path) -> None:
    (block,) = [block for block in literal_blocks(README) if block.startswith("python example.py")]
    async with local_node("a") as one, local_node("b") as other:
        ports = {"7946": str(one.address.port), "7947": str(other.address.port)}
    lines = [re.sub("794[67]", lambda found: ports[found[0]], line).split()[2:] for line in block.splitlines()]
    assert len({tuple(seeds) for _, _, *seeds in lines}) == 1, "all have the same seeds"
    async with AsyncExitStack() as stack:
        running = [await stack.enter_async_context(running_example(tmp_path, *line)) for line in lines]
        for (name, *_), (_, output) in zip(lines, running, strict=True):
            await until(output.has_line(f"standing {name} connected: it has found its cluster"))


def test_the_test_of_a_program_passes_as_it_stands(tmp_path: Path) -> None:
    (code,) = [block for block in literal_blocks(README) if "mock_clock" in block]
    script = tmp_path / "test_program.py"
    script.write_text(code, encoding="utf-8")
    done = subprocess.run(
        [sys.executable, "-W", "error", "-m", "pytest", "-q", "-p", "no:cacheprovider", "-c", os.devnull, script],
        cwd=tmp_path,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert "1 passed" in done.stdout, done.stdout + done.stderr


def test_every_error_is_in_the_list_of_errors() -> None:
    (paragraph,) = [part for part in README.split("\n\n") if part.startswith("Errors are all ``GossipError``")]
    kinds = {name for name in gossip.__all__ if name.endswith("Error")}
    assert set(re.findall(r"``(\w+Error)``", paragraph)) - {"TypeError", "RuntimeError"} == kinds


COMMANDS = sorted(
    {
        line.removeprefix("$ ").partition(" #")[0].strip()
        for block in literal_blocks(README)
        for line in block.splitlines()
        if line.removeprefix("$ ").startswith("gossip ")
    }
)


@pytest.mark.parametrize("line", COMMANDS)
def test_the_commands_have_the_options_that_are_shown(line: str) -> None:
    _, *arguments = shlex.split(line)
    assert run([*arguments, "--help"]) == 0  # which complains of what it does not know, and does nothing else


def test_commands_are_shown() -> None:
    assert {"agent", "members", "keygen", "keys"} <= {line.split()[1] for line in COMMANDS}


def test_the_example_has_about_twenty_lines() -> None:
    assert len([line for line in example().splitlines() if line]) <= 22


def test_there_are_exactly_two_commands_to_set_up_and_they_are_near_the_top() -> None:
    lines = [line.strip() for line in README.splitlines()]
    assert [line for line in lines if line.startswith("python3 -m venv")] == SET_UP
    assert lines.index(SET_UP[-1]) < 20


def test_ci_finds_the_command_that_runs_the_tests() -> None:
    assert re.findall(r"^ *(python3 -m venv .*pytest) *$", README, re.MULTILINE) == [SET_UP[1]]


@pytest.mark.parametrize("name", gossip.__all__)
def test_everything_that_can_be_imported_is_named(name: str) -> None:
    assert re.search(rf"``{name}\b", README), f"{name} is not in README.rst"


def test_every_attribute_of_a_node_is_in_its_table() -> None:
    described = {name for row in table(README, "``Node``") for name in re.findall(r"``(?:await )?(\w+)", row[0])}
    assert described == {name for name in vars(Node) if not name.startswith("_")}


def test_every_field_of_an_event_and_every_kind_is_in_its_table() -> None:
    fields = {name for row in table(README, "``MembershipEvent``") for name in re.findall(r"``(\w+)``", row[0])}
    assert fields == {field.name for field in attrs.fields(gossip.MembershipEvent)}
    assert [row[0] for row in table(README, "``EventKind``")] == [f"``{kind.name}``" for kind in EventKind]


@pytest.mark.parametrize("setting", [field.name for field in attrs.fields(Config)])
def test_every_setting_is_named(setting: str) -> None:
    assert re.search(rf"``{setting}``", README), f"{setting} is not in README.rst"


def test_every_file_that_is_linked_exists() -> None:
    links = re.findall(r"<([^>:]+\.\w+|LICENSE)>`_|image:: (\S+)", README)
    assert len(links) > 4
    for link in ("".join(pair) for pair in links):
        assert (ROOT / link).is_file(), f"README.rst links to {link}"
