"""Attacks on running nodes: a victim and its peers in processes of their own, and packets from this one."""

from __future__ import annotations

import json
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

from benchmarks.hostile.victim import NAMES
from benchmarks.measuring import MeasurementFailed
from gossip.security.framing import pack_frame

HOST = "127.0.0.1"
JOINED_WITHIN_S = 20.0


class Victim:
    """One node in a process of its own."""

    def __init__(self, name: str, seed: str, keyring: Path | None) -> None:
        self.name = name
        self.address = (HOST, _free_port())
        self.where = f"{HOST}:{self.address[1]}"
        arguments = [name, self.where, seed, str(keyring or "")]
        self._process = subprocess.Popen(
            [sys.executable, "-m", "benchmarks.hostile.victim", *arguments],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        self.counts: dict[str, int] = {}
        """What it has last said of its memory and counts."""
        self.late_ms = 0.0
        """By how much its loop was late at most, since this was set to 0."""
        self.events: list[dict[str, Any]] = []
        """Changes of the membership that it has told."""
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self) -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            told = json.loads(line)
            if "event" in told:
                self.events.append(told)
            else:
                self.counts = told
                self.late_ms = max(self.late_ms, told["late_ms"])

    def end(self) -> None:
        """End its process."""
        self._process.kill()
        self._process.communicate()


@contextmanager
def cluster(peers: int, keyring: Path | None) -> Iterator[list[Victim]]:
    """A victim, the first of the list, and peers of it, who all see each other."""
    with ExitStack() as stack:
        found: list[Victim] = []
        for number in range(1 + peers):
            victim = Victim(f"{NAMES}{number}", found[0].where if found else "", keyring)
            stack.callback(victim.end)
            found.append(victim)
        deadline = time.monotonic() + JOINED_WITHIN_S
        while not all(victim.counts.get("members") == 1 + peers for victim in found):
            if time.monotonic() > deadline:
                raise MeasurementFailed(f"the nodes did not see each other within {JOINED_WITHIN_S:g} s")
            time.sleep(0.05)
        time.sleep(2.0)
        yield found


def flood(target: tuple[str, int], datagrams: Iterator[bytes], per_s: float, seconds: float) -> int:
    """Send at this rate, in bursts of a millisecond's worth; returns how many were sent."""
    sent = 0
    with socket.socket(type=socket.SOCK_DGRAM) as opened:
        began = time.monotonic()
        while (passed := time.monotonic() - began) < seconds:
            while sent < passed * per_s:
                opened.sendto(next(datagrams), target)
                sent += 1
            time.sleep(0.001)
    return sent


def fill_streams(target: tuple[str, int], messages: Iterator[bytes], count: int, seconds: float) -> None:
    """Keep so many streams full of messages. One that the other side closes is opened anew."""
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
    """How often one of them has told that another is suspected or dead. Members that do not exist, and are rightly
    suspected, do not count."""
    names = {victim.name for victim in victims}
    events = [event for victim in victims for event in victim.events if event["member"] in names]
    return sum(event["event"] in ("suspected", "died") for event in events)


def _free_port() -> int:
    with socket.socket() as opened:
        opened.bind((HOST, 0))
        port: int = opened.getsockname()[1]
        return port
