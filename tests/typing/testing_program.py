"""Tests of a program, with types of its own at each place."""

from __future__ import annotations

import gossip
import gossip.testing


def living(node: gossip.Node) -> list[str]:
    """Code under test, which knows of no fake."""
    return [member.name for member in node.members() if member.status.is_living]


def test_alone() -> None:
    fake = gossip.testing.FakeNode("me", members={"a": {"zone": "x"}}, metadata={"zone": "y"})
    gone: gossip.Member = fake.member_died("a")
    fake.standing_changed(gossip.Standing.ISOLATED, "cut off")
    fake.agreement = None
    fake.health = 3
    updates: list[str] = [each["zone"] for each in fake.updates]
    assert living(fake) == ["me"], (gone, updates, fake.has_left)
    assert living(gossip.testing.FakeNode(members=["a", "b"])) == ["a", "b", "me"]


async def test_together(gossip_cluster: gossip.testing.Cluster) -> None:
    first: gossip.Node = gossip_cluster["n0"]
    gossip_cluster.split({"n0", "n1"}, ["n2"])
    gossip_cluster.loss, gossip_cluster.latency = 0.1, 0.01
    await gossip_cluster.until_agreed(timeout=60)
    gossip_cluster.heal()
    await gossip_cluster.crash("n1", "n2")
    restarted: gossip.Node = await gossip_cluster.restart("n1")
    started: gossip.Node = await gossip_cluster.start("n7", metadata={"zone": "x"}, config=gossip.Config.local())
    told: tuple[str, ...] = await gossip_cluster.leave("n7")
    names: list[str] = [node.local.name for node in gossip_cluster]
    assert len(gossip_cluster) == len(names), (first, restarted, started, told, "n1" in gossip_cluster)


async def main(count: int) -> list[str]:
    keyring = gossip.Keyring.of(gossip.Key.generate())
    async with gossip.testing.cluster(
        count, seed=1, config=gossip.Config.lan(), metadata=lambda name: {"name": name}, keyring=keyring, latency=0.01,
        loss=0.1,
    ) as cluster:  # fmt: skip
        return living(cluster.nodes[0])


if __name__ == "__main__":
    found: list[str] = gossip.testing.run(main, 3)
    print(found)
