"""A host of swim-protocol for the benchmarks; ``README.rst`` beside this file describes the lines it reads and writes.

It runs in an environment of its own that holds only swim-protocol. So it uses no other package and nothing of this
project. All nodes share one event loop.

In swim-protocol an address is the name of a member. The names that the benchmarks choose travel as metadata, beside the
value, so that hosts know the names of each other's nodes.
"""

from __future__ import annotations

import asyncio
import json
import os
import sys
import threading
import time
from asyncio import AbstractEventLoop, Task
from collections.abc import Callable, Coroutine, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from swimprotocol.listener import Listener
from swimprotocol.members import Member, Members
from swimprotocol.status import Status
from swimprotocol.udp import UdpConfig, UdpTransport
from swimprotocol.worker import Worker

SECRET = "benchmark"
"""Signs the datagrams. Without one, the library takes the address of the network card."""

MAX_DEATHS = 100_000
"""Most deaths that a report tells."""

SENDING_OR_READING = ("UdpSend._do_send", "BaseProtocol.handle_packet")
"""The functions that the library runs for each datagram, in tasks that only the library knows."""

Reply = dict[str, Any]


class Refused(Exception):
    """A request that the host cannot meet. The text says why."""


@dataclass(frozen=True)
class Sight:
    """Something that a node may see: so many living members, or one member with a value, or one gone."""

    alive: int | None = None
    who: str | None = None
    value: str | None = None
    gone: bool = False

    def __post_init__(self) -> None:
        if self.who is None:
            right = self.alive is not None and self.value is None and not self.gone
        else:
            right = self.alive is None and (self.value is not None) != self.gone
        if not right:
            raise Refused("see must hold alive, or who and value, or who and gone")


class Expectation:
    """What some nodes have yet to see, and when each has seen it."""

    def __init__(self, names: Iterable[str], sight: Sight) -> None:
        self.sight = sight
        self.pending = dict.fromkeys(names)
        self.seen: dict[str, float] = {}
        self.all_seen = asyncio.Event()
        if not self.pending:
            self.all_seen.set()

    def look(self, view: View, now: float) -> None:
        """Note if this node sees it at last."""
        if view.name in self.pending and view.sees(self.sight):
            del self.pending[view.name]
            self.seen[view.name] = now
            if not self.pending:
                self.all_seen.set()


@dataclass
class Book:
    """What all nodes of this host see."""

    names: dict[str, str] = field(default_factory=dict)
    """By address."""
    addresses: dict[str, str] = field(default_factory=dict)
    """By name."""
    views: dict[str, View] = field(default_factory=dict)
    expected: Expectation | None = None
    sizes: set[int] = field(default_factory=set)
    deaths: list[tuple[str, str, float]] = field(default_factory=list)
    suspicions: int = 0

    def introduce(self, name: str, address: str) -> None:
        """Remember who has which address."""
        self.names[address] = name
        self.addresses[name] = address

    def expect(self, names: Iterable[str], sight: Sight) -> None:
        """Look out for something new."""
        self.expected = Expectation(names, sight)
        now = time.monotonic()
        for name in list(self.expected.pending):
            if name in self.views:
                self.expected.look(self.views[name], now)

    def reset(self) -> None:
        """Forget the past. What the nodes see at this moment counts as seen after it."""
        self.sizes = {view.living for view in self.views.values()}
        self.deaths = []
        self.suspicions = 0

    def report(self) -> Reply:
        """What happened since the last reset."""
        return {"sizes": sorted(self.sizes), "deaths": self.deaths, "suspicions": self.suspicions}


