"""``python -m tests.fuzzing.measure``: what each bomb costs, and the dearest of them as a table.

Before anything is authenticated: a bomb as somebody without a key can send it, to a node that has none (where it ends
at the checksum) and to one that has (where it ends at the envelope, or in a greeting). After it: a bomb in a message
with all that a holder of the key can give it, decoded; and messages that are all right and make the most work,
handled by a node that knows 128 members: each as large as a frame may be, and as a datagram.

Time is CPU time of one thread, the fastest of some tries. Memory is the most that was allocated by Python and not yet
freed, beyond what there was before: by tracemalloc, which does not see what compiled packages take from elsewhere.
"""

from __future__ import annotations

import argparse
import json
import platform
import resource
import sys
import time
import tracemalloc
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from random import Random

import attrs

from gossip.core.errors import WireError
from gossip.core.protocol import JUMBO_DATAGRAM_BYTES, Protocol
from gossip.security.envelope import SESSION_BYTES, Envelope
from gossip.security.keyring import Keyring
from gossip.security.sealing import VERSION
from tests.fuzzing import bombs, decoding, loads, streams

RESULTS = Path(__file__).parent / "results" / "bombs.json"
MAX_UDP_BYTES = 65_507
"""No datagram is larger."""

TRIES = 5
SHOWN = 8

BEFORE_PLAIN = "before authentication, no keys"
BEFORE_SEALED = "before authentication, keys"
AFTER_DECODED = "after authentication, refused"
AFTER_HANDLED = "after authentication, believed"
AFTER_DATAGRAM = "after authentication, believed, in one datagram"
STAGES = (BEFORE_PLAIN, BEFORE_SEALED, AFTER_DECODED, AFTER_HANDLED, AFTER_DATAGRAM)


@attrs.frozen(kw_only=True)
class Cost:
    """What one bomb costs."""

    stage: str
    name: str
    size: int
    """Bytes on the wire."""
    cpu_ms: float
    memory_kib: float
    outcome: str
    """Why it is refused, or what came of it."""


def costs() -> Iterator[Cost]:
    """What all bombs cost."""
    envelope = Envelope(Keyring.of(streams.KEY), streams.CLUSTER, random_bytes=Random(1).randbytes)
    for name, bomb in bombs.BOMBS.items():
        data = bombs.unsealed(bomb)[:MAX_UDP_BYTES]
        yield _cost(BEFORE_PLAIN, name, data, decoding.CODEC.decode)
        made_up = (bytes((VERSION,)) + streams.KEY.number + bytes(SESSION_BYTES) + data)[:MAX_UDP_BYTES]
        yield _cost(BEFORE_SEALED, name, made_up, envelope.open)
        for place in bombs.PLACES:
            yield _cost(AFTER_DECODED, f"{name}, as {place}", bombs.placed(bomb, place), decoding.CODEC.decode)
    for name, stream in streams.STREAM_BOMBS.items():
        data = stream.make()
        is_authentic = name.startswith("a holder")
        stage = AFTER_DECODED if is_authentic else BEFORE_PLAIN if stream.ring is streams.UNSEALED else BEFORE_SEALED
        yield _cost(stage, f"on a stream: {name}", data, _reader(stream))
    for name in loads.LOADS:
        yield _cost(AFTER_HANDLED, name, loads.message(name), partial(_handle, over_stream=True), loads.node)
        data = loads.message(name, JUMBO_DATAGRAM_BYTES)
        yield _cost(AFTER_DATAGRAM, name, data, partial(_handle, over_stream=False), loads.node)


def _reader(stream: streams.StreamBomb) -> Callable[[bytes], str]:
    def read(data: bytes) -> str:
        refusal, count, _ = streams.read(stream, data)
        return refusal or f"{count} messages"

    return read


def _handle(data: bytes, *prepared: object, over_stream: bool) -> str:
    (node,) = prepared
    assert isinstance(node, Protocol)
    sent = loads.handled(node, data, over_stream=over_stream)
    refused = sum(node.stats.dropped.values())
    return f"{sent} messages in return, {refused} facts refused"


def _cost(stage: str, name: str, data: bytes, act: Callable[..., object],
          prepare: Callable[[], object] | None = None) -> Cost:  # fmt: skip
    """Time and memory of doing something with some bytes, each time as if for the first time."""
    times, outcome = [], ""
    for _ in range(TRIES):
        prepared = () if prepare is None else (prepare(),)
        began = time.thread_time()
        outcome = _outcome(act, data, *prepared)
        times.append(time.thread_time() - began)
    prepared = () if prepare is None else (prepare(),)
    tracemalloc.start()
    before, _ = tracemalloc.get_traced_memory()
    tracemalloc.reset_peak()
    _outcome(act, data, *prepared)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    return Cost(
        stage=stage, name=name, size=len(data), cpu_ms=round(1000 * min(times), 3),
        memory_kib=round((peak - before) / 1024, 1), outcome=outcome,
    )  # fmt: skip


def _outcome(act: Callable[..., object], data: bytes, *prepared: object) -> str:
    try:
        result = act(data, *prepared)
    except WireError as refusal:
        return str(refusal)
    return result if isinstance(result, str) else "taken"


def dearest(found: list[Cost], stage: str) -> list[Cost]:
    """Those of a stage that cost the most time, and then those that take the most memory."""
    of_stage = [cost for cost in found if cost.stage == stage]
    slowest = sorted(of_stage, key=lambda cost: -cost.cpu_ms)[:SHOWN]
    largest = sorted(of_stage, key=lambda cost: -cost.memory_kib)[:SHOWN]
    return [*slowest, *(cost for cost in largest if cost not in slowest)]


def table(found: list[Cost]) -> str:
    """The dearest of each stage."""
    lines = []
    for stage in STAGES:
        count = sum(cost.stage == stage for cost in found)
        lines += ["", f"{stage} ({count} of them)", f"{'ms':>9} {'KiB':>9} {'bytes':>7}  what became of it"]
        lines += [
            f"{cost.cpu_ms:9.3f} {cost.memory_kib:9.1f} {cost.size:7}  {cost.name}: {cost.outcome}"
            for cost in dearest(found, stage)
        ]
    return "\n".join(lines[1:])


def recorded() -> list[Cost]:
    """The dearest that were recorded; none if nothing was."""
    if not RESULTS.exists():
        return []
    return [Cost(**each) for each in json.loads(RESULTS.read_text(encoding="utf-8"))["dearest"]]


def main() -> int:
    """Measure all, print the dearest, and with ``--record`` write them down."""
    parser = argparse.ArgumentParser(prog="python -m tests.fuzzing.measure", description="What each bomb costs.")
    parser.add_argument("--record", action="store_true", help=f"write the dearest to {RESULTS.name}")
    asked = parser.parse_args()
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    found = list(costs())
    grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
    print(table(found))
    print(f"\nmemory of the whole process, its most, grew meanwhile by {grown / 1024:.0f} MiB")
    if asked.record:
        RESULTS.parent.mkdir(exist_ok=True)
        measured = {
            "python": platform.python_version(),
            "machine": platform.machine(),
            "grown_mib": round(grown / 1024, 1),
            "measured": len(found),
            "dearest": [attrs.asdict(cost) for stage in STAGES for cost in dearest(found, stage)],
        }
        RESULTS.write_text(json.dumps(measured, indent=1) + "\n", encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
