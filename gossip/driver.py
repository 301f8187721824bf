"""The loop of a node: sockets and the clock on one side, the protocol core on the other.

One task waits for datagrams and for the core's next timer. Everything else that changes the core (a
stream, a look-up of seeds, a call of the user) ends with :meth:`Driver.pump`, which carries out what
the core wants done and sets the loop's alarm clock anew. No rule of the protocol lives here.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable

import trio

from gossip.clocklog import ClockLog, wall_clock_ms
from gossip.copies import Clocks
from gossip.core.address import Address
from gossip.core.errors import WireError
from gossip.core.events import MembershipEvent
from gossip.core.protocol import Protocol
from gossip.datagrams import DatagramEndpoint
from gossip.droplog import DropLog
from gossip.eventlog import log_notice
from gossip.security import Security
from gossip.sockets import SocketPair
from gossip.stats import ShellCounters
from gossip.streams import Streams

HELD_BACK_S = 0.25
"""How long a timer that is due waits while there is still something to read. What has arrived goes first: a late timer
must not judge peers whose answers are already here. What the socket holds is read sooner, unless it is a flood, and a
flood must not hold up the timers for ever."""


class Driver:
    """Runs one protocol on one pair of sockets."""

    def __init__(
        self,
        protocol: Protocol,
        sockets: SocketPair,
        nursery: trio.Nursery,
        *,
        node_name: str,
        counters: ShellCounters,
        publish: Callable[[MembershipEvent], None],
        stepped: Callable[[], None],
        security: Security,
    ) -> None:
        """:param stepped: called after each step of the protocol, whatever has changed by it."""
        self._protocol = protocol
        self._envelope = security.envelope
        self._publish = publish
        self._stepped = stepped
        self._node_name = node_name
        self._endpoint = DatagramEndpoint(sockets, node_name, counters)
        self._drop_log = DropLog(node_name, protocol.drops)
        self._clock_log = ClockLog(node_name, protocol)
        self._clocks = Clocks()
        self._sleep: trio.CancelScope | None = None
        self._has_read = False
        self.farewell_over: trio.Event | None = None
        """If there is one, it is set once the core's farewell is done."""
        self.streams = Streams(
            protocol, sockets, nursery, pump=self.pump, node_name=node_name, counters=counters, security=security
        )

    async def run(self) -> None:
        """Drive the protocol until cancelled."""
        while True:
            # One scope serves many wake-ups, and ends when the alarm goes off.
            with trio.CancelScope(deadline=self._next_alarm()) as self._sleep:
                while True:
                    await self._endpoint.wait_readable()
                    await self._turn()
            self._sleep = None
            await self._turn()

    async def _turn(self) -> None:
        """Read all that has arrived, let others run after each batch, and do what is due."""
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
            self._protocol.wall_clock(wall_clock_ms(), now)  # first, so that what is due is done by the right time
            self._protocol.handle_timer(now)
            self._clock_log.look(now)

    def pump(self) -> None:
        """Send, act and tell as the core wants it after any change; cheap if there is nothing to do."""
        protocol, now = self._protocol, trio.current_time()
        if datagrams := protocol.datagrams_to_send(now):
            self._send(datagrams)
        if actions := protocol.stream_actions():
            self.streams.execute(actions)
        while (event := protocol.next_event()) is not None:
            self._publish(event)
        while (notice := protocol.next_notice()) is not None:
            log_notice(self._node_name, notice)
        self._drop_log.look(now)
        self._stepped()
        if self.farewell_over is not None and protocol.farewell_done:
            self.farewell_over.set()
        if self._sleep is not None:
            self._sleep.deadline = self._next_alarm()

    def _send(self, datagrams: Iterable[tuple[bytes, Address]]) -> None:
        if self._clocks.have_jumped():  # before anything is sealed: the process may have been restored from an image
            self._envelope.begin_anew()
        send, seal = self._endpoint.send, self._envelope.seal
        for data, destination in datagrams:
            send(seal(data), destination)

    def _open(self, data: bytes, source: Address, now: float) -> None:
        self._has_read = True
        if ":" in source.host and source.is_link_local:
            self._protocol.drops.note("from a link-local address", source)
            return
        try:
            content = self._envelope.open(data)
        except WireError as error:
            self._protocol.drops.note(str(error), source)
        else:
            self._protocol.receive_datagram(content, source, now)

    def _next_alarm(self) -> float:
        return min(self._protocol.next_timer(), self._endpoint.reopen_at)
