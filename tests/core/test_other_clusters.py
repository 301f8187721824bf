"""A newcomer at an address that another cluster remembers: nobody goes on asking there as if nothing had happened."""

from __future__ import annotations

from gossip.core.config import Config
from gossip.core.presence.joining import KEEN_S
from tests.core.worlds import cluster, dropped, expect_agreement, heal, isolate

FORGETFUL = Config.lan(forget_after=8 * KEEN_S)


def test_a_newcomer_at_the_address_of_a_dead_member_is_asked_ever_more_rarely_by_the_other_cluster() -> None:
    sim = cluster(3, config=FORGETFUL)
    sim.crash("n1")
    newcomer = sim.start("new", address=sim.nodes["n1"].address, config=Config.lan(cluster="other"))
    sim.run(KEEN_S)
    at_first = dropped(newcomer, "other cluster")
    sim.run(5.5 * KEEN_S)
    before = dropped(newcomer, "other cluster")
    sim.run(KEEN_S)
    at_last = dropped(newcomer, "other cluster") - before
    assert at_first > 20
    assert at_last < at_first / 3


def test_halves_that_were_cut_for_long_find_each_other_all_the_same() -> None:
    sim = cluster(2, config=FORGETFUL)
    isolate(sim, "n0")
    sim.run(7 * KEEN_S)
    heal(sim)
    expect_agreement(sim, within=120, why="halves that were cut for fourteen minutes")
