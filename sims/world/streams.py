"""Streams (TCP) in virtual time: they connect, carry segments in order, and break.

A loss delays a stream and never loses part of it. If a frame meets a cut, the stream carries nothing more until its
driver's timeout ends.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from gossip.core.protocol import CloseStream, OpenStream, SendFrame, StreamAction
from gossip.core.support.address import Address

from .node import SimulatedNode, StreamEnd
from .observer import Watchers

if TYPE_CHECKING:
    from .driver import Driver
    from .simulation import Simulation

CONNECT_TIMEOUT_S = 3.0
"""How long a driver tries to connect."""

SYN_RETRY_S = 1.0
"""Pause before a lost SYN is sent again, as in Linux."""

SEGMENT_RETRY_S = 0.2
"""Pause before a lost segment is sent again, as in Linux on a short path."""


class StreamCarrier:
    """Carries the streams of all nodes, as their drivers and kernels do on real sockets."""

    def __init__(self, sim: Simulation, driver: Driver, watchers: Watchers) -> None:
        self._sim = sim
        self._driver = driver
        self._on_framed = watchers.of("framed")

    def act(self, node: SimulatedNode, action: StreamAction) -> None:
        """Do what a protocol core wants done with a stream."""
        match action:
            case OpenStream(number, address):
                self._open(node, number, address)
            case SendFrame(number, data):
                self._send(node, number, data)
            case CloseStream(number):
                self._close(node, number)

    def end_all(self, node: SimulatedNode) -> None:
        """A process has ended. Its kernel resets its open streams."""
        node.connecting.clear()
        for number in list(node.streams):
            self._end(node, number)

    def _open(self, node: SimulatedNode, number: int, address: Address) -> None:
        """Connect: one segment there and one back, each sent again after a loss, until the driver's timeout ends."""
        sim = self._sim
        there, back = sim.network.directed(node.address, address), sim.network.directed(address, node.address)
        delay = there.segment_delay(SYN_RETRY_S) + back.segment_delay(SYN_RETRY_S)
        node.connecting[number] = []
        if delay > CONNECT_TIMEOUT_S:
            sim.at(sim.now + CONNECT_TIMEOUT_S, self._connected, node, number, None)
        else:
            sim.at(sim.now + delay, self._connected, node, number, address)

    def _connected(self, node: SimulatedNode, number: int, address: Address | None) -> None:
        """A connection was made, or failed. Frames that waited for it are sent."""
        sim = self._sim
        waiting = node.connecting.pop(number, None)
        if waiting is None or not node.running:
            return
        peer = None if address is None else sim.node_at(address)
        accepted = None
        if peer is not None and peer.running and self._is_open_both_ways(node, peer):
            accepted = peer.protocol.stream_accepted(node.address, peer.local_time(sim.now))
        if peer is None or accepted is None:
            self._driver.hand_over(node, lambda: node.protocol.stream_closed(number, node.local_time(sim.now)))
            return
        node.streams[number] = StreamEnd(peer, accepted)
        peer.streams[accepted] = StreamEnd(node, number)
        sim.at(sim.now + node.config.stream_timeout, self._end, node, number)
        sim.at(sim.now + peer.config.stream_timeout, self._end, peer, accepted)
        for data in waiting:
            self._send(node, number, data)

    def _is_open_both_ways(self, one: SimulatedNode, other: SimulatedNode) -> bool:
        connects = self._sim.network.connects
        return connects(one.address, other.address) and connects(other.address, one.address)

    def _send(self, node: SimulatedNode, number: int, data: bytes) -> None:
        sim = self._sim
        if number in node.connecting:
            node.connecting[number].append(data)
            return
        end = node.streams.get(number)
        if end is None:
            return
        if not self._is_open_both_ways(node, end.peer):
            end.sent_until = math.inf
        if end.sent_until == math.inf:  # later frames must not overtake the one that the cut holds up
            self._tell_framed(node, end.peer, data, None)
            return
        delay = sim.network.directed(node.address, end.peer.address).segment_delay(SEGMENT_RETRY_S)
        end.sent_until = max(end.sent_until, sim.now + delay)
        self._tell_framed(node, end.peer, data, end.sent_until - sim.now)
        sim.at(end.sent_until, self._arrive, end.peer, end.number, data)

    def _tell_framed(self, node: SimulatedNode, peer: SimulatedNode, data: bytes, delay: float | None) -> None:
        for told in self._on_framed:
            told(node, peer, data, delay)

    def _arrive(self, node: SimulatedNode, number: int, data: bytes) -> None:
        if number in node.streams:
            sim = self._sim
            source = node.streams[number].peer.address
            self._driver.hand_over(
                node, lambda: node.protocol.receive_frame(number, data, node.local_time(sim.now)), source
            )

    def _close(self, node: SimulatedNode, number: int) -> None:
        """Close the stream when everything sent has arrived."""
        end = node.streams.get(number)
        when = self._sim.now if end is None else max(self._sim.now, end.sent_until)
        if when < math.inf:
            self._sim.at(when, self._end, node, number)

    def _end(self, node: SimulatedNode, number: int) -> None:
        sim = self._sim
        if number in node.connecting:
            self._connected(node, number, None)
        end = node.streams.pop(number, None)
        if end is None:
            return
        self._driver.hand_over(node, lambda: node.protocol.stream_closed(number, node.local_time(sim.now)))
        peer, there = end.peer, end.number
        if self._is_open_both_ways(node, peer) and peer.streams.pop(there, None) is not None:
            self._driver.hand_over(peer, lambda: peer.protocol.stream_closed(there, peer.local_time(sim.now)))
