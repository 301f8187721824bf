"""What single operations of the core cost: time, by pyperf, and memory, by tracemalloc.

``python -m benchmarks.core.micro -o FILE`` times each operation in processes of its own and writes what pyperf writes.
It takes all options of pyperf. :func:`micro` runs that, reads it, and adds the memory. Both need the extra ``bench``.

**Time** includes the loop and the call of the operation, about 0.05 µs. What an operation needs is made before the
clock starts. An operation that must be answered before it can be repeated is timed separately each time, which adds as
much again.

**Memory** is what Python's allocators were asked for; memory that a compiled package takes from elsewhere is not seen.
Allocated is how much more was held at the peak of the operation than before it, so memory that is freed meanwhile
counts at most once. Kept is how much more is held after it, its result included. The figures are medians, so a table
that grows once in a while does not show.

The core's caches know all members and records, as they nearly always do in a running cluster.
"""

from __future__ import annotations

import contextlib
import functools
import gc
import itertools
import statistics
import subprocess
import sys
import tempfile
import time
import tracemalloc
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import attrs

from benchmarks.analysis.samples import Sample
from benchmarks.environment.measuring import MeasurementFailed
from gossip.core.config import Config
from gossip.core.dissemination.facts import record_fact
from gossip.core.protocol import Protocol
from gossip.core.state.heartbeat import HEARTBEAT_STEP_S
from gossip.core.support.address import Address
from gossip.core.wire import Codec
from gossip.core.wire.messages import AliveFact, Body, News, Ping, RecordFact
from sims.world import SimulatedNode, Simulation

EXPERIMENT = "micro"
MODULE = "benchmarks.core.micro"

MISSING_EXTRA = "microbenchmarks need one more package: pip install 'gossip-membership[bench]'"

MEMBERS = 128
"""Members in the view of the measured node, itself included."""

MEMBERS_TO_TELL_OF = 32
"""Members where only messages matter: more than fit into a datagram."""

MOMENT_S = 0.001
"""From a question to its arrival, and from an answer to its arrival."""

QUICK = ("--processes=1", "--values=5", "--warmups=1", "--loops=100")
"""Options of pyperf for rough figures within seconds: pyperf does not calibrate how many loops each operation needs."""

ALLOCATIONS = 500
QUICK_ALLOCATIONS = 50
"""Calls whose memory is measured, after as many that only fill the caches."""


@attrs.frozen(kw_only=True)
class Operation:
    """Something that can be repeated any number of times."""

    act: Callable[..., Any]
    prepare: Callable[[int], Sequence[tuple[Any, ...]]]
    """Makes the arguments for so many calls; each call may need others than the one before."""
    settle: Callable[[Any], None] | None = None
    """Takes what a call returned, and makes the next call possible. It is not part of what is measured."""


# --- a cluster, of which one node does what is measured


class Cluster:
    """Members that know each other. One is measured; the others only answer."""

    def __init__(self, members: int = MEMBERS) -> None:
        self._sim = Simulation(config=Config.lan(), keeps_events=False)
        for number in range(members):
            self._sim.start(f"n{number}", metadata={"role": "web"})
        self._sim.acquaint()
        first, *others = self._sim.running
        self.node: SimulatedNode = first
        self.others: Sequence[SimulatedNode] = others
        self.protocol: Protocol = first.protocol
        self.codec = Codec(self._sim.config.cluster)

    def answer(self, sent: tuple[float, list[tuple[bytes, Address]]]) -> None:
        """Have the asked members answer."""
        now, datagrams = sent
        for data, address in datagrams:
            asked = self._sim.node_at(address)
            assert asked is not None, "only members are asked"
            asked.protocol.receive_datagram(data, self.node.address, now + MOMENT_S)
            for answer, _ in asked.protocol.datagrams_to_send(now + MOMENT_S):
                self.protocol.receive_datagram(answer, address, now + 2 * MOMENT_S)
        self.protocol.datagrams_to_send(now + 2 * MOMENT_S)

    def message(self, body: Body, facts: Sequence[bytes] = (), heartbeat: int = 4321) -> tuple[Any, ...]:
        """The arguments with which :meth:`Codec.encode` makes a message of another node."""
        sender, fingerprint = self.others[0].id, self.protocol.fingerprint
        return sender, heartbeat, fingerprint, body, facts, self._sim.config.max_datagram

    def full(self) -> tuple[Any, ...]:
        """The same for news of more members than fit into a datagram."""
        return self.message(News(), [record_fact(entry) for entry in self.protocol.view])


