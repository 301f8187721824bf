"""Whatever happens to a cluster in memory, it ends agreed; and the same seed makes the same things happen."""

from __future__ import annotations

from random import Random

import pytest
import trio

from gossip import MembershipEvent, Node
from gossip.testing import Cluster, cluster, run

STEPS = 6
LONGEST_PAUSE_S = 5.0


async def trouble(opened: Cluster, random: Random) -> None:
    """Do one thing to it, at random."""
    names = [node.local.name for node in opened]
    name = random.choice(names)
    what = random.choice(["crash", "split", "heal", "restart", "leave", "loss", "latency", "update", "start"])
    if what == "crash" and len(names) > 1:
        await opened.crash(name)
    elif what == "split":
        opened.split(random.sample(names, random.randint(1, len(names))))
    elif what == "heal":
        opened.heal()
    elif what == "restart":
        await opened.restart(name)
    elif what == "leave" and len(names) > 1:
        await opened.leave(name)
    elif what == "loss":
        opened.loss = random.choice([0, 0.1, 0.3])
    elif what == "latency":
        opened.latency = random.choice([0, 0.001, 0.05])
    elif what == "update":
        opened[name].update({"drawn": str(random.random())})
    elif what == "start":
        await opened.start(f"late-{random.getrandbits(32)}")


@pytest.mark.parametrize("seed", range(100))
async def test_after_any_trouble_all_agree_once_the_network_is_well(seed: int) -> None:
    random = Random(seed)
    async with cluster(random.randint(2, 6), seed=seed) as opened:
        for _ in range(STEPS):
            await trouble(opened, random)
            await trio.sleep(random.uniform(0, LONGEST_PAUSE_S))
        opened.heal()
        opened.loss = 0
        await opened.until_agreed()
        assert {node.alive for node in opened} == {len(opened)}


async def follow(node: Node, into: list[object], task_status: trio.TaskStatus[None]) -> None:
    with node.subscribe() as changes:
        task_status.started()
        async for item in changes:
            if isinstance(item, MembershipEvent):
                into.append((node.local.name, trio.current_time(), item))


async def what_happens(seed: int) -> list[object]:
    """All events of all nodes in a cluster with some trouble, and what each has sent."""
    happened: list[object] = []
    async with cluster(5, seed=seed, loss=0.1) as opened, trio.open_nursery() as nursery:
        for node in opened:
            await nursery.start(follow, node, happened)
        opened.split({"n0", "n1"})
        await trio.sleep(3)
        await opened.crash("n2")
        await trio.sleep(5)
        opened.heal()
        await nursery.start(follow, await opened.restart("n2"), happened)
        opened["n3"].update({"seen": "much"})
        await opened.until_agreed()
        happened.append(await opened.leave("n4"))
        happened.extend(node.stats for node in opened)
        nursery.cancel_scope.cancel()
    return happened


@pytest.mark.parametrize("seed", range(5))
def test_the_same_seed_makes_the_same_things_happen_at_the_same_times(seed: int) -> None:
    assert run(what_happens, seed) == run(what_happens, seed)


def test_another_seed_makes_other_things_happen() -> None:
    assert run(what_happens, 1) != run(what_happens, 2)
