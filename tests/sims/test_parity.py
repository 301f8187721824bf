"""The simulator against reality: the same small cluster on loopback sockets and in virtual time.

Updates and crashes are timed many times in both, and the distributions of the times compared by the distance of
Kolmogorov and Smirnov: the largest difference of the two shares of times that are below any given one. The
simulated cluster has the one-way delays that were measured in the real one, from one core to the other, and timers
that fire as late, so the time that the shared process takes is in them.
"""

from __future__ import annotations

import random
import statistics
import sys
from bisect import bisect_right
from collections.abc import Iterable, Sequence

import attrs
import pytest
import trio

from gossip import Address, Config, EventKind, Node
from gossip.core.journal import Journal, kinds_of
from gossip.core.protocol import Protocol
from gossip.core.state.entry import Change
from sims.plan import Plan
from sims.running import Run
from sims.steps import Crash, Update
from sims.world import Link, Measured
from tests.node.nodes import local_node, until

MEMBERS = 6
TIMES = 30
CRASHES = 15
"""Of the real cluster: each takes half a second, and as long again to have as many members as before."""

SETTINGS = {
    "probe_interval": 0.1, "ack_timeout_initial": 0.03, "ack_timeout_min": 0.03, "ack_timeout_max": 0.1,
    "watch_delay": 0.03, "suspicion_min": 0.3, "suspicion_max": 1.0, "reconcile_after": 0.2, "push_rate": 200.0,
}  # fmt: skip
"""Quick, so that fifteen crashes take seconds."""

CONFIG = Config.local(**SETTINGS)

QUIET_S = 0.15
"""Pause before each update and crash, besides a random part of a round."""

MOST_DISTANT = {"update": 0.9, "crash": 0.7}
"""Two samples of thirty from one distribution are further apart than 0.5 once in a thousand times, one of thirty and
one of fifteen further than 0.6; a shared machine adds something of its own. Updates all take about a millisecond, so a
quarter of one more is a distance of 0.7; without the measured delays and lateness it is 1."""

MOST_DIFFERENT = 2.0
"""Ratio of the medians."""


def distance(one: Sequence[float], other: Sequence[float]) -> float:
    """The largest difference between the shares of both that are at or below any value."""
    first, second = sorted(one), sorted(other)
    return max(
        abs(bisect_right(first, value) / len(first) - bisect_right(second, value) / len(second))
        for value in (*first, *second)
    )


@attrs.define
class Wiretap:
    """What goes on between the cores of this process: one-way delays, and who told what when."""

    delays: list[float] = attrs.Factory(list)
    """Of datagrams that brought news, which wait for each other, until they have been handled."""
    lateness: list[float] = attrs.Factory(list)
    """Of timers that are due while news spreads, until what they lead to is handed over to be sent."""
    news_spreads: bool = False
    told: dict[tuple[str, EventKind, str], float] = attrs.Factory(dict)
    """When somebody last learnt what an event of a kind says about a member."""
    pieces: int = 0
    """How often somebody learnt something."""
    _under_way: dict[tuple[bytes, Address], float] = attrs.Factory(dict)
    _due: dict[str, float] = attrs.Factory(dict)

    def woken(self, name: str, due: float) -> None:
        if self.news_spreads and due <= trio.current_time():
            self._due[name] = due

    def sends(self, name: str, datagrams: Iterable[tuple[bytes, Address]]) -> None:
        due = self._due.pop(name, None)
        if due is not None:
            self.lateness.append(trio.current_time() - due)
        if self.news_spreads:
            for data, destination in datagrams:
                self._under_way[data, destination] = trio.current_time()

    def handled(self, data: bytes, here: Address, *, was_news: bool) -> None:
        began = self._under_way.pop((data, here), None)
        if began is not None and was_news:
            self.delays.append(trio.current_time() - began)

    async def last_told(self, observers: Iterable[str], kind: EventKind, name: str, since: float) -> float:
        """Seconds from ``since`` until the last of the observers told it."""
        wanted = [(observer, kind, name) for observer in observers if observer != name]
        await until(lambda: all(self.told.get(each, 0.0) >= since for each in wanted))
        return max(self.told[each] for each in wanted) - since


@pytest.fixture
def wiretap(monkeypatch: pytest.MonkeyPatch) -> Wiretap:
    """Listens while the test runs."""
    tap = Wiretap()
    send, receive, wake = Protocol.datagrams_to_send, Protocol.receive_datagram, Protocol.handle_timer
    note = Journal.note

    def datagrams_to_send(self: Protocol, now: float) -> list[tuple[bytes, Address]]:
        datagrams = send(self, now)
        tap.sends(self.local.name, datagrams)
        return datagrams

    def receive_datagram(self: Protocol, data: bytes, source: Address, now: float) -> None:
        before = tap.pieces
        receive(self, data, source, now)
        tap.handled(data, self.local.address, was_news=tap.pieces > before)

    def handle_timer(self: Protocol, now: float) -> None:
        tap.woken(self.local.name, self.next_timer())
        wake(self, now)

    def note_change(self: Journal, change: Change, now: float) -> None:
        note(self, change, now)
        for kind in kinds_of(change):
            tap.told[self._view.local.identity.name, kind, change.entry.identity.name] = trio.current_time()
            tap.pieces += 1

    monkeypatch.setattr(Protocol, "datagrams_to_send", datagrams_to_send)
    monkeypatch.setattr(Protocol, "receive_datagram", receive_datagram)
    monkeypatch.setattr(Protocol, "handle_timer", handle_timer)
    monkeypatch.setattr(Journal, "note", note_change)
    return tap


