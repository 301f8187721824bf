"""The tutorial: its programs do what it says of them, as processes of their own."""

from __future__ import annotations

import re
import signal
from collections.abc import Callable
from contextlib import AsyncExitStack
from pathlib import Path

import trio

from gossip import Config
from tests.docs.programs import Output, running
from tests.node.nodes import local_node, until
from tests.rst import blocks, document

PAGE = document("docs/tutorial.rst")
JOBS = {f"job-{number}" for number in range(12)}


def program(name: str) -> str:
    (block,) = [block for block in blocks(PAGE) if block.name == name]
    return block.text


def jobs_of(output: Output) -> set[str]:
    """What a member has taken and not given up by the lines that it has printed."""
    mine: set[str] = set()
    for line in output.text.splitlines():
        if found := re.fullmatch(r"\d+ alive: take (\[.*\]), give up (\[.*\])", line):
            taken, given_up = (set(re.findall(r"job-\d+", each)) for each in found.groups())
            mine = (mine | taken) - given_up
    return mine


def shared_out(*outputs: Output) -> Callable[[], bool]:
    """Whether the members have all jobs, and none of them twice."""

    def condition() -> bool:
        parts = [jobs_of(output) for output in outputs]
        return set().union(*parts) == JOBS and sum(map(len, parts)) == len(JOBS) and all(parts)

    return condition


async def test_the_second_program_prints_that_another_member_joined_and_died(tmp_path: Path) -> None:
    async with local_node("cleo", config=Config.lan()) as cleo, AsyncExitStack() as stack:
        seeds = ("127.0.0.1:0", str(cleo.address))
        _, ada = await stack.enter_async_context(running(tmp_path, program("second.py"), "ada", *seeds))
        await until(ada.has_line("JOINED cleo 2 alive"))
        brook, _ = await stack.enter_async_context(running(tmp_path, program("second.py"), "brook", *seeds))
        await until(ada.has_line("JOINED brook 3 alive"))
        brook.send_signal(signal.SIGKILL)
        await until(ada.has_line("DIED brook 2 alive"))
        assert ada.has_line("SUSPECTED brook 3 alive")()


async def test_the_jobs_are_shared_out_and_move_when_a_member_leaves_or_dies(tmp_path: Path) -> None:
    async with local_node("watcher", config=Config.lan()) as watcher, AsyncExitStack() as stack:
        seeds = ("127.0.0.1:0", str(watcher.address))
        started = [
            await stack.enter_async_context(running(tmp_path, program("shards.py"), name, *seeds))
            for name in ("ada", "brook", "cleo", "dora")
        ]
        await until(lambda: watcher.alive == 5)
        (ada, brook, cleo, dora), outputs = zip(*started, strict=True)
        await watcher.leave()  # or else the others would leave some jobs to it
        await until(shared_out(*outputs))
        dora.send_signal(signal.SIGTERM)
        await until(shared_out(*outputs[:3]))
        cleo.send_signal(signal.SIGKILL)
        await until(shared_out(*outputs[:2]))
        for process in (ada, brook):
            process.send_signal(signal.SIGTERM)
            with trio.fail_after(10):
                assert await process.wait() == 0
