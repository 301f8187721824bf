"""What befalls datagrams and stream segments on one way."""

from __future__ import annotations

import math
from itertools import pairwise

import pytest

from gossip.core.errors import ConfigurationError
from sims.world import LAN_LATENCY, Constant, Draws, GilbertElliott, Held, Latency, Link, LinkChange, Uniform
from sims.world.links import MAX_STREAM_DELAY_S, REORDERING_DELAYS, UDP_OVERHEAD_BYTES, DirectedLink
from tests.core.worlds import SEEDS

MANY = 20_000
DATA = bytes(range(100))
INSTANT = Constant(0.0)


def _way(*, seed: int = 1, **fields: object) -> DirectedLink:
    return DirectedLink(Draws(seed), Link(**fields), 0)  # type: ignore[arg-type]


def _sent(
    way: DirectedLink, count: int, *, every_s: float = 1.0, data: bytes = DATA
) -> list[list[tuple[float, bytes]]]:
    """What arrives of datagrams sent one after the other: after how long, and what."""
    return [way.carry(data, number * every_s) for number in range(count)]


def _spread(share: float, count: int = MANY) -> float:
    """Five standard errors of a share found in so many trials."""
    return 5 * math.sqrt(share * (1 - share) / count)


def test_an_undisturbed_way_delivers_each_datagram_once_and_whole() -> None:
    arrivals = _sent(_way(), 1000)
    assert all(len(each) == 1 and each[0][1] == DATA for each in arrivals)
    assert {0.0001 < each[0][0] < 0.0025 for each in arrivals} == {True}
    assert LAN_LATENCY.quantile(0.5) == pytest.approx(0.0005)


def test_a_cut_way_delivers_nothing_and_says_so() -> None:
    way = DirectedLink(Draws(1), None, 0)
    assert (way.carry(DATA, 0.0), way.lost_to) == ([], "cut")
    assert way.segment_delay(0.2) == MAX_STREAM_DELAY_S


# --- losses


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("share", [0.01, 0.25, 0.6])
def test_about_the_given_share_is_lost(share: float, seed: int) -> None:
    way = _way(seed=seed, loss=share)
    lost = [not arrivals for arrivals in _sent(way, MANY)]
    assert sum(lost) / MANY == pytest.approx(share, abs=_spread(share))
    pairs = sum(one and other for one, other in pairwise(lost))
    assert pairs / MANY == pytest.approx(share**2, abs=2 * _spread(share**2)), "each is lost by itself"
    assert way.lost_to == "loss"


@pytest.mark.parametrize("share", [0.0, 1.0])
def test_none_and_all_are_shares_too(share: float) -> None:
    assert sum(not arrivals for arrivals in _sent(_way(loss=share), 1000)) == 1000 * share


def _runs(lost: list[bool]) -> list[int]:
    """Lengths of the unbroken rows of losses."""
    runs, length = [], 0
    for each in [*lost, False]:
        if each:
            length += 1
        elif length:
            runs.append(length)
            length = 0
    return runs


@pytest.mark.parametrize("to_good", [0.1, 0.5])
def test_bursts_are_as_long_and_as_many_as_they_should_be(to_good: float) -> None:
    bursts = GilbertElliott(to_bad=0.02, to_good=to_good, loss_bad=1.0)
    way = _way(bursts=bursts)
    lost = [not arrivals for arrivals in _sent(way, MANY)]
    runs = _runs(lost)
    mean = 1 / to_good
    deviation = (mean * (mean - 1)) ** 0.5  # of a geometric distribution
    assert sum(runs) / len(runs) == pytest.approx(mean, abs=5 * deviation / len(runs) ** 0.5)
    assert sum(lost) / MANY == pytest.approx(bursts.mean_loss, rel=0.25)
    assert way.lost_to in ("", "burst")


def test_the_mean_loss_of_bursts_counts_both_states() -> None:
    bursts = GilbertElliott(to_bad=0.1, to_good=0.3, loss_bad=0.8, loss_good=0.04)
    assert bursts.mean_loss == pytest.approx(0.25 * 0.8 + 0.75 * 0.04)
    lost = sum(not arrivals for arrivals in _sent(_way(bursts=bursts), MANY))
    assert lost / MANY == pytest.approx(bursts.mean_loss, abs=0.025)


def test_a_way_that_never_changes_state_stays_good() -> None:
    never = GilbertElliott(to_bad=0.0, to_good=0.0, loss_bad=1.0, loss_good=0.5)
    assert never.mean_loss == 0.5


# --- copies, order, damage


def test_some_arrive_twice_and_the_copy_never_comes_first() -> None:
    arrivals = _sent(_way(duplication=0.3), MANY)
    twice = [each for each in arrivals if len(each) == 2]
    assert len(twice) / MANY == pytest.approx(0.3, abs=_spread(0.3))
    assert all(first[0] < second[0] and first[1] == second[1] == DATA for first, second in twice)
    assert all(len(each) in (1, 2) for each in arrivals)


def test_some_are_held_up_so_that_later_ones_overtake_them() -> None:
    delay = 0.01
    way = _way(latency=Constant(delay), reordering=0.2)
    arrivals = [number * delay + each[0][0] for number, each in enumerate(_sent(way, MANY, every_s=delay))]
    late = [each - number * delay > delay * 1.000001 for number, each in enumerate(arrivals)]
    assert sum(late) / MANY == pytest.approx(0.2, abs=_spread(0.2))
    assert max(each - number * delay for number, each in enumerate(arrivals)) <= delay * (1 + REORDERING_DELAYS)
    assert arrivals != sorted(arrivals)


