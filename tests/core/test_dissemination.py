"""News: an update, a death or a farewell reaches everybody, whatever the network does to datagrams."""

from __future__ import annotations

from collections import Counter

import pytest

from gossip.core.config import Config
from gossip.core.dissemination.push import CROWD
from gossip.core.errors import ConfigurationError, LeftError
from gossip.core.support.address import Address
from gossip.core.wire.messages import News, RecordFact
from sims.world import Constant, Link, Lognormal
from tests.core.worlds import (
    SEEDS,
    cluster,
    cut_one_way,
    dropped,
    everybody,
    everybody_has,
    expect,
    expect_agreement,
    expect_no_deaths,
    heal,
    inject,
    isolate,
    presented,
    tap,
    understood,
)


@pytest.mark.parametrize("count", [2, 8, 32])
def test_an_update_reaches_everybody_at_network_speed(count: int) -> None:
    sim = cluster(count)
    sim.update("n1", {"load": "high"})
    took = expect(sim, lambda: everybody_has(sim, "n1", {"load": "high"}), within=5, why="update")
    assert took < sim.config.probe_interval / 2, f"{took} s is tick speed, not network speed"
    sim.run(1)
    assert all(len(node.told("updated", "n1")) == 1 for node in everybody(sim))


def test_of_many_updates_in_a_row_the_last_one_wins_everywhere() -> None:
    sim = cluster(8)
    for number in range(50):
        sim.update("n3", {"number": str(number)})
        sim.run(0.001)
    expect(sim, lambda: everybody_has(sim, "n3", {"number": "49"}), within=10, why="last of 50 updates")
    expect_agreement(sim, within=5)


def test_updates_of_all_members_at_once_reach_everybody() -> None:
    sim = cluster(16)
    for name in sim.nodes:
        sim.update(name, {"of": name})
    expect(sim, lambda: all(everybody_has(sim, name, {"of": name}) for name in sim.nodes), within=20, why="16 updates")
    expect_agreement(sim, within=5)


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("loss", [0.1, 0.25])
def test_loss_kills_nobody_and_delays_an_update_by_little(loss: float, seed: int) -> None:
    sim = cluster(16, seed=seed, link=Link(loss=loss))
    sim.run(120)
    expect_no_deaths(sim)
    for number in range(5):
        sim.update("n5", {"number": str(number)})
        expect(sim, lambda n=number: everybody_has(sim, "n5", {"number": str(n)}), within=10, why=f"seed {seed}")  # type: ignore[misc]


@pytest.mark.parametrize("seed", SEEDS)
def test_duplicates_change_nothing(seed: int) -> None:
    sim = cluster(8, seed=seed, link=Link(duplication=1.0))
    sim.update("n2", {"k": "v"})
    sim.run(60)
    expect_no_deaths(sim)
    assert everybody_has(sim, "n2", {"k": "v"})
    assert all(len(node.told("updated", "n2")) == 1 for node in everybody(sim)), f"seed {seed}"


@pytest.mark.parametrize("seed", SEEDS)
def test_reordering_changes_nothing(seed: int) -> None:
    sim = cluster(8, seed=seed, link=Link(latency=Lognormal(0.005, 1.5)))
    for number in range(20):
        sim.update("n2", {"number": str(number)})
        sim.run(0.01)
    expect(sim, lambda: everybody_has(sim, "n2", {"number": "19"}), within=10, why=f"seed {seed}")
    sim.run(60)
    assert everybody_has(sim, "n2", {"number": "19"})
    expect_no_deaths(sim)
    versions = [[event.member.version for event in node.told("updated", "n2")] for node in everybody(sim)]
    assert all(each == sorted(each) for each in versions), f"seed {seed}: somebody went back to an older record"


@pytest.mark.parametrize("seed", SEEDS)
def test_flipped_bits_harm_nobody_and_are_counted(seed: int) -> None:
    sim = cluster(8, seed=seed)
    sim.network.link = Link(corruption=0.1)
    sim.update("n4", {"k": "v"})
    sim.run(120)
    sim.network.link = Link()
    expect_agreement(sim, within=60, why=f"corruption over, seed {seed}")
    assert all(dropped(node) > 0 for node in everybody(sim))


@pytest.mark.parametrize("seed", SEEDS)
def test_everything_bad_at_once_and_then_over_ends_in_agreement(seed: int) -> None:
    sim = cluster(8, seed=seed)
    sim.network.link = Link(latency=Lognormal(0.02, 1.0), loss=0.3, duplication=0.2, corruption=0.05)
    sim.update("n1", {"during": "the storm"})
    sim.run(60)
    sim.network.link = Link()
    expect_agreement(sim, within=60, why=f"after the storm, seed {seed}")
    expect(sim, lambda: everybody_has(sim, "n1", {"during": "the storm"}), within=1, why=f"seed {seed}")


def test_views_that_missed_every_push_are_reconciled_by_fingerprint() -> None:
    sim = cluster(8)
    for name in sim.nodes:
        if name != "n6":
            cut_one_way(sim, name, "n6")
    sim.update("n1", {"missed": "by n6"})
    sim.run(0.2)
    heal(sim)
    others = [name for name in sim.nodes if name not in ("n1", "n6")]
    for other in others:
        cut_one_way(sim, other, "n6")
    isolate(sim, "n1")
    sim.run(0.2)
    assert sim.nodes["n6"].protocol.fingerprint != sim.nodes["n2"].protocol.fingerprint
    heal(sim)
    expect(sim, lambda: everybody_has(sim, "n1", {"missed": "by n6"}), within=15, why="reconciling")