class RealCluster:
    """Members on loopback sockets that can be ended one by one."""

    def __init__(self, nursery: trio.Nursery) -> None:
        self._nursery = nursery
        self._scopes: dict[str, trio.CancelScope] = {}
        self._count = 0
        self.nodes: dict[str, Node] = {}

    async def grow(self) -> None:
        """Start members until there are enough, and wait until all see all."""
        while len(self.nodes) < MEMBERS:
            self._count += 1
            await self._nursery.start(self._live, f"node-{self._count}")
        await until(lambda: all(node.alive == MEMBERS for node in self.nodes.values()))

    async def _live(self, name: str, *, task_status: trio.TaskStatus[None]) -> None:
        seeds = [node.address for node in self.nodes.values()]
        with trio.CancelScope() as self._scopes[name]:
            async with local_node(name, seeds=seeds, config=CONFIG) as node:
                self.nodes[name] = node
                task_status.started()
                await trio.sleep_forever()

    def crash(self, name: str) -> None:
        """End one without a farewell."""
        del self.nodes[name]
        self._scopes[name].cancel()


async def real_times(wiretap: Wiretap, dice: random.Random) -> tuple[list[float], list[float]]:
    """How long until the last member told of each update, and of each crash."""
    updates, crashes = list[float](), list[float]()
    async with trio.open_nursery() as nursery:
        cluster = RealCluster(nursery)
        for number in range(TIMES):
            await cluster.grow()
            await trio.sleep(QUIET_S + dice.random() * CONFIG.probe_interval)
            name, began = dice.choice(list(cluster.nodes)), trio.current_time()
            wiretap.news_spreads = True
            cluster.nodes[name].update({"number": str(number)})
            updates.append(await wiretap.last_told(cluster.nodes, EventKind.UPDATED, name, began))
            wiretap.news_spreads = False
            if len(crashes) == CRASHES:
                continue
            await trio.sleep(QUIET_S + dice.random() * CONFIG.probe_interval)
            began = trio.current_time()
            cluster.crash(name)
            crashes.append(await wiretap.last_told(cluster.nodes, EventKind.DIED, name, began))
        nursery.cancel_scope.cancel()
    return updates, crashes


def simulated_times(wiretap: Wiretap, dice: random.Random) -> tuple[list[float], list[float]]:
    """The same in virtual time, each in a cluster of its own."""
    updates, crashes = [], []
    for seed in range(TIMES):
        name = f"n{dice.randrange(MEMBERS)}"
        at = 1.0 + dice.random() * CONFIG.probe_interval
        then = at + QUIET_S + dice.random() * CONFIG.probe_interval
        is_told = sys.platform == "linux"  # other systems do not tell of refused datagrams
        plan = Plan(
            scenario="parity", seed=seed, nodes=MEMBERS, profile="local", settings=SETTINGS,
            link=Link(latency=Measured(wiretap.delays)), lateness=Measured(wiretap.lateness), duration_s=5.0,
            steps=(Update(at=at, node=name, metadata={"number": "1"}), Crash(at=then, node=name, refused=is_told)),
        )  # fmt: skip
        outcome = Run(plan).run()
        assert outcome.is_good, outcome.violations
        (update,), (crash,) = outcome.updates, outcome.crashes
        assert update.last_s is not None
        assert crash.last_dead_s is not None
        updates.append(update.last_s)
        crashes.append(crash.last_dead_s)
    return updates, crashes


@pytest.mark.benchmark  # measures real nodes, which takes a machine that is not busy
async def test_updates_and_crashes_take_as_long_in_virtual_time_as_on_real_sockets(
    wiretap: Wiretap, capsys: pytest.CaptureFixture[str]
) -> None:
    dice = random.Random(1)
    real = await real_times(wiretap, dice)
    simulated = simulated_times(wiretap, dice)
    for what, one, other in zip(("update", "crash"), real, simulated, strict=True):
        apart = distance(one, other)
        with capsys.disabled():
            print(
                f"\n{what}: medians {statistics.median(one):.4f} s real, {statistics.median(other):.4f} s simulated, "
                f"distance {apart:.2f}"
            )
        ratio = statistics.median(one) / statistics.median(other)
        assert 1 / MOST_DIFFERENT <= ratio <= MOST_DIFFERENT, f"{what}: medians differ by a factor of {ratio}"
        assert apart <= MOST_DISTANT[what], f"{what}: real {sorted(one)}, simulated {sorted(other)}"


def test_the_distance_of_two_samples_is_that_of_their_distribution_functions() -> None:
    assert distance([1, 2, 3, 4], [1, 2, 3, 4]) == 0
    assert distance([1, 2], [3, 4]) == 1
    assert distance([1, 2, 3, 4], [3, 4, 5, 6]) == 0.5