PING = Ping(0xDECAFBAD)


def _encode(arguments: tuple[Any, ...], codec: Codec) -> Operation:
    return Operation(act=codec.encode, prepare=lambda count: [arguments] * count)


def _decode(arguments: tuple[Any, ...], codec: Codec) -> Operation:
    data, _ = codec.encode(*arguments)
    return Operation(act=codec.decode, prepare=lambda count: [(data,)] * count)


def _encode_ping() -> Operation:
    cluster = Cluster(MEMBERS_TO_TELL_OF)
    return _encode(cluster.message(PING), cluster.codec)


def _encode_full() -> Operation:
    cluster = Cluster(MEMBERS_TO_TELL_OF)
    return _encode(cluster.full(), cluster.codec)


def _decode_ping() -> Operation:
    cluster = Cluster(MEMBERS_TO_TELL_OF)
    return _decode(cluster.message(PING), cluster.codec)


def _decode_full() -> Operation:
    cluster = Cluster(MEMBERS_TO_TELL_OF)
    return _decode(cluster.full(), cluster.codec)


def _merge_alive() -> Operation:
    """Counters that have advanced, of one member after the other; no other node has to be told."""
    cluster, steps = Cluster(), itertools.count(1)

    def prepare(count: int) -> Sequence[tuple[Any, ...]]:
        return [
            (AliveFact(cluster.others[step % len(cluster.others)].id, step), step * HEARTBEAT_STEP_S)
            for step in itertools.islice(steps, count)
        ]

    return Operation(act=cluster.protocol.parts.belief.judge, prepare=prepare)


def _merge_record() -> Operation:
    """Newer records and counters that have advanced, of one member after the other: news."""
    cluster, steps = Cluster(), itertools.count(1)

    def prepare(count: int) -> Sequence[tuple[Any, ...]]:
        facts = []
        for step in itertools.islice(steps, count):
            known = cluster.others[step % len(cluster.others)].protocol.view.local.registers.record
            newer = attrs.evolve(known, version=known.version + step)
            facts.append((RecordFact(newer, step), step * HEARTBEAT_STEP_S))
        return facts

    return Operation(act=cluster.protocol.parts.belief.judge, prepare=prepare)


def _round() -> Operation:
    """A timer that fires and asks a member, which answers before the next one fires."""
    cluster = Cluster()
    protocol = cluster.protocol

    def act() -> tuple[float, list[tuple[bytes, Address]]]:
        now = protocol.next_timer()
        protocol.handle_timer(now)
        return now, protocol.datagrams_to_send(now)

    return Operation(act=act, prepare=lambda count: [()] * count, settle=cluster.answer)


def _receive_ping() -> Operation:
    """A datagram from a member, a step of its counter after the one before; the answer is taken out."""
    cluster, steps = Cluster(), itertools.count(1)
    protocol, source = cluster.protocol, cluster.others[0].address

    def prepare(count: int) -> Sequence[tuple[Any, ...]]:
        arguments = []
        for step in itertools.islice(steps, count):
            data, _ = cluster.codec.encode(*cluster.message(PING, heartbeat=step))
            arguments.append((data, step * HEARTBEAT_STEP_S))
        return arguments

    def act(data: bytes, now: float) -> list[tuple[bytes, Address]]:
        protocol.receive_datagram(data, source, now)
        return protocol.datagrams_to_send(now)

    return Operation(act=act, prepare=prepare)


OPERATIONS: dict[str, tuple[int, Callable[[], Operation]]] = {
    "encode a ping": (0, _encode_ping),
    "encode a datagram full of records": (0, _encode_full),
    "decode a ping": (0, _decode_ping),
    "decode a datagram full of records": (0, _decode_full),
    "merge an alive fact": (MEMBERS, _merge_alive),
    "merge a record fact": (MEMBERS, _merge_record),
    "a round, one member asked": (MEMBERS, _round),
    "a ping received and answered": (MEMBERS, _receive_ping),
}
"""By name: how many members matter for it, and what makes it."""