def test_damage_flips_exactly_one_bit_and_may_flip_any() -> None:
    arrivals = _sent(_way(corruption=0.5), MANY)
    flipped = [int.from_bytes(each[0][1], "big") ^ int.from_bytes(DATA, "big") for each in arrivals]
    damaged = [each for each in flipped if each]
    assert all(each.bit_count() == 1 for each in damaged)
    assert len(damaged) / MANY == pytest.approx(0.5, abs=_spread(0.5))
    assert len(set(damaged)) == 8 * len(DATA)
    assert all(len(each[0][1]) == len(DATA) for each in arrivals)


def test_even_the_smallest_datagram_can_be_damaged() -> None:
    assert {each[0][1] for each in _sent(_way(corruption=1.0), 200, data=b"\0")} == {bytes([1 << n]) for n in range(8)}


# --- bandwidth, size


def test_datagrams_sent_at_once_leave_one_after_the_other_as_bandwidth_allows() -> None:
    way = _way(latency=INSTANT, bandwidth=1280.0)
    arrivals = _sent(way, 4, every_s=0.0)
    each_s = (len(DATA) + UDP_OVERHEAD_BYTES) / 1280
    assert [each[0][0] for each in arrivals] == pytest.approx([each_s, 2 * each_s, 3 * each_s, 4 * each_s])


def test_what_the_queue_has_no_room_for_is_lost_until_it_has_drained() -> None:
    size = len(DATA) + UDP_OVERHEAD_BYTES
    way = _way(latency=INSTANT, bandwidth=10.0 * size, queue_bytes=3 * size + 1)
    assert [len(each) for each in _sent(way, 10, every_s=0.0)] == [1, 1, 1, 1, 0, 0, 0, 0, 0, 0]
    assert way.lost_to == "queue"
    assert len(way.carry(DATA, 0.1)) == 1, "one has left meanwhile"
    assert len(way.carry(DATA, 0.1)) == 0
    assert [each[0][0] for each in (way.carry(DATA, 9.0),)] == pytest.approx([0.1]), "long since empty"


def test_a_datagram_larger_than_the_mtu_vanishes() -> None:
    way = _way(mtu=1280)
    fits = bytes(1280 - UDP_OVERHEAD_BYTES)
    assert len(way.carry(fits, 0.0)) == 1
    assert way.carry(fits + b"x", 0.0) == []
    assert way.lost_to == "mtu"


def test_where_only_streams_get_through_no_datagram_does() -> None:
    way = _way(streams_only=True)
    assert (way.carry(DATA, 0.0), way.lost_to) == ([], "no datagrams")
    assert way.segment_delay(0.2) < 0.01


# --- held back


def test_held_datagrams_come_one_by_one_from_the_end_of_the_hold() -> None:
    way = _way(held=Held(until=20.0, spacing=0.5))
    arrive = [number + each[0][0] for number, each in enumerate(_sent(way, 5))]
    assert arrive == pytest.approx([20.0, 20.5, 21.0, 21.5, 22.0])
    assert way.carry(DATA, 20.0)[0][0] < 0.01, "the hold is over"


def test_a_second_hold_begins_anew_whatever_the_first_had_held() -> None:
    way = _way(held=Held(until=10.0, spacing=1.0))
    _sent(way, 8)
    way.link = Link(held=Held(until=40.0, spacing=1.0))
    assert [30.0 + way.carry(DATA, 30.0)[0][0] for _ in range(3)] == pytest.approx([40.0, 41.0, 42.0])


def test_a_hold_never_lets_a_datagram_arrive_before_its_delay_is_over() -> None:
    way = _way(latency=Constant(5.0), held=Held(until=2.0, spacing=0.0))
    assert way.carry(DATA, 1.0)[0][0] == 5.0


# --- segments of streams


def test_a_lost_segment_is_sent_again_ever_later() -> None:
    way = _way(latency=INSTANT, loss=0.5)
    delays = [way.segment_delay(0.2) for _ in range(2000)]
    expected = [0.2 * (2**losses - 1) for losses in range(9)]
    assert all(any(delay == pytest.approx(each) for each in expected) or delay > 50 for delay in delays)
    assert sum(delay == 0 for delay in delays) / 2000 == pytest.approx(0.5, abs=_spread(0.5, 2000))


def test_a_segment_that_is_always_lost_comes_too_late_for_any_driver() -> None:
    assert _way(loss=1.0).segment_delay(0.2) >= MAX_STREAM_DELAY_S


# --- changes


def test_a_change_replaces_what_it_names_and_nothing_else() -> None:
    link = Link(latency=Constant(0.3), loss=0.1, mtu=1280)
    changed = LinkChange(loss=0.5, streams_only=True).applied_to(link)
    assert changed == Link(latency=Constant(0.3), loss=0.5, mtu=1280, streams_only=True)
    assert LinkChange().applied_to(link) == link
    assert LinkChange(loss=0.0, streams_only=False).applied_to(changed).loss == 0.0, "nothing is a value, too"


@pytest.mark.parametrize("make", [Link, LinkChange])
@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("loss", 1.1),
        ("loss", -0.1),
        ("duplication", 2),
        ("reordering", float("nan")),
        ("corruption", True),
        ("bandwidth", 0.0),
        ("queue_bytes", -1),
        ("mtu", 67),
    ],
)
def test_what_no_link_can_be_is_refused_when_it_is_written_down(make: type, field: str, value: float) -> None:
    with pytest.raises(ConfigurationError, match=f"^{field} must be a"):
        make(**{field: value})


@pytest.mark.parametrize("latency", [Constant(0.1), Uniform(0.1, 0.2)], ids=repr)
def test_every_distribution_of_delays_serves_a_link(latency: Latency) -> None:
    assert all(0.1 <= each[0][0] <= 0.2 for each in _sent(_way(latency=latency), 100))
