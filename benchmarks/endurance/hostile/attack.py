"""Attacks on running nodes: a victim and its peers in processes of their own, and packets from this one."""

from __future__ import annotations

import json
import socket
import sys
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import ExitStack, asynccontextmanager
from pathlib import Path
from typing import Any

import trio

from benchmarks.endurance.hostile.victim import NAMES
from benchmarks.environment.builds import ROOT
from benchmarks.environment.measuring import MeasurementFailed
from gossip.cli import children
from gossip.cli.children import Lines
from gossip.security.framing import pack_frame

HOST = "127.0.0.1"
JOINED_WITHIN_S = 20.0

SETTLED_AFTER_S = 2.0
"""So long after the nodes see each other, the attack begins."""

Address = tuple[str, int]
"""Host and port."""


class Victim:
    """One node in a process of its own."""

    def __init__(self, name: str, seed: str) -> None:
        self.name = name
        self.seed = seed
        self.address = (HOST, _free_port())
        self.where = f"{HOST}:{self.address[1]}"
        self.counts: dict[str, int] = {}
        """What it last told of its memory and counts."""
        self.late_ms = 0.0
        """By how much its loop was late at most, since this was set to 0."""
        self.events: list[dict[str, Any]] = []
        """The changes of membership that it told."""

    async def run(self, keyring: Path | None) -> None:
        """Run the process and read what it tells, until this is cancelled."""
        command = (sys.executable, "-m", "benchmarks.endurance.hostile.victim")
        arguments = (self.name, self.where, self.seed, str(keyring or ""))
        process = await children.start([*command, *arguments], cwd=ROOT, errors=None)
        assert process.stdout is not None
        try:
            async for line in Lines(process.stdout):
                self._take(json.loads(line))
        finally:
            children.kill(process)
            with trio.CancelScope(shield=True):
                await process.wait()
        raise MeasurementFailed(f"{self.name} ended with {process.returncode}")

    def _take(self, told: dict[str, Any]) -> None:
        if "event" in told:
            self.events.append(told)
        else:
            self.counts = told
            self.late_ms = max(self.late_ms, told["late_ms"])


@asynccontextmanager
async def cluster(peers: int, keyring: Path | None) -> AsyncIterator[list[Victim]]:
    """A victim, the first of the list, and peers of it, who all see each other.

    :raises MeasurementFailed: if they do not see each other in time.
    """
    victims = [Victim(NAMES + "0", "")]
    victims += [Victim(f"{NAMES}{number}", victims[0].where) for number in range(1, 1 + peers)]
    async with trio.open_nursery() as nursery:
        for victim in victims:
            nursery.start_soon(victim.run, keyring)
        with trio.move_on_after(JOINED_WITHIN_S) as waiting:
            while not all(victim.counts.get("members") == 1 + peers for victim in victims):  # noqa: ASYNC110
                await trio.sleep(0.05)
        if waiting.cancelled_caught:
            raise MeasurementFailed(f"the nodes did not see each other within {JOINED_WITHIN_S:g} s")
        await trio.sleep(SETTLED_AFTER_S)
        yield victims
        nursery.cancel_scope.cancel()


async def flood(target: Address, datagrams: Iterator[bytes], per_s: float, seconds: float) -> int:
    """Send datagrams at this rate; returns how many were sent."""
    return await trio.to_thread.run_sync(_flood, target, datagrams, per_s, seconds)


async def fill_streams(target: Address, messages: Iterator[bytes], count: int, seconds: float) -> None:
    """Keep so many streams full of messages. A stream that the other side closes is opened again."""
    await trio.to_thread.run_sync(_fill_streams, target, messages, count, seconds)


def _flood(target: Address, datagrams: Iterator[bytes], per_s: float, seconds: float) -> int:
    """Send in bursts of a millisecond's worth."""
    sent = 0
    with socket.socket(type=socket.SOCK_DGRAM) as opened:
        began = time.monotonic()
        while (passed := time.monotonic() - began) < seconds:
            while sent < passed * per_s:
                opened.sendto(next(datagrams), target)
                sent += 1
            time.sleep(0.001)
    return sent


def _fill_streams(target: Address, messages: Iterator[bytes], count: int, seconds: float) -> None:
    with ExitStack() as stack:
        waiting: dict[socket.socket, memoryview] = {}
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            while len(waiting) < count:
                opened = stack.enter_context(socket.create_connection(target))
                opened.setblocking(False)
                waiting[opened] = memoryview(b"")
            for opened, rest in list(waiting.items()):
                try:
                    waiting[opened] = _write(opened, rest, messages)
                except OSError:
                    del waiting[opened]
                    opened.close()
            time.sleep(0.001)


def _write(opened: socket.socket, rest: memoryview, messages: Iterator[bytes]) -> memoryview:
    """Write until the system takes no more; returns what is left of the last message.

    :raises OSError: if the other side has closed the stream.
    """
    while True:
        rest = rest or memoryview(pack_frame(next(messages)))
        try:
            rest = rest[opened.send(rest) :]
        except BlockingIOError:
            return rest


def accusations(victims: list[Victim]) -> int:
    """How often a victim has told that another is suspected or dead. Members that do not exist, and are rightly
    suspected, do not count."""
    names = {victim.name for victim in victims}
    events = [event for victim in victims for event in victim.events if event["member"] in names]
    return sum(event["event"] in ("suspected", "died") for event in events)


def _free_port() -> int:
    with socket.socket() as opened:
        opened.bind((HOST, 0))
        port: int = opened.getsockname()[1]
        return port
