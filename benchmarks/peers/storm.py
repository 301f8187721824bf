"""Nodes that are opened, used and cancelled at random points: ``python -m benchmarks.peers.storm SYSTEM SEED_ADDRESS``.

SYSTEM is one of those of :mod:`.embedding`. Requests and replies are lines of JSON on the standard streams:

``{"do": "storm", "count": 100, "longest_s": 0.05, "seed": 7}``
    Open and cancel so many nodes, :data:`ABREAST` at a time, each after a random time of up to so many seconds. The
    seed determines when each is cancelled, and what it is used for. The reply comes once all are over: ``{"opened": 61,
    "errors": [], "tasks": 0}``: how many were open when they were cancelled, what failed in a way that nobody would
    expect, and how many tasks the program has now besides the one that replies.

On asyncio, a node is cancelled by the cancellation of its task, sometimes twice. With threads nothing can be cancelled:
another thread closes the node.
"""

from __future__ import annotations

import asyncio
import gc
import json
import logging
import sys
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from random import Random
from typing import Any

import gossip
from benchmarks.peers.libraries import LIBRARIES, require_isolation

ABREAST = 8
"""Nodes at once."""

AGAIN_S = 0.003
"""Until the second cancellation, which meets the node while it is closed."""


class Storm:
    """What comes of the nodes of one request."""

    def __init__(self, system: str, seed_address: str) -> None:
        self._system = system
        self._library = LIBRARIES[system]()
        self._seed_address = seed_address
        self._lock = threading.Lock()
        self.longest_s = 0.0
        """The longest time until a node is cancelled."""
        self.opened = 0
        self.errors: list[str] = []

    def reset(self, longest_s: float) -> None:
        """Begin anew."""
        self.longest_s, self.opened, self.errors = longest_s, 0, []

    def block(self, place: int, random: Random) -> Any:
        """A node that is to be opened; some look for others. Each name is used again and again."""
        seeds = [self._seed_address] if random.random() < 0.5 else []
        return self._library.open(f"s{place}", "127.0.0.1:0", seeds)

    def is_open(self) -> None:
        """Count a node that is open.

        :raises RuntimeError: if it does not run where it should.
        """
        require_isolation(self._system)
        with self._lock:
            self.opened += 1

    def note(self, error: BaseException | str) -> None:
        """Keep an error that nobody would expect."""
        with self._lock:
            self.errors.append(str(error) if isinstance(error, str) else f"{type(error).__name__}: {error}")

    def changes(self, node: Any) -> Any:
        """What the node tells."""
        return self._library.changes(node)


def _expected() -> tuple[type[BaseException], ...]:
    """What a node raises that is used after it has left or was closed, and one that finds nobody."""
    if "kinship" not in sys.modules:
        return gossip.ClosedError, gossip.JoinError, gossip.LeftError
    from kinship import KinshipClosed  # noqa: PLC0415 - optional, and not for Python 3.10

    return (KinshipClosed,)


# --- on asyncio


async def _use(storm: Storm, node: Any, random: Random) -> None:
    async def follow() -> None:
        async for _ in storm.changes(node):
            node.members()

    def update(number: int) -> Any:
        metadata = {"number": str(number)}
        return node.update(metadata) if hasattr(node, "update") else node.set_meta(metadata)

    deeds: list[Callable[[], Any]] = [follow, lambda: update(random.randrange(100)), node.leave]
    if isinstance(node, gossip.aio.Node):
        deeds += [node.joined, lambda: node.until(lambda node: node.alive > 1), lambda: node.explain("s0")]
    with suppress(*_expected()):
        for _ in range(3):
            await random.choice(deeds)()
    await asyncio.Event().wait()


async def _one(storm: Storm, place: int, random: Random) -> None:
    async with storm.block(place, random) as node:
        storm.is_open()
        await _use(storm, node, random)


async def _slot(storm: Storm, place: int, count: int, random: Random) -> None:
    for _ in range(count):
        task = asyncio.create_task(_one(storm, place, random))
        await asyncio.sleep(random.uniform(0, storm.longest_s) if random.random() < 0.9 else 0)
        task.cancel()
        if random.random() < 0.3:
            await asyncio.sleep(random.uniform(0, AGAIN_S))
            task.cancel()
        await asyncio.wait([task])
        if not task.cancelled() and (error := task.exception()) is not None:
            storm.note(error)


async def _on_asyncio(storm: Storm) -> None:
    loop = asyncio.get_running_loop()
    loop.set_exception_handler(lambda _, context: storm.note(context.get("exception") or context["message"]))
    lines = asyncio.StreamReader()
    protocol = asyncio.StreamReaderProtocol(lines)
    await loop.connect_read_pipe(lambda: protocol, sys.stdin)
    async for line in lines:
        request = json.loads(line)
        storm.reset(request["longest_s"])
        shares = [len(range(place, request["count"], ABREAST)) for place in range(ABREAST)]
        slots = [_slot(storm, place, share, Random(f"{request['seed']} {place}")) for place, share in enumerate(shares)]
        await asyncio.gather(*slots)
        _reply(storm, len(asyncio.all_tasks()) - 1)


# --- with threads


def _use_in_thread(storm: Storm, node: Any, random: Random) -> None:
    def follow() -> None:
        for _ in storm.changes(node):
            node.members()

    def update() -> None:
        metadata = {"number": str(random.randrange(100))}
        _ = node.update(metadata) if hasattr(node, "update") else node.set_meta(metadata)

    deeds: list[Callable[[], Any]] = [follow, update, node.leave]
    if isinstance(node, gossip.blocking.Node):
        deeds += [node.joined, lambda: node.until(lambda node: node.alive > 1), lambda: node.explain("s0")]
    with suppress(*_expected()):
        for _ in range(3):
            random.choice(deeds)()


def _slot_of_threads(storm: Storm, place: int, count: int, random: Random) -> None:
    for _ in range(count):
        try:
            with storm.block(place, random) as node:
                storm.is_open()
                closing = threading.Timer(random.uniform(0, storm.longest_s), node.close)
                closing.start()
                _use_in_thread(storm, node, random)
                closing.join()
        except Exception as error:  # noqa: BLE001 - it is told
            storm.note(error)


def _on_threads(storm: Storm) -> None:
    for line in iter(sys.stdin.readline, ""):
        request = json.loads(line)
        storm.reset(request["longest_s"])
        with ThreadPoolExecutor(ABREAST) as pool:
            for place in range(ABREAST):
                share = len(range(place, request["count"], ABREAST))
                pool.submit(_slot_of_threads, storm, place, share, Random(f"{request['seed']} {place}"))
        _reply(storm, 0)


def _reply(storm: Storm, tasks: int) -> None:
    gc.collect()
    print(json.dumps({"opened": storm.opened, "errors": storm.errors, "tasks": tasks}), flush=True)


def main() -> None:
    """Be the program."""
    logging.disable(logging.CRITICAL)
    system, seed_address = sys.argv[1:]
    storm = Storm(system, seed_address)
    if system.split("-")[1:2] == ["blocking"]:
        _on_threads(storm)
    else:
        asyncio.run(_on_asyncio(storm))


if __name__ == "__main__":
    main()