def test_a_large_difference_is_reconciled_although_no_datagram_may_be_large() -> None:
    sim = cluster(32, config=Config.lan(push_fanout=0), tapped=True)
    for name in sim.nodes:
        sim.update(name, {"x": name * 20})
    expect_agreement(sim, within=120, why="32 differences without any push")
    assert any(node.protocol.stats.reconciliations for node in everybody(sim))


def test_news_after_a_quiet_time_does_not_wait_and_more_news_shares_a_push() -> None:
    sim = cluster(16, config=Config.lan(push_delay=0.05), link=Link(latency=Constant(0.001)), tapped=True)
    sent = tap(sim)
    sim.run(1.0)
    del sent[:]
    began, source = sim.now, sim.nodes["n0"].address
    for number in range(20):
        sim.update("n0", {"number": str(number)})
        sim.run(0.001)
    sim.run_until(lambda: everybody_has(sim, "n0", {"number": "19"}), within=1.0)
    assert sim.now - began > 0.05, "the last of them waited for the second push"
    pushed = [message for message, (_, origin, _) in zip(understood(sim, sent), sent, strict=True)
              if origin == source and isinstance(message.body, News)]  # fmt: skip
    versions = {fact.record.version for message in pushed for fact in message.facts if isinstance(fact, RecordFact)}
    assert len(versions) == 2, "the first at once, the rest together"


@pytest.mark.parametrize(("count", "share"), [(1, 1), (CROWD - 2, 1), (CROWD + 1, 2), (2 * CROWD + 1, 3), (200, 3)])
def test_the_more_is_news_at_once_the_fewer_are_told_of_each(count: int, share: int) -> None:
    """The budget then reaches for more pieces, and what somebody misses is found by comparing."""
    sim = cluster(16, tapped=True)
    sent = tap(sim)
    del sent[:]
    facts = [presented(each, f"new{each}", 1, 1, Address("10.8.0.1", each), {}, 1) for each in range(1, count + 1)]
    inject(sim, ["n0"], *facts)
    sim.run(sim.config.push_delay)
    source = sim.nodes["n0"].address
    pages = Counter(data for data, origin, _ in sent if origin == source)
    usual = sim.config.push_fanout
    # A single piece of news is not pushed to the member that it is about.
    assert next(iter(pages.values())) in ((usual - 1, usual) if count == 1 else (usual // share,))


@pytest.mark.parametrize("config", [Config.lan(), Config.lan(max_datagram=576, max_metadata=256)], ids=["1200", "576"])
def test_no_datagram_is_ever_above_the_limit(config: Config) -> None:
    sim = cluster(24, config=config, tapped=True, link=Link(loss=0.1))
    for number, name in enumerate(sim.nodes):
        sim.update(name, {"filler": "x" * (config.max_metadata - 16 - number)})
    sim.run(5)
    for name in ("n3", "n4", "n5"):
        sim.crash(name)
    sim.run(5)
    sim.start("a name with the length of a name", seeds=("n0",), metadata={"filler": "y" * (config.max_metadata - 16)})
    sim.leave("n9")
    sim.run(20)
    assert max(len(data) for data, _, _ in tap(sim)) <= config.max_datagram


def test_everything_a_node_sends_is_understood_by_its_peers() -> None:
    sim = cluster(8, tapped=True)
    sim.update("n1", {"a": "1"})
    sim.crash("n2")
    sim.run(15)
    sim.start("n2", seeds=("n0",))
    sim.leave("n3")
    sim.run(10)
    assert len(understood(sim, tap(sim))) > 100
    assert all(dropped(node) == 0 for node in everybody(sim)), [node.protocol.stats.dropped for node in everybody(sim)]


def test_an_idle_cluster_is_quiet() -> None:
    sim = cluster(16, tapped=True)
    sim.run(60)
    before = len(tap(sim))
    sim.run(60)
    assert len(tap(sim)) - before <= 16 * 60 / sim.config.probe_interval * 2.5


def test_metadata_up_to_the_limit_travels() -> None:
    sim = cluster(4)
    largest = {"k": "v" * (sim.config.max_metadata - 6)}
    sim.update("n0", largest)
    expect(sim, lambda: everybody_has(sim, "n0", largest), within=5, why="largest metadata")


@pytest.mark.parametrize(
    ("metadata", "complaint"),
    [
        ({"k": "v" * 600}, "max_metadata"),
        ({"k": 1}, "text"),
        ({1: "v"}, "text"),
        ({"k": "\ud800"}, "surrogate"),
        ({"\udfff": "v"}, "surrogate"),
        ([("k", "v")], "mapping"),
        (None, "mapping"),
    ],
)
def test_metadata_that_cannot_be_announced_is_refused_and_changes_nothing(metadata: object, complaint: str) -> None:
    sim = cluster(2)
    before = sim.nodes["n0"].protocol.local
    with pytest.raises(ConfigurationError, match=complaint):
        sim.update("n0", metadata)  # type: ignore[arg-type]
    assert sim.nodes["n0"].protocol.local == before


def test_a_later_change_of_the_mapping_given_to_update_changes_nothing() -> None:
    sim = cluster(2)
    given = {"k": "v"}
    sim.update("n0", given)
    given["k"] = "changed behind our back"
    sim.run(1)
    assert everybody_has(sim, "n0", {"k": "v"})


def test_update_after_leave_is_an_error_of_the_caller() -> None:
    sim = cluster(3)
    sim.leave("n1")
    with pytest.raises(LeftError, match="left"):
        sim.update("n1", {"k": "v"})
