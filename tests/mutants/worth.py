"""What each correction of a node that knows less is worth: the figures of ``docs/evaluation/choices.rst``.

``python -m tests.mutants.worth`` measures the code as it is; in a checkout in which a fault is planted (``git apply
tests/mutants/patches/NAME.patch``), without what that fault takes away.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from functools import partial

from gossip.core.state.heartbeat import MAX_STEPS_AHEAD
from gossip.core.state.signing import Signing
from gossip.core.wire.messages import AliveFact, RecordFact, SuspectFact
from gossip.security.signing_key import SigningKey
from sims.world import Link
from tests.core.worlds import World, cluster, entry_of, everybody_has, forged, heal, inject, isolate, mute

NODES = 32
AT_MOST_S = 60.0


def answered_to_everybody(seed: int, loss: float) -> float:
    """Seconds until nobody suspects a member any more that half of the others were told is suspect."""
    sim = cluster(NODES, seed=seed)
    sim.network.link = Link(loss=loss)
    sim.run(2)
    accused = sim.nodes["n3"]
    floor = accused.protocol.heartbeat(sim.now) + 8
    inject(sim, [f"n{number}" for number in range(4, 4 + NODES // 2)], SuspectFact(accused.id, floor, (1,)))
    sim.run(0.0005)
    return sim.run_until(lambda: sim.all_see("n3", "alive"), AT_MOST_S)


def told_directly(seed: int) -> float:
    """Seconds until all see a member alive that was mute until somebody accused it, at 50 % loss."""
    sim = cluster(NODES, seed=seed)
    sim.network.link = Link(loss=0.5)
    mute(sim, "n3")
    sim.run(3.2)
    sim.run_until(lambda: any(node.sees().get("n3") == "suspect" for node in sim.running), AT_MOST_S)
    heal(sim)
    return sim.run_until(lambda: sim.all_see("n3", "alive"), AT_MOST_S)


def refused_early(seed: int) -> float:
    """Seconds of CPU time for a replayed datagram with an older version of a signed record."""
    sim = World(seed=seed)
    sim.signing = lambda key: Signing(SigningKey(key.encode()[:32].ljust(32, b"-")))
    sim.start_many(4)
    sim.run(8)
    isolate(sim, "n3")
    older = []
    for number in range(400):
        sim.update("n3", {"number": str(number)})
        registers = entry_of(sim.nodes["n3"], "n3").registers
        older.append(forged(sim, RecordFact(registers.record, registers.heartbeat), sender=sim.nodes["n2"].id))
    heal(sim)
    sim.run(2)
    began = time.process_time()
    for data in older[:-1]:
        sim.inject("n1", data, sim.nodes["n2"].address)
    return (time.process_time() - began) / len(older)


def pulled(seed: int) -> float:
    """Seconds until the last one knows of an update, the worst of ten, at 25 % loss."""
    sim = cluster(NODES, seed=seed)
    sim.network.link = Link(loss=0.25)
    took = []
    for number in range(10):
        name, metadata = f"n{number}", {"number": str(number)}
        sim.update(name, metadata)
        took.append(sim.run_until(partial(everybody_has, sim, name, metadata), AT_MOST_S))
        sim.run(3)
    return max(took)


def told_of_excess(seed: int) -> float:
    """Seconds until all know of a crash of a member of whom two have believed an invented counter for a while."""
    sim = cluster(NODES, seed=seed)
    subject = sim.nodes["n3"]
    inject(sim, ["n0", "n5"], AliveFact(subject.id, subject.protocol.heartbeat(sim.now) + MAX_STEPS_AHEAD - 100))
    sim.run(30)
    sim.crash("n3")
    return sim.run_until(lambda: sim.all_see("n3", "dead"), AT_MOST_S)


FIGURES: dict[str, tuple[Callable[[int], float], int]] = {
    "answered to everybody, 50 % loss": (lambda seed: answered_to_everybody(seed, 0.5), 6),
    "answered to everybody, 75 % loss": (lambda seed: answered_to_everybody(seed, 0.75), 6),
    "told directly": (told_directly, 6),
    "refused early": (refused_early, 6),
    "asked again after an ack": (pulled, 4),
    "told of a counter above its own": (told_of_excess, 10),
}
"""What is measured, and with how many seeds."""


if __name__ == "__main__":
    for what, (measure, seeds) in FIGURES.items():
        took = [measure(seed) for seed in range(seeds)]
        print(f"{what}: {statistics.mean(took):.6f} s, worst {max(took):.6f} s", flush=True)
