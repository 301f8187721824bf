"""Load and standstill: both make timers late, and only who did not run may blame himself for what he missed."""

from __future__ import annotations

from gossip.core.config import Config
from gossip.core.detection.health import STALL_S
from gossip.core.protocol import JUMBO_DATAGRAM_BYTES
from gossip.core.wire import MAX_FRAME_BYTES
from tests.core.worlds import STRANGER, Script, cluster, dropped, forged, presented
from tests.fuzzing import loads

JUNK = b"junk"


def busy_until(script: Script, end: float) -> None:
    """Have a node handle one datagram after the other up to a time, each soon after the last."""
    now = script.sim.now
    while now < end:
        script.protocol.receive_datagram(JUNK, STRANGER, now)
        now += STALL_S / 2


def test_a_timer_that_is_late_because_datagrams_were_handled_is_no_stall() -> None:
    script = Script()
    due = script.protocol.next_timer()
    busy_until(script, due + 3.0)
    script.protocol.handle_timer(due + 3.0)
    assert script.protocol.stats.stalls == 0
    assert script.protocol.health == 0
    assert script.protocol.next_timer() <= due + 3.0 + script.sim.config.probe_interval, "no deadline has moved"


def test_a_standstill_shows_though_what_has_arrived_meanwhile_is_handled_before_the_timers() -> None:
    script = Script()
    due = script.protocol.next_timer()
    script.protocol.receive_datagram(JUNK, STRANGER, due + 3.0)
    script.protocol.handle_timer(due + 3.001)
    assert script.protocol.stats.stalls == 1
    assert script.protocol.next_timer() > due + 3.0, "deadlines have moved by the time lost, before anything was judged"


def test_a_standstill_in_the_midst_of_a_flood_is_one() -> None:
    script = Script()
    due = script.protocol.next_timer()
    busy_until(script, due + 1.0)
    script.protocol.receive_datagram(JUNK, STRANGER, due + 3.0)
    assert script.protocol.stats.stalls == 1


def test_nothing_to_do_for_a_while_is_no_standstill() -> None:
    script = Script()
    due = script.protocol.next_timer()
    script.protocol.receive_datagram(JUNK, STRANGER, due - STALL_S / 2)
    script.protocol.handle_timer(due)
    assert script.protocol.stats.stalls == 0


def test_frames_that_were_handled_show_that_a_node_runs_just_as_datagrams_do() -> None:
    script = Script()
    stream = script.protocol.stream_accepted(STRANGER, 0.0)
    assert stream is not None
    now, due = 0.0, script.protocol.next_timer()
    while now < due + 1.0:
        script.protocol.receive_frame(stream, JUNK, now)
        now += STALL_S / 2
    script.protocol.handle_timer(due + 1.0)
    assert script.protocol.stats.stalls == 0


def test_a_datagram_larger_than_any_member_sends_is_refused_before_it_is_decoded() -> None:
    node = loads.node()
    largest = loads.message("records of strangers")
    assert JUMBO_DATAGRAM_BYTES < len(largest) <= MAX_FRAME_BYTES
    node.receive_datagram(largest, loads.SOURCE, loads.NOW)
    assert node.stats.dropped == {"too large": 1}
    assert node.load.members == loads.KNOWN


def test_members_with_larger_datagrams_are_understood() -> None:
    sim = cluster(2)
    facts = [presented(1000 + each, f"m{each}", 1, 1, STRANGER, {}, 1) for each in range(180)]
    data = forged(sim, *facts)
    assert 1200 < len(data) <= JUMBO_DATAGRAM_BYTES
    sim.inject("n0", data, STRANGER)
    assert dropped(sim.nodes["n0"]) == 0
    assert sim.nodes["n0"].protocol.load.members == 182


def test_a_node_that_sends_larger_datagrams_takes_as_large_ones_sealed_or_not() -> None:
    config = Config.lan(max_datagram=20_000)
    node = Script(config=config).protocol
    for size, count in ((config.max_datagram + 32, 0), (config.max_datagram + 81, 1)):
        node.receive_datagram(bytes(size), STRANGER, 0.0)
        assert node.stats.dropped.get("too large", 0) == count


def test_the_time_it_takes_to_handle_one_datagram_is_no_standstill_unless_nothing_takes_so_long() -> None:
    for took, stalls in ((0.4, 0), (3.0, 1)):
        script = Script()
        due = script.protocol.next_timer()
        script.protocol.receive_datagram(JUNK, STRANGER, due - 0.01)
        script.protocol.busy(due - 0.01, due + took)
        script.protocol.handle_timer(due + took)
        assert script.protocol.stats.stalls == stalls


def test_datagrams_that_never_came_to_the_core_are_load_as_well() -> None:
    script = Script()
    now, due = 0.0, script.protocol.next_timer()
    while now < due + 1.0:
        script.protocol.busy(now, now + 0.005)
        now += STALL_S / 2
    script.protocol.handle_timer(due + 1.0)
    assert script.protocol.stats.stalls == 0
    script.protocol.busy(script.protocol.next_timer() + 2.0, script.protocol.next_timer() + 2.005)
    assert script.protocol.stats.stalls == 1, "they are no sign that the process ran before they were read"
