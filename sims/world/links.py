"""Links: what happens to datagrams and stream segments on the way from one address to another, in one direction.

A :class:`Link` holds the properties of a link. A :class:`DirectedLink` is one link with its state: its random stream,
its burst of losses, its queue.
"""

from __future__ import annotations

import attrs

from .checks import NamesItsFields, at_least, is_share
from .latency import Latency, Lognormal
from .randomness import Draws

UDP_OVERHEAD_BYTES = 28
"""IPv4 and UDP headers, which take bandwidth and count for the MTU."""

MAX_STREAM_DELAY_S = 60.0
"""The longest delay of a segment. No driver waits for a stream for so long."""


@attrs.frozen(kw_only=True)
class GilbertElliott:
    """Losses in bursts: the link is in a good state or a bad one, and may change its state at each datagram.

    Source: Gilbert, "Capacity of a Burst-Noise Channel" (1960); Elliott (1963).
    """

    to_bad: float = attrs.field(default=0.01, validator=is_share)
    """Chance at each datagram that a good state turns bad."""
    to_good: float = attrs.field(default=0.2, validator=is_share)
    """Chance at each datagram that a bad state turns good. A burst has 1 / ``to_good`` datagrams on average."""
    loss_bad: float = attrs.field(default=0.8, validator=is_share)
    loss_good: float = attrs.field(default=0.0, validator=is_share)

    @property
    def mean_loss(self) -> float:
        """Share of datagrams lost in the long run."""
        if self.to_bad + self.to_good == 0:
            return self.loss_good
        bad = self.to_bad / (self.to_bad + self.to_good)
        return bad * self.loss_bad + (1 - bad) * self.loss_good


@attrs.frozen(kw_only=True)
class Held:
    """Datagrams that a link holds back and then releases one by one, as a queue does that drains late."""

    until: float
    """Virtual time at which the link releases the first datagram."""
    spacing: float = attrs.field(default=0.1, validator=at_least(0))
    """Seconds between two datagrams."""


LAN_LATENCY = Lognormal(0.0005)
"""Half a millisecond one way, as between machines of one data centre, their kernels and processes included."""


@attrs.frozen(kw_only=True)
class Link(NamesItsFields):
    """The properties of a link. The default is an undisturbed local network."""

    latency: Latency = LAN_LATENCY
    """One-way delay."""
    loss: float = attrs.field(default=0.0, validator=is_share)
    """Share of datagrams and stream segments that are lost, each independently."""
    bursts: GilbertElliott | None = None
    """Losses in bursts, in addition to ``loss``; of datagrams only."""
    duplication: float = attrs.field(default=0.0, validator=is_share)
    """Share of datagrams that arrive twice."""
    reordering: float = attrs.field(default=0.0, validator=is_share)
    """Share of datagrams that are late by several delays, so that later ones overtake them."""
    corruption: float = attrs.field(default=0.0, validator=is_share)
    """Share of datagrams that arrive with one bit flipped."""
    bandwidth: float | None = attrs.field(default=None, validator=attrs.validators.optional(at_least(1)))
    """Bytes per second; None means no limit."""
    queue_bytes: int = attrs.field(default=65_536, validator=at_least(0))
    """Bytes that can wait for bandwidth. Datagrams that do not fit are lost."""
    mtu: int | None = attrs.field(default=None, validator=attrs.validators.optional(at_least(68)))
    """Largest IP packet. Larger ones are lost, as on a path that drops fragments."""
    streams_only: bool = False
    """Whether all datagrams are lost while streams get through, as with some firewalls."""
    held: Held | None = None
    """Whether the link holds datagrams back for a while."""
    is_plain: bool = attrs.field(init=False, eq=False, repr=False)
    """Whether the link only delays datagrams and loses some by chance, as most links do."""

    @is_plain.default
    def _plain(self) -> bool:
        return not (
            self.bursts or self.duplication or self.reordering or self.corruption or self.bandwidth or self.mtu
            or self.streams_only or self.held
        )  # fmt: skip


