"""A host whose address changes while a node runs on it, in a network namespace of its own."""

from __future__ import annotations

import json
import subprocess
import sys
from functools import cache

import pytest

from tests.rst import ROOT

LIMIT_S = 60

MOVING = """
import subprocess, sys, trio
from gossip import Config, open_node

def ip(*arguments):
    subprocess.run(["ip", *arguments], check=True)

async def main():
    await trio.to_thread.run_sync(sys.stdin.readline)  # until the interface is here
    ip("link", "set", "lo", "up")
    ip("address", "add", "10.1.0.50/24", "dev", "there")
    ip("link", "set", "there", "up")
    seeds = ["10.1.0.1:7946", "10.1.0.2:7946"]
    async with open_node("moving", bind="0.0.0.0:7946", seeds=seeds, config=Config.local(), insecure=True) as node:
        await trio.to_thread.run_sync(sys.stdin.readline)
        ip("address", "del", "10.1.0.50/24", "dev", "there")
        ip("address", "add", "10.1.0.60/24", "dev", "there")
        await trio.to_thread.run_sync(sys.stdin.readline)

trio.run(main)
"""

WATCHING = f"""
import json, subprocess, sys, trio
from contextlib import AsyncExitStack
from gossip import Config, open_node

def ip(*arguments):
    subprocess.run(["ip", *arguments], check=True)

async def is_seen_at(nodes, address):
    while any((seen := node.get("moving")) is None or seen.address.host != address for node in nodes):
        await trio.sleep(0.01)

async def main():
    command = ["unshare", "-n", sys.executable, "-c", {MOVING!r}]
    moving = subprocess.Popen(command, stdin=subprocess.PIPE, text=True)
    own = subprocess.run(["readlink", "/proc/self/ns/net"], capture_output=True).stdout
    while subprocess.run(["readlink", f"/proc/{{moving.pid}}/ns/net"], capture_output=True).stdout == own:
        await trio.sleep(0.01)
    ip("link", "set", "lo", "up")
    ip("link", "add", "here", "type", "veth", "peer", "name", "there", "netns", str(moving.pid))
    hosts = [f"10.1.0.{{number}}" for number in (1, 2, 3)]
    for host in hosts:
        ip("address", "add", f"{{host}}/24", "dev", "here")
    ip("link", "set", "here", "up")
    print("go", file=moving.stdin, flush=True)
    async with AsyncExitStack() as stack:
        nodes = []
        for host in hosts:
            seeds = ["10.1.0.1:7946"]
            opening = open_node(host, bind=f"{{host}}:7946", seeds=seeds, config=Config.local(), insecure=True)
            nodes.append(await stack.enter_async_context(opening))
        await is_seen_at(nodes, "10.1.0.50")
        changes = [stack.enter_context(node.subscribe()) for node in nodes]
        print("move", file=moving.stdin, flush=True)
        await is_seen_at(nodes, "10.1.0.60")
        told = []
        for each in changes:
            await anext(each)
            while told[-1:] != ["updated"]:
                event = await anext(each)
                if event.member.name == "moving":
                    told.append(event.kind.value)
            told.append("next")
        print(json.dumps(told))
    moving.communicate("end\\n")

trio.run(main)
"""


@cache
def namespace() -> tuple[str, ...]:
    """The command that runs another one in a network of its own; nothing where that is not allowed."""
    for command in (("unshare", "-n"), ("unshare", "-rn")):
        try:
            if subprocess.run([*command, "ip", "link"], capture_output=True, check=False).returncode == 0:
                return command
        except OSError:  # there is no such command
            pass
    return ()


def test_a_host_that_gets_another_address_is_found_there_without_being_held_dead() -> None:
    if not namespace():
        pytest.skip("no network namespace may be made here")
    done = subprocess.run(
        [*namespace(), sys.executable, "-c", WATCHING],
        capture_output=True, text=True, timeout=LIMIT_S, cwd=ROOT, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout).count("updated") == 3
