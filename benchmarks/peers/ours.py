"""A host of this library's nodes: ``python -m benchmarks.peers.ours``. See ``README.rst`` beside this file.

Times are those in the nodes' own events: the moment at which a node read the datagram that told it. Events are taken
where they are published. A reading task for each node would add a wake-up for each event to the work of the measured
process, as many as the square of the number of nodes in a join.
"""

from __future__ import annotations

import gc
import json
import logging
import math
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

import attrs
import trio

from gossip import Config, EventKind, MembershipEvent, Node, Subscription, open_node
from gossip.cli.children import Lines
from gossip.core.config import PROFILES
from gossip.core.state.member import Member

MOST_DEATHS = 100_000
"""Most deaths that a report tells."""


@attrs.frozen
class Sight:
    """Something that a node may see: so many living members, a member's value, or that a member is gone."""

    alive: int | None = None
    who: str = ""
    value: str | None = None
    gone: bool = False

    def __attrs_post_init__(self) -> None:
        if (self.alive is not None) + (bool(self.who) and (self.value is not None or self.gone)) != 1:
            raise ValueError("nothing to see: give alive, or who with value or gone")

    def is_seen_in(self, event: MembershipEvent) -> bool:
        """Whether an event shows it."""
        if self.alive is not None:
            return event.alive == self.alive
        return event.member.name == self.who and self._fits(event.member)

    def is_seen_by(self, node: Node) -> bool:
        """Whether a node sees it now."""
        if self.alive is not None:
            return node.alive == self.alive
        member = node.get(self.who)
        return self.gone if member is None else self._fits(member)

    def _fits(self, member: Member) -> bool:
        if self.gone:
            return not member.status.is_living
        return member.status.is_living and member.metadata.get("value") == self.value


class Watch:
    """What the nodes of this host are to see, and what they saw."""

    def __init__(self) -> None:
        self._clock_offset = time.monotonic() - trio.current_time()
        self._sight: Sight | None = None
        self._missing: set[str] = set()
        self._seen: dict[str, float] = {}
        self._all_seen = trio.Event()
        self._sizes: set[int] = set()
        self._deaths: list[tuple[str, str, float]] = []
        self._suspicions = 0

    def reset(self, running: Mapping[str, Node]) -> None:
        """Forget what :meth:`report` tells."""
        self._sizes = {node.alive for node in running.values()}
        self._deaths = []
        self._suspicions = 0

    def report(self) -> dict[str, Any]:
        """What was seen since the last reset, whether expected or not."""
        return {"sizes": sorted(self._sizes), "deaths": self._deaths, "suspicions": self._suspicions}

    def expect(self, names: Sequence[str], sight: Sight, running: Mapping[str, Node]) -> None:
        """Note from now on when each of these nodes sees this."""
        self._sight, self._missing, self._seen, self._all_seen = sight, set(names), {}, trio.Event()
        for name in names:
            if name in running:
                self.look(name, running[name])

    def look(self, observer: str, node: Node) -> None:
        """Note it if a node sees it already."""
        if observer in self._missing and self._sight is not None and self._sight.is_seen_by(node):
            self._see(observer, time.monotonic())

    async def outcome(self, seconds: float) -> dict[str, Any]:
        """Which nodes have seen it, and when, as soon as all have or so many seconds are over."""
        if self._sight is None:
            raise ValueError("nothing is expected")
        if self._missing:
            with trio.move_on_after(seconds):
                await self._all_seen.wait()
        return {"seen": self._seen, "missing": sorted(self._missing)}

    def take(self, observer: str, event: MembershipEvent) -> None:
        """Take in an event of one node."""
        self._sizes.add(event.alive)
        if event.kind is EventKind.DIED and len(self._deaths) < MOST_DEATHS:
            self._deaths.append((observer, event.member.name, event.time + self._clock_offset))
        elif event.kind is EventKind.SUSPECTED:
            self._suspicions += 1
        if observer in self._missing and self._sight is not None and self._sight.is_seen_in(event):
            self._see(observer, event.time + self._clock_offset)

    def _see(self, observer: str, when: float) -> None:
        self._missing.discard(observer)
        self._seen[observer] = when
        if not self._missing:
            self._all_seen.set()