@functools.cache
def operation(name: str) -> Operation:
    """The operation of this name, made at its first use: each process of pyperf needs only one."""
    return OPERATIONS[name][1]()


# --- time


def seconds(name: str, loops: int) -> float:
    """How long so many repetitions take, in seconds."""
    wanted = operation(name)
    act, settle, clock = wanted.act, wanted.settle, time.perf_counter
    arguments = wanted.prepare(loops)
    if settle is None:
        began = clock()
        for each in arguments:
            act(*each)
        return clock() - began
    took = 0.0
    for each in arguments:
        began = clock()
        result = act(*each)
        took += clock() - began
        settle(result)
    return took


def _pyperf() -> Any:
    """The package pyperf.

    :raises MeasurementFailed: if it is not installed.
    """
    try:
        import pyperf  # noqa: PLC0415  (optional)
    except ModuleNotFoundError as error:
        raise MeasurementFailed(MISSING_EXTRA) from error
    return pyperf


def main() -> None:
    """Time each operation, as pyperf's options say."""
    try:
        runner = _pyperf().Runner(program_args=("-m", MODULE))
    except MeasurementFailed as failure:
        sys.exit(str(failure))
    for name in OPERATIONS:
        runner.bench_time_func(name, functools.partial(seconds, name))


# --- memory


def allocations(name: str, count: int) -> tuple[float, float]:
    """Medians of the bytes that one call of an operation allocates, and of those it keeps."""
    nothing = Operation(act=lambda: None, prepare=lambda count: [()] * count)
    with _traced():
        idle_peak, idle_kept = _allocated_by(nothing, count)
        # Made here, so that it is seen when something of it is replaced.
        peak, kept = _allocated_by(OPERATIONS[name][1](), count)
    return peak - idle_peak, kept - idle_kept


@contextlib.contextmanager
def _traced() -> Iterator[None]:
    """Trace allocations. The garbage collector, which would free what is measured, is off."""
    was_tracing, was_collecting = tracemalloc.is_tracing(), gc.isenabled()
    gc.disable()
    tracemalloc.start()
    try:
        yield
    finally:
        if not was_tracing:
            tracemalloc.stop()
        if was_collecting:
            gc.enable()


def _allocated_by(wanted: Operation, count: int) -> tuple[float, float]:
    """Medians over the second half of twice as many calls. They include the cost of measuring."""
    peaks, kept = [], []
    for each in wanted.prepare(2 * count):
        tracemalloc.reset_peak()
        before, _ = tracemalloc.get_traced_memory()
        result = wanted.act(*each)
        held, peak = tracemalloc.get_traced_memory()
        peaks.append(peak - before)
        kept.append(held - before)
        if wanted.settle is not None:
            wanted.settle(result)
        result = None  # or it would be freed within the next one
    return statistics.median(peaks[count:]), statistics.median(kept[count:])


# --- both


def micro(quick: bool, step: Callable[[str], None]) -> list[Sample]:
    """Measure each operation.

    :param quick: whether rough figures are enough; they take seconds, the others minutes.
    :param step: takes what is done next.
    :raises MeasurementFailed: if pyperf is not installed, or failed.
    """
    pyperf = _pyperf()
    step("micro: time")
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder, "micro.json")
        command = [sys.executable, "-m", MODULE, "--quiet", "-o", str(file), *(QUICK if quick else ())]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode:
            complaint = (done.stderr.strip().splitlines() or ["(it said nothing)"])[-1]
            raise MeasurementFailed(f"pyperf failed: {complaint}")
        suite = pyperf.BenchmarkSuite.load(str(file))
    samples = []
    for name, (nodes, _) in OPERATIONS.items():
        step(f"micro: memory, {name}")
        timed = suite.get_benchmark(name)
        allocated, kept = allocations(name, QUICK_ALLOCATIONS if quick else ALLOCATIONS)
        numbers = {
            "median_us": 1e6 * timed.median(),
            "stdev_us": 1e6 * timed.stdev(),
            "allocated_bytes": allocated,
            "kept_bytes": kept,
        }
        samples.append(Sample(experiment=EXPERIMENT, system="ours", nodes=nodes, setting=name, numbers=numbers))
    return samples


if __name__ == "__main__":
    main()
