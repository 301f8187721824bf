"""What README.rst promises: its commands, its example, its links, and that it is short."""

from __future__ import annotations

import re
import signal
from contextlib import AsyncExitStack
from pathlib import Path

import trio

from gossip import Config, Status
from tests.docs.programs import running
from tests.node.nodes import local_node, metadata_of, status_of, until
from tests.rst import ROOT, document, literal_blocks

README = document("README.rst")

SET_UP = [
    f"python3 -m venv .venv && .venv/bin/python -m pip install --quiet --editable '.[{extra}]' && .venv/bin/{command}"
    for extra, command in (("cli", "gossip demo"), ("test", "python -m pytest"))
]


def example() -> str:
    (code,) = [block for block in literal_blocks(README) if "trio.run(" in block]
    return code


async def test_the_example_joins_tells_every_change_and_leaves_as_it_stands(tmp_path: Path) -> None:
    async with local_node("brook", metadata={"release": "1"}, config=Config.lan()) as brook:
        arguments = ("ada", "127.0.0.1:0", str(brook.address))
        async with running(tmp_path, example(), *arguments) as (process, output):
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
        _, output = await stack.enter_async_context(running(tmp_path, example(), *arguments))
        await until(output.has_line("joined brook {}"))
        async with local_node("cleo", seeds=[brook.address]):
            await until(output.has_line("joined cleo {}"))
        await until(output.has_line("died cleo {}"))
        assert not output.has_line("left cleo {}")()


async def test_the_example_says_farewell_even_if_it_is_interrupted_twice(tmp_path: Path) -> None:
    async with AsyncExitStack() as stack:
        brook = await stack.enter_async_context(local_node("brook", config=Config.lan()))
        arguments = ("ada", "127.0.0.1:0", str(brook.address))
        process, output = await stack.enter_async_context(running(tmp_path, example(), *arguments))
        await until(output.has_line("joined brook {}"))
        process.send_signal(signal.SIGINT)
        process.send_signal(signal.SIGINT)
        await until(output.has_line("farewell heard by brook"))
        await until(lambda: status_of(brook, "ada") is Status.LEFT)


async def test_the_example_makes_a_cluster_by_the_commands_that_stand_below_it(tmp_path: Path) -> None:
    (block,) = [block for block in literal_blocks(README) if block.startswith("$ python example.py")]
    async with local_node("a") as one, local_node("b") as other:
        ports = {"7946": str(one.address.port), "7947": str(other.address.port)}
    lines = [re.sub("794[67]", lambda found: ports[found[0]], line).split()[3:] for line in block.splitlines()]
    assert len({tuple(seeds) for _, _, *seeds in lines}) == 1, "all have the same seeds"
    async with AsyncExitStack() as stack:
        started = [await stack.enter_async_context(running(tmp_path, example(), *line)) for line in lines]
        for (name, *_), (_, output) in zip(lines, started, strict=True):
            await until(output.has_line(f"standing {name} connected: it has found its cluster"))


def test_the_example_has_about_twenty_lines() -> None:
    assert len([line for line in example().splitlines() if line]) <= 24


def test_there_are_exactly_two_commands_to_set_up_and_they_are_near_the_top() -> None:
    lines = [line.strip() for line in README.splitlines()]
    assert [line for line in lines if line.startswith("python3 -m venv")] == SET_UP
    assert lines.index(SET_UP[-1]) < 20


def test_ci_finds_the_command_that_runs_the_tests() -> None:
    assert re.findall(r"^ *(python3 -m venv .*pytest) *$", README, re.MULTILINE) == [SET_UP[1]]


def test_every_file_that_is_linked_exists() -> None:
    links = re.findall(r"<([^>:]+\.\w+|LICENSE)>`_|image:: (\S+)", README)
    assert len(links) > 12
    for link in ("".join(pair) for pair in links):
        assert (ROOT / link).is_file(), f"README.rst links to {link}"


def test_it_is_short() -> None:
    assert len(README.splitlines()) <= 150


def test_a_package_index_can_render_it() -> None:
    assert not re.search(r":(ref|doc|class|func|meth|term):`", README), "such an index does not know roles of Sphinx"