@attrs.frozen(kw_only=True)
class LinkChange(NamesItsFields):
    """What is different on some links for a while. None leaves a property as it is. The fields are those of
    :class:`Link`."""

    latency: Latency | None = None
    loss: float | None = None
    bursts: GilbertElliott | None = None
    duplication: float | None = None
    reordering: float | None = None
    corruption: float | None = None
    bandwidth: float | None = None
    queue_bytes: int | None = None
    mtu: int | None = None
    streams_only: bool | None = None
    held: Held | None = None

    def __attrs_post_init__(self) -> None:
        self.applied_to(Link())  # refuses impossible values here, not in the middle of a run

    def applied_to(self, link: Link) -> Link:
        """The link with these changes."""
        changes = {field.name: getattr(self, field.name) for field in attrs.fields(LinkChange)}
        return attrs.evolve(link, **{name: value for name, value in changes.items() if value is not None})


REORDERING_DELAYS = 8
"""A reordered datagram is late by at most this many delays."""


@attrs.define(eq=False)
class DirectedLink:
    """One link between two addresses, with its state."""

    draws: Draws
    link: Link | None
    """The present properties of the link; None while it is cut."""
    version: int
    """Version of the network's rules that ``link`` follows from."""
    lost_to: str = ""
    """Why the last datagram did not arrive."""
    _is_bad: bool = False
    _busy_until: float = 0.0
    _held_by: Held | None = None
    _held: int = 0

    def carry(self, data: bytes, now: float) -> list[tuple[float, bytes]]:
        """Send a datagram.

        :returns: the copies that arrive: after how many seconds, and their bytes. If none does, ``lost_to`` says why.
        """
        link = self.link
        if link is None:
            self.lost_to = "cut"
            return []
        draw = self.draws.random
        if link.is_plain:
            if link.loss and draw() < link.loss:
                self.lost_to = "loss"
                return []
            return [(link.latency.quantile(draw()), data)]
        if self._is_lost(link, len(data) + UDP_OVERHEAD_BYTES, now):
            return []
        delay = link.latency.quantile(draw())
        if link.bandwidth is not None:
            delay += self._transmission(link.bandwidth, len(data) + UDP_OVERHEAD_BYTES, now)
        if link.held is not None and now < link.held.until:
            delay = max(delay, self._turn(link.held) - now)
        if link.reordering and draw() < link.reordering:
            delay += link.latency.quantile(draw()) * REORDERING_DELAYS * draw()
        if link.corruption and draw() < link.corruption:
            data = _with_a_bit_flipped(data, draw())
        if link.duplication and draw() < link.duplication:
            return [(delay, data), (delay + link.latency.quantile(draw()), data)]
        return [(delay, data)]

    def segment_delay(self, first_retry_s: float) -> float:
        """Draw the delay of a stream segment. A lost segment is sent again, after a pause that grows with each loss.

        :param first_retry_s: the first pause; it doubles each time.
        """
        if self.link is None:
            return MAX_STREAM_DELAY_S
        delay, retry = self.link.latency.quantile(self.draws.random()), first_retry_s
        while self.link.loss and self.draws.random() < self.link.loss and delay < MAX_STREAM_DELAY_S:
            delay, retry = delay + retry, 2 * retry
        return delay

    def _is_lost(self, link: Link, size: int, now: float) -> bool:
        draw = self.draws.random
        if link.streams_only:
            self.lost_to = "no datagrams"
        elif link.mtu is not None and size > link.mtu:
            self.lost_to = "mtu"
        elif link.loss and draw() < link.loss:
            self.lost_to = "loss"
        elif link.bursts is not None and self._is_lost_in_burst(link.bursts):
            self.lost_to = "burst"
        elif link.bandwidth is not None and (self._busy_until - now) * link.bandwidth > link.queue_bytes:
            self.lost_to = "queue"
        else:
            return False
        return True

    def _is_lost_in_burst(self, bursts: GilbertElliott) -> bool:
        draw = self.draws.random
        self._is_bad = draw() >= bursts.to_good if self._is_bad else draw() < bursts.to_bad
        return draw() < (bursts.loss_bad if self._is_bad else bursts.loss_good)

    def _turn(self, held: Held) -> float:
        """Virtual time at which the link releases one more datagram that it holds back."""
        if held != self._held_by:
            self._held_by, self._held = held, 0
        self._held += 1
        return held.until + (self._held - 1) * held.spacing

    def _transmission(self, bandwidth: float, size: int, now: float) -> float:
        self._busy_until = max(self._busy_until, now) + size / bandwidth
        return self._busy_until - now


def _with_a_bit_flipped(data: bytes, share: float) -> bytes:
    bit = int(share * 8 * len(data))
    flipped = bytearray(data)
    flipped[bit // 8] ^= 1 << bit % 8
    return bytes(flipped)
