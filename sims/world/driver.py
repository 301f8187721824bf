"""The driver: everything that happens between the protocol cores and the world around them.

On real sockets each node has a driver, which hands datagrams to its core, calls its timer and sends its messages. In
the simulator, one driver does that for all nodes. It also does what a kernel does for a process that is paused, blocked
or slow: arrivals wait in a buffer, or are lost.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from heapq import heappush
from typing import TYPE_CHECKING

from gossip.core.events import EventKind, MembershipEvent
from gossip.core.support.address import Address

from .latency import Latency
from .node import NEVER, SOCKET_BUFFER_DATAGRAMS, SimulatedNode
from .observer import Watchers
from .streams import StreamCarrier

if TYPE_CHECKING:
    from .simulation import Simulation

REFUSAL = bytes(28)
"""The ICMP message about a refused datagram: 8 bytes, and the headers of that datagram."""


class Driver:
    """The driver of all nodes; see the module's docstring."""

    def __init__(self, sim: Simulation, watchers: Watchers, *, lateness: Latency | None, keeps_events: bool) -> None:
        """Serve the nodes of a simulation.

        :param lateness: how late timers fire; None: on time.
        :param keeps_events: whether each node keeps the events that its core tells.
        """
        self.streams = StreamCarrier(sim, self, watchers)
        self.sim = sim
        self._watchers = watchers
        self._lateness = lateness
        self._keeps_events = keeps_events
        self._on_sent, self._on_received = watchers.of("sent"), watchers.of("received")
        self._on_handled, self._on_changed = watchers.of("handled"), watchers.of("changed")
        self._on_happened = watchers.of("happened")

    def hand_over(self, node: SimulatedNode, action: Callable[[], None], cause: Address | None = None) -> None:
        """Have a process do something: now, or after everything that waits for it if it does not run or is slow.

        :param cause: the sender of what it will handle; None if there is none.
        """
        if not node.running:
            return
        if node.deaf_until > self.sim.now:
            node.inbox.append((action, cause))
        elif node.slowness or node.inbox:
            node.inbox.append((action, cause))
            self._queue_work(node, self._work_off)
        else:
            action()
            self.pump(node, cause)

    def pump(self, node: SimulatedNode, cause: Address | None = None) -> None:
        """Do what a core wants done after it has handled something, and tell the observers.

        :param cause: the sender of what it has handled; None if there is none.
        """
        protocol, view = node.protocol, node.view
        if node.mute_until > self.sim.now:
            self._hold_back(node)
        for data, destination in protocol.datagrams_to_send(self.sim.now):
            self.send(node, data, destination)
        for action in protocol.stream_actions():
            self.streams.act(node, action)
        if view.local is not node.entry:
            node.entry = view.local
            self._watchers.tell("reborn", node)
        if (event := protocol.next_event()) is not None:
            self._tell_events(node, event, cause)
        if view.fingerprint != node.fingerprint:
            node.fingerprint = view.fingerprint
            for told in self._on_changed:
                told(node)
        timer = protocol.next_timer()
        if timer != node.timer or node.alarm == NEVER:
            node.timer = timer
            self.arm(node)
        for told in self._on_handled:
            told(node)

    def _hold_back(self, node: SimulatedNode) -> None:
        """Keep what a blocked node wants to send until it is no longer blocked."""
        for data, destination in node.protocol.datagrams_to_send(self.sim.now):
            node.held_back.append(partial(self.send, node, data, destination))
        for action in node.protocol.stream_actions():
            node.held_back.append(partial(self.streams.act, node, action))

    def _tell_events(self, node: SimulatedNode, first: MembershipEvent, cause: Address | None) -> None:
        event: MembershipEvent | None = first
        while event is not None:
            if self._keeps_events:
                node.events.append(event)
            teller = None if self._is_own_finding(node, event) else cause
            for told in self._on_happened:
                told(node, event, teller)
            event = node.protocol.next_event()

    def _is_own_finding(self, node: SimulatedNode, event: MembershipEvent) -> bool:
        """Whether the node itself accuses the member. Then the message that it handled last, perhaps a helper's, is not
        the cause."""
        entry = node.view.get(event.member.id) if event.kind is EventKind.SUSPECTED else None
        return entry is not None and node.id in entry.accusers

    def send(self, node: SimulatedNode, data: bytes, destination: Address) -> None:
        """Hand a datagram to the network."""
        sim, source = self.sim, node.address
        sim.datagrams += 1
        sim.bytes += len(data)
        link = sim.network.directed(source, destination)
        arrivals = link.carry(data, sim.now)
        for delay, copy in arrivals:
            heappush(sim.heap, (sim.now + delay, next(sim.count), self.deliver, (copy, source, destination)))
        for told in self._on_sent:
            told(node, data, destination, arrivals, link.lost_to)

    def deliver(self, data: bytes, source: Address, destination: Address) -> None:
        """A datagram arrives at an address: a core handles it, or it waits, or it is lost."""
        node = self.sim.node_at(destination)
        if node is None or not node.running:
            if node is not None and node.refuses:
                self._refuse(source, destination)
            return
        if not (node.slowness or node.inbox or node.deaf_until > self.sim.now):
            for told in self._on_received:
                told(node, data, source)
            node.protocol.receive_datagram(data, source, node.local_time(self.sim.now))
            self.pump(node, source)
        elif len(node.inbox) < SOCKET_BUFFER_DATAGRAMS:
            self.hand_over(node, partial(self._receive, node, data, source), source)
        else:
            self.sim.overflows += 1

    def _refuse(self, sender: Address, destination: Address) -> None:
        """Tell the sender of a datagram that no process listens at its destination."""
        node = self.sim.node_at(sender)
        if node is None:
            return
        for delay, _ in self.sim.network.directed(destination, sender).carry(REFUSAL, self.sim.now):
            self.sim.at(self.sim.now + delay, self.hand_over, node, partial(self._be_refused, node, destination))

    def _be_refused(self, node: SimulatedNode, destination: Address) -> None:
        node.protocol.datagram_refused(destination, node.local_time(self.sim.now))

    def _receive(self, node: SimulatedNode, data: bytes, source: Address) -> None:
        for told in self._on_received:
            told(node, data, source)
        node.protocol.receive_datagram(data, source, node.local_time(self.sim.now))

    def arm(self, node: SimulatedNode) -> None:
        """Schedule the next timer of a node."""
        if node.timer_is_queued:
            return
        when = node.clock.virtual(node.timer)
        if when < node.alarm:
            node.alarm = when
            late = 0.0 if self._lateness is None else self._lateness.quantile(node.draws.random())
            sim = self.sim
            heappush(sim.heap, (max(when + late, sim.now), next(sim.count), self._wake, (node, when)))

    def _wake(self, node: SimulatedNode, alarm: float) -> None:
        if node.alarm != alarm or not node.running or node.paused_until > self.sim.now:
            return
        node.alarm = NEVER
        if node.clock.virtual(node.timer) > self.sim.now:
            self.arm(node)
        elif node.slowness or node.inbox:
            node.timer_is_queued = True
            self._queue_work(node, self._run_timer)
        else:
            node.protocol.handle_timer(max(node.local_time(self.sim.now), node.timer))
            self.pump(node)

    def _run_timer(self, node: SimulatedNode) -> None:
        node.timer_is_queued = False
        if node.running and node.paused_until <= self.sim.now:
            self._spend(node)
            if node.clock.virtual(node.timer) <= self.sim.now:  # due; the rounding of a clock's rate may delay it
                node.protocol.handle_timer(max(node.local_time(self.sim.now), node.timer))
            self.pump(node)

    def resume(self, node: SimulatedNode) -> None:
        """End a pause, a block or slowness, if it is over: send what was held back, and handle what has waited."""
        if not node.running or node.paused_until > self.sim.now:
            return
        if node.mute_until <= self.sim.now:
            held_back, node.held_back = node.held_back, []
            for action in held_back:
                action()
        while node.inbox and node.deaf_until <= self.sim.now:
            action, cause = node.inbox.popleft()
            action()
            self.pump(node, cause)
        node.alarm = NEVER
        self._run_timer(node)

    def _queue_work(self, node: SimulatedNode, work: Callable[[SimulatedNode], None]) -> None:
        """Schedule work of a slow node after everything that it has begun."""
        node.busy_until = max(node.busy_until, self.sim.now) + node.slowness
        self.sim.at(node.busy_until, work, node)

    def _spend(self, node: SimulatedNode) -> None:
        """Tell the core of a slow node, as its driver would, that it has been busy until now."""
        if node.slowness:
            now = node.local_time(self.sim.now)
            node.protocol.busy(now - node.slowness, now)

    def _work_off(self, node: SimulatedNode) -> None:
        if node.running and node.inbox and node.deaf_until <= self.sim.now:
            self._spend(node)
            action, cause = node.inbox.popleft()
            action()
            self.pump(node, cause)
