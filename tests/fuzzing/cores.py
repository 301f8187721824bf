"""Target ``core``: a few honest members, and an attacker that may say whatever it likes.

The attacker holds the key, so to say: its checksums and the tag of the cluster are right. During the attack no honest
member ever raises, takes itself for anything but alive, holds more than its bounds, or counts by a reason that is not
one of those in the documentation. In half of the worlds members sign what they say of themselves, and the attacker
has none of their keys: there, nobody ever believes that one of them has left, or that its name is another's. Some
attacks are followed by quiet: then all honest members must come to see each other alive and to agree again, with
their numbers still of this world.
"""

from __future__ import annotations

from random import Random

from gossip.core.config import Config
from gossip.core.state.member import Status
from gossip.core.state.signing import Signing
from gossip.core.support.drop_reasons import Drop
from gossip.core.wire.messages import RecordFact
from sims.invariants import (
    CounterNeverRegresses,
    DatagramsFit,
    EverythingIsBounded,
    FingerprintIsTheView,
    StatusFollowsRegisters,
)
from sims.world import SimulatedNode
from tests.core.worlds import STRANGER, World, expect_agreement, forged
from tests.fuzzing.attacks import LATECOMER, Attacker, Captured
from tests.fuzzing.mutations import MutateBytes
from tests.fuzzing.notary import CheapNotary
from tests.fuzzing.steps import any_step, changed_steps, packed, steps_in

NAMES = ("n0", "n1", "n2")
ALLOWED = {name: CheapNotary(name).public for name in (*NAMES, LATECOMER)} | {"ghost": CheapNotary("thief").public}
"""The keys of those who may be members where they sign; the attacker is one of them."""

MAX_BYTES = 1024
MAX_STEPS = 64
"""Steps of one attack; what is behind them is not done."""

CONFIG = Config.lan(
    max_members=6, forget_after=20.0, max_new_members_per_source=2, max_rumours=16, max_probes=128, max_streams=8,
    max_streams_per_source=2,
)  # fmt: skip
"""Bounds that an attack can reach."""

WARM_UP_S = 1.0
QUIET_S = 25.0
"""More than a suspicion lasts at the worst local health: what an attack has begun has ended by then."""

RECOVERED_WITHIN_S = 60.0
"""More than any cluster of these tests takes after that."""

SIGNED = 0x80
"""Bit of the first byte of an input: whether members sign."""

QUIET_AFTER_ONE_IN = 8
"""Attacks, of which one is followed by quiet: that takes several times as long as the attack."""

REASONS = frozenset(map(str, Drop))
"""All reasons that there are."""


class NoCounterRegresses(CounterNeverRegresses):
    """As long as a process runs. One that is started again begins with what its clock says, which may be less than what
    an attack had driven its former life to."""

    def started(self, node: SimulatedNode) -> None:
        """Nothing is known of it."""
        self._last.pop(node.key, None)


def fuzz_one(data: bytes) -> None:
    """Do what an attack says to a cluster; the first byte says whether its members sign, and whether quiet follows."""
    first = data[0] if data else 0
    captured = Captured()
    checks = [StatusFollowsRegisters(), FingerprintIsTheView(), EverythingIsBounded()]
    world = World(config=CONFIG, observers=[captured, DatagramsFit(), NoCounterRegresses(), *checks])
    if first & SIGNED:
        world.signing = lambda name: Signing(CheapNotary(name), ALLOWED)
    introduce([world.start(name) for name in NAMES], world)
    world.run(WARM_UP_S)
    attacker = Attacker(world, captured)
    for step in steps_in(data[1:])[:MAX_STEPS]:
        attacker.do(step)
        for node in world.members:
            own = node.protocol.local.status
            assert own in (Status.ALIVE, Status.DISPLACED), f"{node.name} takes itself for {node.protocol.local}"
            assert node.protocol.stats.dropped.keys() <= REASONS, node.protocol.stats.dropped
            agreement = node.protocol.agreement(node.local_time(world.now))
            assert agreement is None or 0 <= agreement <= 1
            for check in checks:
                check.check(node)
            if first & SIGNED:
                expect_names_kept(node)
    attacker.give_up()
    if first % QUIET_AFTER_ONE_IN == 0:
        expect_recovery(world)


def introduce(nodes: list[SimulatedNode], world: World) -> None:
    """Let nodes know each other, without the time and work of joining."""
    records = [RecordFact(node.entry.registers.record, 1) for node in nodes]
    for node in nodes:
        world.inject(node.key, forged(world, *(fact for fact in records if fact.id != node.id)), STRANGER)


def expect_names_kept(node: SimulatedNode) -> None:
    """The holder of an honest member's name has that member's key, and has not left."""
    for name in (*NAMES, LATECOMER):
        holder = node.view.named(name)
        if holder is not None and holder is not node.entry:
            assert holder.registers.record.key == ALLOWED[name], f"{node.name} has another {name}"
            assert not holder.registers.left or name == LATECOMER, f"{node.name} believes that {name} has left"


def expect_recovery(world: World) -> None:
    """Once it is quiet, all honest members see each other alive and agree, and nobody's numbers are used up."""
    world.run(QUIET_S)
    expect_agreement(world, within=RECOVERED_WITHIN_S, why="quiet after an attack")
    for node in world.members:
        local = node.protocol.local
        assert local.status is Status.ALIVE
        assert node.protocol.heartbeat(node.local_time(world.now)) < 2**40, f"the counter of {node.name} is burnt"
        assert local.generation < 2**44, f"the generation of {node.name} is burnt"


def mutate(data: bytes, most: int, random: Random, mutate_bytes: MutateBytes) -> bytes:
    """Another attack; now and then the same one with or without quiet."""
    if not data or not random.randrange(32):
        return random.randbytes(1) + data[1:]
    return data[:1] + changed_steps(data[1:], most - 1, random, mutate_bytes)


def seeds() -> list[bytes]:
    """Attacks by chance, in worlds of both kinds."""
    random = Random(0)
    return [b"\0", *(random.randbytes(1) + packed(any_step(random) for _ in range(8)) for _ in range(100))]
