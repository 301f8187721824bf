"""Tests of a program without an event loop, with types of its own at each place."""

from __future__ import annotations

import gossip
import gossip.blocking
import gossip.testing.blocking


def lead(node: gossip.blocking.Node) -> None:
    """Code under test, which knows of no fake."""
    node.until(lambda node: node.alive == 1, timeout=5)
    node.update({"leader": "yes"})


def test_alone() -> None:
    fake = gossip.testing.blocking.FakeNode("me", members={"a": {"zone": "x"}}, metadata={"zone": "y"})
    gone: gossip.Member = fake.member_died("a")
    fake.health = 3
    lead(fake)
    item: gossip.Snapshot | gossip.MembershipEvent = next(fake.subscribe())
    later: gossip.Snapshot | gossip.MembershipEvent | None = next(fake.subscribe(timeout=1.0))
    acknowledged: tuple[str, ...] = fake.leave()
    fake.close()
    updates: list[str] = [each["leader"] for each in fake.updates]
    assert fake.has_left, (gone, item, later, acknowledged, updates)


def test_together(blocking_gossip_cluster: gossip.testing.blocking.Cluster) -> None:
    first: gossip.blocking.Node = blocking_gossip_cluster["n0"]
    blocking_gossip_cluster.split({"n0", "n1"}, ["n2"])
    blocking_gossip_cluster.loss, blocking_gossip_cluster.latency = 0.1, 0.01
    blocking_gossip_cluster.until_agreed(timeout=60)
    blocking_gossip_cluster.heal()
    blocking_gossip_cluster.crash("n1", "n2")
    restarted: gossip.blocking.Node = blocking_gossip_cluster.restart("n1")
    started: gossip.blocking.Node = blocking_gossip_cluster.start("n7", config=gossip.Config.local())
    told: tuple[str, ...] = blocking_gossip_cluster.leave("n7")
    blocking_gossip_cluster.sleep(5)
    time: float = blocking_gossip_cluster.time
    names: list[str] = [node.local.name for node in blocking_gossip_cluster]
    assert len(blocking_gossip_cluster) == len(names), (first, restarted, started, told, time)


if __name__ == "__main__":
    with gossip.testing.blocking.cluster(
        ["db", "web"], seed=1, metadata={"zone": "a"}, keyring=gossip.Keyring.of(gossip.Key.generate()), loss=0.1
    ) as cluster:
        node: gossip.blocking.Node = cluster.nodes[0]
        print(node.alive)