class _Tap(Subscription):
    """Passes each event on at once, instead of keeping it for a reader."""

    def __init__(self, node: Node, tell: Callable[[MembershipEvent], None]) -> None:
        super().__init__(node._broadcast, buffer=1)
        self._tell = tell

    def publish(self, event: MembershipEvent) -> None:
        """Pass on one event."""
        self._tell(event)


class Host:
    """The nodes of this process."""

    def __init__(self, config: Config, nursery: trio.Nursery) -> None:
        self._config = config
        self._nursery = nursery
        self._watch = Watch()
        self._nodes: dict[str, Node] = {}
        self._scopes: dict[str, trio.CancelScope] = {}
        self._ended: dict[str, trio.Event] = {}

    async def do(self, request: Mapping[str, Any]) -> dict[str, Any]:
        """Do what is asked; returns the reply."""
        at = time.monotonic()
        match request:
            case {"do": "start", "nodes": nodes, "seeds": seeds}:
                await self._start(nodes, seeds)
            case {"do": "expect", "nodes": names, "see": see}:
                self._watch.expect(names, Sight(**see), self._nodes)
            case {"do": "await", "seconds": seconds}:
                return await self._watch.outcome(seconds)
            case {"do": "update", "node": name, "value": value}:
                self._nodes[name].update({"value": value})
            case {"do": "crash", "node": name}:
                await self._end(name)
            case {"do": "leave", "node": name}:
                self._nursery.start_soon(self._leave, name, self._nodes[name])
            case {"do": "reset"}:
                self._watch.reset(self._nodes)
            case {"do": "report"}:
                return self._watch.report()
            case _:
                raise ValueError(f"unknown request {request!r}")
        return {"at": at}

    async def _start(self, nodes: Sequence[Mapping[str, str]], seeds: Sequence[str]) -> None:
        gc.collect()  # what nodes that ended left behind is not the new ones' work
        async with trio.open_nursery() as starting:
            for node in nodes:
                starting.start_soon(
                    self._nursery.start, partial(self._run, node["name"], node["address"], node["value"], seeds)
                )

    async def _run(self, name: str, address: str, value: str, seeds: Sequence[str],
                   task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED) -> None:  # fmt: skip
        ended = trio.Event()
        with trio.CancelScope() as scope:
            async with open_node(
                name, bind=address, seeds=list(seeds), config=self._config, metadata={"value": value}, insecure=True
            ) as node:
                with _Tap(node, partial(self._watch.take, name)):
                    self._nodes[name], self._scopes[name], self._ended[name] = node, scope, ended
                    self._watch.look(name, node)
                    task_status.started()
                    await trio.sleep_forever()
        ended.set()

    async def _end(self, name: str) -> None:
        """End a node, its sockets included."""
        del self._nodes[name]
        self._scopes.pop(name).cancel()
        await self._ended.pop(name).wait()

    async def _leave(self, name: str, node: Node) -> None:
        await node.leave()
        await self._end(name)


async def serve(requests: trio.abc.ReceiveStream, reply: Callable[[str], None], config: Config) -> None:
    """Do what each line asks, one after the other, until the input ends; then end at once."""
    async with trio.open_nursery() as nursery:
        host = Host(config, nursery)
        send, receive = trio.open_memory_channel[bytes](math.inf)
        nursery.start_soon(_do_all, host, receive, reply)
        async for line in Lines(requests):
            send.send_nowait(line)
        nursery.cancel_scope.cancel()


async def _do_all(host: Host, lines: trio.MemoryReceiveChannel[bytes], reply: Callable[[str], None]) -> None:
    async for line in lines:
        try:
            told = await host.do(json.loads(line))
        except Exception as error:  # noqa: BLE001 - the benchmark is told of it
            told = {"error": f"{type(error).__name__}: {error}"}
        reply(json.dumps(told))


async def main() -> None:
    """Serve standard input."""
    logging.disable(logging.CRITICAL)
    profile = sys.argv[1] if len(sys.argv) > 1 else "lan"
    await serve(trio.lowlevel.FdStream(0), partial(print, flush=True), PROFILES[profile]())


if __name__ == "__main__":
    trio.run(main)
