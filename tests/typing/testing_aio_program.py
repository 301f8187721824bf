"""Tests of an asyncio program, with types of its own at each place."""

from __future__ import annotations

import asyncio

import gossip
import gossip.aio
import gossip.testing.aio


async def lead(node: gossip.aio.Node) -> None:
    """Code under test, which knows of no fake."""
    await node.until(lambda node: node.alive == 1)
    await node.update({"leader": "yes"})


async def test_alone() -> None:
    fake = gossip.testing.aio.FakeNode("me", members={"a": {"zone": "x"}}, metadata={"zone": "y"})
    gone: gossip.Member = fake.member_died("a")
    fake.standing_changed(gossip.Standing.CONNECTED, "again")
    fake.agreement = None
    await lead(fake)
    item: gossip.Snapshot | gossip.MembershipEvent = await anext(fake.subscribe())
    acknowledged: tuple[str, ...] = await fake.leave()
    fake.close()
    updates: list[str] = [each["leader"] for each in fake.updates]
    assert fake.has_left, (gone, item, acknowledged, updates)


async def test_together(aio_gossip_cluster: gossip.testing.aio.Cluster) -> None:
    first: gossip.aio.Node = aio_gossip_cluster["n0"]
    aio_gossip_cluster.split({"n0", "n1"}, ["n2"])
    aio_gossip_cluster.loss, aio_gossip_cluster.latency = 0.1, 0.01
    await aio_gossip_cluster.until_agreed(timeout=60)
    aio_gossip_cluster.heal()
    await aio_gossip_cluster.crash("n1", "n2")
    restarted: gossip.aio.Node = await aio_gossip_cluster.restart("n1")
    started: gossip.aio.Node = await aio_gossip_cluster.start("n7", metadata={"zone": "x"})
    told: tuple[str, ...] = await aio_gossip_cluster.leave("n7")
    await aio_gossip_cluster.sleep(5)
    time: float = aio_gossip_cluster.time
    names: list[str] = [node.local.name for node in aio_gossip_cluster]
    assert len(aio_gossip_cluster) == len(names), (first, restarted, started, told, time, "n1" in aio_gossip_cluster)


async def main(count: int) -> int:
    keyring = gossip.Keyring.of(gossip.Key.generate())
    async with gossip.testing.aio.cluster(
        count, seed=1, config=gossip.Config.lan(), metadata=lambda name: {"name": name}, keyring=keyring, latency=0.01,
        loss=0.1,
    ) as cluster:  # fmt: skip
        return cluster.nodes[0].alive


if __name__ == "__main__":
    alive: int = asyncio.run(main(3))
    print(alive)
