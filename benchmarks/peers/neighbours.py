"""The other nodes of a cluster, for a program of :mod:`.embedding`: ``python -m benchmarks.peers.neighbours``.

``crowd LIBRARY ADDRESS...``
    Run nodes (``n0``, ``n1``, ...), each at an address, until the input ends; the first is the seed. To each line it
    replies ``{"running": 127}`` once all run.
``sender LIBRARY ADDRESS SEED TO RATE SECONDS``
    Run a node, and send to the member ``TO`` so many times a second, for so many seconds, the time at which it is sent:
    with ``ours`` as new metadata of the sender, with ``kinship`` as a message, because kinship sends metadata only a
    few times a second. Writes ``{"sent": 10000}`` at the end.

LIBRARY is ``ours`` or ``kinship``.
"""

from __future__ import annotations

import asyncio
import json
import logging
import os
import sys
import time
from collections.abc import Sequence
from contextlib import AsyncExitStack

import trio

import gossip
from gossip.cli.children import Lines

FOUND_WITHIN_S = 60.0
"""How long a sender looks for the one to which it sends."""

SETTLING_S = 1.0
"""How long a sender waits after that."""

EAGER = gossip.Config.lan(push_delay=0, push_rate=100_000, push_burst=1000)
"""So that each update is sent at once, and by itself. This is about the one that receives it."""


def _tell(what: str, count: int) -> None:
    print(json.dumps({what: count}), flush=True)


async def crowd_of_ours(addresses: Sequence[str]) -> None:
    """Run a node of ours at each address."""
    async with AsyncExitStack() as stack:
        for number, address in enumerate(addresses):
            await stack.enter_async_context(
                gossip.open_node(f"n{number}", bind=address, seeds=addresses[:1] if number else (), insecure=True)
            )
        async for _ in Lines(trio.lowlevel.FdStream(os.dup(0))):
            _tell("running", len(addresses))


async def crowd_of_kinship(addresses: Sequence[str]) -> None:
    """Run a node of kinship at each address."""
    import kinship  # noqa: PLC0415 - optional, and not for Python 3.10

    clusters = []  # a node whose object is not held any more ends
    for number, address in enumerate(addresses):
        seeds = addresses[:1] if number else []
        config = kinship.Config.lan(name=f"n{number}", bind=address, seeds=seeds, insecure_plaintext=True)
        clusters.append(await kinship.Cluster(config).start())
    while await asyncio.to_thread(sys.stdin.readline):
        _tell("running", len(addresses))


async def send_by_ours(address: str, seed: str, to: str, rate: float, seconds: float) -> None:
    """Change the metadata of a node of ours."""
    async with gossip.open_node("sender", bind=address, seeds=[seed], insecure=True, config=EAGER) as node:
        with trio.fail_after(FOUND_WITHIN_S):
            await node.until(lambda node: node.get(to) is not None)
        await trio.sleep(SETTLING_S)
        began, count = trio.current_time(), round(rate * seconds)
        for number in range(count):
            await trio.sleep_until(began + number / rate)
            node.update({"sent": repr(time.monotonic())})
        await trio.sleep(SETTLING_S)
    _tell("sent", count)


async def send_by_kinship(address: str, seed: str, to: str, rate: float, seconds: float) -> None:
    """Send messages from a node of kinship."""
    import kinship  # noqa: PLC0415

    loop = asyncio.get_running_loop()
    config = kinship.Config.lan(name="sender", bind=address, seeds=[seed], insecure_plaintext=True)
    async with kinship.Cluster(config) as cluster:
        gives_up = loop.time() + FOUND_WITHIN_S
        while (member := cluster.member(to)) is None:
            if loop.time() > gives_up:
                raise TimeoutError(f"{to!r} is not found")
            await asyncio.sleep(0.05)
        await asyncio.sleep(SETTLING_S)
        began, count = loop.time(), round(rate * seconds)
        for number in range(count):
            await asyncio.sleep(began + number / rate - loop.time())
            await cluster.send(member, repr(time.monotonic()).encode())
        await asyncio.sleep(SETTLING_S)
    _tell("sent", count)


def main() -> None:
    """Be the other nodes."""
    logging.disable(logging.CRITICAL)
    match sys.argv[1:]:
        case ["crowd", "ours", *addresses]:
            trio.run(crowd_of_ours, addresses)
        case ["crowd", "kinship", *addresses]:
            asyncio.run(crowd_of_kinship(addresses))
        case ["sender", "ours", address, seed, to, rate, seconds]:
            trio.run(send_by_ours, address, seed, to, float(rate), float(seconds))
        case ["sender", "kinship", address, seed, to, rate, seconds]:
            asyncio.run(send_by_kinship(address, seed, to, float(rate), float(seconds)))
        case _:
            sys.exit(__doc__)


if __name__ == "__main__":
    main()
