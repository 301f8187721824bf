"""Rules of the network: which apply, in which order, and what remains when they are lifted."""

from __future__ import annotations

from gossip.core.support.address import Address
from sims.world import Constant, Link, LinkChange, Network

A, B, C = (Address(f"10.0.0.{number}", 7946) for number in range(1, 4))


def _everywhere(_source: Address, _destination: Address) -> bool:
    return True


def _from_a(source: Address, _destination: Address) -> bool:
    return source == A


def _to_b(_source: Address, destination: Address) -> bool:
    return destination == B


def test_without_rules_every_way_is_like_the_network() -> None:
    link = Link(latency=Constant(0.1))
    network = Network(1, link)
    assert {network.directed(one, other).link for one, other in ((A, B), (B, A), (A, C))} == {link}


def test_a_rule_changes_the_ways_it_applies_to_and_no_other() -> None:
    network = Network(1)
    network.rule("worse", lambda one, other: (one, other) == (A, B), LinkChange(loss=0.5))
    assert network.directed(A, B).link == Link(loss=0.5)
    assert network.directed(B, A).link == network.directed(A, C).link == Link()


def test_changes_compose_and_the_later_rule_wins() -> None:
    network = Network(1)
    network.rule("first", _everywhere, LinkChange(loss=0.5, mtu=1280))
    network.rule("second", _from_a, LinkChange(loss=0.1, duplication=0.2))
    assert network.directed(A, B).link == Link(loss=0.1, mtu=1280, duplication=0.2)
    assert network.directed(B, A).link == Link(loss=0.5, mtu=1280)


def test_a_rule_given_again_under_its_name_replaces_itself() -> None:
    network = Network(1)
    network.rule("one", _everywhere, LinkChange(loss=0.5))
    network.rule("one", _from_a, LinkChange(mtu=1280))
    assert network.directed(A, B).link == Link(mtu=1280)
    assert network.directed(B, A).link == Link()


def test_a_cut_wins_over_whatever_comes_before_or_after_it() -> None:
    network = Network(1)
    network.rule("before", _everywhere, LinkChange(loss=0.1))
    network.cut("cut", _to_b)
    network.rule("after", _everywhere, LinkChange(loss=0.0))
    assert network.directed(A, B).link is None
    assert not network.connects(A, B)
    assert network.connects(B, A), "ways have one direction"


def test_lifting_a_rule_leaves_the_others() -> None:
    network = Network(1)
    network.cut("cut", _to_b)
    network.rule("worse", _from_a, LinkChange(loss=0.5))
    assert not network.connects(A, B)
    network.lift("cut")
    network.lift("cut")
    assert network.directed(A, B).link == Link(loss=0.5)
    network.lift()
    assert network.directed(A, B).link == Link()


def test_rules_meet_ways_already_in_use_and_a_new_basis_meets_them_all() -> None:
    network = Network(1)
    way = network.directed(A, B)
    network.rule("worse", _from_a, LinkChange(loss=0.5))
    network.link = Link(mtu=1280)
    assert network.directed(A, B) is way, "its queue and its draws go on"
    assert way.link == Link(mtu=1280, loss=0.5)
    assert network.directed(B, A).link == network.link == Link(mtu=1280)


def test_a_cut_that_comes_and_goes_costs_no_draw() -> None:
    def delays(*, cut: bool) -> list[float]:
        network = Network(1)
        network.directed(A, B).carry(b"x", 0.0)
        if cut:
            network.cut("cut", _to_b)
            assert network.directed(A, B).carry(b"x", 0.0) == []
            network.lift("cut")
        return [network.directed(A, B).carry(b"x", 0.0)[0][0] for _ in range(5)]

    assert delays(cut=True) == delays(cut=False)
