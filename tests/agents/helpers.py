"""Clusters of agent processes for tests, and runs of the command that end by themselves."""

from __future__ import annotations

import logging
import os
import subprocess
import sys
from collections.abc import AsyncIterator, Iterable, Iterator
from contextlib import ExitStack, asynccontextmanager, contextmanager
from pathlib import Path
from tempfile import TemporaryFile
from typing import IO
from unittest import mock

import trio

from gossip import Keyring
from gossip.cli.demo import steps
from gossip.cli.demo.cluster import NEWS_LIMIT_S, Cluster
from gossip.cli.demo.processes import AgentProcess, open_pool
from gossip.cli.main import run

TEST_LIMIT_S = 60.0
"""No test takes a tenth of it where two cores are free; one that takes all of it fails, and leaves no process."""

COMMAND_LIMIT_S = 30.0

GOSSIP = (sys.executable, "-m", "gossip")


@asynccontextmanager
async def cluster_of(size: int, folder: Path) -> AsyncIterator[Cluster]:
    """Agents a1, a2, ... with the profile ``local``, who all see each other."""
    names = [f"a{number}" for number in range(1, size + 1)]
    with trio.fail_after(TEST_LIMIT_S):
        async with open_pool(folder) as pool:
            cluster = Cluster(pool, "local", names, say=say_nothing)
            await steps.join(cluster)
            yield cluster


@asynccontextmanager
async def agents(folder: Path, **rings: Keyring | None) -> AsyncIterator[Cluster]:
    """Agents with these keys, each in a file of its own, who all see each other; None is one without keys."""
    with trio.fail_after(TEST_LIMIT_S):
        async with open_pool(folder) as pool:
            cluster = Cluster(pool, "local", list(rings), say=say_nothing)
            for name, ring in rings.items():
                await start(cluster, name, ring)
            await cluster.agreed(NEWS_LIMIT_S)
            yield cluster


async def start(cluster: Cluster, name: str, ring: Keyring | None) -> AgentProcess:
    """Start an agent with these keys, that joins those that run; returns when it has started."""
    arguments = ["--bind", "127.0.0.1:0", "--profile", "local", "--meta-file", str(cluster.meta_file(name))]
    cluster.meta_file(name).touch()
    if ring is not None:
        ring.save(keys_of(cluster, name))
        arguments += ["--keyring", str(keys_of(cluster, name))]
    for peer in cluster.running(without=name):
        arguments += ["--join", cluster.current[peer].address]
    agent = await cluster.pool.start(name, arguments)
    await agent.started()
    cluster.current[name] = agent
    cluster.ended.discard(name)
    return agent


def keys_of(cluster: Cluster, name: str) -> Path:
    """The file of keys of an agent."""
    return cluster.pool.folder / f"{name}.keys"


def say_nothing(_: str) -> None:
    """What a cluster of a test says to people."""


def run_gossip(*arguments: str, given: bytes = b"") -> subprocess.CompletedProcess[str]:
    """Run the command to its end, in this process: starting another one would take most of the time.

    What it writes is taken from the descriptors, where its log goes, too.

    :param given: what it can read from standard input.
    """
    with ExitStack() as stack:
        files = [stack.enter_context(TemporaryFile()) for _ in range(3)]
        files[0].write(given)
        files[0].seek(0)
        with standard_streams(files), own_logging():
            code = run(arguments)
        for file in files:
            file.seek(0)
        _, output, errors = (file.read().decode() for file in files)
    return subprocess.CompletedProcess(arguments, code, output, errors)


@contextmanager
def standard_streams(files: Iterable[IO[bytes]]) -> Iterator[None]:
    """Let descriptors 0 to 2, and what Python makes of them, lead to these files for a while."""
    sys.stdout.flush()
    sys.stderr.flush()
    with ExitStack() as stack:
        for descriptor, (file, name, mode) in enumerate(zip(files, ("stdin", "stdout", "stderr"), "rww", strict=True)):
            before = os.dup(descriptor)
            stack.callback(os.close, before)
            stack.callback(os.dup2, before, descriptor)
            os.dup2(file.fileno(), descriptor)
            stream = stack.enter_context(open(descriptor, mode, encoding="utf-8", closefd=False))
            stack.enter_context(mock.patch.object(sys, name, stream))
        yield


@contextmanager
def own_logging() -> Iterator[None]:
    """Undo what a command does to the log of this process."""
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    root.handlers.clear()  # which would else be closed
    try:
        yield
    finally:
        root.handlers[:] = handlers
        root.setLevel(level)


def run_command(*command: str) -> subprocess.CompletedProcess[str]:
    """Run any command to its end, with nothing to read; it is killed if that takes too long."""
    return subprocess.run(
        command, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=COMMAND_LIMIT_S, check=False
    )


def assert_one_line(text: str) -> str:
    """Check that an error is told in one line, without a traceback; returns the line."""
    lines = text.splitlines()
    assert len(lines) == 1, text
    assert "Traceback" not in text
    return lines[0]
