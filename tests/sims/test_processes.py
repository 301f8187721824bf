"""Processes in virtual time: clocks that are wrong, pauses, and slow processes."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gossip.core.config import Config
from gossip.core.support.address import Address
from sims.world import Constant, Simulation
from sims.world.node import SOCKET_BUFFER_DATAGRAMS, Clock
from tests.core.worlds import cluster, expect_agreement, expect_no_deaths, tap
from tests.sims.strategies import always
from tests.sims.watchers import Handled

SOMEBODY = Address("192.0.2.1", 7946)

rates = st.floats(0.1, 10)
moments = st.floats(0, 10_000)


# --- clocks


def test_a_clock_that_nobody_touches_shows_virtual_time() -> None:
    assert Clock().local(12.5) == 12.5
    assert Clock().virtual(12.5) == 12.5


@always
@given(st.lists(st.tuples(rates, moments), max_size=4), moments)
def test_when_a_clock_shows_something_is_the_inverse_of_what_it_shows(
    changes: list[tuple[float, float]], later: float
) -> None:
    clock, now = Clock(), 0.0
    for rate, after in changes:
        now += after
        before = clock.local(now)
        clock.set_rate(rate, now)
        assert clock.local(now) == before, "a change of rate is no jump"
    assert clock.virtual(clock.local(now + later)) == pytest.approx(now + later, rel=1e-9, abs=1e-9)
    assert clock.local(now + later) == pytest.approx(clock.local(now) + later * clock.rate, rel=1e-9, abs=1e-9)


@pytest.mark.parametrize("rate", [0.5, 2.0])
def test_rounds_follow_the_clock_of_the_node_until_it_is_right_again(rate: float) -> None:
    sim = cluster(2)

    def sent_within(seconds: float) -> int:
        before = sim.nodes["n1"].protocol.stats.datagrams_sent
        sim.run(seconds)
        return sim.nodes["n1"].protocol.stats.datagrams_sent - before

    assert sent_within(40) == pytest.approx(80, abs=2), "a question in each round, and an answer in each of the other's"
    sim.set_clock_rate("n1", rate)
    assert sent_within(40) == pytest.approx(40 + 40 * rate, abs=3)
    sim.set_clock_rate("n1", 1.0)
    assert sent_within(40) == pytest.approx(80, abs=3)
    expect_no_deaths(sim)


def test_what_a_clock_shows_never_goes_back() -> None:
    sim = Simulation()
    node = sim.start("n0")
    shown = [node.local_time(when) for when in (1.0, 3.0, 2.0, 3.5)]
    assert shown == [1.0, 3.0, 3.0, 3.5]


# --- pauses


def _watched(*, config: Config | None = None) -> tuple[Simulation, Handled]:
    """Two nodes that do not know each other, so that nothing arrives but what the test sends."""
    handled = Handled()
    sim = Simulation(config=config, observers=[handled])
    sim.start("n0")
    sim.start("n1")
    return sim, handled


def test_what_arrives_during_a_pause_is_handled_in_order_when_it_ends() -> None:
    sim, handled = _watched()
    sim.run(1.0)
    sim.pause("n0", 5.0)
    sent = [bytes([number]) for number in range(10)]
    for data in sent:
        sim.run(0.2)
        sim.inject("n0", data, SOMEBODY)
    assert not handled.by["n0"]
    sim.run(10.0)
    assert handled.by["n0"] == [(6.0, data) for data in sent]
    sim.inject("n0", b"later", SOMEBODY)
    assert handled.by["n0"][-1] == (sim.now, b"later"), "awake again"


def test_a_socket_buffer_that_is_full_loses_the_newest_and_counts_them() -> None:
    sim, handled = _watched()
    sim.pause("n0", 5.0)
    for number in range(SOCKET_BUFFER_DATAGRAMS + 44):
        sim.inject("n0", number.to_bytes(2, "big"), SOMEBODY)
    assert sim.overflows == 44
    sim.run(10.0)
    assert [int.from_bytes(data, "big") for _, data in handled.by["n0"]] == list(range(SOCKET_BUFFER_DATAGRAMS))


def test_the_longer_of_two_pauses_counts() -> None:
    sim, handled = _watched()
    sim.pause("n0", 5.0)
    sim.pause("n0", 1.0)
    sim.inject("n0", b"x", SOMEBODY)
    sim.run(20.0)
    assert handled.by["n0"] == [(5.0, b"x")]


def test_no_timer_runs_during_a_pause_and_the_process_finds_that_it_stood_still() -> None:
    sim = cluster(3)
    node = sim.nodes["n1"]
    before = node.protocol.stats
    sim.pause("n1", 1.5)
    sim.run(1.4)
    assert node.protocol.stats == before
    sim.run(5.0)
    assert node.protocol.stats.stalls == 1
    assert node.protocol.stats.datagrams_sent > before.datagrams_sent
    expect_no_deaths(sim)


def test_a_process_that_was_ended_while_paused_does_nothing_when_the_pause_ends() -> None:
    sim, handled = _watched()
    sim.pause("n0", 5.0)
    sim.inject("n0", b"x", SOMEBODY)
    sim.crash("n0")
    sim.run(10.0)
    assert not handled.by["n0"]


def test_a_process_that_was_restarted_while_paused_runs_at_once() -> None:
    sim, handled = _watched()
    sim.pause("n0", 5.0)
    sim.crash("n0")
    sim.start("n0")
    sim.inject("n0", b"x", SOMEBODY)
    assert handled.by["n0"] == [(0.0, b"x")]
    sim.run(10.0)
    assert handled.by["n0"] == [(0.0, b"x")]


# --- slow processes


def test_a_slow_process_takes_its_time_over_each_datagram() -> None:
    sim, handled = _watched(config=Config.lan(probe_interval=600.0))
    sim.slow_down("n0", 0.5)
    for data in (b"a", b"b", b"c"):
        sim.inject("n0", data, SOMEBODY)
    sim.run(20.0)
    assert handled.by["n0"] == [(0.5, b"a"), (1.0, b"b"), (1.5, b"c")]
    sim.inject("n0", b"d", SOMEBODY)
    sim.run(20.0)
    assert handled.by["n0"][-1] == (20.5, b"d"), "idle meanwhile, it owes nothing"


def test_a_slow_process_that_is_fast_again_is_done_at_once_with_what_waits() -> None:
    sim, handled = _watched()
    sim.slow_down("n0", 10.0)
    for data in (b"a", b"b", b"c"):
        sim.inject("n0", data, SOMEBODY)
    sim.run(2.0)
    assert not handled.by["n0"]
    sim.slow_down("n0", 0.0)
    assert handled.by["n0"] == [(2.0, b"a"), (2.0, b"b"), (2.0, b"c")]
    sim.inject("n0", b"d", SOMEBODY)
    sim.run(60.0)
    assert handled.by["n0"][3:] == [(2.0, b"d")], "and what was put off is not done twice"


def test_a_process_that_is_slow_again_owes_nothing_from_the_time_before() -> None:
    sim, handled = _watched(config=Config.lan(probe_interval=600.0))
    sim.slow_down("n0", 10.0)
    for data in (b"a", b"b", b"c"):
        sim.inject("n0", data, SOMEBODY)
    sim.run(2.0)
    sim.slow_down("n0", 0.0)
    sim.slow_down("n0", 1.0)
    sim.inject("n0", b"d", SOMEBODY)
    sim.run(60.0)
    assert handled.by["n0"][3:] == [(3.0, b"d")]


def test_the_timers_of_a_slow_process_are_late_and_on_time_again_afterwards() -> None:
    sim = cluster(4)
    node = sim.nodes["n1"]
    late: list[float] = []
    handle_timer = node.protocol.handle_timer

    def timed(now: float) -> None:
        late.append(now - node.protocol.next_timer())
        handle_timer(now)

    node.protocol.handle_timer = timed  # type: ignore[method-assign]
    sim.slow_down("n1", 0.3)
    sim.run(20.0)
    assert min(late) > 0.2
    assert node.protocol.stats.stalls == 0, "to be slow is not to stand still"
    sim.slow_down("n1", 0.0)
    sim.run(1.0)
    late.clear()
    sim.run(20.0)
    assert max(late) < 0.001
    assert not node.inbox
    expect_agreement(sim, within=5.0)


def test_a_slow_process_loses_what_its_socket_has_no_room_for() -> None:
    sim, _ = _watched()
    sim.slow_down("n0", 1000.0)
    for _ in range(SOCKET_BUFFER_DATAGRAMS + 5):
        sim.inject("n0", b"x", SOMEBODY)
    assert sim.overflows == 5


# --- timers that are late


@pytest.mark.parametrize(("late_s", "stalls"), [(0.05, False), (0.15, True)])
def test_timers_may_be_late_everywhere_which_is_no_stall_until_it_is_long(late_s: float, stalls: bool) -> None:
    sim = Simulation(lateness=Constant(late_s))
    sim.start_many(4)
    sim.run(20.0)
    assert all((node.protocol.stats.stalls > 0) is stalls for node in sim.running)
    assert sim.all_agree()
    expect_no_deaths(sim)


# --- blocked messages


def test_what_arrives_at_a_blocked_node_waits_in_order_until_the_block_ends() -> None:
    sim, handled = _watched()
    sim.run(5.0)
    sim.block("n1", 2.0)
    sent = [bytes([number]) for number in range(3)]
    for data in sent:
        sim.inject("n1", data, SOMEBODY)
        sim.run(0.5)
    assert not handled.by["n1"]
    sim.run(1.0)
    assert handled.by["n1"] == [(7.0, data) for data in sent]


def test_what_a_blocked_node_sends_leaves_it_when_the_block_ends() -> None:
    sim = cluster(3, tapped=True)
    sim.block("n1", 3.0)
    ends, address = sim.now + 3.0, sim.nodes["n1"].address
    before = len([source for _, source, _ in tap(sim) if source == address])
    sim.run_until(lambda: len(sim.nodes["n1"].held_back) >= 3, within=2.9)
    assert len([source for _, source, _ in tap(sim) if source == address]) == before
    sim.run_until(lambda: not sim.nodes["n1"].held_back, within=3.0)
    assert sim.now == ends
    assert len([source for _, source, _ in tap(sim) if source == address]) >= before + 3


def test_a_node_that_is_blocked_for_seconds_is_held_dead_and_comes_back() -> None:
    sim = cluster(8)
    sim.block("n1", 8.0)
    sim.run(7.9)
    assert sim.all_see("n1", "dead")
    expect_agreement(sim, within=10)
    expect_no_deaths(sim, but=["n1"])


def test_a_blocked_process_that_is_paused_as_well_goes_on_when_the_longer_of_both_ends() -> None:
    sim = cluster(3)
    sim.block("n1", 1.0)
    sim.pause("n1", 2.0)
    before = sim.nodes["n1"].protocol.stats.datagrams_received
    sim.run(1.9)
    assert sim.nodes["n1"].protocol.stats.datagrams_received == before
    sim.run(1.0)
    assert sim.nodes["n1"].protocol.stats.datagrams_received > before
    expect_agreement(sim, within=10)


def test_what_a_process_that_ended_while_blocked_wanted_sent_is_lost() -> None:
    sim = cluster(3)
    sim.block("n1", 2.0)
    sim.run(1.5)
    sim.crash("n1")
    assert sim.nodes["n1"].held_back
    sent = sim.nodes["n1"].protocol.stats.datagrams_sent
    sim.run(10.0)
    assert sim.nodes["n1"].protocol.stats.datagrams_sent == sent
    assert sim.nodes["n1"].held_back, "nobody may have sent it"
    expect_agreement(sim, within=10)
