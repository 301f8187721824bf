"""The loop of a node: its transport and the clock on one side, the protocol core on the other.

One task waits for datagrams and for the core's next timer. Everything else that changes the core (a stream, a look-up
of seeds, a call of the program) ends with :meth:`Driver.pump`, which does what the core wants and sets the alarm of the
loop again. This module contains no rule of the protocol.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import trio

from gossip.core.errors import WireError
from gossip.core.events import MembershipEvent
from gossip.core.protocol import Protocol
from gossip.core.support.address import Address
from gossip.core.support.drop_reasons import Drop
from gossip.net.streams import Streams
from gossip.net.transport import Transport
from gossip.security import Security
from gossip.telemetry import ClockLog, DropLog, EventLog, ShellCounters

HELD_BACK_S = 0.25
"""Seconds for which a due timer waits while there is something to read. Datagrams that have arrived come first, because
a late timer must not judge peers whose answers are already here. Reading everything in the socket takes less time than
this, except in a flood, and a flood must not hold up the timers for ever."""


class Driver:
    """Runs one protocol on one transport."""

    def __init__(
        self,
        protocol: Protocol,
        transport: Transport,
        nursery: trio.Nursery,
        *,
        wall_clock_ms: Callable[[], int],
        node_name: str,
        counters: ShellCounters,
        publish: Callable[[MembershipEvent], None],
        stepped: Callable[[], None],
        security: Security,
    ) -> None:
        """:param wall_clock_ms: returns Unix milliseconds.
        :param publish: called with each event, after it is in the log.
        :param stepped: called after each step of the protocol, whether or not it changed anything.
        """
        self._protocol = protocol
        self._security = security
        self._publish = publish
        self._stepped = stepped
        self._wall_clock_ms = wall_clock_ms
        self._endpoint = transport.datagrams(node_name, counters)
        self._event_log = EventLog(node_name)
        self._drop_log = DropLog(node_name, protocol.drops)
        self._clock_log = ClockLog(node_name, protocol)
        self._sleep: trio.CancelScope | None = None
        self._has_read = False
        self._farewell_over: trio.Event | None = None
        self.streams = Streams(
            protocol, transport, nursery, pump=self.pump, node_name=node_name, counters=counters, security=security
        )

    async def run(self) -> None:
        """Drive the protocol until cancelled."""
        while True:
            # One scope serves many wake-ups. It ends when the alarm goes off.
            with trio.CancelScope(deadline=self._next_alarm()) as self._sleep:
                while True:
                    await self._endpoint.wait_readable()
                    await self._turn()
            self._sleep = None
            await self._turn()

    async def _turn(self) -> None:
        """Read everything that has arrived, let other tasks run after each batch, and do what is due."""
        held_back_until = math.inf
        is_more = True
        while is_more:
            began, self._has_read = trio.current_time(), False
            is_more = self._endpoint.receive(self._open, self._protocol.datagram_refused)
            now = trio.current_time()
            if self._has_read:
                self._protocol.busy(began, now)
            if self._next_alarm() <= now:
                held_back_until = min(held_back_until, now + HELD_BACK_S)
                if not is_more or now >= held_back_until:
                    self._act(now)
                    held_back_until = math.inf
            self.pump()
            if is_more:
                await trio.lowlevel.checkpoint()

    def _act(self, now: float) -> None:
        if self._endpoint.reopen_at <= now:
            self._endpoint.reopen(now)
        if self._protocol.next_timer() <= now:
            self._protocol.wall_clock(self._wall_clock_ms(), now)  # before the timers, which depend on it
            self._protocol.handle_timer(now)
            self._clock_log.look(now)

    def leave(self) -> trio.Event:
        """Make the core say farewell, unless it has begun; returns an event that is set once the farewell is over."""
        if self._farewell_over is None:
            self._farewell_over = trio.Event()
            self._protocol.leave(trio.current_time())
            self.pump()
        return self._farewell_over

    def close(self) -> None:
        """Release everybody who waits for a farewell."""
        if self._farewell_over is not None:
            self._farewell_over.set()

    def pump(self) -> None:
        """Send, act and report what the core wants after any change; cheap if there is nothing to do."""
        protocol, now = self._protocol, trio.current_time()
        if datagrams := protocol.datagrams_to_send(now):
            for data, destination in self._security.sealed(datagrams):
                self._endpoint.send(data, destination)
        if actions := protocol.stream_actions():
            self.streams.execute(actions)
        while (event := protocol.next_event()) is not None:
            self._event_log.event(event)
            self._publish(event)
        while (notice := protocol.next_notice()) is not None:
            self._event_log.notice(notice)
        self._drop_log.look(now)
        self._stepped()
        if self._farewell_over is not None and protocol.farewell_done:
            self._farewell_over.set()
        if self._sleep is not None:
            self._sleep.deadline = self._next_alarm()

    def _open(self, data: bytes, source: Address, now: float) -> None:
        self._has_read = True
        if ":" in source.host and source.is_link_local:
            self._protocol.drops.note(Drop.FROM_A_LINK_LOCAL_ADDRESS, source)
            return
        try:
            content = self._security.envelope.open(data)
        except WireError as error:
            self._protocol.drops.note(error.reason, source)
        else:
            self._protocol.receive_datagram(content, source, now)

    def _next_alarm(self) -> float:
        return min(self._protocol.next_timer(), self._endpoint.reopen_at)
