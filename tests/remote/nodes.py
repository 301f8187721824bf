"""Nodes in processes of their own on this machine, and what is left of such a process."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import AsyncIterator, Iterable, Mapping
from contextlib import asynccontextmanager
from pathlib import Path

import trio

from gossip import Address, Config, Keyring, SigningKey
from gossip.cli.children import Lines
from gossip.remote import RemoteNode, open_remote_node
from tests.rst import ROOT


@asynccontextmanager
async def remote_node(
    name: str,
    *,
    bind: str = "127.0.0.1:0",
    seeds: Iterable[str | Address] = (),
    metadata: Mapping[str, str] | None = None,
    config: Config | None = None,
    keyring: Keyring | None = None,
    identity: SigningKey | None = None,
    allowed: Mapping[str, bytes] | None = None,
) -> AsyncIterator[RemoteNode]:
    """A node with the quick profile, in a process of its own."""
    async with open_remote_node(
        name,
        bind=bind,
        seeds=seeds,
        metadata=metadata or {},
        config=config or Config.local(),
        keyring=keyring,
        identity=identity,
        allowed=allowed,
        insecure=True,
    ) as node:
        yield node


def runs(pid: int) -> bool:
    """Whether there is a process with this id; one that has ended and waits for its parent is none."""
    return _state_and_parent(pid)[0] not in "ZX"


def children() -> set[int]:
    """The ids of the children of this process, ended ones that were not waited for included."""
    running = [int(each) for each in os.listdir("/proc") if each.isdigit()]
    return {pid for pid in running if _state_and_parent(pid)[1] == os.getpid()}


def _state_and_parent(pid: int) -> tuple[str, int]:
    try:
        fields = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()
    except (FileNotFoundError, ProcessLookupError):
        return "X", 0
    return fields[0], int(fields[1])


def descriptors() -> set[str]:
    """The open files of this process."""
    return set(os.listdir("/proc/self/fd"))


@asynccontextmanager
async def program(text: str, *arguments: str) -> AsyncIterator[tuple[trio.Process, Lines]]:
    """Run a program in a process of its own; with it come the lines that it prints.

    When the block ends, the program is killed, unless it has ended.
    """
    process = await trio.lowlevel.open_process(
        [sys.executable, "-c", text, *arguments], stdout=-1, cwd=ROOT, start_new_session=True
    )
    assert process.stdout is not None
    try:
        yield process, Lines(process.stdout)
    finally:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
        with trio.CancelScope(shield=True):
            await process.wait()
            await process.stdout.aclose()