class View:
    """What one node sees."""

    def __init__(self, name: str, book: Book) -> None:
        self.name = name
        self.living = 0
        self._book = book
        self._status: dict[str, Status] = {}
        self._values: dict[str, str] = {}
        self._open = True
        book.views[name] = self

    def close(self) -> None:
        """Ignore everything from now on."""
        self._open = False
        if self._book.views.get(self.name) is self:
            del self._book.views[self.name]

    def sees(self, sight: Sight) -> bool:
        """Whether this node sees it now."""
        if sight.alive is not None:
            return self.living == sight.alive
        address = self._book.addresses.get(sight.who or "", "")
        lives = self._status.get(address, Status.OFFLINE) is not Status.OFFLINE
        return not lives if sight.gone else lives and self._values.get(address) == sight.value

    def learn(self, member: Member) -> None:
        """Called by the library whenever its knowledge of a member has changed."""
        if not self._open:
            return
        now = time.monotonic()
        self._take_value(member)
        before = self._status.get(member.name, Status.OFFLINE)
        after = member.status
        self._status[member.name] = after
        self.living += (after is not Status.OFFLINE) - (before is not Status.OFFLINE)
        if not member.local:
            self._take_failure(member.name, before, after, now)
        self._book.sizes.add(self.living)
        if self._book.expected is not None:
            self._book.expected.look(self, now)

    def _take_value(self, member: Member) -> None:
        if "value" in member.metadata:
            self._values[member.name] = member.metadata["value"].decode()
            self._book.introduce(member.metadata["name"].decode(), member.name)

    def _take_failure(self, address: str, before: Status, after: Status, now: float) -> None:
        if before is after:
            return
        if after is Status.SUSPECT:
            self._book.suspicions += 1
        elif after is Status.OFFLINE and len(self._book.deaths) < MAX_DEATHS:
            self._book.deaths.append((self.name, self._book.names.get(address, address), now))


class DirectListener(Listener):
    """Tells of a change while it happens. The library's own class tells a task, which runs some time later."""

    def __init__(self, tell: Callable[[Member], None]) -> None:
        super().__init__()
        self._tell = tell

    def notify(self, item: Member) -> None:
        """Tell of one change."""
        self._tell(item)
        super().notify(item)


class PatientWorker(Worker):
    """Waits until there is a peer to ask. The library's own class fails at once if a node starts without peers."""

    async def run_failure_detection(self) -> None:
        """Overrides what the library says may be overridden."""
        while not self.members.non_local:  # noqa: ASYNC110 - the library tells nobody of the first
            await asyncio.sleep(self.config.sync_interval)
        await super().run_failure_detection()


class Node:
    """One member that runs in this host, with the library's default times."""

    def __init__(self, name: str, address: str, value: str, seeds: Iterable[str], book: Book) -> None:
        self._name = name
        config = UdpConfig(
            local_name=address,
            local_metadata=self._metadata(value),
            peers=[seed for seed in seeds if seed != address],
            secret=SECRET,
        )
        self._members = Members(config)
        self._worker = PatientWorker(config, self._members)
        self._transport = UdpTransport(config, self._worker)
        self._view = View(name, book)
        self._members.listener = DirectListener(self._view.learn)
        self._view.learn(self._members.local)

    async def start(self) -> None:
        """Bind the address and begin. The library asks its peers again and again, so nothing more is needed to join.

        :raises OSError: if the address cannot be bound.
        """
        try:
            await self._transport.__aenter__()
        except OSError:
            self._view.close()
            raise
        task: Task[Any] = await self._worker.__aenter__()
        task.add_done_callback(self._worker_ended)

    def update(self, value: str) -> None:
        """Change the value."""
        self._members.update(self._members.local, new_metadata=self._metadata(value))

    async def crash(self) -> None:
        """End all tasks and close the sockets. The library's own way to end leaves some of the tasks running."""
        self._view.close()
        await self._worker.__aexit__(None, None, None)
        for task in [*self._worker._running, *self._worker._suspect.values()]:
            task.cancel()
        await self._transport.__aexit__(None, None, None)

    def _metadata(self, value: str) -> Mapping[str, bytes]:
        return {"name": self._name.encode(), "value": value.encode()}

    def _worker_ended(self, task: Task[Any]) -> None:
        if not task.cancelled() and task.exception() is not None:
            print(f"{self._name}: the library ended with {task.exception()!r}", file=sys.stderr, flush=True)


