"""Streams in virtual time: connecting, order, delays by losses and cuts, resets, and their limited life."""

from __future__ import annotations

import pytest

from gossip.core.config import Config
from gossip.core.protocol import CloseStream, OpenStream, SendFrame
from sims.world import Constant, Link, LinkChange, Observer, SimulatedNode, Simulation
from sims.world.streams import CONNECT_TIMEOUT_S, SEGMENT_RETRY_S, SYN_RETRY_S
from tests.core.worlds import SEEDS

DELAY_S = 0.01
STREAM_LIFE_S = Config.lan().stream_timeout
NUMBER = 1000
"""Of a stream that the protocol itself knows nothing of."""


class Ends(Observer):
    """Two nodes, strangers to each other, with a stream from the first to the second that the test opens."""

    def __init__(self, link: Link | None = None, *, seed: int = 0, config: Config | None = None) -> None:
        link = link or Link(latency=Constant(DELAY_S))
        self.sim = Simulation(seed=seed, config=config, link=link, observers=[self])
        self.one, self.other = self.sim.start("n0"), self.sim.start("n1")
        self.carrier = self.sim.driver.streams
        self.arrived: dict[str, list[tuple[float, bytes]]] = {"n0": [], "n1": []}
        self.closed: dict[str, list[float]] = {"n0": [], "n1": []}
        self.frames: list[float | None] = []
        for node in (self.one, self.other):
            self._listen(node)

    def _listen(self, node: SimulatedNode) -> None:
        """Take the place of the protocol's ends of streams."""

        def arrive(stream: int, data: bytes, now: float) -> None:
            self.arrived[node.key].append((self.sim.now, data))

        def close(stream: int, now: float) -> None:
            self.closed[node.key].append(self.sim.now)

        node.protocol.receive_frame = arrive  # type: ignore[method-assign]
        node.protocol.stream_closed = close  # type: ignore[method-assign]

    def framed(self, node: SimulatedNode, peer: SimulatedNode, data: bytes, delay: float | None) -> None:
        """Keep what the simulation says of a frame."""
        self.frames.append(delay)

    def open(self) -> None:
        """Let the first node connect to the second."""
        self.carrier.act(self.one, OpenStream(NUMBER, self.other.address))

    def send(self, *data: bytes) -> None:
        """Send frames from the first node."""
        for each in data:
            self.carrier.act(self.one, SendFrame(NUMBER, each))

    def cut(self) -> None:
        """Let nothing pass."""
        self.sim.network.cut("cut", lambda _source, _destination: True)


def _connected(link: Link | None = None, *, seed: int = 0) -> Ends:
    ends = Ends(link, seed=seed)
    ends.open()
    ends.sim.run(1.0)
    assert NUMBER in ends.one.streams
    return ends


def test_a_stream_connects_in_one_round_trip_and_carries_what_waited_for_that() -> None:
    ends = Ends()
    ends.open()
    ends.send(b"early")
    ends.sim.run(2 * DELAY_S - 0.001)
    assert not ends.one.streams
    ends.sim.run(1.0)
    assert [end.peer.key for end in ends.one.streams.values()] == ["n1"]
    assert [end.peer.key for end in ends.other.streams.values()] == ["n0"]
    (when, data), *more = ends.arrived["n1"]
    assert when == pytest.approx(3 * DELAY_S)
    assert (data, more) == (b"early", [])


def test_frames_go_both_ways() -> None:
    ends = _connected()
    (number,) = ends.other.streams
    ends.send(b"there")
    ends.carrier.act(ends.other, SendFrame(number, b"back"))
    ends.sim.run(1.0)
    assert [data for _, data in ends.arrived["n1"]] == [b"there"]
    assert [data for _, data in ends.arrived["n0"]] == [b"back"]


@pytest.mark.parametrize("seed", SEEDS)
def test_losses_delay_frames_and_neither_lose_nor_reorder_any(seed: int) -> None:
    ends = _connected(seed=seed)
    ends.sim.network.rule("lossy", lambda _source, _destination: True, LinkChange(loss=0.2))
    sent = [bytes([number]) for number in range(40)]
    began = ends.sim.now
    ends.send(*sent)
    ends.sim.run(10.0)
    assert [data for _, data in ends.arrived["n1"]] == sent
    assert ends.arrived["n1"][-1][0] >= began + DELAY_S + SEGMENT_RETRY_S, "of forty some are lost"
    assert ends.arrived["n1"][-1][0] == pytest.approx(began + max(delay for delay in ends.frames if delay))


