"""Clusters of agent processes for tests, and runs of the command that end by themselves."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import trio

from gossip.cli import steps
from gossip.cli.cluster import Cluster
from gossip.cli.processes import open_pool

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


def say_nothing(_: str) -> None:
    """What a cluster of a test says to people."""


def run_gossip(*arguments: str) -> subprocess.CompletedProcess[str]:
    """Run the command to its end."""
    return run_command(*GOSSIP, *arguments)


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