class Host:
    """Answers requests, one at a time."""

    def __init__(self) -> None:
        self._book = Book()
        self._nodes: dict[str, Node] = {}
        self.input_ended = asyncio.Event()
        self._ways: Mapping[str, Callable[..., Coroutine[Any, Any, Reply | None]]] = {
            "start": self._start,
            "expect": self._expect,
            "await": self._await,
            "update": self._update,
            "crash": self._crash,
            "leave": self._leave,
            "reset": self._reset,
            "report": self._report,
        }

    async def answer(self, line: bytes) -> Reply:
        """The reply to one line."""
        at = time.monotonic()
        try:
            request = json.loads(line)
            do = request.pop("do", None)
            if do not in self._ways:
                raise Refused(f"unknown request: {do!r}")
            return await self._ways[do](**request) or {"at": at}
        except Refused as refusal:
            return {"error": str(refusal)}
        except (AttributeError, KeyError, TypeError, ValueError) as error:
            return {"error": f"cannot read the request: {error!r}"}
        except OSError as error:
            return {"error": str(error)}

    async def _start(self, nodes: list[dict[str, str]], seeds: list[str]) -> None:
        for each in nodes:
            if each["name"] in self._nodes:
                raise Refused(f"{each['name']} runs already")
            self._book.introduce(each["name"], each["address"])
            node = Node(**each, seeds=seeds, book=self._book)
            await node.start()
            self._nodes[each["name"]] = node

    async def _expect(self, nodes: list[str], see: dict[str, Any]) -> None:
        self._book.expect(nodes, Sight(**see))

    async def _await(self, seconds: float) -> Reply:
        expected = self._book.expected
        if expected is None:
            raise Refused("nothing is expected")
        until = [asyncio.ensure_future(each.wait()) for each in (expected.all_seen, self.input_ended)]
        await asyncio.wait(until, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
        for each in until:
            each.cancel()
        return {"seen": dict(expected.seen), "missing": list(expected.pending)}

    async def _update(self, node: str, value: str) -> Reply:
        found = self._running(node)
        at = time.monotonic()
        found.update(value)
        return {"at": at}

    async def _crash(self, node: str) -> Reply:
        found = self._running(node)
        del self._nodes[node]
        at = time.monotonic()
        await found.crash()
        return {"at": at}

    async def _leave(self, node: str) -> Reply:
        self._running(node)
        raise Refused("swim-protocol has no farewell")

    async def _reset(self) -> None:
        self._book.reset()

    async def _report(self) -> Reply:
        return self._book.report()

    def _running(self, name: str) -> Node:
        if name not in self._nodes:
            raise Refused(f"{name!r} does not run here")
        return self._nodes[name]


def _read_lines(loop: AbstractEventLoop, take: Callable[[bytes], None], end: Callable[[], None]) -> None:
    for line in sys.stdin.buffer:
        if line.strip():
            loop.call_soon_threadsafe(take, line)
    loop.call_soon_threadsafe(end)


def _tell_troubles(loop: AbstractEventLoop, context: dict[str, Any]) -> None:
    # Tasks of a crashed node that were sending or reading find its threads and its socket gone, as they should.
    future = context.get("future")
    under_way = isinstance(future, Task) and getattr(future.get_coro(), "__qualname__", "") in SENDING_OR_READING
    if not (under_way and isinstance(context.get("exception"), (AttributeError, RuntimeError))):
        loop.default_exception_handler(context)


async def main() -> None:
    """Answer until the input ends. The input is read ahead, so that its end is noticed while a request waits."""
    loop = asyncio.get_running_loop()
    loop.set_exception_handler(_tell_troubles)
    host = Host()
    lines: asyncio.Queue[bytes | None] = asyncio.Queue()

    def end() -> None:
        host.input_ended.set()
        lines.put_nowait(None)

    threading.Thread(target=_read_lines, args=(loop, lines.put_nowait, end), daemon=True).start()
    while (line := await lines.get()) is not None:
        print(json.dumps(await host.answer(line)), flush=True)
    # Nothing has to be tidied up, and an orderly end would complain of much.
    os._exit(0)


if __name__ == "__main__":
    asyncio.run(main())