def test_a_lost_syn_is_sent_again_after_a_while() -> None:
    took = set()
    for seed in range(60):
        ends = Ends(Link(latency=Constant(DELAY_S), loss=0.3), seed=seed)
        ends.open()
        try:
            took.add(round(ends.sim.run_until(lambda ends=ends: NUMBER in ends.one.streams, 10.0), 6))  # type: ignore[misc]
        except TimeoutError:
            assert ends.closed["n0"] == [CONNECT_TIMEOUT_S], "its driver gave up"
            took.add(CONNECT_TIMEOUT_S)
    assert took == {2 * DELAY_S, 2 * DELAY_S + SYN_RETRY_S, 2 * DELAY_S + 2 * SYN_RETRY_S, CONNECT_TIMEOUT_S}


def test_connecting_through_a_cut_fails_when_the_drivers_patience_ends() -> None:
    ends = Ends()
    ends.cut()
    ends.open()
    ends.send(b"never")
    ends.sim.run(60.0)
    assert ends.closed == {"n0": [CONNECT_TIMEOUT_S], "n1": []}
    assert not ends.one.streams
    assert not ends.other.streams
    assert not ends.arrived["n1"]


def test_connecting_to_an_address_where_nothing_runs_fails() -> None:
    ends = Ends()
    ends.sim.crash("n1")
    ends.open()
    ends.sim.run(60.0)
    assert ends.closed["n0"] == [2 * DELAY_S]


def test_a_stream_that_meets_a_cut_is_stuck_until_it_is_given_up() -> None:
    ends = _connected()
    ends.cut()
    ends.send(b"lost")
    ends.sim.run(60.0)
    assert ends.frames == [None]
    assert not ends.arrived["n1"]
    assert ends.closed["n0"] == ends.closed["n1"] == [pytest.approx(STREAM_LIFE_S + 2 * DELAY_S)]


def test_no_frame_overtakes_one_that_a_cut_holds_up() -> None:
    ends = _connected()
    ends.send(b"first")
    ends.sim.run(1.0)
    ends.cut()
    ends.send(b"second")
    ends.sim.network.lift()
    ends.send(b"third")
    ends.carrier.act(ends.one, CloseStream(NUMBER))
    ends.sim.run(60.0)
    assert [data for _, data in ends.arrived["n1"]] == [b"first"], "a stream has no holes"
    assert ends.closed["n1"] == [pytest.approx(STREAM_LIFE_S + 2 * DELAY_S)]


def test_a_cut_that_is_over_before_anything_is_sent_harms_no_stream() -> None:
    ends = _connected()
    ends.cut()
    ends.sim.network.lift()
    ends.send(b"whole")
    ends.sim.run(1.0)
    assert [data for _, data in ends.arrived["n1"]] == [b"whole"]


def test_closing_waits_until_all_that_was_sent_has_arrived() -> None:
    ends = _connected()
    began = ends.sim.now
    ends.send(b"one", b"two")
    ends.carrier.act(ends.one, CloseStream(NUMBER))
    ends.sim.run(5.0)
    assert [data for _, data in ends.arrived["n1"]] == [b"one", b"two"]
    assert ends.closed["n1"] == [pytest.approx(began + DELAY_S)]
    assert not ends.one.streams
    assert not ends.other.streams


def test_closing_a_stream_that_is_being_opened_gives_it_up() -> None:
    ends = Ends()
    ends.open()
    ends.carrier.act(ends.one, CloseStream(NUMBER))
    ends.sim.run(5.0)
    assert ends.closed["n0"] == [0.0]
    assert not ends.other.streams


@pytest.mark.parametrize("victim", ["n0", "n1"])
def test_a_crash_resets_the_streams_of_the_process(victim: str) -> None:
    ends = _connected()
    ends.send(b"under way")
    ends.sim.crash(victim)
    survivor = "n1" if victim == "n0" else "n0"
    ends.sim.run(60.0)
    assert ends.closed[survivor] == [1.0]
    assert ends.closed[victim] == []
    assert not ends.arrived["n1"]
    assert not ends.one.streams
    assert not ends.other.streams


def test_no_stream_lives_longer_than_drivers_let_it() -> None:
    ends = _connected()
    for _ in range(20):
        ends.send(b"still here")
        ends.sim.run(1.0)
    assert ends.closed["n0"] == ends.closed["n1"] == [pytest.approx(STREAM_LIFE_S + 2 * DELAY_S)]
    assert len(ends.arrived["n1"]) == 15


def test_what_arrives_at_a_paused_process_waits_for_it() -> None:
    ends = _connected()
    ends.sim.pause("n1", 5.0)
    ends.send(b"patient")
    ends.sim.run(4.0)
    assert not ends.arrived["n1"]
    ends.sim.run(4.0)
    assert ends.arrived["n1"] == [(6.0, b"patient")]


def test_a_stream_lives_as_long_as_the_settings_of_its_ends_let_it() -> None:
    ends = Ends(config=Config.lan(stream_timeout=2.0, stream_idle_timeout=2.0))
    ends.open()
    ends.sim.run(60.0)
    assert ends.closed["n0"] == ends.closed["n1"] == [pytest.approx(2.0 + 2 * DELAY_S)]
